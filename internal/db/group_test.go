package db

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/testkit/storetest"
)

func TestGroupSharesOneCommit(t *testing.T) { storetest.Each(t, testGroupSharesOneCommit) }

func testGroupSharesOneCommit(t *testing.T, engine string) {
	commits := 0
	d, err := Open(ctx, Config{Path: storetest.Address(t, engine), Hook: func(string) { commits++ }})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.Migrate(ctx, "test", table); err != nil {
		t.Fatal(err)
	}
	commits = 0
	var order []int
	var fns []func(*Tx) error
	for i := range 100 {
		fns = append(fns, func(tx *Tx) error {
			tx.OnSettled(func() { order = append(order, 100+i) })
			tx.OnCommit(func() { order = append(order, i) })
			tx.OnRollback(func() { t.Error("rolled back") })
			return insert(tx, fmt.Sprintf("%03d", i))
		})
	}
	if err := errors.Join(d.group(fns...)...); err != nil {
		t.Error(err)
	}
	if commits != 2 || len(order) != 200 || !slices.IsSorted(order) { // the one that held, and the group
		t.Errorf("%d commits, hooks %v", commits, order)
	}
	if n := len(values(t, d)); n != 100 {
		t.Errorf("%d rows", n)
	}
}

func TestOnlyTheFailingOneFails(t *testing.T) {
	each(t, func(t *testing.T, d *DB) {
		refused := errors.New("refused")
		runs, undone, committed := make([]int, 5), make([]int, 5), make([]int, 5)
		command := func(i int, after error, vs ...string) func(*Tx) error {
			return func(tx *Tx) error {
				runs[i]++
				tx.OnCommit(func() { committed[i]++ })
				tx.OnRollback(func() { undone[i]++ })
				for _, v := range vs {
					_ = insert(tx, v) // even when the error is dropped, the command must fail
				}
				return after
			}
		}
		errs := d.group(
			command(0, nil, "a"),
			command(1, refused),      // before it wrote: disturbs nobody
			command(2, nil, "b"),     //
			command(3, refused, "c"), // after it wrote
			command(4, nil, "d", "d"),
		)
		if errs[0] != nil || errs[2] != nil || !errors.Is(errs[1], refused) || !errors.Is(errs[3], refused) || errs[4] == nil {
			t.Errorf("%v", errs)
		}
		if got := values(t, d); !slices.Equal(got, []string{"a", "b"}) {
			t.Errorf("kept %v", got)
		}
		for i := range runs {
			kept := 0
			if errs[i] == nil {
				kept = 1
			}
			if committed[i] != kept || undone[i] != runs[i]-kept {
				t.Errorf("command %d: %d runs, %d undone, %d committed", i, runs[i], undone[i], committed[i])
			}
		}
	})
}

func TestFailureBeforeWritingLeavesTheGroupWhole(t *testing.T) {
	each(t, func(t *testing.T, d *DB) {
		refused := errors.New("refused")
		runs := 0
		errs := d.group(
			func(tx *Tx) error { runs++; return insert(tx, "a") },
			func(tx *Tx) error {
				var n int
				if err := tx.QueryRow(ctx, "select count(*) from t").Scan(&n); err != nil || n != 1 {
					t.Errorf("%d, %v", n, err)
				}
				return refused
			},
			func(tx *Tx) error { runs++; return insert(tx, "b") },
		)
		if errs[0] != nil || !errors.Is(errs[1], refused) || errs[2] != nil || runs != 2 {
			t.Errorf("%v, %d runs", errs, runs)
		}
	})
}

func TestPanicReachesTheCaller(t *testing.T) {
	each(t, func(t *testing.T, d *DB) {
		func() {
			defer func() {
				if v := recover(); v != "boom" {
					t.Errorf("recovered %v", v)
				}
			}()
			d.Write(ctx, func(tx *Tx) error {
				if err := insert(tx, "a"); err != nil {
					t.Error(err)
				}
				panic("boom")
			})
			t.Error("no panic")
		}()
		if err := d.Write(ctx, func(tx *Tx) error { return insert(tx, "b") }); err != nil {
			t.Error(err)
		}
		if got := values(t, d); !slices.Equal(got, []string{"b"}) {
			t.Errorf("kept %v", got)
		}
	})
}

