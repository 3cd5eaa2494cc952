package event

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ombudhq/ombud/internal/db"
)

var bg = context.Background()

// source is a ledger in memory. An entry's value is its deliveries.
type source struct {
	mu      sync.Mutex
	entries []Entry
	changed chan struct{}
	erased  map[int64]bool
}

func newSource() *source { return &source{changed: make(chan struct{}), erased: map[int64]bool{}} }

func (s *source) add(all ...[]Delivery) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range all {
		s.entries = append(s.entries, Entry{Revision: 1<<40 + int64(len(s.entries)) + 1, Time: time.Now(), Value: d})
	}
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *source) since(_ context.Context, after int64, limit int) ([]Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := max(0, int(after-1<<40))
	return slices.Clone(s.entries[i:min(len(s.entries), i+limit)]), nil
}

func (s *source) next() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

func (s *source) compose(_ context.Context, _ string, revision int64) (Payload, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.erased[revision] {
		return Payload{Data: json.RawMessage(`{"erased":true}`)}, nil
	}
	return Payload{Data: json.RawMessage(fmt.Sprintf(`{"n":%d}`, revision-1<<40))}, nil
}

// to is a delivery of one event to some targets.
func to(subject string, targets ...string) (all []Delivery) {
	for _, t := range targets {
		all = append(all, Delivery{Target: t, Type: "consent.withdrawn", Subject: subject})
	}
	return all
}

// receiver is a service that keeps what it got and answers as it is told.
type receiver struct {
	mu     sync.Mutex
	answer func(Message) error // nil takes everything
	tries  []attempted
	got    []Message
}

type attempted struct {
	Message
	at time.Time
}

func (v *receiver) Send(ctx context.Context, m Message) error {
	v.mu.Lock()
	v.tries = append(v.tries, attempted{m, time.Now()})
	answer := v.answer
	v.mu.Unlock()
	if answer != nil {
		if err := answer(m); err != nil {
			return err
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.got = append(v.got, m)
	return nil
}

func (v *receiver) answers(f func(Message) error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.answer = f
}

// revisions are the numbers of what was taken, in order; of one subject if one is given.
func (v *receiver) revisions(subject ...string) (out []int64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, m := range v.got {
		if len(subject) == 0 || m.Subject == subject[0] {
			out = append(out, m.Revision-1<<40)
		}
	}
	return out
}

func down(Message) error    { return &Failure{Kind: "http 503"} }
func refuses(Message) error { return &Failure{Kind: "http 400", Refused: true} }

// bench is a relay with its source and receivers, in a synctest bubble: time passes when everybody waits.
type bench struct {
	*Relay
	t         *testing.T
	source    *source
	receivers map[string]*receiver
	alarms    []Alarm
	store     *db.DB
	end       func()
}

func inBubble(t *testing.T, f func(t *testing.T)) { t.Helper(); synctest.Test(t, f) }

// opened makes a relay on a store, not yet running.
func opened(t *testing.T, c db.Config, s *source, targets ...string) *bench {
	t.Helper()
	store, err := db.Open(bg, c)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, source: s, receivers: map[string]*receiver{}, store: store, end: func() {}}
	b.Relay, err = Open(bg, Config{
		DB: store, Source: "urn:test", Since: s.since, Changed: s.next, Compose: s.compose,
		Rand:  func() float64 { return 0.5 },
		Route: func(_ context.Context, e Entry) ([]Delivery, error) { return e.Value.([]Delivery), nil },
		Alarm: func(tx *db.Tx, a Alarm) error { tx.OnCommit(func() { b.alarms = append(b.alarms, a) }); return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	var all []Target
	for _, id := range targets {
		b.receivers[id] = &receiver{}
		all = append(all, Target{ID: id, Bus: b.receivers[id]})
	}
	b.Use(all...)
	return b
}

// running runs a relay on a new store until the test ends, or stop is called.
func running(t *testing.T, s *source, targets ...string) *bench {
	t.Helper()
	b := opened(t, db.Config{Path: filepath.Join(t.TempDir(), "own.db")}, s, targets...)
	b.start()
	return b
}

func (b *bench) start() {
	ctx, cancel := context.WithCancel(bg)
	ended := make(chan struct{})
	go func() { b.Run(ctx); close(ended) }()
	b.end = sync.OnceFunc(func() { cancel(); <-ended })
	b.t.Cleanup(b.stop)
	synctest.Wait()
}

// stop ends the relay and closes its store.
func (b *bench) stop() {
	b.end()
	if err := b.store.Close(); err != nil {
		b.t.Error(err)
	}
}

// pass lets time go by, and everything happen that is due then.
func pass(d time.Duration) { time.Sleep(d); synctest.Wait() }

func (b *bench) status(target string) Status {
	b.t.Helper()
	all, err := b.Status(bg)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, s := range all {
		if s.Target == target {
			return s
		}
	}
	b.t.Fatalf("no status of %s", target)
	return Status{}
}

func (b *bench) list(f Filter) []Propagation {
	b.t.Helper()
	all, err := b.List(bg, f)
	if err != nil {
		b.t.Fatal(err)
	}
	return all
}

func (b *bench) kinds() map[AlarmKind]int {
	n := map[AlarmKind]int{}
	for _, a := range b.alarms {
		n[a.Kind]++
	}
	return n
}

func upTo(n int) (out []int64) {
	for i := range n {
		out = append(out, int64(i)+1)
	}
	return out
}

var errAny = errors.New("something with a secret in it")
