package catalog

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/ombudhq/ombud/internal/fault"
)

// All, among the ids to accept, is every guess that nobody answered yet.
const All = "all"

// Answer writes a person's answers into a file's bytes: an accepted guess loses its marks and is then
// as good as hand-written; a rejected one is marked rejected and never proposed again. It gives the ids
// it answered. An id that is no guess of the file is fault.Invalid, and then nothing is answered.
func Answer(file []byte, accept, reject []string) (out []byte, answered []string, err error) {
	cfg, err := Parse("ombud.yaml", file)
	if err != nil {
		return nil, nil, err
	}
	guesses := cfg.guesses()
	if accept, err = resolveAnswers(guesses, accept, reject); err != nil {
		return nil, nil, err
	}
	s, err := newSource(file)
	if err != nil {
		return nil, nil, err
	}
	for _, g := range guesses {
		node := s.guess(g)
		switch {
		case slices.Contains(accept, g.mark.ID):
			if !s.accept(g, node) {
				return nil, nil, layoutFault("ombud.yaml", nil)
			}
		case slices.Contains(reject, g.mark.ID):
			if !s.reject(node, g.mark) {
				return nil, nil, layoutFault("ombud.yaml", nil)
			}
		default:
			continue
		}
		answered = append(answered, g.mark.ID)
	}
	out = s.bytes()
	return out, answered, checkAnswers(out, answered, accept)
}

// guess is one marked entry of a configuration: list "people", "links" or "tables", and its place.
type guess struct {
	system *System
	list   string
	index  int
	mark   *Mark
	rule   *TableRule
}

func (c *Config) guesses() []guess {
	var out []guess
	add := func(g guess) {
		if g.mark.Proposed || g.mark.Rejected {
			out = append(out, g)
		}
	}
	for i := range c.Systems {
		s := &c.Systems[i]
		for j := range s.People {
			add(guess{s, "people", j, &s.People[j].Mark, nil})
		}
		for j := range s.Links {
			add(guess{s, "links", j, &s.Links[j].Mark, nil})
		}
		for j := range s.Tables {
			add(guess{s, "tables", j, &s.Tables[j].Mark, &s.Tables[j]})
		}
	}
	return out
}

// Open lists the ids of guesses that nobody answered, in the order of the file.
func (c *Config) Open() []string {
	var ids []string
	for _, g := range c.guesses() {
		if g.mark.Proposed && !g.mark.Rejected {
			ids = append(ids, g.mark.ID)
		}
	}
	return ids
}

// resolveAnswers expands "all" and refuses ids that are unknown or answered both ways.
func resolveAnswers(guesses []guess, accept, reject []string) ([]string, error) {
	known := map[string]bool{}
	var open []string
	for _, g := range guesses {
		known[g.mark.ID] = true
		if !g.mark.Rejected && !slices.Contains(reject, g.mark.ID) {
			open = append(open, g.mark.ID)
		}
	}
	if slices.Contains(accept, All) {
		accept = append(slices.DeleteFunc(slices.Clone(accept), func(id string) bool { return id == All }), open...)
	}
	bad := fault.New(fault.Invalid, "these are no open guesses of the file; nothing was answered")
	for _, id := range slices.Concat(accept, reject) {
		switch {
		case !known[id]:
			bad = bad.With(fault.Detail{Where: id, Message: "no guess has this id" + didYouMean(id, open)})
		case slices.Contains(accept, id) && slices.Contains(reject, id):
			bad = bad.With(fault.Detail{Where: id, Message: "both accepted and rejected"})
		}
	}
	if len(bad.Details) > 0 {
		return nil, bad.Then("ombud scan lists the open ones.")
	}
	return accept, nil
}

// guess finds the node of an entry; nil when it stands there as an alias.
func (s *source) guess(g guess) *yaml.Node {
	sys := s.system(g.system.ID)
	if sys == nil {
		return nil
	}
	list := s.child(sys, g.list)
	if list == nil || list.Kind == yaml.AliasNode {
		return nil
	}
	at := g.index
	if g.list == "tables" {
		at = 2*at + 1
	}
	if at >= len(list.Content) || list.Content[at].Kind != yaml.MappingNode {
		return nil
	}
	return list.Content[at]
}

var markKeys = []string{"proposed", "rejected", "id", "confidence", "reason"}

// accept takes the marks away. A keep gets its because, and a reopened dataset leaves ignore.
func (s *source) accept(g guess, n *yaml.Node) bool {
	if n == nil {
		return false
	}
	if g.rule != nil && g.rule.Erase == Keep && strings.TrimSpace(g.rule.Because) == "?" {
		v := s.child(n, "because")
		if v == nil {
			return false
		}
		s.replace(s.start(v), s.end(v), quoted(confirmed(g.mark.Reason)))
	}
	if g.rule != nil {
		s.unignore(g.system.ID, g.rule.Table)
	}
	if len(n.Content) > 0 && !isFlow(n) && allMarks(n) {
		s.replace(s.start(n), s.end(n), "{}")
		return true
	}
	s.keep(n, func(key string) bool { return !slices.Contains(markKeys, key) })
	return true
}

func allMarks(n *yaml.Node) bool {
	for i := 0; i < len(n.Content); i += 2 {
		if !slices.Contains(markKeys, n.Content[i].Value) {
			return false
		}
	}
	return true
}

// confirmed turns the guess's reason into the reason of a keep.
func confirmed(reason string) string {
	if strings.Contains(reason, "log") && !strings.Contains(reason, "tax") {
		return "security and traceability (confirmed)"
	}
	return "bookkeeping or tax law (confirmed)"
}

func (s *source) unignore(system, table string) {
	list := s.child(s.system(system), "ignore")
	if list == nil {
		return
	}
	for i, n := range list.Content {
		if n.Value != table {
			continue
		}
		if len(list.Content) == 1 && !isFlow(list) {
			s.keep(s.system(system), func(key string) bool { return key != "ignore" })
			return
		}
		s.dropItem(list, i)
	}
}

func (s *source) reject(n *yaml.Node, m *Mark) bool {
	if n == nil {
		return false
	}
	if m.Rejected {
		return true
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if k, v := n.Content[i], n.Content[i+1]; k.Value == "proposed" {
			s.replace(s.start(k), s.end(v), "rejected: true")
			return true
		}
	}
	return false
}

// checkAnswers reads the edited bytes again: every answer must stand in them as it was given.
func checkAnswers(out []byte, answered, accept []string) error {
	cfg, err := Parse("ombud.yaml", out)
	if err != nil {
		return layoutFault("ombud.yaml", err)
	}
	left := map[string]bool{}
	for _, g := range cfg.guesses() {
		left[g.mark.ID] = g.mark.Rejected && !g.mark.Proposed
	}
	for _, id := range answered {
		rejected, there := left[id]
		if slices.Contains(accept, id) == there || there && !rejected {
			return layoutFault("ombud.yaml", nil)
		}
	}
	return nil
}
