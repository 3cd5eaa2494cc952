package bench

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/ombudhq/ombud/app"
	"github.com/ombudhq/ombud/subject"
)

// measureRecords: yeses of known people, each answered when it is durable. Beside it a file that is synced once for all who
// wait, and PostgreSQL with one commit for each, on connections that are open already.
func measureRecords(t *testing.T, r *report, s *servers, z size) {
	defer runtime.KeepAlive(make([]byte, 32<<20)) // garbage that may gather, as in a server
	stores := []*company{newCompany(t, "records", 5000)}
	if s.admin != "" {
		onServer := &company{dir: t.TempDir(), store: s.database(t, "postgres"), people: 5000}
		onServer.fill(t)
		stores = append(stores, onServer)
	}
	one := z.records / 20
	var laps []lap
	for i, c := range stores {
		a := c.open(t)
		defer c.close(t, a)
		for _, writers := range []int{1, 64, 256} {
			laps = append(laps, c.records(t, a, name([]string{"sqlite", "postgres"}[i], writers), writers, pick(writers == 1, one, z.records)))
		}
	}
	file := newJournal(t)
	peer := newPeer(t, s)
	laps = append(laps, file.raw(t, one))
	for _, writers := range []int{64, 256} {
		laps = append(laps, file.lap(t, name("file", writers), writers, z.records), peer.lap(t, name("peer", writers), writers, z.records/4))
	}
	got := takeTurns(z.rounds, laps...)
	report := func(engine string, files, peers map[int]float64) {
		if got[name(engine, 1)] == nil {
			return
		}
		r.ratio("durable yes, 1 writer, against write and fsync", engine, got[name(engine, 1)], got["raw"], pick(engine == "sqlite", 2.0, 0))
		for _, writers := range []int{64, 256} {
			r.faster(fmt.Sprintf("durable yes, %d writers, against a group-commit file", writers), engine, got[name(engine, writers)], got[name("file", writers)], files[writers])
			r.faster(fmt.Sprintf("durable yes, %d writers, against PostgreSQL, one commit each", writers), engine, got[name(engine, writers)], got[name("peer", writers)], peers[writers])
		}
	}
	report("sqlite", map[int]float64{64: 0.3, 256: 0.12}, map[int]float64{64: 3, 256: 5})
	report("postgres", map[int]float64{}, map[int]float64{64: 2.5, 256: 5})
}

func name(what string, writers int) string { return fmt.Sprintf("%s %d", what, writers) }

func pick[T any](yes bool, a, b T) T {
	if yes {
		return a
	}
	return b
}

func (c *company) records(t testing.TB, a *app.App, name string, writers, n int) lap {
	d := dice()
	return func(int) map[string]time.Duration {
		who, what := make([]subject.Identity, n), make([]string, purposes)
		for i := range who {
			who[i] = identity(d.IntN(c.people))
		}
		for i := range what {
			what[i] = purposeID(i)
		}
		begun := time.Now()
		c.record(t, a.Consents, writers, n, func(i int) (subject.Identity, string) { return who[i], what[i%purposes] })
		return map[string]time.Duration{name: time.Since(begun) / time.Duration(n)}
	}
}

// journal is a file that one goroutine writes: all who wait together, one fsync.
type journal struct {
	f     *os.File
	queue chan chan error
}

func newJournal(t testing.TB) *journal {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "journal"))
	if err != nil {
		t.Fatal(err)
	}
	j := &journal{f, make(chan chan error, 512)}
	go j.run()
	t.Cleanup(func() { close(j.queue); f.Close() })
	return j
}

var journalRecord = []byte(strings.Repeat("r", 399) + "\n")

func (j *journal) run() {
	var waiting []chan error
	var b []byte
	for first := range j.queue {
		waiting, b = append(waiting[:0], first), append(b[:0], journalRecord...)
	more:
		for len(waiting) < 512 {
			select {
			case c, ok := <-j.queue:
				if !ok {
					break more
				}
				waiting, b = append(waiting, c), append(b, journalRecord...)
			default:
				break more
			}
		}
		_, err := j.f.Write(b)
		if err == nil {
			err = j.f.Sync()
		}
		for _, c := range waiting {
			c <- err
		}
	}
}

func (j *journal) raw(t testing.TB, n int) lap {
	f, err := os.Create(filepath.Join(t.TempDir(), "raw"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return func(int) map[string]time.Duration {
		begun := time.Now()
		for range n {
			if _, err := f.Write(journalRecord); err != nil {
				t.Fatal(err)
			}
			if err := f.Sync(); err != nil {
				t.Fatal(err)
			}
		}
		return map[string]time.Duration{"raw": time.Since(begun) / time.Duration(n)}
	}
}

// together runs n acts on so many goroutines and gives the time of each.
func together(writers, n int, act func(writer int) error) time.Duration {
	var next atomic.Int64
	var all sync.WaitGroup
	begun := time.Now()
	for w := range writers {
		all.Go(func() {
			for next.Add(1) <= int64(n) {
				if err := act(w); err != nil {
					panic(err)
				}
			}
		})
	}
	all.Wait()
	return time.Since(begun) / time.Duration(n)
}

func (j *journal) lap(_ testing.TB, name string, writers, n int) lap {
	return func(int) map[string]time.Duration {
		answers := make([]chan error, writers)
		for i := range answers {
			answers[i] = make(chan error, 1)
		}
		return map[string]time.Duration{name: together(writers, n, func(w int) error {
			j.queue <- answers[w]
			return <-answers[w]
		})}
	}
}

// peer is PostgreSQL as a service would use it by hand: one row, one commit.
type peer struct{ conns []*pgx.Conn }

func newPeer(t testing.TB, s *servers) *peer {
	t.Helper()
	ctx, dsn, p := context.Background(), s.database(t, "postgres"), &peer{}
	for range 256 {
		c, err := pgx.Connect(ctx, dsn)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close(ctx) })
		p.conns = append(p.conns, c)
	}
	_, err := p.conns[0].Exec(ctx, "create table consents (id bigint generated always as identity primary key, at timestamptz not null default now(), person bigint not null, purpose text not null, body bytea not null)")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *peer) lap(t testing.TB, name string, writers, n int) lap {
	return func(int) map[string]time.Duration {
		return map[string]time.Duration{name: together(writers, n, func(w int) error {
			_, err := p.conns[w].Exec(context.Background(), "insert into consents (person, purpose, body) values ($1, $2, $3)", int64(w), "purpose-1", journalRecord[:300])
			return err
		})}
	}
}
