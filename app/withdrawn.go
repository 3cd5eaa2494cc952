package app

import (
	"context"
	"errors"
	"time"

	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/request"
)

// How often what consents left is looked at when something was written, and when it could not be done.
const (
	owedSoon  = time.Second
	owedLater = time.Minute
	owedBatch = 100
)

// followConsents opens an erasure for what each consent that ended left without a ground, until ctx ends. What cannot be
// planned now is tried again, and holds up no other.
func (a *App) followConsents(ctx context.Context) {
	for ctx.Err() == nil {
		changed, wait := a.Ledger.Changed(), owedSoon
		if err := a.eraseOwed(ctx); err != nil && ctx.Err() == nil {
			a.cfg.Log.Error("the erasure that follows from the end of a consent could not be planned; it is tried again", "error", err)
			changed, wait = nil, owedLater
		}
		if changed != nil {
			select {
			case <-changed:
			case <-ctx.Done():
			}
		}
		select {
		case <-a.cfg.Clock.After(wait):
		case <-ctx.Done():
		}
	}
}

// eraseOwed goes once through what is owed.
func (a *App) eraseOwed(ctx context.Context) error {
	var errs []error
	for after := int64(0); ctx.Err() == nil; {
		owed, err := a.Consents.Owed(ctx, after, owedBatch)
		if errs = append(errs, err); len(owed) == 0 {
			return errors.Join(errs...)
		}
		for _, o := range owed {
			after = o.Revision
			_, err := a.eraseOne(ctx, o)
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// followWithdrawal gives the request that follows from a withdrawal, which it opens unless it is there already; nil where
// nothing is to be erased.
func (a *App) followWithdrawal(ctx context.Context, revision int64) (*request.Request, error) {
	owed, err := a.Consents.Owed(ctx, revision-1, 1)
	if err == nil && len(owed) > 0 && owed[0].Revision == revision {
		return a.eraseOne(ctx, owed[0])
	}
	if err != nil {
		return nil, err
	}
	p, release, err := a.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	return p.Requests.After(ctx, consent.CauseOf(revision))
}

func (a *App) eraseOne(ctx context.Context, o consent.Owed) (r *request.Request, err error) {
	if len(o.Purposes) == 0 {
		return nil, a.Consents.Settle(ctx, o.Revision)
	}
	p, release, err := a.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	if len(p.Catalog.Config().Systems) > 0 {
		r, err = p.Requests.Follow(ctx, request.PlanInput{
			Kind: plan.Erasure, Actor: "ombud", People: []plan.Person{{Identities: o.Identities}},
			Limit: &plan.Limit{Purposes: o.Purposes, Categories: o.Categories}, Cause: o.Cause,
		})
	}
	if err != nil {
		return nil, err
	}
	return r, a.Consents.Settle(ctx, o.Revision)
}