func TestWithdrawnBeforeItBegan(t *testing.T) {
	each(t, func(t *testing.T, d *DB) {
		release := d.held()
		c, cancel := context.WithCancel(ctx)
		done := make(chan error)
		go func() { done <- d.Write(c, func(tx *Tx) error { t.Error("it ran"); return nil }) }()
		for len(d.w.queue) == 0 { // until it waits behind the one that holds
			runtime.Gosched()
		}
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		release()
		c, cancel = context.WithCancel(ctx)
		err := d.Write(c, func(tx *Tx) error {
			cancel()
			_, err := tx.Exec(c, "insert into t (v) values ('kept')")
			return err
		})
		if err != nil || !slices.Equal(values(t, d), []string{"kept"}) {
			t.Errorf("begun and then cancelled: %v", err)
		}
	})
}

func TestManyReadersAndWriters(t *testing.T) {
	each(t, func(t *testing.T, d *DB) {
		var wg sync.WaitGroup
		for w := range 8 {
			wg.Go(func() {
				for i := range 20 {
					if err := d.Write(ctx, func(tx *Tx) error {
						return errors.Join(insert(tx, fmt.Sprintf("%d-%d-a", w, i)), insert(tx, fmt.Sprintf("%d-%d-b", w, i)))
					}); err != nil {
						t.Error(err)
					}
					if n := len(values(t, d)); n%2 != 0 {
						t.Errorf("saw half a command: %d rows", n)
					}
				}
			})
		}
		wg.Wait()
		if n := len(values(t, d)); n != 320 {
			t.Errorf("%d rows", n)
		}
	})
}

// A deferred foreign key fails in COMMIT itself.
func TestAfterAnUnknownCommitNothingIsWritten(t *testing.T) {
	each(t, func(t *testing.T, d *DB) {
		undone := 0
		err := d.Write(ctx, func(tx *Tx) error {
			tx.OnRollback(func() { undone++ })
			return tx.c.script(ctx, `create table p (id integer primary key);
				create table f (id integer references p (id) deferrable initially deferred); insert into f values (1)`)
		})
		if fault.KindOf(err) != fault.Unavailable || undone != 1 {
			t.Errorf("got %v, %d undone", err, undone)
		}
		<-d.Broken()
		if err := d.Write(ctx, func(tx *Tx) error { t.Error("it ran"); return nil }); err == nil || err != d.Err() {
			t.Errorf("got %v", err)
		}
		if len(values(t, d)) != 0 {
			t.Error("reading does not work")
		}
	})
}

func BenchmarkWrite(b *testing.B) {
	for _, engine := range []string{storetest.SQLite, storetest.Postgres} {
		for _, writers := range []int{1, 64} {
			b.Run(fmt.Sprintf("%s/%d", engine, writers), func(b *testing.B) { benchmarkWrite(b, engine, writers) })
		}
	}
}

func benchmarkWrite(b *testing.B, engine string, writers int) {
	d := fresh(b, engine)
	work := make(chan int)
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for i := range work {
				if err := d.Write(ctx, func(tx *Tx) error { return insert(tx, fmt.Sprint(i)) }); err != nil {
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
}

// TestStarted: who starts may do something else, even start another, before it waits.
func TestStarted(t *testing.T) {
	each(t, func(t *testing.T, d *DB) {
		var waits []func() error
		for _, v := range []string{"a", "b"} {
			waits = append(waits, d.Start(t.Context(), func(tx *Tx) error { return insert(tx, v) }))
		}
		refused := errors.New("refused")
		waits = append(waits, d.Start(t.Context(), func(*Tx) error { return refused }))
		for i, wait := range waits {
			if err := wait(); (i == 2) != errors.Is(err, refused) {
				t.Errorf("%d: %v", i, err)
			}
		}
		if got := values(t, d); !slices.Equal(got, []string{"a", "b"}) {
			t.Errorf("%q", got)
		}
	})
}
