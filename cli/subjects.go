package cli

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/subject"
)

// subjects are the people a command is about. Given on the command line they are identities of one person; in a file,
// each line is a person, the identities of one separated by tabs.
type subjects struct {
	Subject []string `help:"Whom it is about: kind=value, repeated for several identities of one person; @FILE or - for a file or standard input with one person a line, identities of one separated by tabs. A file keeps the value out of your shell's history." placeholder:"KIND=VALUE" sep:"none"`
}

// inputs are the files to read.
func (s *subjects) inputs() []string {
	var names []string
	for _, v := range s.Subject {
		if v == "-" {
			names = append(names, v)
		}
		if name, ok := strings.CutPrefix(v, "@"); ok {
			names = append(names, name)
		}
	}
	return names
}

// people reads them. same says that a person looked and confirmed that several rows of one dataset are this one.
func (s *subjects) people(ses *session, same bool) ([]plan.Person, error) {
	files := s.inputs()
	switch {
	case len(s.Subject) == 0:
		return nil, fault.New(fault.Invalid, "say whom it is about").Then("--subject email=name@example.com, or --subject @FILE")
	case len(files) == 0:
		one, err := person(s.Subject)
		if err != nil {
			return nil, err
		}
		return []plan.Person{{Identities: one, Same: same}}, nil
	case len(s.Subject) > 1:
		return nil, fault.New(fault.Invalid, "a file of subjects stands alone: give one --subject @FILE, or identities")
	}
	return peopleOf(ses, files[0], same)
}

func person(texts []string) ([]subject.Identity, error) {
	var out []subject.Identity
	for _, t := range texts {
		id, err := subject.Parse(t)
		if err != nil {
			return nil, err
		}
		out = append(out, id)
	}
	return out, nil
}

// peopleOf names every line that is wrong, by its number and never by what it holds.
func peopleOf(ses *session, name string, same bool) ([]plan.Person, error) {
	b, err := ses.env.read(name)
	if err != nil {
		return nil, err
	}
	var out []plan.Person
	var wrong []fault.Detail
	lines := bufio.NewScanner(bytes.NewReader(b))
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimRight(lines.Text(), "\r")
		if strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#") {
			continue
		}
		ids, err := person(strings.Split(line, "\t"))
		if err != nil {
			wrong = append(wrong, fault.Detail{Where: fmt.Sprintf("line %d", n), Message: firstLine(err)})
			continue
		}
		out = append(out, plan.Person{Identities: ids, Same: same})
	}
	if lines.Err() != nil {
		return nil, fault.New(fault.Invalid, "%s has a line longer than 1 MiB", name)
	}
	if len(wrong) > 0 {
		return nil, fault.New(fault.Invalid, "%s is not a list of subjects", name).With(wrong...)
	}
	if len(out) == 0 {
		return nil, fault.New(fault.Invalid, "%s names nobody", name)
	}
	return out, nil
}

// identities is people without the grouping, for commands about one person.
func (s *subjects) identities(ses *session) ([]subject.Identity, error) {
	people, err := s.people(ses, false)
	if err != nil {
		return nil, err
	}
	var out []subject.Identity
	for _, p := range people {
		out = append(out, p.Identities...)
	}
	return out, nil
}

func firstLine(err error) string {
	var f *fault.Error
	if errors.As(err, &f) {
		return f.Message
	}
	return "unreadable"
}
