package db

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/testkit/storetest"
)

func TestOpenRefusesAndProtects(t *testing.T) {
	for _, path := range []string{"", "mysql://somebody:secret@host/db", "postgres://somebody:secret@host:none/db"} {
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
	for name, want := range map[string]int{"synchronous": 1, "secure_delete": 1, "foreign_keys": 1} {
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
	d := fresh(t, storetest.SQLite)
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

// TestTidy: what was deleted is in no file of the store; where somebody still reads from the log it says so, soon.
func TestTidy(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	d := opened(t, path)
	for _, text := range []string{"create table t (name text)", "insert into t values ('kanarifugl')", "delete from t"} {
		if err := d.Write(ctx, func(tx *Tx) error { _, err := tx.Exec(ctx, text); return err }); err != nil {
			t.Fatal(err)
		}
	}
	holds := func() bool {
		file, err1 := os.ReadFile(path)
		log, err2 := os.ReadFile(path + "-wal")
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		return bytes.Contains(append(file, log...), []byte("kanarifugl"))
	}
	err := d.Read(ctx, func(tx *Tx) error {
		var n int
		if err := tx.QueryRow(ctx, "select count(*) from t").Scan(&n); err != nil {
			return err
		}
		if done, err := d.Tidy(ctx); done || err != nil || !holds() {
			t.Errorf("beside a reader: %v, %v", done, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if done, err := d.Tidy(ctx); !done || err != nil || holds() {
		t.Errorf("done %v, %v; it is still there: %v", done, err, holds())
	}
}

func TestStatementCacheIsBounded(t *testing.T) {
	d := fresh(t, storetest.SQLite)
	err := d.Write(ctx, func(tx *Tx) error {
		for i := range 2 * statementLimit {
			var n int
			if err := tx.QueryRow(ctx, fmt.Sprintf("select %d", i)).Scan(&n); err != nil || n != i {
				return fmt.Errorf("%d: %w", n, err)
			}
		}
		if n := len(tx.c.(*sqliteConn).stmts); n > statementLimit {
			t.Errorf("%d statements are kept", n)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
