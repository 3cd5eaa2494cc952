package db

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgtype"
)

// insertSizes are the numbers of rows for which there is a statement with an argument for each cell.
var insertSizes = []int{64, 16, 4, 1}

// Table is where Insert puts rows.
type Table struct {
	name    string
	columns []Column
	arrays  string         // inserts any number of rows, with an argument for each column
	values  map[int]string // inserts so many rows, with an argument for each cell
}

// Column is one of a table's. Type is bigint, boolean, text or bytea; a row holds int64, bool, string and []byte there, or
// nil where that is text or bytea.
type Column struct{ Name, Type string }

// NewTable describes a table.
func NewTable(name string, columns ...Column) *Table {
	t := &Table{name: name, columns: columns, values: map[int]string{}}
	var names, arrays []string
	for i, c := range columns {
		names = append(names, quoteName(c.Name))
		arrays = append(arrays, fmt.Sprintf("$%d::%s[]", i+1, c.Type))
	}
	into := quoteName(name) + " (" + strings.Join(names, ", ") + ") "
	t.arrays = "insert into " + into + "select * from unnest(" + strings.Join(arrays, ", ") + ")"
	row := ", (?" + strings.Repeat(", ?", len(columns)-1) + ")"
	for _, n := range insertSizes {
		// To undo only one of the statements, SQLite would copy each page it changes; who fails is rolled back anyway.
		t.values[n] = "insert or fail into " + into + "values " + strings.Repeat(row, n)[2:]
	}
	return t
}

// inserts are the rows of one commit that were not sent to the engine yet, table by table.
type inserts struct{ tables []rowsOf }

type rowsOf struct {
	table *Table
	rows  [][]any
}

func (in *inserts) add(t *Table, row []any) {
	for i := range in.tables {
		if in.tables[i].table == t {
			in.tables[i].rows = append(in.tables[i].rows, row)
			return
		}
	}
	in.tables = append(in.tables, rowsOf{t, [][]any{row}})
}

// Insert adds a row, together with those that other commands of the same commit add to the same table, before the next
// statement of any of them and at the latest before the commit. What is wrong with the row is therefore told by one of
// those, and fails this command as if Insert had told it.
func (t *Tx) Insert(to *Table, row ...any) error {
	switch {
	case t.c == nil:
		return errEnded
	case t.failed != nil:
		return t.failed
	case t.late == nil || len(row) != len(to.columns):
		return t.fail(fmt.Errorf("a row for %s cannot be inserted here", to.name))
	}
	t.dirty = true
	t.late.add(to, row)
	return nil
}

// flush sends what was inserted before.
func (t *Tx) flush() error {
	if t.late == nil || len(t.late.tables) == 0 {
		return nil
	}
	tables := t.late.tables
	t.late.tables = nil
	for _, in := range tables {
		if err := t.c.insert(context.Background(), in.table, in.rows); err != nil {
			return t.fail(err)
		}
	}
	return nil
}

// byColumn are rows as the arguments of arrays.
func (t *Table) byColumn(rows [][]any) []any {
	out := make([]any, len(t.columns))
	for i := range out {
		out[i] = column{rows, i}
	}
	return out
}

// column is one of rows as the driver of PostgreSQL takes an array: it stays where it is.
type column struct {
	rows [][]any
	at   int
}

// Dimensions tells the length.
func (c column) Dimensions() []pgtype.ArrayDimension {
	return []pgtype.ArrayDimension{{Length: int32(len(c.rows)), LowerBound: 1}}
}

// Index is a cell.
func (c column) Index(i int) any { return c.rows[i][c.at] }

// IndexType is nil: each cell says itself what it is.
func (column) IndexType() any { return nil }
