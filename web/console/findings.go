package console

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/web/console/view"
)

// guess is something scan proposed and nobody has answered.
type guess struct {
	catalog.Mark
	system, dataset string
	place, thinks   string
}

// openGuesses are those that ombud.yaml still marks.
func openGuesses(cfg *catalog.Config) []guess {
	var out []guess
	add := func(m catalog.Mark, system, dataset, place, thinks string) {
		if m.Proposed && !m.Rejected {
			out = append(out, guess{m, system, dataset, place, thinks})
		}
	}
	for _, s := range cfg.Systems {
		for _, p := range s.People {
			add(p.Mark, s.ID, p.Table, s.ID+"."+p.Table, "people enter here, by "+strings.Join(slices.Sorted(maps.Keys(p.By)), ", "))
		}
		for _, l := range s.Links {
			dataset := l.From
			if dot := strings.LastIndexByte(l.From, '.'); dot >= 0 {
				dataset = l.From[:dot]
			}
			add(l.Mark, s.ID, dataset, s.ID+"."+l.From, "leads to "+l.To+", "+roleWord(l.As))
		}
		for _, t := range s.Tables {
			add(t.Mark, s.ID, t.Table, s.ID+"."+t.Table, ruleWord(t))
		}
	}
	return out
}

func roleWord(r catalog.Role) string {
	switch r {
	case catalog.Co:
		return "and others own the row too"
	case catalog.Mention:
		return "and only names the person"
	case catalog.Context:
		return "and says nothing of whose it is"
	case catalog.Alias:
		return "and is the same person"
	case catalog.Follow:
		return "and follows what refers to it"
	}
	return "and the row is theirs"
}

func ruleWord(t catalog.TableRule) string {
	if t.Erase == catalog.Keep {
		return "a law makes you keep it: money, tax or a log"
	}
	if len(t.Columns) > 0 {
		return fmt.Sprintf("erasing should %s %s", t.Erase, strings.Join(t.Columns, ", "))
	}
	return fmt.Sprintf("erasing should %s its rows", t.Erase)
}

// findings are the guesses with a yes and a no each. An answer is written into ombud.yaml and becomes a rule.
func (v *visit) findings(m *mapped) g.Node {
	s := view.Section{ID: "findings", Title: "Findings that wait for a yes or no", Note: g.Text("an answer becomes a rule in ombud.yaml")}
	if len(m.guesses) == 0 {
		return s.With(h.P(g.Text("None. "), h.Span(h.Class("quiet"), g.Text("What a scan guesses is planned with and waits here; ombud scan looks anew."))))
	}
	var rows []g.Node
	for _, x := range m.guesses {
		rows = append(rows, view.Row(g.Text(x.place), view.Text("Thinks", x.thinks), view.Text("Because", x.because()), view.Act(v.answerForm(x))))
	}
	all := view.Form("/map/answer", v.token, view.Hidden("accept", catalog.All), view.Actions(view.Button("", fmt.Sprintf("Accept all %d", len(m.guesses)))))
	if !v.may(access.CatalogWrite) {
		all = nil
	}
	return s.With(view.Table("stack", "Findings", []view.Column{{Name: "Where"}, {Name: "Ombud thinks"}, {Name: "Because"}, {Name: "Your answer"}}, view.Rows(rows...)), all)
}

func (x guess) because() string {
	var parts []string
	if x.Reason != "" {
		parts = append(parts, x.Reason)
	}
	if x.Confidence > 0 {
		parts = append(parts, fmt.Sprintf("%.2f sure", x.Confidence))
	}
	return strings.Join(parts, ", ")
}

func (v *visit) answerForm(x guess) g.Node {
	if x.ID == "" {
		return g.Text("in ombud.yaml: take away proposed, or the entry")
	}
	if !v.may(access.CatalogWrite) {
		return g.Text("a developer or data protection officer answers")
	}
	about := h.Span(h.Class("sr"), g.Text(" that "+x.place+" "+x.thinks))
	return view.Form("/map/answer", v.token, h.Span(h.Class("row"),
		h.Button(h.Class("btn sm"), h.Type("submit"), h.Name("accept"), h.Value(x.ID), g.Text("Accept"), about),
		h.Button(h.Class("btn sm"), h.Type("submit"), h.Name("reject"), h.Value(x.ID), g.Text("Reject"), about)))
}

// answer writes one into ombud.yaml, where comments and other answers stay as they are.
func (v *visit) answer() error {
	v.file.Lock()
	defer v.file.Unlock()
	path := v.Catalog.Config().Path
	file, err := os.ReadFile(path)
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "ombud.yaml cannot be read; nothing was changed")
	}
	out, _, err := catalog.Answer(file, given(v.r.PostForm.Get("accept")), given(v.r.PostForm.Get("reject")))
	if err != nil {
		return err
	}
	if err := catalog.Save(path, out); err != nil {
		return fault.Wrap(fault.Unavailable, err, "ombud.yaml cannot be written; nothing was changed")
	}
	return v.seeOther("/map#findings")
}

func given(id string) []string {
	if id == "" {
		return nil
	}
	return []string{id}
}
