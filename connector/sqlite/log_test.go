package sqlite

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ombudhq/ombud/connector"
)

// TestNothingDeletedStaysInTheLog: whatever the log held before, once the store is maintained neither it nor
// the file has a byte of a deleted row, while somebody reads or not.
func TestNothingDeletedStaysInTheLog(t *testing.T) {
	const copiedInto, emptied = "write-ahead log copied into the file; nothing in it is older than what was deleted", "write-ahead log emptied"
	s := openTemp(t, "PRAGMA journal_mode = WAL", "CREATE TABLE f (id INTEGER PRIMARY KEY, s TEXT)", rowsOf(1, 400), "PRAGMA wal_checkpoint(TRUNCATE)")
	schema, err := s.Schema(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f := schema.Table("f")
	erase := func(want string, from, to int) {
		t.Helper()
		commit(t, s, f, from, to)
		did, err := s.Maintain(t.Context(), []*connector.Table{f})
		if err != nil || did[0] != want {
			t.Errorf("%v: %v, want %q", did, err, want)
		}
		for _, path := range []string{s.at.path, s.log.path} {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for n := from; n <= to; n++ {
				if strings.Contains(string(b), secret(n)) {
					t.Fatalf("row %d is deleted and stands in %s", n, path)
				}
			}
		}
	}
	erase(copiedInto, 1, 1)
	erase(copiedInto, 2, 2) // a neighbour, whom the log before held
	erase(copiedInto, 6, 30)
	erase(copiedInto, 31, 31) // a neighbour, whom a longer log before held at its end
	if _, err := s.db.Exec(rowsOf(401, 500)); err != nil {
		t.Fatal(err)
	}
	erase(emptied, 450, 450) // whom the log held when we came
	commit(t, s, f, 3, 3)
	erase(emptied, 4, 4) // whom our own transaction before has left in the log
	reader := watching(t, s)
	commit(t, s, f, 201, 201)
	patient := s.hurry()
	if did, err := s.Maintain(t.Context(), []*connector.Table{f}); err != nil || did[0] != "write-ahead log not emptied: another program is reading" {
		t.Errorf("who reads from before it keeps a deleted row in the file: %v: %v", did, err)
	}
	patient()
	if err := reader.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	erase(emptied, 202, 202)
	s.db.SetMaxOpenConns(1)
	for _, q := range []string{"PRAGMA cache_size = 2", "PRAGMA cache_spill = 1", "PRAGMA shrink_memory"} {
		if _, err := s.db.Exec(q); err != nil {
			t.Fatal(err)
		}
	}
	erase(emptied, 5, 200) // pages went into the log before all of their rows had gone
}

// hurry lets a store wait no longer than a second for who is in its way, until patient is called: long enough for a busy
// machine to do what nobody is in the way of.
func (s *Store) hurry() (patient func()) {
	before := s.timeout
	s.timeout = time.Second
	return func() { s.timeout = before }
}

// watching reads from the store as it is now.
func watching(t *testing.T, s *Store) *tx {
	t.Helper()
	reader, err := s.reading(t.Context(), s.eye)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := s.number(t.Context(), reader.conn, "SELECT count(*) FROM main.f"); err != nil || n == 0 {
		t.Fatalf("%d: %v", n, err)
	}
	return reader
}

// commit deletes rows in a transaction of their own.
func commit(t *testing.T, s *Store, f *connector.Table, from, to int) {
	t.Helper()
	tx, err := s.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for n := from; n <= to; n++ {
		if _, err := tx.Do(t.Context(), []connector.Act{{Verb: connector.Delete, Table: f, Rows: []connector.Key{{connector.IntValue(int64(n))}}}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func secret(n int) string { return fmt.Sprintf("secret of %04d %s", n, strings.Repeat("x", 300)) }

func rowsOf(from, to int) string {
	return fmt.Sprintf("WITH RECURSIVE n (i) AS (SELECT %d UNION ALL SELECT i + 1 FROM n WHERE i < %d) INSERT INTO f SELECT i, printf('secret of %%04d %s', i) FROM n", from, to, strings.Repeat("x", 300))
}
