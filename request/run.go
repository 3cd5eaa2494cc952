package request

import (
	"context"
	"crypto/subtle"
	"errors"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/plan"
)

// Run approves a plan and runs exactly it. The request is returned also beside these errors:
//
//   - fault.Denied: the hash is not the plan's, or the same person approves twice; nothing changed.
//   - fault.Waiting: questions block the plan, a second person must approve, or the data has moved
//     and the request waits again with a new plan and hash.
//   - fault.Conflict: another run of it is under way, or it is closed.
//
// A run that leaves something undone is no error: see Request.Err.
func (s *Service) Run(ctx context.Context, in RunInput) (*Request, error) {
	r, release, err := s.claim(ctx, in.Ref)
	if err != nil {
		return nil, err
	}
	defer release()
	if err := s.mine(r); err != nil {
		return nil, err
	}
	if err := s.mayRun(r, in); err != nil {
		return s.reply(ctx, r, err)
	}
	leave, err := s.enter(ctx, r)
	if err != nil {
		return s.reply(ctx, r, err)
	}
	defer leave()
	if r.kind == plan.Access && s.mass(r.People) {
		if r, err = s.approve(ctx, r, in); err == nil {
			r, err = s.export(ctx, r, exportInput{out: in.Out, actor: in.Actor, progress: in.Progress})
		}
		return s.reply(ctx, r, err)
	}
	if r.kind == plan.Access {
		r, err = s.do(ctx, r.id, command{on: Started, entry: "request.run", actor: in.Actor})
		if err == nil {
			r, err = s.export(ctx, r, exportInput{out: in.Out, actor: in.Actor, progress: in.Progress})
		}
		return s.reply(ctx, r, err)
	}
	if r, err = s.approve(ctx, r, in); err == nil {
		r, err = s.erase(ctx, r, in.Actor, in.Progress)
	}
	return s.reply(ctx, r, err)
}

// MayRun tells why Run would refuse, and changes nothing: for whoever lets Run go on after the answer. nil when it would not.
func (s *Service) MayRun(ctx context.Context, in RunInput) error {
	return s.cfg.DB.Read(ctx, func(tx *db.Tx) error {
		r, err := load(ctx, tx, in.Ref)
		if err == nil {
			err = s.mine(r)
		}
		if err == nil {
			err = s.mayRun(r, in)
		}
		return err
	})
}

// mayRun says no before anything changes.
func (s *Service) mayRun(r *record, in RunInput) error {
	on := starts(r.kind)
	if r.state != Awaiting {
		_, err := next(r.kind, r.state, on)
		if err == nil {
			err = fault.New(fault.Conflict, "%s is %s", r.ref(), r.state.words()).Then("ombud dsr retry %s", r.ref())
		}
		return err
	}
	alone := r.kind == plan.Access && !s.mass(r.People)
	if alone && in.Approve == "" {
		return nil
	}
	if in.Approve == "" {
		return fault.New(fault.Waiting, "%s waits for approval", r.ref()).Then("%s", s.onward(r, r.Plan.Hash))
	}
	if subtle.ConstantTimeCompare([]byte(in.Approve), []byte(r.Plan.Hash)) != 1 {
		return fault.New(fault.Denied, "this is not the hash of the plan of %s; nothing was changed", r.ref()).
			Then("Read the plan again: ombud dsr show %s", r.ref())
	}
	if alone {
		return nil
	}
	if r.kind == plan.Erasure && len(r.Plan.Blocking) > 0 {
		err := fault.New(fault.Waiting, "the plan of %s cannot be approved before its questions are answered", r.ref())
		for _, q := range r.Plan.Blocking {
			err = err.With(fault.Detail{Message: q})
		}
		return err
	}
	return s.mayApprove(r, in.Actor)
}

// mayApprove keeps one person from being two: nobody approves twice, and once there are accounts, what takes two takes two
// of them. Whoever is at the machine may be one of these already.
func (s *Service) mayApprove(r *record, actor string) error {
	if s.accountsOnly(r) && !access.IsAccount(actor) {
		return fault.New(fault.Denied, "%s takes the approval of two accounts; who is at this machine is none", r.ref()).
			Then("Approve it in the console, or: %s", s.onward(r, r.Plan.Hash))
	}
	if hasApproved(r, actor) {
		return fault.New(fault.Denied, "you have approved %s already; another person must", r.ref())
	}
	return nil
}

