package connectortest

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ombudhq/ombud/connector"
)

// env is one test: an empty store, the connector on it, and ways to ask both.
type env struct {
	*testing.T
	h     Harness
	sys   System
	store connector.Store
	seen  map[string]*connector.Table // by tableOnce
}

func start(t *testing.T, h Harness) *env {
	sys := h.Start(t)
	store, err := h.Open(t.Context(), sys.Config)
	if err != nil {
		t.Fatalf("opening: %v", err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
	})
	return &env{T: t, h: h, sys: sys, store: store}
}

// exec runs a statement past the connector.
func (e *env) exec(query string, args ...any) {
	e.Helper()
	if _, err := e.sys.DB.ExecContext(e.Context(), query, args...); err != nil {
		e.Fatalf("setting up with %.300q: %v", query, err)
	}
}

// create makes a table of items: column definitions and constraints.
func (e *env) create(table string, items ...string) {
	e.Helper()
	e.exec("CREATE TABLE " + e.h.Quote(table) + " (" + strings.Join(items, ", ") + ")")
}

// col is a column definition of the engine's type for a kind.
func (e *env) col(name string, kind connector.Kind, more ...string) string {
	return strings.Join(append([]string{e.h.Quote(name), e.h.Types[kind]}, more...), " ")
}

// id is the usual integer primary key.
func (e *env) id() string { return e.col("id", connector.Int, "NOT NULL PRIMARY KEY") }

// list quotes names for a column list.
func (e *env) list(names ...string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = e.h.Quote(n)
	}
	return "(" + strings.Join(quoted, ", ") + ")"
}

// fk is a table constraint from columns to ref(refColumns); both lists are comma-separated.
func (e *env) fk(columns, ref, refColumns, more string) string {
	return "FOREIGN KEY " + e.list(strings.Split(columns, ",")...) + " REFERENCES " + e.h.Quote(ref) + " " +
		e.list(strings.Split(refColumns, ",")...) + " " + more
}

// insert adds one row; columns are comma-separated.
func (e *env) insert(table, columns string, values ...any) {
	e.Helper()
	params := make([]string, len(values))
	for i := range values {
		params[i] = e.h.Param(i + 1)
	}
	e.exec("INSERT INTO "+e.h.Quote(table)+" "+e.list(strings.Split(columns, ",")...)+
		" VALUES ("+strings.Join(params, ", ")+")", values...)
}

// count asks past the connector how many rows a table has; where is SQL.
func (e *env) count(table, where string) int64 {
	e.Helper()
	query := "SELECT count(*) FROM " + e.h.Quote(table)
	if where != "" {
		query += " WHERE " + where
	}
	var n int64
	if err := e.sys.DB.QueryRowContext(e.Context(), query).Scan(&n); err != nil {
		e.Fatalf("counting past the connector: %v", err)
	}
	return n
}

// schema reads the catalog through the connector.
func (e *env) schema() *connector.Schema {
	e.Helper()
	s, err := e.store.Schema(e.Context())
	if err != nil {
		e.Fatalf("reading the schema: %v", err)
	}
	return s
}

// table reads one table's catalog.
func (e *env) table(name string) *connector.Table {
	e.Helper()
	t := e.schema().Table(name)
	if t == nil {
		e.Fatalf("table %q is not in the schema", name)
	}
	return t
}

// ask is one way of asking: Store.Select, Store.Look or Tx.Select.
type ask func(qs []connector.Select, row func(int, []connector.Value) error) error

// ways lists every way to ask outside a transaction. All must give the same.
func (e *env) ways() map[string]ask {
	return map[string]ask{
		"select": func(qs []connector.Select, row func(int, []connector.Value) error) error {
			return e.store.Select(e.Context(), qs, row)
		},
		"look": func(qs []connector.Select, row func(int, []connector.Value) error) error {
			return e.store.Look(e.Context(), qs, row)
		},
	}
}

// rows asks with Select, Look and Count, demands that they agree, and gives the rows sorted.
func (e *env) rows(q connector.Select) []string {
	e.Helper()
	var selected []string
	for name, way := range e.ways() {
		got := e.collect(name, way, q)
		if name == "select" {
			selected = got
		}
	}
	if looked := e.collect("look", e.ways()["look"], q); !slices.Equal(looked, selected) {
		e.Errorf("look and select differ: %s", cmp.Diff(selected, looked))
	}
	counts, err := e.store.Count(e.Context(), []connector.Select{q})
	if err != nil {
		e.Fatalf("counting: %v", err)
	}
	if len(counts) != 1 || counts[0] != int64(len(selected)) {
		e.Errorf("count says %v, select delivers %d rows", counts, len(selected))
	}
	return selected
}

