package db

import (
	"context"
	"fmt"
	"strings"
)

// insertSizes are the numbers of rows for which there is a statement with an argument for each cell.
var insertSizes = []int{64, 16, 4, 1}

// Table is where Insert puts rows.
type Table struct {
	name    string
	columns []Column
	copies  string         // takes any number of rows, as PostgreSQL does; "" where rows may replace others
	one     string         // inserts a row there
	values  map[int]string // inserts so many rows, with an argument for each cell
}

// Column is one of a table's. Type is bigint, boolean, text or bytea.
type Column struct{ Name, Type string }

// NewTable describes a table.
func NewTable(name string, columns ...Column) *Table {
	t := newTable(name, columns, "")
	t.copies = "copy " + t.into() + "from stdin (format binary)"
	return t
}

// NewReplacing describes a table in which a row takes the place of one whose first columns, so many, are the same.
func NewReplacing(name string, keys int, columns ...Column) *Table {
	var same, fresh []string
	for i, c := range columns {
		if i < keys {
			same = append(same, quoteName(c.Name))
		} else {
			fresh = append(fresh, quoteName(c.Name)+" = excluded."+quoteName(c.Name))
		}
	}
	return newTable(name, columns, " on conflict ("+strings.Join(same, ", ")+") do update set "+strings.Join(fresh, ", "))
}

func newTable(name string, columns []Column, replace string) *Table {
	t := &Table{name: name, columns: columns, values: map[int]string{}}
	var places []string
	for i := range columns {
		places = append(places, fmt.Sprintf("$%d", i+1))
	}
	t.one = "insert into " + t.into() + "values (" + strings.Join(places, ", ") + ")" + replace
	row := ", (?" + strings.Repeat(", ?", len(columns)-1) + ")"
	for _, n := range insertSizes {
		// To undo only one of the statements, SQLite would copy each page it changes; who fails is rolled back anyway.
		t.values[n] = "insert or fail into " + t.into() + "values " + strings.Repeat(row, n)[2:] + replace
	}
	return t
}

func (t *Table) into() string {
	var names []string
	for _, c := range t.columns {
		names = append(names, quoteName(c.Name))
	}
	return quoteName(t.name) + " (" + strings.Join(names, ", ") + ") "
}

// inserts are the rows of one commit that were not sent to the engine yet, table by table.
type inserts struct {
	tables []rowsOf
	spare  []Cell // room for the rows of the next table
}

// rowsOf are rows of a table, one behind the other.
type rowsOf struct {
	table *Table
	cells []Cell
}

func (in *inserts) add(t *Table, row []Cell) {
	for i := range in.tables {
		if in.tables[i].table == t {
			in.tables[i].cells = append(in.tables[i].cells, row...)
			return
		}
	}
	in.tables, in.spare = append(in.tables, rowsOf{t, append(in.spare, row...)}), nil
}

// reset forgets them all.
func (in *inserts) reset() {
	for _, t := range in.tables {
		clear(t.cells)
		in.spare = t.cells[:0]
	}
	in.tables = in.tables[:0]
}

// Insert adds a row, together with those that other commands of the same commit add to the same table, before the next
// statement of any of them and at the latest before the commit. What is wrong with the row is therefore told by one of
// those, and fails this command as if Insert had told it. What is in the cells must not change until then.
func (t *Tx) Insert(to *Table, row ...Cell) error {
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
	defer t.late.reset()
	for _, in := range t.late.tables {
		if err := t.c.insert(context.Background(), in); err != nil {
			return t.fail(err)
		}
	}
	return nil
}
