package event

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	chance "math/rand/v2"
	"sync"
	"time"

	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
)

// day is 24 hours: the promises of this package count hours, not calendars.
const day = 24 * time.Hour

// Config says what is relayed, and how. Since, Changed, Route and Compose must be set.
type Config struct {
	DB     *db.DB
	Clock  clock.Clock    // nil is the system's
	Rand   func() float64 // in [0, 1), for the jitter; nil is math/rand
	Log    *slog.Logger   // gets ids, targets and kinds of failure, nothing else; nil is silence
	Source string         // who speaks, a URI: the source of every message

	// Since gives up to limit entries that follow the revision, in order. Changed gives a channel that is closed when
	// the next entry can be read; it is taken before reading.
	Since   func(ctx context.Context, after int64, limit int) ([]Entry, error)
	Changed func() <-chan struct{}
	// Route says who is told of an entry. An error stops the relay at this entry until Route knows: nothing is skipped.
	Route func(context.Context, Entry) ([]Delivery, error)
	// Compose gives the content for a target, as it may be sent now. Of an erased entry it gives a tombstone.
	Compose func(ctx context.Context, target string, revision int64) (Payload, error)
	// Alarm is called once for each alarm, in the transaction that keeps it from being called again: what it writes
	// there is written exactly once. It may run twice, as any function of db.DB.Write. nil is no alarm.
	Alarm func(*db.Tx, Alarm) error

	From int64         // the revision a new store begins after
	Keep time.Duration // how long rows stay after their end; 0 is 90 days, 7 are the least
}

// AlarmKind is what somebody must look at.
type AlarmKind string

const (
	Late     AlarmKind = "late"     // the deadline passed without an acknowledgement
	Died     AlarmKind = "dead"     // a message could not be delivered within three days
	Disabled AlarmKind = "disabled" // a target took nothing for five days, or said that it is gone
)

// Alarm names what must be looked at. ID, Revision and Subject are empty when the whole target is meant.
type Alarm struct {
	Kind     AlarmKind
	Target   string
	ID       string
	Revision int64
	Subject  string
	Reason   string // kind of the last failure
}

// Relay brings entries to targets: it sends what follow routed at once, and record writes it down while it is sent. It is safe for concurrent use; one relay works on a store at a time.
type Relay struct {
	c       Config
	receive texts
	book    *book
	seed    seed
	ahead   []Entry        // that were read and not routed yet; only follow touches it
	work    sync.WaitGroup // lanes, and what they have under way

	mu     sync.Mutex
	lanes  map[string]*tended
	run    context.Context // of Run; nil before
	routed int64           // the last entry whose rows were handed to the lanes
	cursor int64           // the last one whose rows are in the store
}

// tended is a lane and the life of who tends it.
type tended struct {
	*lane
	ctx  context.Context // nil before Run
	stop context.CancelFunc
}

// Open makes the tables and finds the cursor. Nothing is sent before Run.
func Open(ctx context.Context, c Config) (*Relay, error) {
	if err := c.complete(); err != nil {
		return nil, err
	}
	r := &Relay{c: c, lanes: map[string]*tended{}, book: newBook(), receive: receiveTexts()}
	if err := c.DB.Migrate(ctx, "event", schema, seedSchema); err != nil {
		return nil, err
	}
	err := c.DB.Write(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(ctx, `insert into propagation_cursor (name, revision) values ('ledger', $1)
			on conflict (name) do nothing`, c.From); err != nil {
			return err
		}
		if err := r.readSeed(ctx, tx); err != nil {
			return err
		}
		return readCursor(ctx, tx, &r.cursor)
	})
	r.routed = r.cursor
	return r, err
}

// readSeed reads the seed of this store, or makes it.
func (r *Relay) readSeed(ctx context.Context, tx *db.Tx) error {
	var b []byte
	err := tx.QueryRow(ctx, "select seed from propagation_seed").Scan(&b)
	if errors.Is(err, db.ErrNoRows) {
		_, _ = rand.Read(r.seed[:]) // never fails: it ends the process instead
		_, err = tx.Exec(ctx, "insert into propagation_seed (seed) values ($1)", r.seed[:])
		return err
	}
	copy(r.seed[:], b)
	return err
}

func (c *Config) complete() error {
	if c.DB == nil || c.Since == nil || c.Changed == nil || c.Route == nil || c.Compose == nil {
		return errors.New("a relay needs a store, a source, a route and a composer")
	}
	if c.Clock == nil {
		c.Clock = clock.System{}
	}
	if c.Rand == nil {
		c.Rand = chance.Float64
	}
	if c.Log == nil {
		c.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if c.Keep == 0 {
		c.Keep = 90 * day
	}
	if c.Keep < 7*day {
		return fault.New(fault.Invalid, "the record of deliveries must be kept for 7 days at least")
	}
	return nil
}

func (r *Relay) now() int64 { return r.c.Clock.Now().UnixMilli() }

// Use says which targets there are, before Run or during it. Messages for others stay pending until their target is
// there again.
func (r *Relay) Use(targets ...Target) {
	r.mu.Lock()
	defer r.mu.Unlock()
	left := map[string]*tended{}
	for _, t := range targets {
		l, ok := r.lanes[t.ID]
		if !ok {
			l = &tended{lane: newLane(t), stop: func() {}}
			l.missed, l.stored = r.routed, r.cursor
			r.start(l)
		}
		l.become(t)
		left[t.ID] = l
	}
	for id, l := range r.lanes {
		if left[id] == nil {
			l.stop()
		}
	}
	r.lanes = left
}

func (l *lane) become(t Target) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.target = t
	l.nudge()
}

// start tends a lane once Run is there.
func (r *Relay) start(l *tended) {
	if r.run == nil || r.run.Err() != nil {
		return
	}
	l.ctx, l.stop = context.WithCancel(r.run)
	ctx := l.ctx
	r.work.Go(func() { r.tendLane(ctx, l.lane) })
}

func (r *Relay) lane(target string) *lane {
	r.mu.Lock()
	defer r.mu.Unlock()
	if l := r.lanes[target]; l != nil {
		return l.lane
	}
	return nil
}

// Run relays until ctx ends, and returns when nothing is under way any more and every outcome is recorded. It may be
// called once.
func (r *Relay) Run(ctx context.Context) {
	r.mu.Lock()
	r.run = ctx
	for _, l := range r.lanes {
		r.start(l)
	}
	r.mu.Unlock()
	recorded := make(chan struct{})
	go func() {
		defer close(recorded)
		r.record(context.WithoutCancel(ctx))
	}()
	var loops sync.WaitGroup
	loops.Go(func() { r.tend(ctx) })
	r.follow(ctx)
	loops.Wait()
	r.mu.Lock()
	//lint:ignore SA2001 a Use that is under way is waited for: it starts nothing after the end of ctx
	r.mu.Unlock()
	r.work.Wait()
	r.book.close()
	<-recorded
}

// pause waits for d, or less when ctx ends.
func (r *Relay) pause(ctx context.Context, d time.Duration) {
	select {
	case <-r.c.Clock.After(d):
	case <-ctx.Done():
	}
}
