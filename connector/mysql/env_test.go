package mysql_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/connector/mysql"
	"github.com/ombudhq/ombud/internal/testkit/mariatest"
)

// env is a database with the statements run in it, opened by its owner.
type env struct {
	*testing.T
	dsn   string
	store connector.Store
}

func setup(t *testing.T, statements ...string) *env {
	t.Helper()
	dsn := mariatest.DSN(t)
	mariatest.Exec(t, dsn, statements...)
	return &env{t, dsn, open(t, dsn)}
}

func open(t *testing.T, dsn string) connector.Store {
	t.Helper()
	store, err := mysql.Open(t.Context(), connector.Config{System: "shop", DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store
}

func (e *env) table(name string) *connector.Table {
	e.Helper()
	s, err := e.store.Schema(e.Context())
	if err != nil {
		e.Fatal(err)
	}
	t := s.Table(name)
	if t == nil {
		e.Fatalf("no table %s", name)
	}
	return t
}

// find selects a column by every way there is; the ways must agree.
func (e *env) find(t *connector.Table, column string, where ...connector.Match) string {
	e.Helper()
	ask := func(way func(func(int, []connector.Value) error) error) string {
		cells := []string{}
		if err := way(func(_ int, row []connector.Value) error { cells = append(cells, row[0].S); return nil }); err != nil {
			e.Fatal(err)
		}
		slices.Sort(cells)
		return strings.Join(cells, ",")
	}
	qs := []connector.Select{{Table: t, Columns: []string{column}, Where: where}}
	got := ask(func(row func(int, []connector.Value) error) error { return e.store.Select(e.Context(), qs, row) })
	looked := ask(func(row func(int, []connector.Value) error) error { return e.store.Look(e.Context(), qs, row) })
	if got != looked {
		e.Errorf("select finds %s, look finds %s", got, looked)
	}
	return got
}

func (e *env) rows(t *connector.Table) (rows []connector.Key) {
	e.Helper()
	var names []string
	for _, c := range t.Columns {
		names = append(names, c.Name)
	}
	err := e.store.Select(e.Context(), []connector.Select{{Table: t, Columns: names}}, func(_ int, row []connector.Value) error {
		rows = append(rows, slices.Clone(row))
		return nil
	})
	if err != nil {
		e.Fatal(err)
	}
	return rows
}

func (e *env) do(acts ...connector.Act) []int64 {
	e.Helper()
	tx, err := e.store.Begin(e.Context())
	if err != nil {
		e.Fatal(err)
	}
	defer tx.Rollback(e.Context())
	n, err := tx.Do(e.Context(), acts)
	if err != nil {
		e.Fatal(err)
	}
	if err := tx.Commit(e.Context()); err != nil {
		e.Fatal(err)
	}
	return n
}

func (e *env) equal(want, got any) {
	e.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		e.Errorf("(-want +got):\n%s", diff)
	}
}

func text(s string) connector.Value { return connector.TextValue(s) }

func is(column string, values ...connector.Value) connector.Match {
	m := connector.Match{Columns: []string{column}}
	for _, v := range values {
		m.Keys = append(m.Keys, connector.Key{v})
	}
	return m
}

func ints(ns ...int64) (keys []connector.Key) {
	for _, n := range ns {
		keys = append(keys, connector.Key{connector.IntValue(n)})
	}
	return keys
}
