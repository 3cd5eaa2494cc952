package db

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/url"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/testkit/pgtest"
	"github.com/ombudhq/ombud/internal/testkit/storetest"
)

// changed gives an address with another part.
func changed(t *testing.T, dsn string, change func(*url.URL)) string {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	change(u)
	return u.String()
}

// ask reads one value as the server's administrator.
func ask[T any](t *testing.T, dsn, text string, args ...any) (v T) {
	t.Helper()
	c, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(ctx)
	if err := c.QueryRow(ctx, text, args...).Scan(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// backend is the server's process of the connection a transaction has.
func backend(t *testing.T, tx *Tx) (pid int) {
	t.Helper()
	if err := tx.QueryRow(ctx, "select pg_backend_pid()").Scan(&pid); err != nil {
		t.Error(err)
	}
	return pid
}

func writerOf(t *testing.T, d *DB) (pid int) {
	t.Helper()
	if err := d.Write(ctx, func(tx *Tx) error { pid = backend(t, tx); return nil }); err != nil {
		t.Fatal(err)
	}
	return pid
}

func TestOneInstanceServesAStore(t *testing.T) {
	t.Parallel()
	dsn := pgtest.DSN(t)
	pgtest.Exec(t, dsn, "create schema other")
	d := opened(t, dsn)
	other := opened(t, changed(t, dsn, func(u *url.URL) { u.RawQuery += "&search_path=other" }))
	if err := other.Migrate(ctx, "test", table); err != nil {
		t.Error(err)
	}
	_, err := Open(ctx, Config{Path: dsn})
	if fault.ExitCode(err) != 6 || !strings.Contains(err.Error(), fmt.Sprintf("in use by ombud on %.30s, process %d", must(os.Hostname()), os.Getpid())) {
		t.Errorf("a second instance: %v", err)
	}
	if err := d.Migrate(ctx, "test", table); err != nil {
		t.Errorf("the first instance was disturbed: %v", err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	opened(t, dsn)
	if _, err := Open(ctx, Config{Path: changed(t, dsn, func(u *url.URL) { u.RawQuery += "&search_path=nowhere" })}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a schema that is not there: %v", err)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// What the server or the role has set must neither weaken an answer nor end our connections.
func TestSessionSettings(t *testing.T) {
	dsn := pgtest.DSN(t)
	name, role := pgtest.Role(t, dsn)
	pgtest.Exec(t, dsn, "grant create on schema public to "+name, "alter role "+name+" set statement_timeout = '5s'",
		"alter role "+name+" set idle_in_transaction_session_timeout = '5s'", "alter role "+name+" set synchronous_commit = off",
		"alter role "+name+" set default_transaction_isolation = 'serializable'")
	d := opened(t, role)
	check := func(tx *Tx, want map[string]string) error {
		for setting, want := range want {
			var got string
			if err := tx.QueryRow(ctx, "select current_setting($1)", setting).Scan(&got); err != nil || got != want {
				t.Errorf("%s is %s, not %s: %v", setting, got, want, err)
			}
		}
		return nil
	}
	both := map[string]string{"statement_timeout": "0", "lock_timeout": "0", "idle_in_transaction_session_timeout": "0", "server_encoding": "UTF8"}
	writing := map[string]string{"synchronous_commit": "on", "transaction_read_only": "off"}
	reading := map[string]string{"transaction_isolation": "repeatable read", "transaction_read_only": "on"}
	err := errors.Join(
		d.Write(ctx, func(tx *Tx) error { return errors.Join(check(tx, both), check(tx, writing)) }),
		d.Read(ctx, func(tx *Tx) error { return errors.Join(check(tx, both), check(tx, reading)) }))
	if err != nil {
		t.Error(err)
	}
}

// A backend that is killed while it commits leaves the outcome open: here the change is on the server's disk and nobody
// was told. Opened again, the store has it.
func TestKilledWhileCommitting(t *testing.T) {
	t.Parallel()
	// Commits of ours are on the disk and then wait for a standby that never comes; the administrator's do not wait.
	admin, stop, err := pgtest.Start("fsync=on", "synchronous_standby_names=nobody")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	pgtest.Exec(t, admin, table)
	d := opened(t, admin)
	pid := writerOf(t, d)
	done := make(chan error, 1)
	go func() { done <- d.Write(ctx, func(tx *Tx) error { return insert(tx, "a") }) }()
	for ask[int](t, admin, "select count(*) from pg_stat_activity where pid = $1 and wait_event = 'SyncRep'", pid) == 0 {
		if len(done) > 0 {
			t.Fatal("it was answered without waiting")
		}
	}
	ask[bool](t, admin, "select pg_terminate_backend($1)", pid)
	if err := <-done; fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "unknown") {
		t.Errorf("killed while committing: %v", err)
	}
	if err := d.Write(ctx, func(*Tx) error { t.Error("it ran"); return nil }); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("written after an unknown outcome: %v", err)
	}
	d.Close()
	if got := values(t, opened(t, admin)); !slices.Equal(got, []string{"a"}) {
		t.Errorf("the store holds %v", got)
	}
}

// A connection that is lost before its commit takes the lock with it: nothing is kept, and nothing is written any more,
// for another instance may have the store by now.
func TestLostBeforeTheCommit(t *testing.T) {
	for _, last := range []string{"commit", "statement"} {
		t.Run(last, func(t *testing.T) {
			dsn := pgtest.DSN(t)
			d := opened(t, dsn)
			if err := d.Migrate(ctx, "test", table); err != nil {
				t.Fatal(err)
			}
			undone := 0
			errs := d.group(
				func(tx *Tx) error { tx.OnRollback(func() { undone++ }); return insert(tx, "a") },
				func(tx *Tx) error {
					pid := backend(t, tx)
					ask[bool](t, dsn, "select pg_terminate_backend($1, 60000)", pid)
					if last == "commit" {
						return nil
					}
					return insert(tx, "b")
				},
				func(tx *Tx) error { return nil },
			)
			for i, err := range errs {
				if fault.KindOf(err) != fault.Unavailable || strings.Contains(err.Error(), "postgres:") {
					t.Errorf("command %d: %v", i, err)
				}
			}
			<-d.Broken()
			second := opened(t, dsn) // the lock is free
			if err := d.Write(ctx, func(*Tx) error { t.Error("it ran without the lock"); return nil }); err != d.Err() {
				t.Errorf("got %v", err)
			}
			if got := values(t, second); len(got) != 0 || undone != 1 {
				t.Errorf("kept %v, %d undone", got, undone)
			}
		})
	}
}

// The server answers the commit of a failed transaction with a rollback and no error.
func TestARollbackIsNoCommit(t *testing.T) {
	d := fresh(t, storetest.Postgres)
	err := d.Write(ctx, func(tx *Tx) error {
		_ = tx.c.script(ctx, "insert into nowhere values (1)") // past what notices failures
		return nil
	})
	if err == nil || d.Err() == nil {
		t.Error("a rollback was answered as a commit")
	}
}

func TestLossIsNoticedWhenIdle(t *testing.T) {
	dsn := pgtest.DSN(t)
	c := clock.NewFake(time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC))
	d, err := Open(ctx, Config{Path: dsn, Clock: c})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	pid := writerOf(t, d)
	c.Advance(pulse)
	if writerOf(t, d) != pid || d.Err() != nil {
		t.Fatal("a look broke the store")
	}
	ask[bool](t, dsn, "select pg_terminate_backend($1, 60000)", pid)
	for d.Err() == nil {
		c.Advance(pulse)
		runtime.Gosched()
	}
	if fault.KindOf(d.Err()) != fault.Unavailable {
		t.Errorf("got %v", d.Err())
	}
}

// Readers come back by themselves: they hold nothing.
func TestReadersComeBack(t *testing.T) {
	dsn := pgtest.DSN(t)
	d := opened(t, dsn)
	if err := d.Migrate(ctx, "test", table); err != nil {
		t.Fatal(err)
	}
	err := d.Read(ctx, func(tx *Tx) error {
		ask[bool](t, dsn, "select pg_terminate_backend($1, 60000)", backend(t, tx))
		return tx.QueryRow(ctx, "select 1").Scan(new(int))
	})
	if fault.KindOf(err) != fault.Unavailable {
		t.Errorf("got %v", err)
	}
	c, cancel := context.WithCancel(ctx)
	err = d.Read(c, func(tx *Tx) error {
		cancel()
		return tx.QueryRow(c, "select 1").Scan(new(int))
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	for range 2 * readers {
		values(t, d)
	}
}

// Neither an address nor a value is in what a failure says.
func TestErrorsHoldNoSecret(t *testing.T) {
	dsn := pgtest.DSN(t)
	d := opened(t, dsn)
	if err := d.Migrate(ctx, "test", table); err != nil {
		t.Fatal(err)
	}
	failing := map[string]func(tx *Tx) error{
		"unique": func(tx *Tx) error { return errors.Join(insert(tx, "s3cret"), insert(tx, "s3cret")) },
		"syntax": func(tx *Tx) error { _, err := tx.Exec(ctx, "insert into t (id) values ('s3cret')"); return err },
		"encode": func(tx *Tx) error { _, err := tx.Exec(ctx, "insert into t (id) values ($1)", "s3cret"); return err },
		"too big": func(tx *Tx) error {
			_, err := tx.Exec(ctx, "insert into t (id) values ($1)", uint64(math.MaxUint64))
			return err
		},
		"nul":     func(tx *Tx) error { return insert(tx, "s3cret\x00") },
		"no utf8": func(tx *Tx) error { return insert(tx, "s3cret\xff") },
	}
	for name, fn := range failing {
		err := d.Write(ctx, fn)
		if err == nil || strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), "184467") || fault.KindOf(err) != fault.Internal {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := d.Write(ctx, func(tx *Tx) error { return insert(tx, "b") }); err != nil {
		t.Errorf("after all that: %v", err)
	}
	for name, address := range map[string]string{
		"database": changed(t, dsn, func(u *url.URL) { u.User = url.UserPassword("postgres", "s3cret"); u.Path = "/s3cret" }),
		"server":   "postgres://s3cret:s3cret@127.0.0.1:1/s3cret",
		"role":     changed(t, dsn, func(u *url.URL) { u.User = url.UserPassword("s3cret", "s3cret") }),
	} {
		if _, err := Open(ctx, Config{Path: address}); fault.KindOf(err) != fault.Unavailable || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOtherEncodingsAreRefused(t *testing.T) {
	dsn := pgtest.DSN(t)
	latin := "latin_" + strings.Trim(must(url.Parse(dsn)).Path, "/")
	pgtest.Exec(t, dsn, "create database "+latin+" template template0 encoding 'LATIN1' locale 'C'")
	t.Cleanup(func() { pgtest.Exec(t, dsn, "drop database "+latin+" with (force)") })
	if _, err := Open(ctx, Config{Path: changed(t, dsn, func(u *url.URL) { u.Path = "/" + latin })}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("got %v", err)
	}
}
