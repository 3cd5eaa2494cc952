package db

import (
	"context"
	"os"
	"sync"
	"testing"

	"github.com/ombudhq/ombud/internal/testkit/pgtest"
	"github.com/ombudhq/ombud/internal/testkit/storetest"
)

var ctx = context.Background()

const table = "create table t (id bigint unique, v text not null unique)"

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

func opened(t testing.TB, path string) *DB {
	t.Helper()
	d, err := Open(ctx, Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func fresh(t testing.TB, engine string) *DB {
	t.Helper()
	d := opened(t, storetest.Address(t, engine))
	if err := d.Migrate(ctx, "test", table); err != nil {
		t.Fatal(err)
	}
	return d
}

// each runs a test on a store of each engine.
func each(t *testing.T, fn func(t *testing.T, d *DB)) {
	storetest.Each(t, func(t *testing.T, engine string) { fn(t, fresh(t, engine)) })
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
