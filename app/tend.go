package app

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/law"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/request"
)

// tend does, once an hour, what nobody asks for: it destroys what was kept for a review that is over, and what can be read
// of entries of the log and of answers whose time is over, makes new keys when they are due, and runs the sweeps that were too long
// for a request to wait for.
func (a *App) tend(ctx context.Context) {
	for {
		select {
		case <-a.cfg.Clock.After(time.Hour):
		case <-ctx.Done():
			return
		}
		a.resumeRotation(ctx)
		p, release, err := a.Acquire(ctx)
		if err == nil {
			err = errors.Join(p.Requests.Expire(ctx), sweepQueued(ctx, p.Requests), a.expireLog(ctx, p), a.Pseudonyms.Expire(ctx), a.expireReplies(ctx), a.rotateDue(ctx, p.Catalog.Config().Keys))
			release()
		}
		if err != nil && ctx.Err() == nil {
			a.cfg.Log.Error("tending to what was left for later", "error", err)
		}
	}
}

// sweepQueued retries the erasures that lack nothing but their value sweep.
func sweepQueued(ctx context.Context, s *request.Service) error {
	all, err := s.List(ctx, request.Filter{Kind: plan.Erasure, State: []request.State{request.Incomplete}})
	if err != nil {
		return err
	}
	var errs []error
	for _, r := range all {
		if r.Outcome == nil || r.Only != "" || !onlySweep(r.Outcome) {
			continue
		}
		if _, err := s.Retry(ctx, request.RunInput{Ref: r.ID, Actor: "ombud"}); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func onlySweep(o *plan.Outcome) bool {
	return len(o.Gaps) == 0 && len(o.Remaining) > 0 &&
		!slices.ContainsFunc(o.Remaining, func(r plan.Remaining) bool { return r.Code != "sweep-queued" })
}

// expireLog destroys what can be read of entries that were kept as long as they should.
func (a *App) expireLog(ctx context.Context, p *Parts) error {
	out, err := a.Ledger.Expire(ctx, yearsOf(p.Catalog.Config(), a.cfg.Clock.Now()))
	if !out.Waits.IsZero() {
		a.cfg.Log.Warn("the clock jumped, or nobody looked at it for days: no entry of the log expires for now", "until", out.Waits)
	}
	return err
}

// yearsOf says how long entries stay readable on a day; the longest rule of a class wins: what ombud.yaml says, the laws it
// names, and those of the organization's jurisdictions.
func yearsOf(cfg *catalog.Config, day time.Time) ledger.Years {
	y := ledger.DefaultYears()
	var named []string
	for _, k := range cfg.Audit {
		if k.Law != "" {
			named = append(named, k.Law)
			continue
		}
		c := ledger.Class(k.Class)
		y[c] = max(y[c], k.Years)
	}
	for class, rule := range law.LogYears(cfg.Organization.Jurisdictions, named, day) {
		c := ledger.Class(class)
		y[c] = max(y[c], rule.Years)
	}
	return y
}
