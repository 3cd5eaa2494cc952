package db

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/ombudhq/ombud/internal/fault"
)

var ctx = context.Background()

const table = "create table t (id integer primary key, v text not null unique)"

func opened(t testing.TB, path string) *DB {
	t.Helper()
	d, err := Open(ctx, Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func fresh(t testing.TB) *DB {
	t.Helper()
	d := opened(t, filepath.Join(t.TempDir(), "sub", "own #1%?.db"))
	if err := d.Migrate(ctx, "test", table); err != nil {
		t.Fatal(err)
	}
	return d
}

func insert(tx *Tx, v string) error {
	_, err := tx.Exec(ctx, "insert into t (v) values ($1)", v)
	return err
}

func values(t *testing.T, d *DB) (out []string) {
	t.Helper()
	err := d.Read(ctx, func(tx *Tx) error {
		rows, err := tx.Query(ctx, "select v from t order by v")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var v string
			if err := rows.Scan(&v); err != nil {
				return err
			}
			out = append(out, v)
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// held makes the writer busy, so that what is sent meanwhile becomes one group; the returned function lets it go.
func (d *DB) held() (release func()) {
	begun, let := make(chan struct{}), make(chan struct{})
	go d.Write(ctx, func(*Tx) error { close(begun); <-let; return nil })
	<-begun
	return func() { close(let) }
}

// group sends functions that run as one group, and gives their errors.
func (d *DB) group(fns ...func(*Tx) error) []error {
	release := d.held()
	errs := make([]error, len(fns))
	var wg sync.WaitGroup
	for i, fn := range fns {
		c := &command{fn: fn, done: make(chan error, 1)}
		d.w.queue <- c
		wg.Go(func() { errs[i] = <-c.done })
	}
	release()
	wg.Wait()
	return errs
}

func TestPlaceholdersByNumber(t *testing.T) {
	d := fresh(t)
	err := d.Write(ctx, func(tx *Tx) error {
		n, err := tx.Exec(ctx, "insert into t (v, id) values ($2, $1) on conflict (id) do update set v = $2", 7, "x")
		if err != nil || n != 1 {
			t.Errorf("%d, %v", n, err)
		}
		var v string
		if err := tx.QueryRow(ctx, "update t set v = v || $2 where id = $1 returning v", 7, "y").Scan(&v); err != nil || v != "xy" {
			t.Errorf("%q, %v", v, err)
		}
		if err := tx.QueryRow(ctx, "select v from t where id = $1", 8).Scan(&v); !errors.Is(err, ErrNoRows) {
			t.Errorf("got %v", err)
		}
		return nil
	})
	if err != nil || !slices.Equal(values(t, d), []string{"xy"}) {
		t.Error(err, values(t, d))
	}
}

func TestGroupSharesOneCommit(t *testing.T) {
	commits := 0
	path := filepath.Join(t.TempDir(), "own.db")
	d, err := Open(ctx, Config{Path: path, Hook: func(string) { commits++ }})
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
			tx.OnCommit(func() { order = append(order, i) })
			tx.OnRollback(func() { t.Error("rolled back") })
			return insert(tx, fmt.Sprintf("%03d", i))
		})
	}
	if err := errors.Join(d.group(fns...)...); err != nil {
		t.Error(err)
	}
	if commits != 2 || len(order) != 100 || !slices.IsSorted(order) { // the one that held, and the group
		t.Errorf("%d commits, hooks %v", commits, order)
	}
	if n := len(values(t, d)); n != 100 {
		t.Errorf("%d rows", n)
	}
}

func TestOnlyTheFailingOneFails(t *testing.T) {
	d := fresh(t)
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
}

func TestFailureBeforeWritingLeavesTheGroupWhole(t *testing.T) {
	d := fresh(t)
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
}

func TestPanicReachesTheCaller(t *testing.T) {
	d := fresh(t)
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
}

func TestWithdrawnBeforeItBegan(t *testing.T) {
	d := fresh(t)
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
}

func TestReadIsASnapshot(t *testing.T) {
	d := fresh(t)
	err := d.Read(ctx, func(tx *Tx) error {
		var before, after int
		if err := tx.QueryRow(ctx, "select count(*) from t").Scan(&before); err != nil {
			return err
		}
		if err := d.Write(ctx, func(tx *Tx) error { return insert(tx, "a") }); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, "with x as (select * from t) select count(*) from x").Scan(&after); err != nil {
			return err
		}
		if before != 0 || after != 0 {
			t.Errorf("saw %d, then %d", before, after)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if err := d.Read(ctx, func(tx *Tx) error { return insert(tx, "b") }); err == nil {
		t.Error("a reader wrote")
	}
	if err := d.Read(ctx, func(tx *Tx) error { _ = insert(tx, "b"); return nil }); err == nil {
		t.Error("a failed statement was passed over")
	}
	if len(values(t, d)) != 1 {
		t.Error("the reader is unusable afterwards")
	}
}

// Rows of one text may be open twice, and forgotten.
func TestRowsNested(t *testing.T) {
	d := fresh(t)
	err := d.Write(ctx, func(tx *Tx) error {
		for _, v := range []string{"a", "b", "c"} {
			if err := insert(tx, v); err != nil {
				return err
			}
		}
		seen := ""
		outer, err := tx.Query(ctx, "select v from t order by v")
		if err != nil {
			return err
		}
		for outer.Next() {
			inner, err := tx.Query(ctx, "select v from t order by v")
			if err != nil {
				return err
			}
			var a, b string
			inner.Next()
			if err := errors.Join(outer.Scan(&a), inner.Scan(&b)); err != nil {
				return err
			}
			seen += a + b // inner stays open
		}
		if seen != "aabaca" {
			t.Errorf("saw %q", seen)
		}
		return outer.Err()
	})
	if err != nil || len(values(t, d)) != 3 {
		t.Error(err)
	}
	var kept *Tx
	d.Read(ctx, func(tx *Tx) error { kept = tx; return nil })
	if _, err := kept.Query(ctx, "select 1"); err == nil {
		t.Error("a transaction works after its end")
	}
}

func TestManyReadersAndWriters(t *testing.T) {
	d := fresh(t)
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
}

func TestAfterAnUnknownCommitNothingIsWritten(t *testing.T) {
	d := fresh(t)
	undone := 0
	err := d.Write(ctx, func(tx *Tx) error {
		tx.OnRollback(func() { undone++ })
		// A deferred foreign key fails in COMMIT itself.
		return tx.c.script(ctx, `pragma defer_foreign_keys=on; create table p (id integer primary key);
			create table f (id integer references p (id) deferrable initially deferred); insert into f values (1)`)
	})
	if fault.KindOf(err) != fault.Unavailable || undone != 1 {
		t.Errorf("got %v, %d undone", err, undone)
	}
	if err := d.Write(ctx, func(tx *Tx) error { t.Error("it ran"); return nil }); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("got %v", err)
	}
	if len(values(t, d)) != 0 {
		t.Error("reading does not work")
	}
}

func TestMigrate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "own.db")
	d := opened(t, path)
	dir := fstest.MapFS{"002_b.sql": {Data: []byte("insert into t (v) values ('two'); insert into t (v) values ('three')")},
		"001_a.sql": {Data: []byte(table)}, "readme": {}}
	steps, err := Steps(dir)
	if err != nil || len(steps) != 2 {
		t.Fatal(steps, err)
	}
	for range 2 {
		if err := d.Migrate(ctx, "test", steps...); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Migrate(ctx, "other", "create table o (id integer primary key)"); err != nil {
		t.Error(err)
	}
	if got := values(t, d); !slices.Equal(got, []string{"three", "two"}) {
		t.Errorf("%v", got)
	}
	if err := d.Migrate(ctx, "test", steps[0]); fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "newer") {
		t.Errorf("an old program: %v", err)
	}
	if err := d.Migrate(ctx, "test", steps[0], steps[1]+" "); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("a changed step: %v", err)
	}
	broken := "insert into t (v) values ('four'); insert into nowhere values (1)"
	if err := d.Migrate(ctx, "test", append(steps, broken)...); err == nil {
		t.Error("a broken step was applied")
	}
	if err := d.Migrate(ctx, "test", append(steps, "insert into t (v) values ('four')")...); err != nil {
		t.Errorf("after a broken step: %v", err)
	}
}

