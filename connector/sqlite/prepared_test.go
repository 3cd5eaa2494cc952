package sqlite_test

import (
	"testing"

	"github.com/ombudhq/ombud/connector"
)

// TestStatementsSeenAgain: a statement that is kept gives what a new one would, while its rows are
// open elsewhere, and after the table changed under it.
func TestStatementsSeenAgain(t *testing.T) {
	path := t.TempDir() + "/s.db"
	db := create(t, path)
	exec := func(q string) {
		t.Helper()
		if _, err := db.Exec(q); err != nil {
			t.Fatal(err)
		}
	}
	exec("CREATE TABLE people (id INTEGER PRIMARY KEY, mail TEXT)")
	exec("INSERT INTO people VALUES (1, 'a'), (2, 'b')")
	s := open(t, path)
	schema, err := s.Schema(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	people := schema.Table("people")
	mail := func(id int64) (out string) {
		t.Helper()
		q := []connector.Select{{Table: people, Columns: []string{"mail"}, Where: is("id", connector.IntValue(id))}}
		err := s.Select(t.Context(), q, func(_ int, row []connector.Value) error {
			out += row[0].S
			return s.Select(t.Context(), q, func(_ int, row []connector.Value) error { out += row[0].S; return nil })
		})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	for range 4 {
		if got := mail(1) + mail(2); got != "aabb" {
			t.Fatal(got)
		}
	}
	exec("ALTER TABLE people ADD COLUMN extra TEXT")
	exec("UPDATE people SET mail = 'c' WHERE id = 1")
	exec("CREATE INDEX people_mail ON people (mail)")
	if got := mail(1) + mail(2); got != "ccbb" {
		t.Fatal(got)
	}
}
