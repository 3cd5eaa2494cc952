// Package once makes an act that is asked for again, because its answer was lost, happen once.
//
// Whoever takes a call in knows by its key what an earlier call came to, and puts that into the context, with where to
// keep what this one comes to (With). Whoever acts asks first whether it was done (Was), and keeps what it comes to in the
// transaction of the act (Done): both are durable, or neither is. One call makes one act. Where a call has no key there is
// nothing to ask and nothing to keep.
package once

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/ombudhq/ombud/internal/db"
)

// Call is a call with a key.
type Call struct {
	// Keep keeps what the act comes to, in its transaction. It may be called again where that runs again.
	Keep func(tx *db.Tx, outcome []byte) error
	// Before is what the act came to when it was done before; nil where it was not.
	Before []byte
	// Recalled tells that Before was answered.
	Recalled bool
}

type callKey struct{}

// With puts a call into a context, and with it into each transaction that is begun under it.
func With(ctx context.Context, c *Call) context.Context { return context.WithValue(ctx, callKey{}, c) }

// Was tells whether the act of this call was done before, and reads what it came to. Then it must not be done again.
func Was(ctx context.Context, outcome any) (bool, error) {
	c, _ := ctx.Value(callKey{}).(*Call)
	if c == nil || c.Before == nil {
		return false, nil
	}
	if err := json.Unmarshal(c.Before, outcome); err != nil {
		return false, fmt.Errorf("reading what an act came to: %w", err)
	}
	c.Recalled = true
	return true, nil
}

// Done keeps what the act of this call comes to. When it fails the transaction must fail too.
func Done(tx *db.Tx, outcome any) error {
	c, _ := tx.Value(callKey{}).(*Call)
	if c == nil {
		return nil
	}
	b, err := json.Marshal(outcome)
	if err != nil {
		return fmt.Errorf("keeping what an act comes to: %w", err)
	}
	return c.Keep(tx, b)
}
