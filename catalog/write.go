package catalog

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/ombudhq/ombud/internal/fault"
)

const preamble = `# What this organisation says about its stores; ombud reads it and ombud scan drafts it.
# What scan guessed is marked proposed: true. It is planned with and stays an open question until
#   ombud scan --accept ID…|all     or     ombud scan --reject ID…
organization: {name: Our organisation}   # the controller, as people will read it
`

// Draft writes what a scan found into a file: new systems and new guesses, each marked. existing is
// the file's content, nil when there is none yet; whatever stands in it, comments and answers
// included, stays byte for byte. What the file already says, or rejected, is not proposed again, so a
// second run adds nothing. A DSN that holds a password is fault.Invalid: it belongs in the environment.
func Draft(existing []byte, f *Findings) ([]byte, error) {
	before, err := Parse(f.Config.Path, existing)
	if err != nil {
		return nil, err
	}
	out := existing
	if len(out) == 0 {
		out = []byte(preamble)
	}
	for i := range f.Config.Systems {
		if s := &f.Config.Systems[i]; before.system(s.ID) == nil {
			if out, err = addSystem(out, s); err != nil {
				return nil, err
			}
		}
	}
	for _, p := range f.Proposals {
		if out, err = addProposal(f.Config.Path, out, p); err != nil {
			return nil, err
		}
	}
	return out, unchanged(f.Config.Path, before, out)
}

// unchanged makes sure that everything the file said before it still says.
func unchanged(path string, before *Config, out []byte) error {
	after, err := Parse(path, out)
	if err != nil {
		return layoutFault(path, err)
	}
	for i := range before.Systems {
		was, is := &before.Systems[i], after.system(before.Systems[i].ID)
		if is == nil || len(is.People) < len(was.People) || len(is.Links) < len(was.Links) || len(is.Tables) < len(was.Tables) {
			return layoutFault(path, nil)
		}
		cut := *is
		cut.People, cut.Links, cut.Tables = is.People[:len(was.People)], is.Links[:len(was.Links)], is.Tables[:len(was.Tables)]
		if !sameMeaning(Config{Systems: []System{*was}}, Config{Systems: []System{cut}}) {
			return layoutFault(path, nil)
		}
	}
	rest := *after
	rest.Systems = before.Systems
	if len(before.Systems) == 0 && before.Organization.Name == "" {
		rest.Organization = before.Organization
	}
	if !sameMeaning(*before, rest) {
		return layoutFault(path, nil)
	}
	return nil
}

func sameMeaning(a, b Config) bool { return digest(&a) == digest(&b) }

func layoutFault(path string, err error) error {
	return fault.Wrap(fault.Invalid, err, "%s is laid out in a way that cannot be edited without risk; it was left as it is", filepath.Clean(path)).
		Then("Write its systems as plain block lists (one entry a line), without anchors, and try again.")
}

func (c *Config) system(id string) *System {
	for i := range c.Systems {
		if c.Systems[i].ID == id {
			return &c.Systems[i]
		}
	}
	return nil
}

func addSystem(data []byte, sys *System) ([]byte, error) {
	if LiteralSecret(sys.DSN) {
		return nil, fault.New(fault.Invalid, "%s: its DSN holds a password, which does not belong in a file", sys.ID).
			Then("Put the DSN into an environment variable and name that: ombud scan '%s=${%s}' --write", sys.ID, variableFor(sys.ID))
	}
	s, err := newSource(data)
	if err != nil {
		return nil, err
	}
	entry := renderSystem(sys)
	list := s.child(s.root, "systems")
	switch {
	case list == nil || isNull(list):
		s.addKey(s.root, "systems", entry)
	case isFlow(list) && len(list.Content) == 0:
		s.replace(s.start(list), s.end(list), "\n  - "+indented(entry, "  - "))
	case isFlow(list):
		s.append(list, "{"+flow([]pair{{"id", quoted(sys.ID)}, {"connector", sys.Connector}, {"dsn", `"` + sys.DSN + `"`}})+"}")
	default:
		s.append(list, entry)
	}
	return s.bytes(), nil
}

