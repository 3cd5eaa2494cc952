package sqlite_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/connector/sqlite"
	"github.com/ombudhq/ombud/internal/fault"
)

func TestMissingFileIsNotCreated(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none.db")
	for _, dsn := range []string{path, "file:" + path, "file:" + path + "?mode=rw"} {
		if _, err := sqlite.Open(t.Context(), connector.Config{DSN: dsn}); fault.KindOf(err) != fault.Unavailable {
			t.Errorf("a missing file is %v", err)
		}
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("the missing file was created")
	}
}

func TestDSN(t *testing.T) {
	folder := t.TempDir()
	exec(t, create(t, filepath.Join(folder, "a b%c#d.db")), "CREATE TABLE a (id INTEGER PRIMARY KEY)")
	for _, dsn := range []string{"a b%c#d.db", "./a b%c#d.db", "file:a%20b%25c%23d.db", "file:a%20b%25c%23d.db?mode=ro", "file://" + folder + "/a%20b%25c%23d.db"} {
		s, err := sqlite.Open(t.Context(), connector.Config{DSN: dsn, Folder: folder})
		if err != nil {
			t.Errorf("%q: %v", dsn, err)
			continue
		}
		table(t, s, "a")
		_ = s.Close()
	}
	for _, dsn := range []string{"", ":memory:", "file:", "file::memory:", "x.db?mode=rwc", "x.db?_pragma=writable_schema(1)", "file:%zz", "postgres://a/b", "x?%zz", "x?mode=ro&mode=rw"} {
		if _, err := sqlite.Open(t.Context(), connector.Config{DSN: dsn, Folder: folder}); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q is %v", dsn, err)
		}
	}
}

func TestForeignFiles(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "x.db"), bytes.Repeat([]byte("no database "), 999), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Open(t.Context(), connector.Config{DSN: "x.db", Folder: folder}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a file of something else is %v", err)
	}
	if _, err := sqlite.Open(t.Context(), connector.Config{DSN: ".", Folder: folder}); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("a folder is %v", err)
	}
}

func TestReadOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.db")
	exec(t, create(t, path), "CREATE TABLE a (id INTEGER PRIMARY KEY)", "INSERT INTO a VALUES (1)")
	s := open(t, "file:"+path+"?mode=ro")
	a := table(t, s, "a")
	if want := (connector.Rights{Select: true}); a.Rights != want {
		t.Errorf("rights are %+v", a.Rights)
	}
	if got := both(t, s, a, nil); len(got) != 1 {
		t.Errorf("reading finds %v", got)
	}
	tx, err := s.Begin(t.Context())
	if err == nil {
		_, err = tx.Do(t.Context(), []connector.Act{{Verb: connector.Delete, Table: a, Rows: []connector.Key{{connector.IntValue(1)}}}})
		_ = tx.Rollback(t.Context())
	}
	if fault.KindOf(err) != fault.Denied {
		t.Errorf("writing is %v", err)
	}
	writable := open(t, path)
	one, _ := s.Fingerprint(t.Context())
	other, _ := writable.Fingerprint(t.Context())
	if one == other || one == "" {
		t.Error("rights are not part of the fingerprint")
	}
}

// TestReplacedFile: what was opened is no longer what lies at the path.
func TestReplacedFile(t *testing.T) {
	folder := t.TempDir()
	path, next := filepath.Join(folder, "s.db"), filepath.Join(folder, "next.db")
	exec(t, create(t, path), "CREATE TABLE a (id INTEGER PRIMARY KEY)")
	s := open(t, path)
	if _, err := s.Fingerprint(t.Context()); err != nil {
		t.Fatal(err)
	}
	exec(t, create(t, next), "CREATE TABLE a (id INTEGER PRIMARY KEY)")
	if err := os.Rename(next, path); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Fingerprint(t.Context()); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("a replaced file is %v", err)
	}
}

