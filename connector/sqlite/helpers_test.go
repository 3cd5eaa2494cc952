package sqlite_test

import (
	"database/sql"
	"path/filepath"
	"slices"
	"testing"

	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/connector/sqlite"
)

// fresh is an empty store and the driver's own way to it.
func fresh(t *testing.T) (connector.Store, *sql.DB) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s.db")
	db := create(t, path)
	return open(t, path), db
}

func open(t testing.TB, dsn string) connector.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), connector.Config{System: "shop", DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func schema(t *testing.T, s connector.Store) *connector.Schema {
	t.Helper()
	out, err := s.Schema(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func table(t *testing.T, s connector.Store, name string) *connector.Table {
	t.Helper()
	found := schema(t, s).Table(name)
	if found == nil {
		t.Fatalf("there is no table %s", name)
	}
	return found
}

// columnOf is the catalog's column of a declared type.
func columnOf(t *testing.T, declared string) connector.Column {
	t.Helper()
	s, db := fresh(t)
	exec(t, db, "CREATE TABLE c (c "+declared+")")
	return table(t, s, "c").Columns[0]
}

func all(t *testing.T, s connector.Store, of *connector.Table, columns ...string) [][]connector.Value {
	t.Helper()
	var rows [][]connector.Value
	err := s.Select(t.Context(), []connector.Select{{Table: of, Columns: columns}}, func(_ int, row []connector.Value) error {
		rows = append(rows, slices.Clone(row))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// both gives the ids that match, sorted, and demands that Select, Look and Count agree.
func both(t *testing.T, s connector.Store, of *connector.Table, where []connector.Match) []string {
	t.Helper()
	q := []connector.Select{{Table: of, Columns: []string{"id"}, Where: where}}
	var selected, looked []string
	if err := s.Select(t.Context(), q, func(_ int, row []connector.Value) error { selected = append(selected, row[0].S); return nil }); err != nil {
		t.Fatal(err)
	}
	if err := s.Look(t.Context(), q, func(_ int, row []connector.Value) error { looked = append(looked, row[0].S); return nil }); err != nil {
		t.Fatal(err)
	}
	slices.Sort(selected)
	slices.Sort(looked)
	if !slices.Equal(selected, looked) {
		t.Errorf("select finds %v, look %v", selected, looked)
	}
	if n, err := s.Count(t.Context(), q); err != nil || n[0] != int64(len(selected)) {
		t.Errorf("count finds %v of %d: %v", n, len(selected), err)
	}
	return selected
}

func is(column string, values ...connector.Value) []connector.Match {
	m := connector.Match{Columns: []string{column}}
	for _, v := range values {
		m.Keys = append(m.Keys, connector.Key{v})
	}
	return []connector.Match{m}
}

func do(t *testing.T, s connector.Store, act connector.Act) int64 {
	t.Helper()
	tx, err := s.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	n, err := tx.Do(t.Context(), []connector.Act{act})
	if err != nil {
		_ = tx.Rollback(t.Context())
		t.Fatal(err)
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	return n[0]
}
