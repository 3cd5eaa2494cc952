package request

import (
	"context"
	"errors"
	"os"
	"slices"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/file"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/subject"
)

// Retry tries again what is incomplete or failed, and goes on with a run that was interrupted. An
// erasure goes on with the plan that was approved. What that plan does not cover, a store that came
// back or rows a hold had kept, is planned and waits for approval (fault.Waiting, with the request).
func (s *Service) Retry(ctx context.Context, in RunInput) (*Request, error) {
	r, release, err := s.claim(ctx, in.Ref)
	if err != nil {
		return nil, err
	}
	defer release()
	if err := s.mine(r); err != nil {
		return nil, err
	}
	if r.state != Running {
		if _, err := next(r.kind, r.state, Started); err != nil {
			return s.reply(ctx, r, err)
		}
	}
	leave, err := s.enter(ctx, r)
	if err != nil {
		return s.reply(ctx, r, err)
	}
	defer leave()
	r, err = s.goOn(ctx, r, in)
	return s.reply(ctx, r, err)
}

func (s *Service) goOn(ctx context.Context, r *record, in RunInput) (*record, error) {
	if r.Released {
		return s.planRest(ctx, r, in.Actor)
	}
	if r.state != Running {
		r2, err := s.do(ctx, r.id, command{on: Started, entry: "request.retried", actor: in.Actor})
		if err != nil {
			return r, err
		}
		r = r2
	}
	if r.kind == plan.Access {
		return s.export(ctx, r, exportInput{out: in.Out, actor: in.Actor, progress: in.Progress})
	}
	r.thorough = true
	r, err := s.erase(ctx, r, in.Actor, in.Progress)
	if err != nil || r.state != Incomplete {
		return r, err
	}
	return s.planRest(ctx, r, in.Actor)
}

// planRest plans what is left of an erasure, if anything can be done about it now. Approvals of the
// old plan do not carry over.
func (s *Service) planRest(ctx context.Context, r *record, actor string) (*record, error) {
	people, err := s.people(r)
	if err != nil {
		return r, err
	}
	p, err := s.makePlan(ctx, r, people)
	if err != nil {
		return r, err
	}
	if !r.Released && !acts(p) && !keepsMore(p, r.Plan) {
		return r, nil
	}
	r2, err := s.do(ctx, r.id, planned(actor, p))
	if err != nil {
		return r, err
	}
	return r2, fault.New(fault.Waiting, "the rest of %s is planned and waits for approval", r.ref()).
		Then("%s", s.onward(r, p.Hash))
}

// acts reports whether a plan would change anything.
func acts(p *plan.Plan) bool {
	for _, sys := range p.Systems {
		for _, st := range sys.Datasets {
			if st.Method != catalog.Keep && st.Rows > 0 {
				return true
			}
		}
	}
	return false
}

// keepsMore reports whether a plan leaves rows where they are that the plan before did not: that they
// stay is approved as well.
func keepsMore(p, before *plan.Plan) bool {
	kept := func(k plan.Kept) int64 {
		var n int64
		for _, b := range before.Kept {
			if b.System == k.System && b.Dataset == k.Dataset {
				n += b.Rows
			}
		}
		return n
	}
	return slices.ContainsFunc(p.Kept, func(k plan.Kept) bool { return k.Rows > kept(k) })
}

// Recover brings everything to where it would be had the process never been killed: it goes on with
// erasures under way, tells of access runs that lost their package, files receipts, and lets expire
// what is over. One that cannot go on does not stop the others; the errors are joined.
func (s *Service) Recover(ctx context.Context) error {
	err := s.dropTemporary()
	running, e := s.records(ctx, `state = $1 order by received`, string(Running))
	err = errors.Join(err, e)
	for _, r := range running {
		if e := s.resume(ctx, r); e != nil && fault.KindOf(e) != fault.Waiting {
			err = errors.Join(err, e)
		}
		if ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
	}
	return errors.Join(err, s.fileReceipts(ctx), s.Expire(ctx))
}

