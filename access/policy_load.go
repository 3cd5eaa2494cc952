package access

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/x/exp/ast"
	"github.com/cedar-policy/cedar-go/x/exp/schema"
	"github.com/cedar-policy/cedar-go/x/exp/schema/resolved"
	"github.com/cedar-policy/cedar-go/x/exp/schema/validate"

	"github.com/ombudhq/ombud/internal/fault"
)

// LoadPolicies gives the shipped policies and those in the *.cedar files of the company's folders. A policy of a company
// can only forbid, so that no folder gives more than what is shipped. Bad input is fault.Invalid and names every fault
// with its file and line.
func LoadPolicies(dirs []string) (*Policies, error) {
	b, err := shippedFiles.ReadFile("policies/schema.cedarschema")
	if err != nil {
		return nil, err
	}
	s, err := readSchema(b)
	if err != nil {
		return nil, err
	}
	l := &loader{schema: s, check: validate.New(s), ids: map[cedar.PolicyID]bool{}}
	for _, name := range []string{"roles.cedar", "guards.cedar"} {
		b, err := shippedFiles.ReadFile("policies/" + name)
		if err != nil {
			return nil, err
		}
		l.read(name, b, false)
	}
	for _, dir := range dirs {
		l.folder(dir)
	}
	if len(l.faults) > 0 {
		return nil, fault.New(fault.Invalid, "the access policies cannot be used").With(l.faults...)
	}
	return l.index(), nil
}

func readSchema(b []byte) (*resolved.Schema, error) {
	var s schema.Schema
	if err := s.UnmarshalCedar(b); err != nil {
		return nil, fmt.Errorf("reading the schema of policies: %w", err)
	}
	return s.Resolve()
}

// loader gathers policies and every fault in them.
type loader struct {
	schema *resolved.Schema
	check  *validate.Validator
	ids    map[cedar.PolicyID]bool
	all    []*policy
	faults []fault.Detail
}

func (l *loader) fault(where, format string, args ...any) {
	l.faults = append(l.faults, fault.Detail{Where: where, Message: fmt.Sprintf(format, args...)})
}

// folder reads the company's files, by name.
func (l *loader) folder(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		l.fault(dir, "the folder of policies cannot be read")
		return
	}
	for _, e := range entries {
		if e.IsDir() || path.Ext(e.Name()) != ".cedar" {
			continue
		}
		name := filepath.Join(dir, e.Name())
		b, err := os.ReadFile(name)
		if err != nil {
			l.fault(name, "the file cannot be read")
			continue
		}
		l.read(name, b, true)
	}
}

// read takes in the policies of a file; own are those of the company.
func (l *loader) read(file string, b []byte, own bool) {
	list, err := cedar.NewPolicyListFromBytes(file, b)
	if err != nil {
		l.fault(at(file, parsedAt(err)), "%s", parseMessage(err))
		return
	}
	for _, c := range list {
		notes, line := c.Annotations(), c.Position().Line
		p := &policy{id: cedar.PolicyID(notes["id"]), says: string(notes["says"]), file: file, cedar: c, own: own, scoped: isScoped(c)}
		if p.id == "" {
			p.id = cedar.PolicyID(fmt.Sprintf("%s:%d", filepath.Base(file), line))
		}
		where := at(file, line)
		if l.ids[p.id] {
			l.fault(where, "another policy has the id %s", p.id)
		}
		l.ids[p.id] = true
		if own && !p.forbids() {
			l.fault(where, "a policy of your own can only forbid; what a role may do is shipped")
		}
		for _, role := range p.roles() {
			if !slices.Contains(everyRole, role) {
				l.fault(where, "there is no role %s", role) // it would forbid nobody anything
			}
		}
		if err := l.check.Policy(string(p.id), (*ast.Policy)(c.AST())); err != nil {
			l.fault(where, "%s", validMessage(err, string(p.id)))
		}
		l.all = append(l.all, p)
	}
}

func at(file string, line int) string { return fmt.Sprintf("%s:%d", file, line) }

// Print tells the policies of folders apart by name, size and time of their files, without reading them.
func Print(dirs []string) string {
	var b strings.Builder
	for _, dir := range dirs {
		entries, _ := os.ReadDir(dir) // what cannot be read is a fault when it is loaded
		for _, e := range entries {
			if info, err := e.Info(); err == nil {
				fmt.Fprintf(&b, "%s %d %d\n", filepath.Join(dir, e.Name()), info.Size(), info.ModTime().UnixNano())
			}
		}
	}
	return b.String()
}

// parsedAt is the line of a parse error; messages of the parser end in it.
func parsedAt(err error) (line int) {
	if _, rest, ok := strings.Cut(err.Error(), "<input>:"); ok {
		_, _ = fmt.Sscanf(rest, "%d", &line)
	}
	return max(line, 1)
}

// parseMessage says what is wrong, without the place.
func parseMessage(err error) string {
	if _, rest, ok := strings.Cut(err.Error(), "<input>:"); ok {
		if _, rest, ok = strings.Cut(rest, " "); ok {
			return "this is no policy: at " + rest
		}
	}
	return "this is no policy: " + err.Error()
}

func validMessage(err error, id string) string {
	lines := strings.Split(err.Error(), "\n")
	for i := range lines {
		lines[i] = strings.TrimPrefix(strings.TrimSpace(lines[i]), "for policy `"+id+"`, ")
	}
	return strings.Join(slices.Compact(lines), "; ")
}
