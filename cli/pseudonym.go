package cli

import (
	"context"
	"time"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/subject"
)

// pseudonymCmd is the stand-ins for people.
type pseudonymCmd struct {
	Make    pseudonymMakeCmd    `cmd:"" help:"Give the pseudonym of a person in a context: the one that stands, or a new one."`
	Ask     pseudonymAskCmd     `cmd:"" help:"Ask who a pseudonym is, and say why. Once there are accounts, another one approves it."`
	Approve pseudonymApproveCmd `cmd:"" help:"Approve that whoever asked is shown who a pseudonym is."`
	Reveal  pseudonymRevealCmd  `cmd:"" help:"Show who a pseudonym is, once, to who asked."`
	List    pseudonymListCmd    `cmd:"" help:"List what was asked, why, and what came of it."`
}

type pseudonymMakeCmd struct {
	Context string `required:"" help:"Where it stands for the person, such as analytics." placeholder:"WORD"`
	Expires string `help:"How long a new one stands: 90d or 12h." default:"365d" placeholder:"TIME"`
	subjects
}

func (*pseudonymMakeCmd) writes() {}

func (c *pseudonymMakeCmd) run(ctx context.Context, s *session) error {
	ids, err := c.one(s)
	if err != nil {
		return err
	}
	valid, err := validity(c.Expires)
	if err != nil {
		return err
	}
	out, err := s.Pseudonyms.Make(ctx, subject.PseudonymInput{Subject: ids, Context: c.Context, For: valid, Actor: s.actor()})
	if err != nil {
		return err
	}
	return s.answer(out, func() {
		s.heading("%s", out.ID)
		s.printf("  context  %s\n  expires  %s\n", out.Context, out.Expires.Format("2006-01-02 15:04"))
	})
}

type pseudonymAskCmd struct {
	Pseudonym string `arg:"" help:"The pseudonym: psn_…"`
	Because   string `required:"" help:"Why. It stands in the log." placeholder:"TEXT"`
	asAccount
}

func (*pseudonymAskCmd) writes() {}

func (c *pseudonymAskCmd) run(ctx context.Context, s *session) error {
	who, err := c.as(ctx, s)
	if err != nil {
		return err
	}
	r, err := s.Pseudonyms.Ask(ctx, who, c.Pseudonym, c.Because)
	if err != nil {
		return err
	}
	return s.answer(r, func() {
		s.heading("Asked: %s.", r.ID)
		if who.Role != access.Local {
			s.printf("\nAnother account approves it: ombud pseudonym approve %s --name N\n", r.ID)
		}
		s.printf("Then it is shown once: ombud pseudonym reveal %s\n", r.ID)
	})
}

// resolution names what was asked.
type resolution struct {
	Resolution string `arg:"" help:"What was asked: res_…"`
	asAccount
}

type pseudonymApproveCmd struct{ resolution }

func (*pseudonymApproveCmd) writes() {}

func (c *pseudonymApproveCmd) run(ctx context.Context, s *session) error {
	who, err := c.as(ctx, s)
	if err != nil {
		return err
	}
	r, err := s.Pseudonyms.Approve(ctx, who, c.Resolution)
	if err != nil {
		return err
	}
	return s.answer(r, func() { s.heading("Approved. Who asked has an hour to look.") })
}

type pseudonymRevealCmd struct{ resolution }

func (*pseudonymRevealCmd) writes() {}

func (c *pseudonymRevealCmd) run(ctx context.Context, s *session) error {
	who, err := c.as(ctx, s)
	if err != nil {
		return err
	}
	ids, err := s.Pseudonyms.Reveal(ctx, who, c.Resolution)
	if err != nil {
		return err
	}
	values := map[string][]string{}
	for _, i := range ids {
		values[i.Kind] = append(values[i.Kind], i.Value)
	}
	return s.answer(map[string]any{"subject": values}, func() {
		for _, i := range ids {
			s.printf("%s  %s\n", i.Kind, i.Value)
		}
	})
}

type pseudonymListCmd struct{ asAccount }

func (c *pseudonymListCmd) run(ctx context.Context, s *session) error {
	who, err := c.as(ctx, s)
	if err != nil {
		return err
	}
	all, err := s.Pseudonyms.Resolutions(ctx, who)
	if err != nil {
		return err
	}
	return s.answer(map[string]any{"resolutions": all}, func() {
		s.heading("%s.", count(len(all), "question"))
		t := newTable("", "pseudonym", "asked", "by", "state", "because")
		for _, r := range all {
			t.row(r.ID, r.Pseudonym, r.Asked.Format(time.DateOnly+" 15:04"), r.AskedBy, r.State(), r.Because)
		}
		t.print(s)
	})
}
