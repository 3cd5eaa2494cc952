package event

import (
	"context"
	"errors"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
)

// chunk bounds the rows that one transaction of a command changes.
const chunk = 1000

// Ack records that the target acted on a message, and gives it as it is then. Saying so again changes nothing. An id that
// nobody was given is fault.NotFound. A message that was still pending or dead is acted on too: the target has it.
func (r *Relay) Ack(ctx context.Context, id string) (Propagation, error) {
	var w row
	var before string
	if err := r.stored(ctx, id); err != nil {
		return Propagation{}, err
	}
	err := r.c.DB.Write(ctx, func(tx *db.Tx) (err error) {
		if w, err = one(ctx, tx, id); err != nil || w.state == string(Acted) {
			return err
		}
		before, w.state, w.changed = w.state, string(Acted), r.now()
		if w.received == 0 {
			w.received = w.changed
		}
		_, err = tx.Exec(ctx, "update propagations set state = 'acted', received_at = $2, changed_at = $3 where id = $1", id, w.received, w.changed)
		return err
	})
	if l := r.lane(w.target); err == nil && l != nil && before == string(Pending) {
		l.forget()
	}
	return w.public(), err
}

// Replay sends a dead message again, with three new days of retries. Other states are fault.Conflict, an unknown id is
// fault.NotFound. Later messages of the same subject may have been received before: the target tells by the sequence.
func (r *Relay) Replay(ctx context.Context, id string) error {
	var w row
	err := r.c.DB.Write(ctx, func(tx *db.Tx) (err error) {
		if w, err = one(ctx, tx, id); err != nil {
			return err
		}
		if w.state != string(Dead) {
			return fault.New(fault.Conflict, "%s is %s; only a dead message can be replayed", id, w.state)
		}
		_, err = tx.Exec(ctx, revive+" where id = $2", r.now(), id)
		return err
	})
	if err == nil {
		r.forget(w.target)
	}
	return err
}

const revive = "update propagations set state = 'pending', attempts = 0, since = $1, next_at = $1, changed_at = $1"

// ReplayAll replays all that is dead of a target and says how many that were. A target that is not there, and for which
// nothing is dead, is fault.NotFound.
func (r *Relay) ReplayAll(ctx context.Context, target string) (int64, error) {
	n, err := r.inChunks(ctx, revive+` where id in
		(select id from propagations where target = $2 and state = 'dead' order by id limit $3)`, r.now(), target, chunk)
	if err == nil && n == 0 && r.lane(target) == nil {
		return 0, fault.New(fault.NotFound, "there is no target %q", target)
	}
	r.forget(target)
	return n, err
}

// Enable lets a disabled target have messages again: what waits goes at once, each with three new days of retries. A
// target that was not disabled loses its pause. One nobody knows is fault.NotFound.
func (r *Relay) Enable(ctx context.Context, target string) error {
	l := r.lane(target)
	if err := r.refresh(ctx, target); err != nil {
		return err
	}
	err := r.c.DB.Write(ctx, func(tx *db.Tx) error {
		n, err := tx.Exec(ctx, "update propagation_targets set failing_since = 0, disabled_at = 0, reason = '' where target = $1", target)
		if err == nil && n == 0 && l == nil {
			err = fault.New(fault.NotFound, "there is no target %q", target)
		}
		return err
	})
	if err == nil && l != nil {
		l.judged(&verdict{})
		l.forget()
	}
	return err
}

// refresh makes all that is pending of a target due, in the order of the ids.
func (r *Relay) refresh(ctx context.Context, target string) error {
	for now, last := r.now(), ""; ; {
		var ids int64
		var to string
		err := r.c.DB.Write(ctx, func(tx *db.Tx) error {
			if err := tx.QueryRow(ctx, `select count(*), coalesce(max(id), '') from (select id from propagations
				where target = $1 and state = 'pending' and id > $2 order by id limit $3) p`, target, last, chunk).Scan(&ids, &to); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, `update propagations set since = $1, next_at = $1
				where target = $2 and state = 'pending' and id > $3 and id <= $4`, now, target, last, to)
			return err
		})
		if last = to; err != nil || ids < chunk {
			return err
		}
	}
}

// inChunks repeats a statement until it changes nothing.
func (r *Relay) inChunks(ctx context.Context, text string, args ...any) (sum int64, err error) {
	for {
		var n int64
		err := r.c.DB.Write(ctx, func(tx *db.Tx) (err error) {
			n, err = tx.Exec(ctx, text, args...)
			return err
		})
		if sum += n; err != nil || n < chunk {
			return sum, err
		}
	}
}

// stored waits while the row with this id is on its way to the store: a target may answer sooner.
func (r *Relay) stored(ctx context.Context, id string) error {
	for less := r.book.knows(id); less != nil; less = r.book.knows(id) {
		select {
		case <-less:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (r *Relay) forget(target string) {
	if l := r.lane(target); l != nil {
		l.unpause()
		l.forget()
	}
}

func one(ctx context.Context, tx *db.Tx, id string) (w row, err error) {
	err = w.scan(tx.QueryRow(ctx, "select "+columns+" from propagations where id = $1", id))
	if errors.Is(err, db.ErrNoRows) {
		return w, fault.New(fault.NotFound, "no message has this id")
	}
	return w, err
}
