package bench

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/event"
	"github.com/ombudhq/ombud/internal/notify"
)

const (
	services    = 200
	eventsAlone = 10 // one after the other
	eventsBurst = 40 // at once
)

// content is about as long as what a change of consent says.
var content = []byte(`{"status":"withdrawn","purposes":["newsletter"],"categories":["contact"],"actions":["stop","delete"],"laws":["gdpr"],"urgency":"high"}`)

// fleet is services that count what they get. One that is dead takes connections and never answers.
type fleet struct {
	servers []*httptest.Server
	got     atomic.Int64
	want    int64
	all     chan struct{}
	release chan struct{}
}

func newFleet(t *testing.T, n int) *fleet {
	f := &fleet{all: make(chan struct{}, 1), release: make(chan struct{})}
	for range n {
		s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			if f.got.Add(1) == atomic.LoadInt64(&f.want) {
				f.all <- struct{}{}
			}
		}))
		f.servers = append(f.servers, s)
		t.Cleanup(s.Close)
	}
	return f
}

func (f *fleet) expect(n int) {
	f.got.Store(0)
	atomic.StoreInt64(&f.want, int64(n))
}

// bare posts as anybody would: a goroutine for each service, one message after the other, nothing kept.
func (f *fleet) bare(client *http.Client, events int) {
	var wg sync.WaitGroup
	body := slices.Concat(content, bytes.Repeat([]byte(" "), 170)) // as long as the event around it
	for _, s := range f.servers {
		wg.Go(func() {
			for range events {
				res, err := client.Post(s.URL, "application/json", bytes.NewReader(body))
				if err != nil {
					continue
				}
				_, _ = io.Copy(io.Discard, res.Body)
				_ = res.Body.Close()
			}
		})
	}
	wg.Wait()
	<-f.all
}

// feed is a source in memory; every entry goes to all.
type feed struct {
	mu      sync.Mutex
	n       int64
	changed chan struct{}
	targets []string
}

func (s *feed) add(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n += int64(n)
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *feed) next() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

func (s *feed) since(_ context.Context, after int64, limit int) (out []event.Entry, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := after + 1; i <= s.n && len(out) < limit; i++ {
		out = append(out, event.Entry{Revision: i, Time: time.Unix(1767323045, 0)})
	}
	return out, nil
}

func (s *feed) route(_ context.Context, e event.Entry) (out []event.Delivery, err error) {
	for _, id := range s.targets {
		out = append(out, event.Delivery{Target: id, Type: "consent.withdrawn", Subject: fmt.Sprintf("sub_%026d", e.Revision)})
	}
	return out, nil
}

// relayed is the relay on a store of its own, with signed webhooks to a fleet.
type relayed struct {
	*feed
	relay *event.Relay
	store *db.DB
	path  string
}

