package model

import "slices"

// rekeys: a row that stays as a shell and whose key is, or holds, the identity gets another key, and so does what the database
// knows to repeat it, whoever's row that is, and what only a link of its system does, where that can. Where a declared reference
// cannot be given another value, all stays as it is. The same holds for an identity that changes and that is no key of its own
// row, but one for others.
func (v *Verdict) rekeys(c *Company) {
	for _, t := range c.Tables {
		for _, part := range t.parts(c) {
			k := c.copies(t, part)
			change := k.change(c)
			for _, r := range t.Rows {
				switch f := v.Fates[r]; {
				case slices.Contains(t.Key, part) && (change == Same || !v.shell(f)):
				case !slices.Contains(t.Key, part) && (f.Dies || f.Cells[t.At(part)] != Changed):
				case change == Same:
					f.Cells[t.At(part)] = Same
				default:
					v.rekey(r, k, change)
				}
			}
		}
	}
}

// parts are the columns of a key that identify, none when one of them refers to something itself; and other identities
// that are keys for others.
func (t *Table) parts(c *Company) []string {
	var out []string
	for _, column := range t.Columns {
		if t.identifies(column.Name) && !slices.Contains(t.Key, column.Name) && c.declared(t, column.Name) {
			out = append(out, column.Name)
		}
	}
	for _, column := range t.Key {
		if t.Columns[t.At(column)].Type != Text || !t.identifies(column) {
			continue
		}
		if slices.ContainsFunc(t.Edges, func(e *Edge) bool { return slices.Contains(e.Columns, column) }) {
			return nil
		}
		out = append(out, column)
	}
	return out
}

// declared: a database knows that a reference leads to the column.
func (c *Company) declared(to *Table, column string) bool {
	return slices.ContainsFunc(c.Tables, func(t *Table) bool {
		return slices.ContainsFunc(t.Edges, func(e *Edge) bool { return e.Declared && e.To == to && slices.Contains(e.ToColumns, column) })
	})
}

func (t *Table) identifies(column string) bool {
	for _, c := range t.People {
		if c == column {
			return true
		}
	}
	return false
}

func (v *Verdict) shell(f *Fate) bool {
	erase := f.Row.Table.Rule.Erase
	return f.Owner == Owned && !f.Dies && !f.Kept && (f.Pinned || erase == "anonymise" || erase == "pseudonymise")
}

// copies are the columns that repeat a part of a table's key, because references lead from them to it, over one or several
// tables.
type copies struct {
	to   *Table
	part string
	of   map[*Table][]string
}

func (c *Company) copies(to *Table, part string) copies {
	k := copies{to: to, part: part, of: map[*Table][]string{}}
	for grown := true; grown; {
		grown = false
		for _, t := range c.Tables {
			for _, e := range t.Edges {
				for i, column := range e.Columns {
					if k.leads(e, i) && (e.Declared || k.linked(c, t, e)) && !slices.Contains(k.of[t], column) {
						k.of[t], grown = append(k.of[t], column), true
					}
				}
			}
		}
	}
	return k
}

// leads: a column of the edge refers to the part, or to a copy of it.
func (k copies) leads(e *Edge, i int) bool {
	return e.To == k.to && e.ToColumns[i] == k.part || slices.Contains(k.of[e.To], e.ToColumns[i])
}

// change is what becomes of part and copies: Same where one of them cannot change, Free where that depends on the engine.
func (k copies) change(c *Company) Change {
	change := Changed
	for t, columns := range k.of {
		for _, column := range columns {
			if t.Ignored || k.tornFrom(t, column) || c.cut(t, column) {
				return Same
			}
		}
		if len(t.Key) == 0 && slices.ContainsFunc(columns, func(column string) bool { return k.declared(t, column) }) {
			change = Free
		}
	}
	return change
}

// linked: what no database knows repeats the key all the same, if it can be given another value.
func (k copies) linked(c *Company, t *Table, e *Edge) bool {
	single := len(k.to.Key) == 1 && k.to.Key[0] == k.part || slices.ContainsFunc(k.to.Uniques, func(u []string) bool { return len(u) == 1 && u[0] == k.part })
	return single && !e.Value && len(e.When) == 0 && t.System == e.To.System && !t.Ignored && !k.tornFrom(t, e.Columns[0]) && !c.cut(t, e.Columns[0])
}

// declared: a database knows that the column repeats the key.
func (k copies) declared(t *Table, column string) bool {
	return slices.ContainsFunc(t.Edges, func(e *Edge) bool {
		i := slices.Index(e.Columns, column)
		return e.Declared && i >= 0 && k.leads(e, i)
	})
}

// tornFrom: the column is also a key to something that would not follow.
func (k copies) tornFrom(t *Table, column string) bool {
	return slices.ContainsFunc(t.Edges, func(e *Edge) bool {
		i := slices.Index(e.Columns, column)
		return e.Declared && i >= 0 && !k.leads(e, i)
	})
}

// cut: a reference that nobody lets follow leads to the column.
func (c *Company) cut(to *Table, column string) bool {
	return slices.ContainsFunc(c.Tables, func(t *Table) bool {
		return slices.ContainsFunc(t.Edges, func(e *Edge) bool {
			return !e.Declared && (e.Value || len(e.When) > 0 || t.System != e.To.System) && e.To == to && slices.Contains(e.ToColumns, column)
		})
	})
}

// follows: the column of the row says what it says because of the row with the key.
func (k copies) follows(child *Row, column string, r *Row) bool {
	for _, e := range child.Table.Edges {
		i := slices.Index(e.Columns, column)
		if i < 0 || !k.leads(e, i) || !slices.Contains(k.of[child.Table], column) {
			continue
		}
		for _, p := range child.parents(e) {
			if p == r && e.ToColumns[i] == k.part || p != child && slices.Contains(k.of[p.Table], e.ToColumns[i]) && k.follows(p, e.ToColumns[i], r) {
				return true
			}
		}
	}
	return false
}

// direct: the column refers to the key itself.
func (k copies) direct(t *Table, column string) bool {
	return slices.ContainsFunc(t.Edges, func(e *Edge) bool { return e.To == k.to && slices.Contains(e.Columns, column) })
}

func (v *Verdict) rekey(r *Row, k copies, change Change) {
	v.Fates[r].Cells[r.Table.At(k.part)] = change
	for t, columns := range k.of {
		for _, child := range t.Rows {
			for _, column := range columns {
				at, f := t.At(column), v.Fates[child]
				switch {
				case f.Dies || child.Cell(column) != r.Cell(k.part):
				case k.follows(child, column, r):
					if f.Cells[at] = change; len(t.Key) == 0 {
						f.Cells[at] = Free
					}
				case !k.direct(t, column):
					f.Cells[at] = Free // a NULL beside it cuts the reference short
				}
			}
		}
	}
}
