package event

import (
	"context"
	"fmt"

	"github.com/ombudhq/ombud/internal/db"
)

const (
	routeLimit = 512 // rows of a batch
	readAhead  = 256 // entries
)

func readCursor(ctx context.Context, tx *db.Tx, revision *int64) error {
	return tx.QueryRow(ctx, "select revision from propagation_cursor where name = 'ledger'").Scan(revision)
}

// follow routes what the source has and waits for more.
func (r *Relay) follow(ctx context.Context) {
	for ctx.Err() == nil {
		changed := r.c.Changed()
		more, err := r.routeSome(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			r.c.Log.Error("routing entries", "after", r.routed, "error", err)
			r.pause(ctx, retryOwn)
		case err == nil && !more:
			wait(ctx, changed)
		case err == nil:
			for full := r.book.full(); full != nil && ctx.Err() == nil; full = r.book.full() {
				wait(ctx, full)
			}
		}
	}
}

func wait(ctx context.Context, c <-chan struct{}) {
	select {
	case <-c:
	case <-ctx.Done():
	}
}

// routeSome routes the next entries, hands their rows to the lanes and to the book, and says whether there may be more.
func (r *Relay) routeSome(ctx context.Context) (more bool, err error) {
	if len(r.ahead) == 0 {
		r.ahead, err = r.c.Since(ctx, r.routed, readAhead)
	}
	if err != nil || len(r.ahead) == 0 {
		return false, err
	}
	b, err := r.route(ctx)
	if err != nil {
		r.ahead = nil // who looks again sees what is there by then
		return false, err
	}
	r.hand(b)
	return true, nil
}

// route makes rows of the entries ahead until there are enough for one batch.
func (r *Relay) route(ctx context.Context) (*batch, error) {
	now := r.now()
	b := &batch{to: r.routed, made: now}
	for ; len(r.ahead) > 0; r.ahead = r.ahead[1:] {
		e := r.ahead[0]
		if e.Revision <= b.to {
			return nil, fmt.Errorf("revision %d follows %d", e.Revision, b.to)
		}
		all, err := r.c.Route(ctx, e)
		if err != nil && len(b.rows) == 0 {
			return nil, fmt.Errorf("routing revision %d: %w", e.Revision, err)
		}
		if err != nil || len(b.rows) > 0 && len(b.rows)+len(all) > routeLimit {
			break // the next time begins with it
		}
		if b.to = e.Revision; cap(b.rows) == 0 {
			b.rows = make([]row, 0, min(len(r.ahead)*len(all), max(routeLimit, len(all)))) // as if all entries were alike
		}
		for _, d := range all {
			b.rows = append(b.rows, row{
				id: r.seed.id(e, d.Target), target: d.Target, revision: e.Revision, kind: d.Type, subject: d.Subject,
				state: string(Pending), since: now, next: now, deadline: millis(d.Deadline), created: now, changed: now,
				batch: b, at: len(b.rows),
			})
		}
	}
	return b, nil
}

// hand gives the rows to their lanes, has those sent at once that can be, and gives all to the book: an outcome may be there
// before its row. One that has no lane waits in the store.
func (r *Relay) hand(b *batch) {
	lanes, open := r.reach(b), 0
	for i, l := range lanes {
		if l.lane == nil || !l.push(b.rows[i]) {
			continue
		}
		open++
		if l.ctx != nil {
			r.launch(l.ctx, l.lane)
		}
	}
	r.book.add(b, open)
}

// reach gives the lane of each row, and moves on: a lane that is made from now on finds the rows in the store.
func (r *Relay) reach(b *batch) []tended {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.routed = b.to
	lanes := make([]tended, len(b.rows))
	for i := range b.rows {
		if l := r.lanes[b.rows[i].target]; l != nil {
			lanes[i] = *l
		}
	}
	return lanes
}
