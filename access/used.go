package access

import (
	"context"
	"time"

	"github.com/ombudhq/ombud/internal/db"
)

// Run writes the last uses once a minute until ctx ends; failed takes what could not be written. A use itself only
// leaves its time in memory: no request waits for a disk.
func (k *Keys) Run(ctx context.Context, failed func(error)) {
	for {
		select {
		case <-k.clock.After(time.Minute):
		case <-ctx.Done():
			return
		}
		if err := k.Flush(ctx); err != nil && ctx.Err() == nil {
			failed(err)
		}
	}
}

// Flush writes the last uses that the store does not know yet; it is not for concurrent use. Call it before the store
// is closed. A use is no act, and makes no entry in the ledger.
func (k *Keys) Flush(ctx context.Context) error {
	type use struct {
		a  *admitted
		at int64
	}
	var uses []use
	for _, a := range *k.table.Load() {
		if at := a.used.Load(); a.caller.Key != "" && at != a.stored {
			uses = append(uses, use{a, at})
		}
	}
	if len(uses) == 0 {
		return nil
	}
	err := k.db.Write(ctx, func(tx *db.Tx) error {
		for _, u := range uses {
			if _, err := tx.Exec(ctx, `update api_keys set last_used = $2 where id = $1`, u.a.caller.Key, u.at); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, u := range uses {
		u.a.stored = u.at
	}
	return nil
}
