package event

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
)

const (
	stopped   = "stopped"
	disable   = 5 * day
	recovered = 3 // after so many attempts in vain, the first success sends at once what waited
)

// result is the outcome of one attempt.
type result struct {
	lane    *lane
	row     row
	failure *Failure // nil: received
}

// verdict is what becomes of a target after some results: only what differs is written.
type verdict struct {
	lane     *lane
	before   int64 // failing since, 0 for not
	failing  int64
	streak   int
	until    int64
	disabled bool   // was, before these results
	over     bool   // to be disabled now
	forward  bool   // what waits goes at once
	reason   string // of the last failure
}

// outcome is what one transaction records.
type outcome struct {
	now      int64
	to       int64    // the cursor moves to here; 0 where it stays
	rows     []row    // that are new, with what became of them
	fresh    []result // of these rows
	received []result // of rows that are in the store
	failed   []result
	targets  map[*lane]*verdict
}

// record writes what happened, together what came together, until the book is closed. What cannot be written is tried
// again: meanwhile the rows stay out, and the worst a crash can do is to send them again.
func (r *Relay) record(ctx context.Context) {
	for {
		t := r.book.take(r.now())
		switch {
		case t.end:
			return
		case t.empty():
			r.await(t.due)
		default:
			o := r.judge(t)
			r.write(ctx, o)
			r.book.wrote(t)
			r.tell(o)
		}
	}
}

// await waits until there is more in the book, or something of it is due.
func (r *Relay) await(due int64) {
	var at <-chan time.Time
	if due > 0 {
		at = r.c.Clock.After(time.Duration(due-r.now()) * time.Millisecond)
	}
	select {
	case <-r.book.wake:
	case <-at:
	}
}

func (r *Relay) write(ctx context.Context, o outcome) {
	for {
		err := r.c.DB.Write(ctx, func(tx *db.Tx) error { return r.settle(ctx, tx, o) })
		if err == nil {
			return
		}
		r.c.Log.Error("recording deliveries", "error", err)
		if r.run.Err() != nil {
			return // the next process begins with what the store says
		}
		r.pause(r.run, retryOwn)
	}
}

// judge decides what each result means, in order.
func (r *Relay) judge(t taken) outcome {
	o := outcome{now: r.now(), targets: map[*lane]*verdict{}}
	for _, b := range t.batches {
		first := len(o.rows)
		o.to, o.rows, o.fresh = b.to, append(o.rows, b.rows...), slices.Grow(o.fresh, len(b.results))
		for _, x := range b.results {
			if r.weigh(&o, &x) {
				o.rows[first+x.row.at], o.fresh = x.row, append(o.fresh, x)
			}
		}
	}
	for _, x := range t.results {
		switch {
		case !r.weigh(&o, &x):
		case x.failure == nil:
			o.received = append(o.received, x)
		default:
			o.failed = append(o.failed, x)
		}
	}
	return o
}

// weigh makes the row of a result what it will be, and adds the result to its target. One that was broken off is no result.
func (r *Relay) weigh(o *outcome, x *result) bool {
	if x.failure != nil && x.failure.Kind == stopped {
		return false
	}
	v := o.verdict(x.lane)
	x.row.attempts++
	x.row.changed = o.now
	if x.failure == nil {
		v.success()
		x.row.state, x.row.failure, x.row.received = string(Received), "", o.now
		return true
	}
	x.row = r.failed(*x, v, o.now)
	return true
}

func (o *outcome) verdict(l *lane) *verdict {
	v, ok := o.targets[l]
	if !ok {
		l.mu.Lock()
		v = &verdict{lane: l, before: l.failing, failing: l.failing, streak: l.streak, disabled: l.disabled}
		l.mu.Unlock()
		o.targets[l] = v
	}
	return v
}

func (v *verdict) success() {
	v.forward = v.forward || v.streak >= recovered
	v.failing, v.streak, v.until = 0, 0, 0
}

// failed gives the row as it is after the failure, and adds the failure to its target.
func (r *Relay) failed(x result, v *verdict, now int64) row {
	w, f := x.row, x.failure
	if v.failing == 0 {
		v.failing = now
	}
	asked := min(f.RetryAfter, lastDelay)
	if !f.Refused {
		v.streak++
		v.until = now + max(delay(v.streak, longPause, r.c.Rand()), asked).Milliseconds()
	}
	v.over = v.over || !v.disabled && (f.Gone || now-v.failing >= disable.Milliseconds())
	v.reason, w.failure = f.Kind, f.Kind
	w.next = now + max(delay(w.attempts, lastDelay, r.c.Rand()), asked).Milliseconds()
	if now-w.since >= giveUp.Milliseconds() && !v.over {
		w.state = string(Dead)
	} else {
		w.next = min(w.next, max(now, w.since+giveUp.Milliseconds())) // the last attempt is at the end of the three days
	}
	return w
}

const updateFailed = `update propagations set state = $2, attempts = $3, next_at = $4, error = $5, changed_at = $6
	where id = $1 and state = 'pending'`

