package event

import (
	"context"
	"time"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/id"
)

const (
	watch = time.Minute // between two looks for deadlines that passed
	sweep = time.Hour
)

// tend raises alarms of missed deadlines and forgets what is old.
func (r *Relay) tend(ctx context.Context) {
	var swept int64
	for ctx.Err() == nil {
		now := r.now()
		err := r.late(ctx, now)
		if err == nil && now-swept >= sweep.Milliseconds() {
			if err = r.expire(ctx, now); err == nil {
				swept = now
			}
		}
		if err != nil && ctx.Err() == nil {
			r.c.Log.Error("tending to propagations", "error", err)
		}
		r.pause(ctx, watch)
	}
}

// late marks what missed its deadline and raises the alarm for each, in the same transaction.
func (r *Relay) late(ctx context.Context, now int64) error {
	for {
		var rows []row
		err := r.c.DB.Write(ctx, func(tx *db.Tx) (err error) {
			rows, err = scanAll(tx.Query(ctx, "select "+columns+` from propagations
				where deadline > 0 and alarmed = false and state <> 'acted' and deadline <= $1 order by deadline limit $2`, now, 100))
			for i := 0; i < len(rows) && err == nil; i++ {
				err = r.alarmLate(ctx, tx, rows[i])
			}
			return err
		})
		if err != nil || len(rows) < 100 {
			return err
		}
	}
}

func (r *Relay) alarmLate(ctx context.Context, tx *db.Tx, w row) error {
	if _, err := tx.Exec(ctx, "update propagations set alarmed = true where id = $1", w.id); err != nil {
		return err
	}
	return r.alarm(tx, Alarm{Kind: Late, Target: w.target, ID: w.id, Revision: w.revision, Subject: w.subject, Reason: w.failure})
}

// expire deletes rows whose end is long ago. The end of one that should have been acted on and never was is its deadline.
// Ids begin with the time they were made at, so only old rows are looked at.
func (r *Relay) expire(ctx context.Context, now int64) error {
	before := now - r.c.Keep.Milliseconds()
	_, err := r.inChunks(ctx, `delete from propagations where id in (select id from propagations
		where id < $1 and state <> 'pending' and changed_at < $2 and deadline < $2 order by id limit $3)`,
		id.Floor("prp_", instant(before)), before, chunk)
	return err
}