func newRelayed(t *testing.T, f *fleet, extra ...string) *relayed {
	path := filepath.Join(t.TempDir(), "own.db")
	store, err := db.Open(t.Context(), db.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	r := &relayed{feed: &feed{changed: make(chan struct{})}, store: store, path: path}
	r.relay, err = event.Open(t.Context(), event.Config{
		DB: store, Source: "urn:bench", Since: r.since, Changed: r.next, Route: r.route,
		Compose: func(context.Context, string, int64) (event.Payload, error) {
			return event.Payload{Time: time.Unix(1767323045, 0), Data: content}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	client := notify.NewClient(clock.System{}, "ombud/bench")
	_, secret := notify.NewSecret()
	var all []event.Target
	for i, url := range append(f.urls(), extra...) {
		hook, err := client.Webhook(notify.Endpoint{URL: url, Secrets: []string{secret}, Private: true})
		if err != nil {
			t.Fatal(err)
		}
		id := fmt.Sprintf("service-%03d", i)
		all, r.targets = append(all, event.Target{ID: id, Bus: hook}), append(r.targets, id)
	}
	r.relay.Use(all...)
	return r
}

func (f *fleet) urls() (out []string) {
	for _, s := range f.servers {
		out = append(out, s.URL)
	}
	return out
}

// run relays until the test ends.
func (r *relayed) run(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { r.relay.Run(ctx); close(ended) }()
	t.Cleanup(func() {
		cancel()
		<-ended
		_ = r.store.Close()
	})
}

// measureFanOut times the way from an entry to the last of 200 services, against loops of a bare client.
func measureFanOut(t *testing.T, r *report, z size) {
	defer runtime.KeepAlive(make([]byte, 32<<20)) // garbage that may gather, as in a server
	f := newFleet(t, services)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
	ours := newRelayed(t, f)
	ours.run(t)
	s := takeTurns(z.rounds,
		func(int) map[string]time.Duration {
			return f.laps("relay", func(n int) { ours.add(n); <-f.all }, ours.quiet)
		},
		func(int) map[string]time.Duration {
			return f.laps("bare", func(n int) { f.bare(client, n) }, func() {})
		})
	r.ratio("fan-out: one event to 200 services, to the last", "webhook", s["relay alone"], s["bare alone"], 1.5)
	r.ratio("fan-out: a delivery of a burst of 40 events", "webhook", s["relay burst"], s["bare burst"], 1.5)
	measureFirst(t, r, z)
	measureDead(t, r, f, ours, z)
	measureOutbox(t, r, f)
}

// laps measures events one by one and as a burst, per delivery.
func (f *fleet) laps(who string, send func(events int), quiet func()) map[string]time.Duration {
	out := map[string]time.Duration{}
	for range eventsAlone {
		f.expect(services)
		start := time.Now()
		send(1)
		out[who+" alone"] += time.Since(start) / (eventsAlone * services)
		quiet()
	}
	f.expect(services * eventsBurst)
	start := time.Now()
	send(eventsBurst)
	out[who+" burst"] = time.Since(start) / (eventsBurst * services)
	quiet()
	return out
}

// quiet waits until every outcome is recorded, so that the next round does not pay for it.
func (r *relayed) quiet() {
	for !r.written() {
	}
	for {
		all, err := r.relay.List(context.Background(), event.Filter{State: event.Pending, Limit: 1})
		if err == nil && len(all) == 0 {
			return
		}
	}
}

// written tells whether the rows of all that happened are in the store: before, none of them is pending there either.
func (r *relayed) written() bool {
	var at int64
	err := r.store.Read(context.Background(), func(tx *db.Tx) error {
		return tx.QueryRow(context.Background(), "select revision from propagation_cursor").Scan(&at)
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	return err == nil && at == r.n
}

// measureFirst compares the way to the first service with one durable commit.
func measureFirst(t *testing.T, r *report, z size) {
	services := startAway(t, services)
	ours := newRelayed(t, &fleet{}, services.urls...)
	ours.run(t)
	for range 3 { // so that all have their connection
		ours.add(1)
		services.first(t)
		ours.quiet()
	}
	if err := ours.store.Migrate(t.Context(), "bench", "create table t (v bigint)"); err != nil {
		t.Fatal(err)
	}
	var commit, first samples
	for range z.rounds * eventsAlone {
		start := time.Now()
		err := ours.store.Write(t.Context(), func(tx *db.Tx) error {
			_, err := tx.Exec(t.Context(), "insert into t (v) values ($1)", 1)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		commit = append(commit, time.Since(start))
		start = time.Now().Round(0) // of another process: by the clock on the wall
		ours.add(1)
		first = append(first, services.first(t).Sub(start))
		ours.quiet()
	}
	over := first.median() - commit.median()
	r.add("fan-out: first of 200 sends, and one durable commit", "webhook", first.median().String(), commit.median().String(), over.String(), "", "1ms more",
		verdict(1, over.Seconds()*1000))
}

// measureDead lets one more service take connections and never answer, and looks at what the others feel.
func measureDead(t *testing.T, r *report, f *fleet, well *relayed, z size) {
	dead := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-f.release }))
	t.Cleanup(func() { close(f.release); dead.Close() })
	ill := newRelayed(t, f, dead.URL)
	ill.run(t)
	lap := func(name string, s *relayed, quiet func()) lap {
		return func(int) map[string]time.Duration {
			var took samples
			for range 3 * eventsAlone {
				f.expect(services)
				start := time.Now()
				s.add(1)
				<-f.all
				took = append(took, time.Since(start))
				quiet()
			}
			slices.Sort(took)
			return map[string]time.Duration{name: took[len(took)*99/100-1]}
		}
	}
	s := takeTurns(z.rounds, lap("well", well, well.quiet), lap("ill", ill, ill.mostlyQuiet))
	r.ratio("fan-out: p99 of 200 services, a dead one beside them", "webhook", s["ill"], s["well"], 1.1)
}

// mostlyQuiet is quiet for all but the dead one, which is the last.
func (r *relayed) mostlyQuiet() {
	for !r.written() {
	}
	for {
		all, err := r.relay.Status(context.Background())
		if err == nil && !slices.ContainsFunc(all[:services], func(s event.Status) bool { return s.Pending > 0 }) {
			return
		}
	}
}

// measureOutbox fills a store with deliveries that wait, and closes it: then it is one file.
func measureOutbox(t *testing.T, r *report, f *fleet) {
	waiting := newRelayed(t, f)
	waiting.relay.Use()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { waiting.relay.Run(ctx); close(ended) }()
	waiting.add(eventsBurst)
	for {
		all, err := waiting.relay.Status(t.Context())
		if err == nil && len(all) == services && all[services-1].Pending == eventsBurst {
			break
		}
	}
	cancel()
	<-ended
	if err := waiting.store.Close(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(waiting.path)
	if err != nil {
		t.Fatal(err)
	}
	each := float64(info.Size()) / (services * eventsBurst)
	r.add("fan-out: the store per waiting delivery", "webhook", fmt.Sprintf("%.0f B", each), "", "", "", "1024 B", verdict(1024, each))
}