func TestOpenRefusesAndProtects(t *testing.T) {
	for _, path := range []string{"", "postgres://somebody:secret@host/db"} {
		_, err := Open(ctx, Config{Path: path})
		if fault.KindOf(err) != fault.Invalid || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", path, err)
		}
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "own.db")
	if err := os.WriteFile(path, []byte(strings.Repeat("not a database. ", 1000)), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(ctx, Config{Path: path}); fault.KindOf(err) != fault.Integrity {
		t.Errorf("garbage was opened: %v", err)
	}
	path = filepath.Join(dir, "other.db")
	d := opened(t, path)
	if err := d.Migrate(ctx, "test", table); err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{path, path + "-wal", path + "-shm"} {
		if info, err := os.Stat(f); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", filepath.Base(f), info.Mode(), err)
		}
	}
	for name, want := range map[string]int{"synchronous": 2, "secure_delete": 1, "foreign_keys": 1} {
		d.Write(ctx, func(tx *Tx) error {
			var got int
			if err := tx.QueryRow(ctx, "pragma "+name).Scan(&got); err != nil || got != want {
				t.Errorf("%s is %d, %v", name, got, err)
			}
			return nil
		})
	}
	if err := errors.Join(d.Close(), d.Close()); err != nil {
		t.Error(err)
	}
	if err := d.Write(ctx, func(*Tx) error { return nil }); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("written after Close: %v", err)
	}
}

// What was answered is in the file when nothing was closed: the copy is what a power cut leaves.
func TestAnsweredIsOnDisk(t *testing.T) {
	d := fresh(t)
	if err := d.Write(ctx, func(tx *Tx) error { return insert(tx, "a") }); err != nil {
		t.Fatal(err)
	}
	var file string
	if err := d.Read(ctx, func(tx *Tx) error {
		var seq int
		var name string
		return tx.QueryRow(ctx, "pragma database_list").Scan(&seq, &name, &file)
	}); err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), "copy.db")
	for _, suffix := range []string{"", "-wal"} {
		b, err := os.ReadFile(file + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to+suffix, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := values(t, opened(t, to)); !slices.Equal(got, []string{"a"}) {
		t.Errorf("the copy holds %v", got)
	}
}

func TestStatementCacheIsBounded(t *testing.T) {
	d := fresh(t)
	err := d.Write(ctx, func(tx *Tx) error {
		for i := range 2 * statementLimit {
			var n int
			if err := tx.QueryRow(ctx, fmt.Sprintf("select %d", i)).Scan(&n); err != nil || n != i {
				return fmt.Errorf("%d: %w", n, err)
			}
		}
		if n := len(tx.c.stmts); n > statementLimit {
			t.Errorf("%d statements are kept", n)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func BenchmarkWrite1(b *testing.B)  { benchmarkWrite(b, 1) }
func BenchmarkWrite64(b *testing.B) { benchmarkWrite(b, 64) }

func benchmarkWrite(b *testing.B, writers int) {
	d := fresh(b)
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
