package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/subject"
)

type auditTailCmd struct {
	N    int    `short:"n" help:"How many." default:"20"`
	Kind string `help:"Only this kind, for example request.approved." placeholder:"KIND"`
}

func (*auditTailCmd) writes() {}

func (c *auditTailCmd) run(ctx context.Context, s *session) error {
	if err := s.mayReadLog(); err != nil {
		return err
	}
	if c.N < 1 || c.N > 10000 {
		return fault.New(fault.Invalid, "-n is between 1 and 10,000")
	}
	rows := []ledger.Row{}
	err := s.Ledger.Search(ctx, s.actor(), "tail", ledger.Question{Kind: c.Kind, Limit: c.N}, func(r ledger.Row) error {
		rows = append(rows, r)
		return nil
	})
	if err != nil {
		return err
	}
	slices.Reverse(rows)
	return s.answer(map[string]any{"entries": rows}, func() { s.showEntries(rows) })
}

type auditSearchCmd struct {
	Kind      string `help:"Only this kind, for example request.approved." placeholder:"KIND"`
	Actor     string `help:"Only what this actor did, for example local:ida." placeholder:"ACTOR"`
	Operation string `help:"Only this operation: a permission such as person.read, or a command such as dsr.run." placeholder:"OPERATION"`
	Resource  string `help:"Only what was done to this: kind/id such as request/R-2026-0001, or a kind." placeholder:"RESOURCE"`
	Purpose   string `help:"Only for this purpose, as the caller wrote it down." placeholder:"PURPOSE"`
	From      string `help:"Only from this day or moment on, 2026-11-21 or 2026-11-21T09:00:00Z." placeholder:"TIME"`
	To        string `help:"Only up to this day or moment." placeholder:"TIME"`
	Limit     int    `help:"How many at most; 0 for all." default:"100" placeholder:"N"`
	subjects
}

func (*auditSearchCmd) writes() {}

func (c *auditSearchCmd) run(ctx context.Context, s *session) error {
	if err := s.mayReadLog(); err != nil {
		return err
	}
	q, err := c.question(s)
	if err != nil {
		return err
	}
	if s.json {
		return s.searchJSON(ctx, q)
	}
	rows := []ledger.Row{}
	err = s.Ledger.Search(ctx, s.actor(), "search", q, func(r ledger.Row) error {
		rows = append(rows, r)
		return nil
	})
	if err != nil {
		return err
	}
	s.heading("%s found, the newest first.", entries(int64(len(rows))))
	s.showEntries(rows)
	return nil
}

func (c *auditSearchCmd) question(s *session) (q ledger.Question, err error) {
	var faults []fault.Detail
	q = ledger.Question{Kind: c.Kind, Actor: c.Actor, Operation: c.Operation, Resource: c.Resource, Purpose: c.Purpose, Limit: c.Limit}
	if c.Limit < 0 {
		faults = append(faults, fault.Detail{Where: "--limit", Message: "it is 0 or more"})
	}
	var ok bool
	if q.From, _, ok = spanOf(c.From); !ok {
		faults = append(faults, fault.Detail{Where: "--from", Message: "a moment is written 2026-11-21 or 2026-11-21T09:00:00Z"})
	}
	if _, q.To, ok = spanOf(c.To); !ok {
		faults = append(faults, fault.Detail{Where: "--to", Message: "a moment is written 2026-11-21 or 2026-11-21T09:00:00Z"})
	}
	if len(c.Subject) > 0 {
		ids, err := c.one(s)
		if err != nil {
			return q, err
		}
		if q.Subjects, ok = s.namesOf(ids); !ok {
			faults = append(faults, fault.Detail{Where: "--subject", Message: "this is no id of a person here"})
		}
	}
	if len(faults) > 0 {
		return q, fault.New(fault.Invalid, "this cannot be searched for").With(faults...)
	}
	return q, nil
}

// spanOf reads a day or a moment: when it begins, and the minute behind it. Nothing is no time at all.
func spanOf(text string) (from, behind time.Time, ok bool) {
	if text == "" {
		return from, behind, true
	}
	if t, err := time.Parse(time.DateOnly, text); err == nil {
		return t, t.AddDate(0, 0, 1), true
	}
	t, err := time.Parse(time.RFC3339, text)
	return t, t.Add(time.Minute), err == nil
}

// namesOf are the names that entries know a person by: the id, and the tokens of identities.
func (s *session) namesOf(ids []subject.Identity) ([]string, bool) {
	if len(ids) == 1 && ids[0].Kind == "id" {
		_, ok := s.Consents.FindID(ids[0].Value)
		return []string{ids[0].Value}, ok
	}
	names := subject.Tokens(s.Vault, ids)
	if n := s.Consents.Find(ids...).Person(); n != 0 {
		names = append(names, s.Consents.Who(n))
	}
	return names, true
}

// searchJSON prints entries as they are found, however many, in one object. What ends it early stands in there too.
func (s *session) searchJSON(ctx context.Context, q ledger.Question) error {
	lead := "{\n  \"entries\": ["
	err := s.Ledger.Search(ctx, s.actor(), "search", q, func(r ledger.Row) error {
		b, err := json.Marshal(r)
		if err == nil {
			_, err = fmt.Fprintf(s.env.Stdout, "%s\n    %s", lead, b)
		}
		lead = ","
		return err
	})
	if err != nil && lead != "," {
		return err // nothing is printed yet
	}
	if lead != "," {
		fmt.Fprint(s.env.Stdout, lead)
	}
	return s.closeJSON(s.env.Stdout, err)
}

func (s *session) closeJSON(w io.Writer, failed error) error {
	if failed == nil {
		_, err := io.WriteString(w, "]\n}\n")
		return err
	}
	b, err := json.Marshal(problemOf(failed))
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "],\n  \"error\": %s\n}\n", b)
	s.warn("%v", failed)
	return Exit(fault.ExitCode(failed))
}
