// Package model is a slow, obvious second opinion on what a plan must do. It holds every row of
// every table in Go, knows no SQL, shares no code with plan or catalog, and applies the rules of
// plan's package comment by plain loops until nothing changes. Judge says what must become of each
// cell; Compare holds that against the stores as they are afterwards, cell by cell.
//
// Where the rules leave a choice (which random value, which of several breakable columns) the model
// leaves the same choice, and no more.
package model

import (
	"slices"
	"strings"
	"time"
	"unicode"
)

// NameColumn is how a generated people table calls the column with a person's name.
const NameColumn = "full name"

// Company is all systems of one organisation with all their rows.
type Company struct {
	Tables []*Table
	Today  time.Time
	// EachRow: the engine checks every key at every row, so rows in a circle cannot go.
	EachRow bool
}

// Table of one system. Mark names the column that tells rows apart before and after: nothing the
// rules do changes it.
type Table struct {
	System, Name string
	Columns      []Column
	Key          []string
	Uniques      [][]string
	Checks       []Check
	Edges        []*Edge
	People       map[string]string // identity kind to column; nil when nobody enters here
	Rule         Rule
	Ignored      bool
	Mark         []string
	Rows         []*Row
}

// Type of a column, as far as the rules care.
type Type int

const (
	Int Type = iota
	Text
	Date
)

// Column of a table. Length 0 is unbounded text.
type Column struct {
	Name    string
	Type    Type
	NotNull bool
	Length  int
	// Business: its name says that it is a fact of business, so anonymising leaves it.
	Business bool
	// Category is what the company says it is of; "" where it says nothing.
	Category string
}

// Check constraint on columns. Null says that its expression speaks of NULL.
type Check struct {
	Columns []string
	Null    bool
	// SQL with ? for each quoted column, in order.
	SQL string
}

// Role of an edge, in the words of ombud.yaml, with those that are only inferred.
type Role string

const (
	Own     Role = "own"
	Co      Role = "co"
	Mention Role = "mention"
	Follow  Role = "follow"
	Context Role = "context"
	Alias   Role = "alias"
	Inherit Role = "inherit"
	Join    Role = "join"
	None    Role = "none"
)

// Edge is a reference from the table it is listed under. Implicit edges are declared by the
// database and not named in ombud.yaml; their role is the one that follows by itself.
type Edge struct {
	Columns   []string
	To        *Table
	ToColumns []string
	Role      Role
	Author    bool
	When      map[string]string
	Declared  bool
	Implicit  bool
	OnDelete  string
	Deferred  bool
	// Value: the parent column is an identity and compared folded.
	Value bool
}

// Rule is what ombud.yaml says of a table; Years and After are its until.
type Rule struct {
	Erase   string // "", delete, keep, anonymise, null, redact
	Columns []string
	Years   int
	After   string
}

// Cell is one value in text form.
type Cell struct {
	Null bool
	S    string
}

// Row of a table, its cells in the table's column order.
type Row struct {
	Table *Table
	Cells []Cell
}

// Identity leads to a person.
type Identity struct{ Kind, Value string }

// Hold keeps a dataset's rows, or all of a system's when Dataset is empty.
type Hold struct{ System, Dataset string }

// Question of a request: all people's identities, and the holds on them.
type Question struct {
	Identities []Identity
	Holds      []Hold
}

// At is the position of a column, -1 when there is none.
func (t *Table) At(column string) int {
	return slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == column })
}

// ID is "system.table".
func (t *Table) ID() string { return t.System + "." + t.Name }

// Cell is the row's value in a column.
func (r *Row) Cell(column string) Cell { return r.Cells[r.Table.At(column)] }

// Mark is what tells the row apart from all others of its table.
func (r *Row) Mark() string {
	var b strings.Builder
	for _, c := range r.Table.Mark {
		v := r.Cell(c)
		b.WriteString(v.S)
		b.WriteByte(0)
	}
	return b.String()
}

// tuple is the row's values in columns; false when one is NULL.
func (r *Row) tuple(columns []string) ([]string, bool) {
	var out []string
	for _, c := range columns {
		v := r.Cell(c)
		if v.Null {
			return nil, false
		}
		out = append(out, v.S)
	}
	return out, true
}

// set reports whether the edge of the row refers to anything.
func (r *Row) set(e *Edge) bool {
	if _, ok := r.tuple(e.Columns); !ok {
		return false
	}
	for column, want := range e.When {
		if v := r.Cell(column); v.Null || v.S != want {
			return false
		}
	}
	return true
}

// parents are the rows that an edge of the row refers to: none, one, or for a value several.
func (r *Row) parents(e *Edge) []*Row {
	if !r.set(e) {
		return nil
	}
	mine, _ := r.tuple(e.Columns)
	var out []*Row
	for _, p := range e.To.Rows {
		theirs, ok := p.tuple(e.ToColumns)
		if ok && same(mine, theirs, e.Value) {
			out = append(out, p)
		}
	}
	return out
}

// Dangles reports whether the edge of the row refers to something that is not there.
func (r *Row) Dangles(e *Edge) bool { return r.set(e) && len(r.parents(e)) == 0 }

// Refers reports whether the edge of the row refers to p.
func (r *Row) Refers(e *Edge, p *Row) bool { return slices.Contains(r.parents(e), p) }

// Leads reports whether the edge of the row refers to anything that is there.
func (r *Row) Leads(e *Edge) bool { return len(r.parents(e)) > 0 }

func same(a, b []string, fold bool) bool {
	for i := range a {
		if a[i] != b[i] && (!fold || folded(a[i]) != folded(b[i])) {
			return false
		}
	}
	return true
}

// folded is the plain form of an identity: no blanks around it, no capitals.
func folded(s string) string {
	return strings.Map(unicode.ToLower, strings.TrimSpace(s))
}

func (t *Table) unique(column string) bool {
	if len(t.Key) == 1 && t.Key[0] == column {
		return true
	}
	return slices.ContainsFunc(t.Uniques, func(u []string) bool { return len(u) == 1 && u[0] == column })
}
