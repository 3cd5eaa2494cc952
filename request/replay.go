package request

import (
	"context"
	"fmt"
	"slices"
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
// system knows again; when there is nobody, of what erasures of part took and it holds again, one limit after another. It
// gives nil when there is nothing. Who was interrupted is gone on with first. A hash that is no open plan's is fault.Denied.
// The list of the erased stays as it is, and no other system is touched.
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
	if err != nil {
		return nil, err
	}
	if len(people) > 0 {
		return s.replay(ctx, in, again{people: people}, open)
	}
	parts, err := s.parts(ctx, in.Since)
	for _, p := range parts {
		if r, err := s.replay(ctx, in, p, open); r != nil || err != nil {
			return r, err
		}
	}
	return nil, err
}

// again is people to be erased again, wholly or in part, in one request.
type again struct {
	people []plan.Person
	limit  *plan.Limit
	going  string // what other purposes need of them
}

// replay plans it, in the request that is open for it; nil where a part is not there any more.
func (s *Service) replay(ctx context.Context, in ReplayInput, a again, open []*Request) (*Request, error) {
	for i := range a.people {
		a.people[i].Same = in.SamePerson
	}
	next := PlanInput{Kind: plan.Erasure, People: a.people, Actor: in.Actor}
	for _, r := range open {
		if sameLimit(r.Limit, a.limit) {
			next.Request = r.ID
			return s.Plan(ctx, next)
		}
	}
	next.Limit = a.limit
	return s.planNew(ctx, next, func(p *plan.Plan) bool { return acts(p) || a.limit == nil && (p.Matched > 0 || len(p.Gaps) > 0) })
}

func sameLimit(a, b *plan.Limit) bool {
	if a == nil || b == nil {
		return a == b
	}
	return slices.Equal(a.Categories, b.Categories) && slices.Equal(a.Purposes, b.Purposes)
}

// parts are those whom the system knows and of whom a part was erased: together where the part, and what other purposes need
// of them, is the same. Who is to be erased as a whole is not among them.
func (s *Service) parts(ctx context.Context, since time.Time) (out []again, err error) {
	parts, err := s.suppressions.Parts(ctx, since)
	if err != nil || len(parts) == 0 {
		return nil, err
	}
	whole, err := s.suppressions.Tokens(ctx, since)
	if err != nil {
		return nil, err
	}
	tokens := map[string]bool{}
	for t := range parts {
		tokens[t] = !whole[t]
	}
	people, err := s.cfg.Engine.Returned(ctx, tokens, s.token)
	if err != nil {
		return nil, err
	}
	for _, p := range people {
		for _, l := range s.limitsOf(p, parts) {
			one := again{people: []plan.Person{p}, limit: l}
			if one.going, err = s.needs(p, l); err != nil {
				return nil, err
			}
			i := slices.IndexFunc(out, func(o again) bool { return o.going == one.going && sameLimit(o.limit, l) })
			if i < 0 {
				out = append(out, one)
				continue
			}
			out[i].people = append(out[i].people, p)
		}
	}
	return out, nil
}

// limitsOf are those of the erasures of part that were of this person, each once.
func (s *Service) limitsOf(p plan.Person, parts map[string][]subject.Part) (out []*plan.Limit) {
	for _, i := range p.Identities {
		for _, one := range parts[s.token(i.Kind, i.Value)] {
			l := &plan.Limit{Categories: one.Categories, Purposes: one.Purposes}
			if !slices.ContainsFunc(out, func(o *plan.Limit) bool { return sameLimit(o, l) }) {
				out = append(out, l)
			}
		}
	}
	return out
}

// needs is what other purposes need of a person, as a word to compare.
func (s *Service) needs(p plan.Person, l *plan.Limit) (string, error) {
	if s.cfg.Uses == nil {
		return "", nil
	}
	_, going, err := s.cfg.Uses([]plan.Person{p}, l.Purposes)
	return fmt.Sprint(going), err
}

func (s *Service) token(kind, value string) string { return subject.Token(s.cfg.Vault, kind, value) }

// returned are the erased whom the system knows again.
func (s *Service) returned(ctx context.Context, since time.Time) ([]plan.Person, error) {
	tokens, err := s.suppressions.Tokens(ctx, since)
	if err != nil || len(tokens) == 0 {
		return nil, err
	}
	return s.cfg.Engine.Returned(ctx, tokens, s.token)
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

// onward is the command that approves a plan and runs it; N is an account, where it takes one.
func (s *Service) onward(r *record, hash string) string {
	way := "ombud dsr run " + r.ref()
	if r.Only != "" {
		way = "ombud replay-erasures --system " + r.Only
	}
	if way += " --approve " + hash; s.accountsOnly(r) {
		way += " --name N"
	}
	return way
}

// mine refuses what another service must do: a request about one system alone is not one about all of them.
func (s *Service) mine(r *record) error {
	if r.Only == s.cfg.Only {
		return nil
	}
	return fault.New(fault.Conflict, "%s is about the restored system %s alone", r.ref(), r.Only).
		Then("ombud replay-erasures --system %s goes on with it.", r.Only)
}
