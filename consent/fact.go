package consent

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/once"
	"github.com/ombudhq/ombud/subject"
)

// AddFact restricts, or records an objection: a fact about a person that decisions obey from its answer on. The person need
// not be known yet.
func (s *Service) AddFact(ctx context.Context, ids []subject.Identity, in subject.FactInput) (string, subject.Fact, error) {
	var out About
	if was, err := once.Was(ctx, &out); was || err != nil {
		return out.Subject, out.Fact, err
	}
	ids, err := s.meant(ctx, ids)
	if err != nil {
		return "", subject.Fact{}, err
	}
	a := &admission{in: &RecordInput{Subject: ids}}
	a.person()
	declared := func(where string, list []string) {
		for i, p := range list {
			if _, ok := s.cfg.Purposes.Now().Rule(p); !ok {
				a.bad(fmt.Sprintf("%s/%d", where, i), "no such purpose is declared")
			}
		}
	}
	declared("purposes", in.Purposes)
	declared("allowed", in.Allowed)
	if len(a.faults) > 0 {
		return "", subject.Fact{}, fault.New(fault.Invalid, "this cannot be recorded").With(a.faults...)
	}
	who := s.keyed(ids)
	err = s.cfg.DB.Write(ctx, func(tx *db.Tx) error {
		n, bound, err := s.person(ctx, tx, who)
		if err != nil {
			return err
		}
		out.Subject = s.cfg.People.ID(n)
		if out.Fact, err = s.addFact(ctx, tx, n, bound, in); err != nil {
			return err
		}
		return once.Done(tx, out)
	})
	return out.Subject, out.Fact, err
}

// addFact makes one, which decisions obey after the commit.
func (s *Service) addFact(ctx context.Context, tx *db.Tx, n subject.Number, bound []subject.Bound, in subject.FactInput) (subject.Fact, error) {
	out, err := s.cfg.Facts.Add(ctx, tx, n, in)
	if err != nil {
		return out, err
	}
	tx.OnCommit(func() {
		s.bind(bound)
		s.flag(n)
		s.reached(out.Revision, n, nil)
	})
	return out, nil
}

// EndFact lifts a restriction or an objection.
func (s *Service) EndFact(ctx context.Context, id, actor string) (out subject.Fact, err error) {
	if was, err := once.Was(ctx, &out); was || err != nil {
		return out, err
	}
	err = s.cfg.DB.Write(ctx, func(tx *db.Tx) error {
		var n subject.Number
		if n, out, err = s.cfg.Facts.End(ctx, tx, id, actor); err != nil {
			return err
		}
		tx.OnCommit(func() {
			s.flag(n)
			s.reached(out.Revision, n, nil)
		})
		return once.Done(tx, out)
	})
	return out, err
}

// About is a restriction or an objection, and whom it is about.
type About struct {
	Subject string
	subject.Fact
}

// Facts are the restrictions and objections that have not ended, of everybody, the oldest first.
func (s *Service) Facts() []About {
	var out []About
	for _, n := range s.cfg.Facts.Numbers() {
		for _, f := range s.FactsOf(Handle{person: n}) {
			out = append(out, About{s.cfg.People.ID(n), f})
		}
	}
	slices.SortFunc(out, func(a, b About) int { return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.ID, b.ID)) })
	return out
}

// FactsOf are those of one person, whether they hold or no longer: Stands tells.
func (s *Service) FactsOf(h Handle) []subject.Fact { return s.cfg.Facts.Of(h.person) }
