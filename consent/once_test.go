package consent_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/once"
	"github.com/ombudhq/ombud/subject"
)

// TestActsAskedForAgain: each act that is asked for again with what it came to before gives the same, and adds nothing.
func TestActsAskedForAgain(t *testing.T) {
	w := newWorld(t, letters())
	pending := yes()
	pending.Status = consent.Pending
	var token, fact string
	for n, act := range []func(context.Context) (any, error){
		func(ctx context.Context) (any, error) {
			c, err := w.Record(ctx, pending)
			token = c.Token
			return c, err
		},
		func(ctx context.Context) (any, error) {
			if purpose, err := w.Awaiting(ctx, token); err != nil || purpose != "letters" {
				t.Errorf("it waits for %q, %v", purpose, err)
			}
			return w.Confirm(ctx, token, "test")
		},
		func(ctx context.Context) (any, error) {
			return w.Withdraw(ctx, consent.WithdrawInput{Subject: ida, All: true})
		},
		func(ctx context.Context) (any, error) {
			who, f, err := w.AddFact(ctx, ida, subject.FactInput{Kind: subject.Restriction, Type: "legal_claims"})
			fact = f.ID
			return consent.About{Subject: who, Fact: f}, err
		},
		func(ctx context.Context) (any, error) { return w.EndFact(ctx, fact, "test") },
	} {
		var kept []byte
		keep := func(tx *db.Tx, b []byte) error { tx.OnCommit(func() { kept = b }); return nil }
		first, err := act(once.With(t.Context(), &once.Call{Keep: keep}))
		if err != nil || kept == nil {
			t.Fatalf("act %d: %v, kept %s", n, err, kept)
		}
		size := w.ledger.Size()
		again, err := act(once.With(t.Context(), &once.Call{Before: kept}))
		unseen := cmpopts.IgnoreUnexported(consent.Withdrawal{}) // what only an import asks for
		if diff := cmp.Diff(first, again, unseen); diff != "" || err != nil || w.ledger.Size() != size {
			t.Errorf("act %d again: %d entries more, %v\n%s", n, w.ledger.Size()-size, err, diff)
		}
	}
}
