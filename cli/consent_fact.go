package cli

import (
	"context"
	"time"

	"github.com/ombudhq/ombud/subject"
)

// factScope is what a restriction and an objection have in common.
type factScope struct {
	Purposes []string `help:"Only these purposes stop; default all that it is about." placeholder:"P,…"`
	Because  string   `help:"Why. It is sealed." placeholder:"TEXT"`
	Until    string   `help:"Until when, 2026-11-21 or 2026-11-21T09:00:00Z; default until it is lifted." placeholder:"TIME"`
	subjects
}

// madeFact is a fact and whom it is about.
type madeFact struct {
	Subject string `json:"subject,omitempty"`
	subject.Fact
}

func (c *factScope) add(ctx context.Context, s *session, in subject.FactInput) error {
	ids, err := c.one(s)
	if err != nil {
		return err
	}
	in.Purposes, in.Because, in.Actor = c.Purposes, c.Because, s.actor()
	if c.Until != "" {
		if in.Until, err = momentOf(c.Until, time.Time{}); err != nil {
			return err
		}
	}
	who, f, err := s.Consents.AddFact(ctx, ids, in)
	if err != nil {
		return err
	}
	return s.answer(madeFact{who, f}, func() {
		s.heading("The %s stands. Every decision from now on obeys it.", f.Kind)
		s.printf("  id        %s\n  person    %s\n  type      %s\n  stops     %s\n", f.ID, who, f.Type, listing(f.Purposes, "all that it is about"))
		if len(f.Allowed) > 0 {
			s.printf("  goes on   %s\n", listing(f.Allowed, ""))
		}
		s.printf("  until     %s\n", instant(f.Until, "it is lifted"))
	})
}

type consentRestrictCmd struct {
	Type    string   `required:"" help:"accuracy_dispute, unlawful_processing, legal_claims or objection_pending." placeholder:"TYPE"`
	Allowed []string `help:"Purposes that go on nevertheless." placeholder:"P,…"`
	factScope
}

func (*consentRestrictCmd) writes() {}

func (c *consentRestrictCmd) run(ctx context.Context, s *session) error {
	return c.add(ctx, s, subject.FactInput{Kind: subject.Restriction, Type: c.Type, Allowed: c.Allowed})
}

type consentObjectCmd struct {
	Type string `required:"" help:"direct_marketing, legitimate_interests, public_task, research, statistics or opt_out." placeholder:"TYPE"`
	factScope
}

func (*consentObjectCmd) writes() {}

func (c *consentObjectCmd) run(ctx context.Context, s *session) error {
	return c.add(ctx, s, subject.FactInput{Kind: subject.Objection, Type: c.Type})
}

type consentLiftCmd struct {
	Fact string `arg:"" name:"id" help:"Restriction or objection, by its id: fact_…"`
}

func (*consentLiftCmd) writes() {}

func (c *consentLiftCmd) run(ctx context.Context, s *session) error {
	f, err := s.Consents.EndFact(ctx, c.Fact, s.actor())
	if err != nil {
		return err
	}
	return s.answer(madeFact{Fact: f}, func() { s.heading("The %s is lifted.", f.Kind) })
}
