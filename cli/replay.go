package cli

import (
	"context"
	"time"

	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/request"
)

// replayCmd does erasures again where a backup has undone them.
type replayCmd struct {
	System     string `required:"" help:"The system that was restored." placeholder:"ID"`
	Since      string `help:"When its backup was made: what was erased before, the backup knew. Default: everything that was ever erased." placeholder:"YYYY-MM-DD[THH:MM:SSZ]"`
	Approve    string `help:"Hash of the plan you have read. Exactly that plan runs." placeholder:"HASH"`
	SamePerson bool   `help:"Several rows of one dataset match, I have looked, and they are one person."`
	asAccount
}

func (*replayCmd) Help() string {
	return "Without --approve it plans and touches nothing. Somebody who was erased and became a customer again before the backup was made is erased too " +
		"unless --since says when that was: read the plan. Erasures of part of the data come afterwards, a plan for each limit: repeat it until it finds nobody. Other systems, the list of the erased and later consents stay as they are."
}

func (*replayCmd) writes() {}

func (c *replayCmd) run(ctx context.Context, s *session) error {
	since, err := c.since()
	if err != nil {
		return err
	}
	actor, err := c.approver(ctx, s)
	if err != nil {
		return err
	}
	p := s.progress()
	defer p.end()
	r, err := s.Replay(ctx, ReplayOptions{c.System, request.ReplayInput{Since: since, Approve: c.Approve, SamePerson: c.SamePerson, Actor: actor, Progress: p.show}})
	p.end()
	if r == nil && err == nil {
		return s.answer(map[string]any{"system": c.System, "matched": 0, "status": plan.Complete}, func() {
			s.heading("Nothing that was erased stands in %s again.", c.System)
		})
	}
	return s.showRun(r, "", err)
}

func (c *replayCmd) since() (time.Time, error) {
	if c.Since == "" {
		return time.Time{}, nil
	}
	for _, form := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(form, c.Since); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fault.New(fault.Invalid, "--since is written 2026-11-21 or 2026-11-21T04:06:00Z")
}
