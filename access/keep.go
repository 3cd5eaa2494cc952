package access

import (
	"context"
	"errors"
	"time"

	"github.com/ombudhq/ombud/internal/db"
)

// Run ends what is over and writes when sessions were last seen, once a minute until ctx ends; failed takes what could
// not be written. A session that is over lets nobody in, whether it was swept or not.
func (a *Accounts) Run(ctx context.Context, failed func(error)) {
	for {
		select {
		case <-a.clock.After(time.Minute):
		case <-ctx.Done():
			return
		}
		if err := errors.Join(a.Sweep(ctx), a.Flush(ctx), a.tries.flush(ctx)); err != nil && ctx.Err() == nil {
			failed(err)
		}
	}
}

// Sweep ends sessions that nobody used for too long, or that went on for too long, and elevations whose time is over.
func (a *Accounts) Sweep(ctx context.Context) error {
	over := map[digest]*session{}
	a.mu.RLock()
	now := a.clock.Now().Unix()
	for sum, s := range a.sessions {
		if !s.alive(now, a.idle) {
			over[sum] = s
		}
	}
	a.mu.RUnlock()
	errs := []error{a.sweepElevations(ctx)}
	for sum, s := range over {
		because := "idle"
		if now >= s.began+int64(longestStay/time.Second) {
			because = "12 hours are over"
		}
		errs = append(errs, a.end(ctx, sum, s, "ombud", because))
	}
	return errors.Join(errs...)
}

// Flush writes when sessions were last seen; it is not for concurrent use. Call it before the store is closed.
func (a *Accounts) Flush(ctx context.Context) error {
	type visit struct {
		s  *session
		at int64
	}
	var visits []visit
	a.mu.RLock()
	for _, s := range a.sessions {
		if at := s.seen.Load(); s.stage == SignedIn && at != s.stored {
			visits = append(visits, visit{s, at})
		}
	}
	a.mu.RUnlock()
	if len(visits) == 0 {
		return nil
	}
	err := a.db.Write(ctx, func(tx *db.Tx) error {
		for _, v := range visits {
			if _, err := tx.Exec(ctx, `update sessions set seen = $2 where id = $1`, v.s.id, v.at); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, v := range visits {
		v.s.stored = v.at
	}
	return nil
}
