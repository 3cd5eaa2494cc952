package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/request"
)

// How often what withdrawals left is looked at when something was written, and when it could not be done.
const (
	owedSoon  = time.Second
	owedLater = time.Minute
	owedBatch = 100
)

// followWithdrawals opens an erasure for what each withdrawal left without a ground, until ctx ends. What cannot be planned
// now is tried again, and holds up no other.
func (a *App) followWithdrawals(ctx context.Context) {
	for ctx.Err() == nil {
		changed, wait := a.Ledger.Changed(), owedSoon
		if err := a.eraseOwed(ctx); err != nil && ctx.Err() == nil {
			a.cfg.Log.Error("the erasure that a withdrawal asks for could not be planned; it is tried again", "error", err)
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
			errs = append(errs, a.eraseOne(ctx, o))
		}
	}
	return errors.Join(errs...)
}

func (a *App) eraseOne(ctx context.Context, o consent.Owed) error {
	if len(o.Purposes) == 0 {
		return a.Consents.Settle(ctx, o.Revision)
	}
	p, release, err := a.Acquire(ctx)
	if err != nil {
		return err
	}
	defer release()
	if len(p.Catalog.Config().Systems) > 0 {
		_, err = p.Requests.Follow(ctx, request.PlanInput{
			Kind: plan.Erasure, Actor: "ombud", People: []plan.Person{{Identities: o.Identities}},
			Limit: &plan.Limit{Purposes: o.Purposes, Categories: o.Categories}, Cause: fmt.Sprintf("withdrawal %d", o.Revision),
		})
	}
	if err != nil && fault.KindOf(err) != fault.Conflict { // there is one for it already
		return err
	}
	return a.Consents.Settle(ctx, o.Revision)
}
