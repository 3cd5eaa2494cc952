package event

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/ombudhq/ombud/internal/db"
)

const (
	firstDelay = 5 * time.Second
	lastDelay  = 12 * time.Hour
	giveUp     = 3 * day
	longPause  = time.Minute // between two attempts at a target that is down
	retryOwn   = time.Second // after a failure of our own store
)

// tendLane sends what is due, for as long as ctx lasts.
func (r *Relay) tendLane(ctx context.Context, l *lane) {
	r.recall(ctx, l)
	for ctx.Err() == nil {
		if now := r.now(); l.begin(now) {
			r.fill(ctx, l, now)
		}
		r.launch(ctx, l)
		r.rest(ctx, l)
	}
}

// rest waits until something changed or falls due.
func (r *Relay) rest(ctx context.Context, l *lane) {
	var due <-chan time.Time
	if d := l.wait(r.now()); d >= 0 {
		due = r.c.Clock.After(d)
	}
	select {
	case <-l.wake:
	case <-due:
	case <-ctx.Done():
	}
}

// recall reads how the target was when the last process ended.
func (r *Relay) recall(ctx context.Context, l *lane) {
	for ctx.Err() == nil {
		h, err := r.health(ctx, l.id)
		if err == nil {
			l.mu.Lock()
			l.failing, l.disabled = h.failing, h.disabled > 0
			l.mu.Unlock()
			return
		}
		r.c.Log.Error("reading a target's state", "target", l.id, "error", err)
		r.pause(ctx, retryOwn)
	}
}

// fill looks into the store for the lane.
func (r *Relay) fill(ctx context.Context, l *lane, now int64) {
	f, err := r.find(ctx, l.id, now)
	if err != nil {
		if ctx.Err() == nil {
			r.c.Log.Error("reading what is pending", "target", l.id, "error", err)
		}
		l.spoiled(now + retryOwn.Milliseconds())
		return
	}
	l.filled(f)
}

// allPending reads all that waits for a target, when that is little; duePending only what may be sent now, the first of each
// subject.
const (
	countPending = `select count(*) from (select 1 from propagations where target = $1 and state = 'pending' limit $2) p`
	allPending   = `select ` + columns + ` from propagations where target = $1 and state = 'pending' order by revision`
	duePending   = `select ` + columns + ` from propagations p where target = $1 and state = 'pending' and next_at <= $2
		and not exists (select 1 from propagations e where e.target = p.target and e.subject = p.subject and e.state = 'pending'
			and e.revision < p.revision)
		order by next_at, revision limit $3`
	nextPending = `select coalesce(min(next_at), 0) from propagations where target = $1 and state = 'pending' and next_at > $2`
)

func (r *Relay) find(ctx context.Context, target string, now int64) (f filling, err error) {
	err = r.c.DB.Read(ctx, func(tx *db.Tx) error {
		f = filling{}
		var n int
		if err := tx.QueryRow(ctx, countPending, target, laneLimit+1).Scan(&n); err != nil {
			return err
		}
		if err := readCursor(ctx, tx, &f.cursor); err != nil {
			return err
		}
		if n <= laneLimit {
			f.whole = true
			f.rows, err = scanAll(tx.Query(ctx, allPending, target))
			return err
		}
		if f.rows, err = scanAll(tx.Query(ctx, duePending, target, now, lookLimit)); err != nil {
			return err
		}
		f.more = len(f.rows) == lookLimit
		return tx.QueryRow(ctx, nextPending, target, now).Scan(&f.next)
	})
	return f, err
}

// launch sends what may be sent now, each message beside the others.
func (r *Relay) launch(ctx context.Context, l *lane) {
	for w, ok := l.take(r.now()); ok; w, ok = l.take(r.now()) {
		r.work.Go(func() { r.attempt(ctx, l, w) })
	}
}

// attempt composes and sends a message, and then others, as long as they are taken. What the end of ctx broke off is no
// outcome: the row stays pending.
func (r *Relay) attempt(ctx context.Context, l *lane, w row) {
	began := r.now()
	for ok := true; ok; {
		failure := r.send(ctx, l, w)
		if failure != nil && ctx.Err() != nil {
			failure = &Failure{Kind: stopped}
		}
		now := r.now()
		r.book.note(result{lane: l, row: w, failure: failure}, now)
		if failure != nil || ctx.Err() != nil {
			return
		}
		w, ok = l.another(began, now)
		began = now
	}
}

func (r *Relay) send(ctx context.Context, l *lane, w row) *Failure {
	p, err := r.c.Compose(ctx, w.target, w.revision)
	if err != nil {
		r.c.Log.Error("composing a message", "id", w.id, "revision", w.revision, "error", err)
		return &Failure{Kind: "not composed", Refused: true}
	}
	l.mu.Lock()
	bus := l.target.Bus
	l.mu.Unlock()
	return failureOf(bus.Send(ctx, Message{
		ID: w.id, Target: w.target, Source: r.c.Source, Type: w.kind, Subject: w.subject, Revision: w.revision,
		Deadline: instant(w.deadline), Attempt: w.attempts + 1, Payload: p,
	}))
}

func failureOf(err error) *Failure {
	var f *Failure
	switch {
	case err == nil:
		return nil
	case errors.As(err, &f):
		return f
	}
	return &Failure{Kind: "failed"} // the text of an unknown error may hold anything
}

// delay is how long the n-th failed attempt is waited after, by exponential back-off with full jitter.
func delay(n int, most time.Duration, random float64) time.Duration {
	ceiling := most
	if n < 30 {
		ceiling = min(most, firstDelay<<n)
	}
	return firstDelay + time.Duration(math.Floor(random*float64(ceiling-firstDelay)))
}