func receiveTexts() texts {
	return newTexts("update propagations set state = 'received', attempts = attempts + 1, error = '', received_at = $1, changed_at = $1 where state in ('pending', 'dead') and id in (",
		"?", ")", 2)
}

// settle writes an outcome. A row that was acknowledged meanwhile stays as it is; one that was given up while its message
// was on the way was received after all.
func (r *Relay) settle(ctx context.Context, tx *db.Tx, o outcome) error {
	if err := r.keep(ctx, tx, o); err != nil {
		return err
	}
	for left := o.received; len(left) > 0; {
		k := portion(len(left))
		args := []any{o.now}
		for _, x := range left[:k] {
			args = append(args, x.row.id)
		}
		if _, err := tx.Exec(ctx, r.receive.of(k), args...); err != nil {
			return err
		}
		left = left[k:]
	}
	for _, x := range o.failed {
		w := x.row
		n, err := tx.Exec(ctx, updateFailed, w.id, w.state, w.attempts, w.next, w.failure, o.now)
		if err == nil && n == 1 && w.state == string(Dead) {
			err = r.died(tx, w)
		}
		if err != nil {
			return err
		}
	}
	for _, v := range o.targets {
		if err := r.settleTarget(ctx, tx, v, o.now); err != nil {
			return err
		}
	}
	return nil
}

// keep moves the cursor and writes the new rows. A cursor that somebody else moved is refused: nothing is routed twice.
func (r *Relay) keep(ctx context.Context, tx *db.Tx, o outcome) error {
	if o.to == 0 {
		return nil
	}
	n, err := tx.Exec(ctx, "update propagation_cursor set revision = $1 where name = 'ledger' and revision = $2", o.to, r.cursor)
	if err == nil && n != 1 {
		err = fault.New(fault.Conflict, "another relay works on this store")
	}
	for i := 0; i < len(o.rows) && err == nil; i++ {
		err = o.rows[i].insert(tx)
	}
	return err
}

func (r *Relay) settleTarget(ctx context.Context, tx *db.Tx, v *verdict, now int64) error {
	if v.forward {
		if _, err := tx.Exec(ctx, "update propagations set next_at = $2 where target = $1 and state = 'pending' and next_at > $2",
			v.lane.id, now); err != nil {
			return err
		}
	}
	if v.disabled || v.failing == v.before && !v.over {
		return nil
	}
	h := health{failing: v.failing}
	if v.failing > 0 {
		h.reason = v.reason
	}
	if v.over {
		h.disabled = now
	}
	if err := writeHealth(ctx, tx, v.lane.id, h); err != nil || !v.over {
		return err
	}
	return r.alarm(tx, Alarm{Kind: Disabled, Target: v.lane.id, Reason: v.reason})
}

func (r *Relay) died(tx *db.Tx, w row) error {
	return r.alarm(tx, Alarm{Kind: Died, Target: w.target, ID: w.id, Revision: w.revision, Subject: w.subject, Reason: w.failure})
}

func (r *Relay) alarm(tx *db.Tx, a Alarm) error {
	if r.c.Alarm == nil {
		return nil
	}
	return r.c.Alarm(tx, a)
}

// tell brings what is durable to the lanes.
func (r *Relay) tell(o outcome) {
	for l, v := range o.targets {
		l.judged(v)
	}
	if o.to > 0 {
		r.moved(o.to)
	}
	for _, all := range [][]result{o.fresh, o.received, o.failed} {
		for _, x := range all {
			x.lane.done(x.row)
		}
	}
	for l, v := range o.targets {
		if v.forward {
			l.forget()
		}
	}
}

// moved tells all lanes how far the store has all.
func (r *Relay) moved(cursor int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cursor = cursor
	for _, l := range r.lanes {
		l.written(cursor)
	}
}

// judged takes over what the results say of the target.
func (l *lane) judged(v *verdict) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.streak != v.streak || l.until != v.until || l.disabled != (v.disabled || v.over) {
		l.stir()
	}
	l.failing, l.streak, l.until, l.disabled = v.failing, v.streak, v.until, v.disabled || v.over
}

// health is how a target is.
type health struct {
	failing, disabled int64
	reason            string
}

func (r *Relay) health(ctx context.Context, target string) (h health, err error) {
	err = r.c.DB.Read(ctx, func(tx *db.Tx) error {
		err := tx.QueryRow(ctx, "select failing_since, disabled_at, reason from propagation_targets where target = $1", target).
			Scan(&h.failing, &h.disabled, &h.reason)
		if errors.Is(err, db.ErrNoRows) {
			return nil
		}
		return err
	})
	return h, err
}

func writeHealth(ctx context.Context, tx *db.Tx, target string, h health) error {
	_, err := tx.Exec(ctx, `insert into propagation_targets (target, failing_since, disabled_at, reason) values ($1, $2, $3, $4)
		on conflict (target) do update set failing_since = $2, disabled_at = $3, reason = $4`, target, h.failing, h.disabled, h.reason)
	return err
}
