package request

import (
	"context"
	"time"

	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/subject"
)

// ReplayInput asks for the erasures to be done again in the one system that this service knows (Config.Only).
type ReplayInput struct {
	Since      time.Time // erasures completed before it are passed over: the backup knew them
	Approve    string    // hash of the plan; without it, one is made
	SamePerson bool      // several rows of one dataset match, somebody has looked, and they are one person
	Actor      string
	Progress   func(plan.Progress)
}

// Replay plans, and with the plan's hash runs, the erasure of everybody whom the list of the erased names and the restored
// system knows again. It gives nil when there is nobody. Who was interrupted is gone on with first. A hash that is no
// open plan's is fault.Denied. The list of the erased stays as it is, and no other system is touched.
func (s *Service) Replay(ctx context.Context, in ReplayInput) (*Request, error) {
	open, err := s.replays(ctx)
	if err != nil {
		return nil, err
	}
	for _, r := range open {
		switch {
		case r.State == Running || r.State == Incomplete || r.State == Failed:
			return s.Retry(ctx, RunInput{Ref: r.ID, Actor: in.Actor, Progress: in.Progress})
		case in.Approve != "" && r.Hash == in.Approve:
			return s.Run(ctx, RunInput{Ref: r.ID, Approve: in.Approve, Actor: in.Actor, Progress: in.Progress})
		}
	}
	if in.Approve != "" {
		return nil, fault.New(fault.Denied, "no open plan has this hash; nothing was changed").Then("ombud replay-erasures --system %s makes one and prints its hash.", s.cfg.Only)
	}
	people, err := s.returned(ctx, in.Since)
	if err != nil || len(people) == 0 {
		return nil, err
	}
	for i := range people {
		people[i].Same = in.SamePerson
	}
	next := PlanInput{Kind: plan.Erasure, People: people, Actor: in.Actor}
	if len(open) > 0 {
		next.Request = open[0].ID
	}
	return s.Plan(ctx, next)
}

// returned are the erased whom the system knows again.
func (s *Service) returned(ctx context.Context, since time.Time) ([]plan.Person, error) {
	tokens, err := s.suppressions.Tokens(ctx, since)
	if err != nil || len(tokens) == 0 {
		return nil, err
	}
	return s.cfg.Engine.Returned(ctx, tokens, func(kind, value string) string { return subject.Token(s.cfg.Vault, kind, value) })
}

// replays are the open requests that are about the system alone.
func (s *Service) replays(ctx context.Context) (out []*Request, err error) {
	all, err := s.List(ctx, Filter{Kind: plan.Erasure})
	for _, r := range all {
		if r.Only == s.cfg.Only && r.State.Open() {
			out = append(out, r)
		}
	}
	return out, err
}

// onward is the command that approves a plan and runs it.
func (r *record) onward(hash string) string {
	if r.Only != "" {
		return "ombud replay-erasures --system " + r.Only + " --approve " + hash
	}
	return "ombud dsr run " + r.ref() + " --approve " + hash
}

// mine refuses what another service must do: a request about one system alone is not one about all of them.
func (s *Service) mine(r *record) error {
	if r.Only == s.cfg.Only {
		return nil
	}
	return fault.New(fault.Conflict, "%s is about the restored system %s alone", r.ref(), r.Only).
		Then("ombud replay-erasures --system %s goes on with it.", r.Only)
}