// starts is what lets a waiting request of a kind run.
func starts(k plan.Kind) Event {
	if k == plan.Access {
		return Started
	}
	return Approved
}

// approve records an approval; the last one needed starts the run in the same transaction.
func (s *Service) approve(ctx context.Context, r *record, in RunInput) (*record, error) {
	c := command{entry: "request.approved", actor: in.Actor, change: func(_ *db.Tx, r *record) error {
		if r.Plan == nil || r.Plan.Hash != in.Approve {
			return fault.New(fault.Denied, "the plan of %s has changed meanwhile", r.ref())
		}
		if err := s.mayApprove(r, in.Actor); err != nil {
			return err
		}
		r.Approvals = append(r.Approvals, Approval{Actor: in.Actor, Hash: in.Approve, At: s.cfg.Clock.Now()})
		return nil
	}}
	last := s.missing(r) <= 1
	if last {
		c.on = starts(r.kind)
	}
	r2, err := s.do(ctx, r.id, c)
	if err != nil {
		return r, err
	}
	if !last {
		return r2, fault.New(fault.Waiting, "%s needs the approval of one more person", r.ref()).
			Then("Somebody else: %s", s.onward(r, in.Approve))
	}
	return r2, nil
}

// erase runs the approved plan of a running request to whatever end it comes. When ctx ends first the
// request stays running and Recover goes on with it.
func (s *Service) erase(ctx context.Context, r *record, actor string, progress func(plan.Progress)) (*record, error) {
	people, err := s.people(r)
	if err != nil {
		return r, err
	}
	q, err := s.question(ctx, r, people)
	if err != nil {
		return r, err
	}
	out, err := s.cfg.Engine.Run(ctx, q, r.Plan, s.follow(r, progress))
	var drift *plan.Drift
	switch {
	case errors.As(err, &drift):
		return s.drifted(ctx, r, drift.Plan)
	case err != nil:
		return s.broke(ctx, r, err)
	}
	return s.finish(ctx, r, ending{people: people, plan: r.Plan, outcome: out, holds: q.Holds, actor: actor})
}

// follow passes progress on to the caller and to whoever asks for the request.
func (s *Service) follow(r *record, progress func(plan.Progress)) func(plan.Progress) {
	return func(p plan.Progress) {
		s.traffic.desk.report(r.id, p)
		if progress != nil {
			progress(p)
		}
	}
}

func (s *Service) drifted(ctx context.Context, r *record, p *plan.Plan) (*record, error) {
	c := planned(program, p)
	c.on, c.entry, c.result = Drifted, "request.drifted", "waiting"
	r2, err := s.do(context.WithoutCancel(ctx), r.id, c)
	if err != nil {
		return r, err
	}
	return r2, fault.New(fault.Waiting, "the data has changed since the plan of %s was made; nothing more was touched", r.ref()).
		Then("Read the new plan, then: %s", s.onward(r, p.Hash))
}

// broke ends a run that gave no outcome. An interrupted one stays running: it is not over.
func (s *Service) broke(ctx context.Context, r *record, cause error) (*record, error) {
	if ctx.Err() != nil {
		return r, fault.Wrap(fault.Unavailable, cause, "the run of %s was interrupted", r.ref()).
			Then("It goes on when Ombud starts again, or with: ombud dsr retry %s", r.ref())
	}
	message := "an internal error; see the log"
	var f *fault.Error
	if errors.As(cause, &f) {
		message = f.Message
	}
	r2, err := s.do(ctx, r.id, command{on: Broke, entry: "request.failed", result: "failed", actor: program, change: func(_ *db.Tx, r *record) error {
		r.Failure = message
		return nil
	}})
	return r2, errors.Join(cause, err)
}

// stateErr is the exit of the public contract for a state.
func stateErr(r *Request) error {
	switch r.State {
	case Awaiting:
		return fault.New(fault.Waiting, "%s waits for approval of plan %s", r.Ref, r.Hash)
	case Running:
		return fault.New(fault.Waiting, "%s is still running", r.Ref)
	case Incomplete:
		return fault.New(fault.Waiting, "%s is incomplete", r.Ref).Then("ombud dsr retry %s", r.Ref)
	case Failed:
		return fault.New(fault.Unavailable, "%s failed: %s", r.Ref, r.Failure).Then("ombud dsr retry %s", r.Ref)
	case Refused:
		return fault.New(fault.Denied, "%s was refused", r.Ref)
	}
	return nil
}