func (e *env) collect(name string, way ask, q connector.Select) []string {
	e.Helper()
	rows := []string{}
	err := way([]connector.Select{q}, func(_ int, row []connector.Value) error {
		rows = append(rows, show(row))
		return nil
	})
	if err != nil {
		e.Fatalf("%s: %v", name, err)
	}
	sort.Strings(rows)
	return rows
}

// show writes a row for comparison: kind letters matter only for NULL.
func show(row []connector.Value) string {
	cells := make([]string, len(row))
	for i, v := range row {
		cells[i] = v.String()
		if v.IsNull() {
			cells[i] = "NULL"
		}
	}
	return strings.Join(cells, "|")
}

// want compares the column's cells that match.
func (e *env) want(t *connector.Table, column string, where []connector.Match, cells ...string) {
	e.Helper()
	got := e.rows(connector.Select{Table: t, Columns: []string{column}, Where: where})
	expected := slices.Sorted(slices.Values(cells))
	if diff := cmp.Diff(expected, got, cmp.Transformer("nonNil", nonNil)); diff != "" {
		e.Errorf("rows of %s (-want +got):\n%s", t.Name, diff)
	}
}

func nonNil(s []string) string { return fmt.Sprintf("%q", s) }

// raw gives the cells of all rows as values, in no order.
func (e *env) raw(t *connector.Table, columns ...string) [][]connector.Value {
	e.Helper()
	var rows [][]connector.Value
	q := connector.Select{Table: t, Columns: columns}
	err := e.store.Select(e.Context(), []connector.Select{q}, func(_ int, row []connector.Value) error {
		rows = append(rows, slices.Clone(row))
		return nil
	})
	if err != nil {
		e.Fatalf("selecting all of %s: %v", t.Name, err)
	}
	return rows
}

// is matches one column against values.
func is(column string, values ...connector.Value) []connector.Match {
	m := connector.Match{Columns: []string{column}}
	for _, v := range values {
		m.Keys = append(m.Keys, connector.Key{v})
	}
	return []connector.Match{m}
}

// folds matches one column by identities.
func folds(column string, identities ...string) []connector.Match {
	m := is(column)
	m[0].Fold = true
	for _, s := range identities {
		m[0].Keys = append(m[0].Keys, connector.Key{text(s)})
	}
	return m
}

func text(s string) connector.Value { return connector.TextValue(s) }
func num(n int64) connector.Value   { return connector.IntValue(n) }

// nums makes keys of integers.
func nums(ns ...int64) []connector.Key {
	keys := make([]connector.Key, len(ns))
	for i, n := range ns {
		keys[i] = connector.Key{num(n)}
	}
	return keys
}

// begin starts a transaction that ends with the test.
func (e *env) begin() connector.Tx {
	e.Helper()
	tx, err := e.store.Begin(e.Context())
	if err != nil {
		e.Fatalf("beginning: %v", err)
	}
	return tx
}

// do acts in one transaction, commits, and gives the rows affected.
func (e *env) do(acts ...connector.Act) []int64 {
	e.Helper()
	tx := e.begin()
	affected, err := tx.Do(e.Context(), acts)
	if err != nil {
		_ = tx.Rollback(e.Context())
		e.Fatalf("acting: %v", err)
	}
	if err := tx.Commit(e.Context()); err != nil {
		e.Fatalf("committing: %v", err)
	}
	return affected
}

// affects demands the rows affected of one act.
func (e *env) affects(want int64, act connector.Act) {
	e.Helper()
	if got := e.do(act); len(got) != 1 || got[0] != want {
		e.Errorf("%s of %s affects %v rows, want %d", act.Verb, act.Table.Name, got, want)
	}
}

// remain demands how many rows a table has, past the connector.
func (e *env) remain(table string, want int64) {
	e.Helper()
	if got := e.count(table, ""); got != want {
		e.Errorf("%s has %d rows, want %d", table, got, want)
	}
}
