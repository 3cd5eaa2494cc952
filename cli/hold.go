package cli

import (
	"context"

	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/subject"
)

// holdCmd keeps rows from erasure: a lawsuit, an investigation, an open claim.
type holdCmd struct {
	Add     holdAddCmd     `cmd:"" help:"Keep a person's rows from erasure, everywhere or in one dataset."`
	Release holdReleaseCmd `cmd:"" help:"End a hold; what an erasure left because of it is due again."`
	List    holdListCmd    `cmd:"" help:"List the holds that stand."`
}

type holdScope struct {
	System  string `help:"In this system only." placeholder:"ID"`
	Dataset string `help:"In this dataset of it only." placeholder:"NAME"`
	subjects
}

func (h *holdScope) input(s *session) (subject.HoldInput, error) {
	ids, err := h.identities(s)
	return subject.HoldInput{Subjects: ids, System: h.System, Dataset: h.Dataset, Actor: s.actor()}, err
}

type holdAddCmd struct {
	Because string `required:"" help:"Why. It is sealed, and shown to whoever may see holds." placeholder:"TEXT"`
	holdScope
}

func (*holdAddCmd) writes() {}

func (c *holdAddCmd) run(ctx context.Context, s *session) error {
	in, err := c.input(s)
	if err != nil {
		return err
	}
	in.Because = c.Because
	made, err := s.Holds.Add(ctx, in)
	if err != nil {
		return err
	}
	return s.answer(map[string]any{"holds": made}, func() {
		s.heading("%s stands.", count(len(made), "hold"))
		s.showHolds(made)
	})
}

type holdReleaseCmd struct {
	Hold string `arg:"" optional:"" help:"Hold to end, by id; or name the subject."`
	holdScope
}

func (*holdReleaseCmd) writes() {}

func (c *holdReleaseCmd) run(ctx context.Context, s *session) error {
	if c.Hold != "" {
		if len(c.Subject) > 0 {
			return fault.New(fault.Invalid, "name the hold by its id or by its subject, not by both")
		}
		if err := s.Holds.ReleaseID(ctx, c.Hold, s.actor()); err != nil {
			return err
		}
		return s.answer(map[string]any{"released": []string{c.Hold}}, func() { s.heading("The hold has ended.") })
	}
	in, err := c.input(s)
	if err != nil {
		return err
	}
	ended, err := s.Holds.Release(ctx, in)
	if err != nil {
		return err
	}
	ids := make([]string, len(ended))
	for i, h := range ended {
		ids[i] = h.ID
	}
	return s.answer(map[string]any{"released": ids}, func() { s.heading("%s ended.", count(len(ids), "hold")) })
}

type holdListCmd struct{}

func (*holdListCmd) run(ctx context.Context, s *session) error {
	holds, err := s.Holds.List(ctx)
	if err != nil {
		return err
	}
	if holds == nil {
		holds = []subject.Hold{}
	}
	return s.answer(map[string]any{"holds": holds}, func() {
		if len(holds) == 0 {
			s.heading("No hold stands.")
			return
		}
		s.heading("%s.", count(len(holds), "hold"))
		s.showHolds(holds)
	})
}

func (s *session) showHolds(holds []subject.Hold) {
	t := newTable("", "where", "because", "since")
	for _, h := range holds {
		where := "everywhere"
		if h.System != "" {
			where = h.System
		}
		if h.Dataset != "" {
			where += "." + h.Dataset
		}
		t.row(h.ID, where, h.Because, day(h.Since))
	}
	t.print(s)
}
