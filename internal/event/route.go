package event

import (
	"context"
	"fmt"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/id"
)

// routeLimit bounds the rows of one transaction, and so how long other writers wait for it.
const routeLimit = 512

const readAhead = 256 // entries

func insertTexts() texts {
	return newTexts("insert into propagations ("+columns+") values ",
		"(?,?,?,?,?,'pending',0,$1,$1,?,false,'',$1,0,$1)", "", 2)
}

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
			r.c.Log.Error("routing entries", "after", r.cursor, "error", err)
			r.pause(ctx, retryOwn)
		case err == nil && !more:
			select {
			case <-changed:
			case <-ctx.Done():
			}
		}
	}
}

// routeSome routes the next entries in one transaction and says whether there may be more.
func (r *Relay) routeSome(ctx context.Context) (more bool, err error) {
	entries, err := r.c.Since(ctx, r.cursor, readAhead)
	if err != nil || len(entries) == 0 {
		return false, err
	}
	to, rows, err := r.routed(ctx, entries)
	if err != nil {
		return false, err
	}
	if err := r.c.DB.Write(ctx, func(tx *db.Tx) error { return r.keep(ctx, tx, to, rows) }); err != nil {
		return false, err
	}
	r.cursor = to
	r.hand(rows)
	return true, nil
}

// routed makes rows of entries until there are enough for one transaction, and says how far it came.
func (r *Relay) routed(ctx context.Context, entries []Entry) (to int64, rows []row, err error) {
	now, to := r.c.Clock.Now(), r.cursor
	for _, e := range entries {
		if e.Revision <= to {
			return 0, nil, fmt.Errorf("revision %d follows %d", e.Revision, to)
		}
		all, err := r.c.Route(ctx, e)
		if err != nil && len(rows) == 0 {
			return 0, nil, fmt.Errorf("routing revision %d: %w", e.Revision, err)
		}
		if err != nil || len(rows) > 0 && len(rows)+len(all) > routeLimit {
			break // the next time begins with it
		}
		to = e.Revision
		for _, d := range all {
			rows = append(rows, row{
				id: id.New("prp_", now), target: d.Target, revision: e.Revision, kind: d.Type, subject: d.Subject,
				state: string(Pending), since: now.UnixMilli(), next: now.UnixMilli(), deadline: millis(d.Deadline),
				created: now.UnixMilli(), changed: now.UnixMilli(),
			})
		}
	}
	return to, rows, nil
}

// keep moves the cursor and writes the rows. A cursor that somebody else moved is refused: nothing is routed twice.
func (r *Relay) keep(ctx context.Context, tx *db.Tx, to int64, rows []row) error {
	n, err := tx.Exec(ctx, "update propagation_cursor set revision = $1 where name = 'ledger' and revision = $2", to, r.cursor)
	if err != nil {
		return err
	}
	if n != 1 {
		return fault.New(fault.Conflict, "another relay works on this store")
	}
	for len(rows) > 0 {
		k := portion(len(rows))
		args := make([]any, 0, 1+6*k)
		args = append(args, rows[0].created)
		for _, w := range rows[:k] {
			args = append(args, w.id, w.target, w.revision, w.kind, w.subject, w.deadline)
		}
		if _, err := tx.Exec(ctx, r.insert.of(k), args...); err != nil {
			return err
		}
		rows = rows[k:]
	}
	return nil
}

// hand gives the rows to their lanes. One that has no lane waits in the store.
func (r *Relay) hand(rows []row) {
	by := map[string][]row{}
	for _, w := range rows {
		by[w.target] = append(by[w.target], w)
	}
	for target, ws := range by {
		if l := r.lane(target); l != nil {
			l.push(ws)
		}
	}
}