// addProposal adds one guess unless the file already speaks of it.
func addProposal(path string, data []byte, p Proposal) ([]byte, error) {
	cfg, err := Parse(path, data)
	if err != nil {
		return nil, layoutFault(path, err)
	}
	if sys := cfg.system(p.System); sys == nil || p.spokenOf(sys) {
		return data, nil
	}
	s, err := newSource(data)
	if err != nil {
		return nil, err
	}
	sys := s.system(p.System)
	if sys == nil {
		return nil, layoutFault(path, nil)
	}
	key, text := p.render()
	list := s.child(sys, key)
	switch {
	case list == nil || isNull(list):
		s.addKey(sys, key, text)
	case list.Kind == yaml.AliasNode:
		return nil, layoutFault(path, nil)
	case isFlow(list) && len(list.Content) == 0 && !isFlow(sys):
		s.replace(s.start(list), s.end(list), "\n"+indent(sys)+"  "+dashOf(key)+indented(text, indent(sys)+"  "+dashOf(key)))
	default:
		s.append(list, text)
	}
	return s.bytes(), nil
}

func (p Proposal) render() (key, text string) {
	switch {
	case p.People != nil:
		return "people", renderPeople(p.People)
	case p.Link != nil:
		return "links", renderLink(p.Link)
	default:
		return "tables", renderRule(p.Rule)
	}
}

func dashOf(key string) string {
	if key == "tables" {
		return ""
	}
	return "- "
}

// addKey adds a key with one entry to a mapping, or fills it when it is there without a value.
func (s *source) addKey(n *yaml.Node, key, entry string) {
	dash := dashOf(key)
	if n == nil {
		s.replace(len(s.data), len(s.data), key+":\n  "+dash+indented(entry, "  "+dash)+"\n")
		return
	}
	if isFlow(n) {
		open, shut := "[", "]"
		if dash == "" {
			open, shut = "{", "}"
		}
		s.append(n, key+": "+open+entry+shut)
		return
	}
	if v := s.child(n, key); v != nil {
		s.replace(s.start(v), s.start(v)+len(v.Value), "") // a ~ or null that stands there
		s.insertLines(s.start(v), indent(n)+"  "+dash, []string{entry})
		return
	}
	s.append(n, key+":\n  "+dash+indented(entry, "  "+dash))
}

// indented aligns the further lines of an entry under its first.
func indented(text, lead string) string {
	return strings.ReplaceAll(text, "\n", "\n"+strings.Repeat(" ", len(lead)))
}

// child finds a key's value; nil when the key is not there.
func (s *source) child(n *yaml.Node, key string) *yaml.Node {
	if n == nil {
		return nil
	}
	if v := valueOf(n, key); v != n {
		return v
	}
	return nil
}

// system finds a system's mapping by its id; nil when it is not there as itself.
func (s *source) system(id string) *yaml.Node {
	list := s.child(s.root, "systems")
	if list == nil {
		return nil
	}
	i := slices.IndexFunc(list.Content, func(n *yaml.Node) bool {
		v := s.child(n, "id")
		return v != nil && v.Value == id
	})
	if i < 0 {
		return nil
	}
	return list.Content[i]
}

// spokenOf reports whether a system's entries already hold the guess, an answer to it, or something
// a person wrote in its place.
func (p Proposal) spokenOf(s *System) bool {
	switch {
	case p.People != nil:
		return slices.ContainsFunc(s.People, func(x People) bool { return x.Table == p.People.Table || x.ID == p.ID })
	case p.Link != nil:
		return slices.ContainsFunc(s.Links, func(x Link) bool {
			return x.ID == p.ID || x.From == p.Link.From && reflect.DeepEqual(x.When, p.Link.When)
		})
	default:
		return slices.ContainsFunc(s.Tables, func(x TableRule) bool { return x.Table == p.Rule.Table || x.ID == p.ID })
	}
}

// Save replaces a file by data: all of it or nothing, through a crash too. An existing file keeps its
// mode, and a symbolic link stays one.
func Save(path string, data []byte) error {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	mode := os.FileMode(0o644)
	if info, err := os.Stat(path); err == nil {
		mode = info.Mode().Perm()
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".ombud-*.yaml")
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "the folder of %s cannot be written", filepath.Base(path))
	}
	defer os.Remove(tmp.Name())
	if err := fill(tmp, data, mode); err != nil {
		return fault.Wrap(fault.Unavailable, err, "%s could not be written", filepath.Base(path))
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		return fault.Wrap(fault.Unavailable, err, "%s could not be replaced", filepath.Base(path))
	}
	return syncFolder(filepath.Dir(path))
}

func fill(f *os.File, data []byte, mode os.FileMode) error {
	_, err := f.Write(data)
	for _, step := range []func() error{func() error { return f.Chmod(mode) }, f.Sync} {
		if err == nil {
			err = step()
		}
	}
	if shut := f.Close(); err == nil {
		err = shut
	}
	return err
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("opening the folder to sync it: %w", err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("syncing the folder: %w", err)
	}
	return nil
}
