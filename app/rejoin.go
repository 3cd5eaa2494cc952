package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/subject"
)

// restored is the content of the entry that tells of a restore: what was lost, and what was done again.
type restored struct {
	*ledger.Loss
	Again   map[string]int `json:"again"` // acts that were done again, by kind
	Because any            `json:"because,omitempty"`
}

// rejoin brings an older store to what the suppression ledger knows, in one transaction: all of it, or the store is an
// older one still. Afterwards nobody who was erased is back, and nothing that was withdrawn is allowed.
func (a *App) rejoin(ctx context.Context, p *Parts) error {
	loss := a.Ledger.Lost()
	if loss == nil {
		return nil
	}
	if !a.cfg.Restored {
		a.mended = append(a.mended, loss.Reason+"; they were done again, as after a restore (entry ledger.restored)")
	}
	return a.DB.Write(ctx, func(tx *db.Tx) error {
		told := &restored{Loss: loss, Again: map[string]int{}, Because: a.cfg.Gap}
		if err := a.People.Restart(ctx, tx, loss.Epoch); err != nil {
			return err
		}
		if err := errors.Join(a.Accounts.Restart(ctx, tx), a.Consents.Restart(ctx, tx)); err != nil {
			return err
		}
		err := a.Ledger.Missing(func(act ledger.Act) error {
			told.Again[act.Kind]++
			return a.again(ctx, tx, p, act)
		})
		if err != nil {
			return err
		}
		a.told = told
		_, err = a.Ledger.Rejoin(ctx, tx, "ombud", told)
		return err
	})
}

func (a *App) again(ctx context.Context, tx *db.Tx, p *Parts, act ledger.Act) error {
	switch act.Kind {
	case consent.WithdrawalKept:
		return a.Consents.Again(ctx, tx, act)
	case subject.RestrictionAdded, subject.RestrictionEnded, subject.ObjectionAdded, subject.ObjectionEnded:
		return a.Consents.AgainFact(ctx, tx, act)
	case subject.HoldAdded, subject.HoldReleased:
		return p.Holds.Again(ctx, tx, act)
	case subject.Shredded:
		return a.shreds.Again(ctx, tx, act)
	case subject.ErasureDone:
		return a.suppressions.Again(ctx, tx, act)
	case subject.PartErased:
		return a.suppressions.AgainPart(ctx, tx, act)
	case access.KeyRevoked:
		return a.Keys.Again(ctx, tx, act)
	case access.AccountChanged:
		return a.Accounts.Again(ctx, tx, act)
	}
	return fmt.Errorf("acts of kind %s are not known to this version", act.Kind)
}