func (s *Service) records(ctx context.Context, where string, args ...any) (out []*record, err error) {
	err = s.cfg.DB.Read(ctx, func(tx *db.Tx) error {
		out, err = loadAll(ctx, tx, where, args...)
		return err
	})
	return out, err
}

func (s *Service) resume(ctx context.Context, r *record) error {
	if s.mine(r) != nil {
		return nil // it is gone on with where only its system is known
	}
	release, err := s.traffic.desk.claim(r.id, r.ref())
	if err != nil {
		return nil // somebody is at it already
	}
	defer release()
	if r.kind == plan.Access {
		_, err := s.do(ctx, r.id, command{on: Broke, entry: "request.failed", result: "failed", actor: program, change: func(_ *db.Tx, r *record) error {
			r.Failure = "the run was interrupted before its package was finished"
			return nil
		}})
		return err
	}
	leave, err := s.enter(ctx, r)
	if err != nil {
		return err
	}
	defer leave()
	_, err = s.erase(ctx, r, program, nil)
	return err
}

// dropTemporary removes what a killed process left in our own folder. Spools have no name any more;
// only where an open file cannot be removed one may be left.
func (s *Service) dropTemporary() error {
	left, err := file.Named(s.dir("tmp"), "spool-", "")
	for _, path := range left {
		err = errors.Join(err, os.Remove(path))
	}
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "temporary files cannot be removed")
	}
	return nil
}

// fileReceipts finishes receipts that lack their proof or their file.
func (s *Service) fileReceipts(ctx context.Context) error {
	all, err := s.records(ctx, `state in ($1, $2, $3, $4)`, string(Complete), string(Incomplete), string(Awaiting), string(Failed))
	for _, r := range all {
		if r.Receipt != "" {
			err = errors.Join(err, s.trySettle(ctx, r))
		}
	}
	return err
}

// Expire destroys identities kept for a review whose time is over. Call it once a day.
func (s *Service) Expire(ctx context.Context) error {
	over, err := s.records(ctx, `retained = $1 and until <= $2`, heldForReview, s.cfg.Clock.Now().UnixMilli())
	for _, r := range over {
		release, e := s.traffic.desk.claim(r.id, r.ref())
		if e != nil {
			continue // it is being packaged now; next time
		}
		_, e = s.do(ctx, r.id, command{entry: "request.expired", actor: program, change: func(tx *db.Tx, r *record) error {
			return s.forget(ctx, tx, r)
		}})
		err = errors.Join(err, e)
		release()
	}
	return err
}

// holdReleased makes the erasures that these holds deferred due again, in the transaction that ends
// the holds. What is left is planned anew by Retry, for nobody has approved to erase it.
func (s *Service) holdReleased(ctx context.Context, tx *db.Tx, ended []subject.Hold) error {
	all, err := loadAll(ctx, tx, `kind = $1 and key is not null and state in ($2, $3, $4)`,
		string(plan.Erasure), string(Complete), string(Incomplete), string(Failed))
	if err != nil {
		return err
	}
	for _, r := range all {
		if !slices.ContainsFunc(ended, func(h subject.Hold) bool { return slices.Contains(r.Holds, h.ID) }) {
			continue
		}
		if r.state == Complete {
			if r.state, err = next(r.kind, r.state, Released); err != nil {
				return err
			}
		}
		r.Released, r.retained, r.updated = true, "", s.cfg.Clock.Now()
		r.Outcome.Status = plan.Incomplete
		r.Outcome.Remaining = append(r.Outcome.Remaining, plan.Remaining{
			Rows: -1, Why: "a hold that kept rows has ended", Who: "you", Next: "ombud dsr retry " + r.ref(), Code: "hold-released",
		})
		if err := r.save(ctx, tx); err != nil {
			return err
		}
	}
	return nil
}