// TestDeletedBytesAreGone: what was deleted is not in the file, not in its journal and not in its log.
func TestDeletedBytesAreGone(t *testing.T) {
	for _, mode := range []string{"DELETE", "WAL"} {
		path := filepath.Join(t.TempDir(), "s.db")
		db := create(t, path)
		exec(t, db, "PRAGMA journal_mode = "+mode, "CREATE TABLE a (id INTEGER PRIMARY KEY, v TEXT)", "CREATE INDEX a_v ON a (v)")
		for i := range 50 {
			exec(t, db, fmt.Sprintf("INSERT INTO a VALUES (%d, 'zanzibar-%d')", i, i))
		}
		s := open(t, path)
		a := table(t, s, "a")
		keys := []connector.Key{}
		for i := range int64(50) {
			keys = append(keys, connector.Key{connector.IntValue(i)})
		}
		if n := do(t, s, connector.Act{Verb: connector.Delete, Table: a, Rows: keys}); n != 50 {
			t.Fatalf("%d rows are deleted", n)
		}
		if _, err := s.(connector.Maintainer).Maintain(t.Context(), []*connector.Table{a}); err != nil {
			t.Fatal(err)
		}
		files, _ := filepath.Glob(path + "*")
		for _, f := range files {
			raw, err := os.ReadFile(f)
			if err == nil && bytes.Contains(raw, []byte("zanzibar")) {
				t.Errorf("%s: %s still holds deleted text", mode, strings.TrimPrefix(f, filepath.Dir(f)))
			}
		}
	}
}

func TestLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.db")
	db := create(t, path)
	exec(t, db, "CREATE TABLE a (id INTEGER PRIMARY KEY)")
	s, err := sqlite.Open(t.Context(), connector.Config{DSN: path, Timeout: 250 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(t.Context(), "BEGIN EXCLUSIVE"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Begin(t.Context()); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("a locked file is %v", err)
	}
	if _, err := s.Schema(t.Context()); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("reading a locked file is %v", err)
	}
}

// TestTriggerMessages: what a trigger says may hold a cell, so it is not repeated.
func TestTriggerMessages(t *testing.T) {
	s, db := fresh(t)
	exec(t, db, "CREATE TABLE a (id INTEGER PRIMARY KEY, v TEXT)", "INSERT INTO a VALUES (1, 'zanzibar')",
		"CREATE TRIGGER g BEFORE DELETE ON a BEGIN SELECT RAISE(ABORT, 'keep zanzibar'); END")
	a := table(t, s, "a")
	tx, err := s.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(t.Context())
	_, err = tx.Do(t.Context(), []connector.Act{{Verb: connector.Delete, Table: a, Rows: []connector.Key{{connector.IntValue(1)}}}})
	if err == nil || strings.Contains(err.Error(), "zanzibar") || !strings.Contains(err.Error(), "(1811)") {
		t.Errorf("the error is %v", err)
	}
}

// TestSlowStatement: a statement ends at its timeout; the time that rows are being used does not count.
func TestSlowStatement(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.db")
	exec(t, create(t, path), `CREATE TABLE a (id INTEGER PRIMARY KEY)`, `INSERT INTO a VALUES (1), (2), (3)`,
		`CREATE VIEW endless AS WITH RECURSIVE n (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n) SELECT id FROM n WHERE id < 0`)
	s, err := sqlite.Open(t.Context(), connector.Config{DSN: path, Timeout: 500 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	read := schema(t, s)
	err = s.Select(t.Context(), []connector.Select{{Table: read.Table("endless"), Columns: []string{"id"}}}, func(int, []connector.Value) error { return nil })
	if fault.KindOf(err) != fault.Unavailable {
		t.Errorf("an endless statement is %v", err)
	}
	rows := 0
	err = s.Select(t.Context(), []connector.Select{{Table: read.Table("a"), Columns: []string{"id"}}}, func(int, []connector.Value) error {
		rows++
		<-time.After(200 * time.Millisecond)
		return nil
	})
	if err != nil || rows != 3 {
		t.Errorf("a slow receiver gets %d rows: %v", rows, err)
	}
}
