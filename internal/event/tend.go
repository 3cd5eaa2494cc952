package event

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/id"
)

const (
	watch = time.Minute // between two looks for deadlines that passed
	sweep = time.Hour
)

// tend raises alarms of missed deadlines, gives up what waits too long, and forgets what is old.
func (r *Relay) tend(ctx context.Context) {
	var swept int64
	for ctx.Err() == nil {
		now := r.now()
		err := errors.Join(r.late(ctx, now), r.tire(ctx, now))
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

// tire ends what waited its three days for a target that is down. Such a target is asked with one message at a time, so
// most of what waits has no last attempt. The minute more is for the message that has one.
func (r *Relay) tire(ctx context.Context, now int64) error {
	for _, l := range r.down() {
		for buried := true; buried; {
			err := r.c.DB.Write(ctx, func(tx *db.Tx) (err error) {
				buried, err = r.bury(ctx, tx, l.id, now)
				return err
			})
			if err != nil {
				return err
			}
			if buried {
				l.forget()
			}
		}
	}
	return nil
}

// down are the lanes whose target did not answer the last time it was asked, by this process.
func (r *Relay) down() (out []*lane) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.lanes {
		l.mu.Lock()
		if l.streak > 0 && !l.disabled {
			out = append(out, l.lane)
		}
		l.mu.Unlock()
	}
	return out
}

// bury makes some of the messages that waited too long dead, each with its alarm, and says whether there were any.
func (r *Relay) bury(ctx context.Context, tx *db.Tx, target string, now int64) (some bool, err error) {
	rows, err := scanAll(tx.Query(ctx, "select "+columns+` from propagations
		where target = $1 and state = 'pending' and since <= $2 order by id limit $3`, target, now-(giveUp+watch).Milliseconds(), 100))
	if err != nil || len(rows) == 0 {
		return false, err
	}
	var reason string
	if err := tx.QueryRow(ctx, "select coalesce(max(reason), '') from propagation_targets where target = $1", target).Scan(&reason); err != nil {
		return false, err
	}
	for i := 0; i < len(rows) && err == nil; i++ {
		w := rows[i]
		w.failure = cmp.Or(w.failure, reason)
		if _, err = tx.Exec(ctx, updateFailed, w.id, string(Dead), w.attempts, w.next, w.failure, now); err == nil {
			err = r.died(tx, w)
		}
	}
	return true, err
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
