package ledger

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/testkit/pgtest"
	"github.com/ombudhq/ombud/internal/testkit/storetest"
	"github.com/ombudhq/ombud/vault"
)

const childEnv = "OMBUD_TEST_LEDGER_CHILD"

// TestMain runs the writer that is killed, when this binary is started as that.
func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		if err := writeUntilKilled(dir, os.Getenv(childEnv+"_STORE"), os.Getenv(childEnv+"_AT")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(3)
		}
		os.Exit(0)
	}
	os.Exit(pgtest.Main(m))
}

// writeUntilKilled appends from several goroutines, says each id that was answered, and ends itself by SIGKILL at the given
// commit, before anybody was answered.
func writeUntilKilled(dir, address, at string) error {
	n, err := strconv.Atoi(at)
	if err != nil {
		return err
	}
	commits := 0
	ctx := context.Background()
	store, err := db.Open(ctx, db.Config{Path: address, Hook: func(string) {
		if commits++; commits == n {
			syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	}})
	if err != nil {
		return err
	}
	keys, err := vault.Open(vault.Config{Dir: filepath.Join(dir, "keys")})
	if err != nil {
		return err
	}
	l, err := Open(ctx, Config{DB: store, Vault: keys, Clock: clock.System{}, Heads: []string{filepath.Join(dir, "heads")}})
	if err != nil {
		return err
	}
	var out sync.Mutex
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := 0; ; i++ {
				pos, err := appendOne(ctx, store, l, i)
				if err != nil {
					return
				}
				out.Lock()
				fmt.Println(pos.ID)
				out.Unlock()
				if i%5 == 0 {
					if c, err := l.Checkpoint(ctx); err != nil || c.Size < pos.ID {
						panic("a checkpoint lags behind an answer")
					}
				}
			}
		})
	}
	wg.Wait()
	return nil
}

func appendOne(ctx context.Context, store *db.DB, l *Ledger, i int) (pos Position, err error) {
	err = store.Write(ctx, func(tx *db.Tx) error {
		pos, err = l.Append(tx, entry(i))
		return err
	})
	return pos, err
}

func TestKilledAtAnyCommit(t *testing.T) {
	points := map[string][]int{storetest.SQLite: {1, 2, 3, 4, 5, 7, 11, 23, 40}, storetest.Postgres: {3, 11}}
	if testing.Short() {
		points[storetest.SQLite] = []int{3, 11}
	}
	storetest.Each(t, func(t *testing.T, engine string) {
		for _, at := range points[engine] {
			t.Run(strconv.Itoa(at), func(t *testing.T) {
				t.Parallel()
				killedAt(t, engine, at)
			})
		}
	})
}

func killedAt(t *testing.T, engine string, at int) {
	p := &place{t: t, store: storetest.Address(t, engine), dir: t.TempDir(), clock: clock.NewFake(clock.System{}.Now())}
	p.heads = filepath.Join(p.dir, "heads")
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+p.dir, childEnv+"_STORE="+p.store, childEnv+"_AT="+strconv.Itoa(at))
	out, err := cmd.Output()
	if ws, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || ws.Signal() != syscall.SIGKILL {
		t.Fatalf("the child was not killed: %v", err)
	}
	p.open()
	defer p.db.Close()
	r := p.mustVerify()
	in := bufio.NewScanner(strings.NewReader(string(out)))
	for in.Scan() {
		if id, err := strconv.ParseInt(in.Text(), 10, 64); err == nil && id > r.Entries {
			t.Errorf("entry %d was answered and is lost; %d are there", id, r.Entries)
		}
	}
	p.append(300)
	p.checkpoint()
	p.mustVerify()
}

func TestSixtyFourWriters(t *testing.T) {
	each(t, func(t *testing.T, p *place) {
		per := 50
		if testing.Short() {
			per = 10
		}
		var mu sync.Mutex
		answered := map[int64]bool{}
		var wg sync.WaitGroup
		for w := range 64 {
			wg.Go(func() {
				for i := range per {
					pos, err := appendOne(context.Background(), p.db, p.l, w*1000+i)
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					if answered[pos.ID] || pos.Revision != 1<<40|pos.ID || p.l.Size() < pos.ID {
						t.Errorf("answered %+v wrongly", pos)
					}
					answered[pos.ID] = true
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if r := p.mustVerify(); r.Entries != int64(64*per) || len(answered) != 64*per {
			t.Errorf("%d answered, %d there", len(answered), r.Entries)
		}
	})
}

// Commands that fail, early, late or by panic, leave neither a gap nor an entry, and disturb nobody.
func TestFailingCommandsInAGroup(t *testing.T) {
	each(t, func(t *testing.T, p *place) {
		refused := errors.New("refused")
		per := 30
		var wg sync.WaitGroup
		var mu sync.Mutex
		good := 0
		for w := range 16 {
			wg.Go(func() {
				for i := range per {
					fails := (w+i)%5 == 0
					err := p.db.Write(context.Background(), func(tx *db.Tx) error {
						if fails && i%2 == 0 {
							return refused // before anything was written
						}
						if _, err := p.l.Append(tx, entry(i)); err != nil {
							return err
						}
						if fails {
							return refused
						}
						return nil
					})
					if fails != errors.Is(err, refused) {
						t.Errorf("got %v", err)
					}
					if err == nil {
						mu.Lock()
						good++
						mu.Unlock()
					}
				}
			})
		}
		wg.Wait()
		p.checkpoint()
		if r := p.mustVerify(); r.Entries != int64(good) {
			t.Errorf("%d answered, %d there", good, r.Entries)
		}
	})
}

func TestEntriesThatCannotBeWritten(t *testing.T) {
	p := newPlace(t)
	p.append(1)
	for name, e := range map[string]Entry{
		"no kind":         {Result: "ok"},
		"kind with quote": {Kind: `a","x":"`, Result: "ok"},
		"no result":       {Kind: "a"},
		"content":         {Kind: "a", Result: "ok", Content: func() {}},
		"long":            {Kind: strings.Repeat("a", 65), Result: "ok"},
	} {
		err := p.db.Write(context.Background(), func(tx *db.Tx) error {
			_, err := p.l.Append(tx, e)
			return err
		})
		if err == nil {
			t.Errorf("%s: was written", name)
		}
	}
	p.append(1)
	if r := p.mustVerify(); r.Entries != 2 {
		t.Errorf("%+v", r)
	}
}

func BenchmarkAppend1(b *testing.B)  { benchmarkAppend(b, 1) }
func BenchmarkAppend64(b *testing.B) { benchmarkAppend(b, 64) }

func benchmarkAppend(b *testing.B, writers int) {
	p := newPlace(b)
	work := make(chan int)
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for i := range work {
				if _, err := appendOne(context.Background(), p.db, p.l, i); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for i := 0; b.Loop(); i++ {
		work <- i
	}
	close(work)
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "entries/s")
}

func BenchmarkVerify(b *testing.B) {
	p := newPlace(b)
	const n = 50000
	for range n / 1000 {
		p.append(1000)
	}
	p.checkpoint()
	for b.Loop() {
		p.mustVerify()
	}
	b.ReportMetric(float64(b.N)*n/b.Elapsed().Seconds(), "entries/s")
}
