package model

import "slices"

// rekeys: a row that stays as a shell and whose key is the identity gets another key, and so does what the database knows to
// refer to it, whoever's row that is. Where one reference cannot be given another value, all stays as it is.
func (v *Verdict) rekeys(c *Company) {
	for _, t := range c.Tables {
		if !t.personalKey() {
			continue
		}
		refs, change := c.references(t)
		if change == Same {
			continue
		}
		for _, r := range t.Rows {
			if v.shell(v.Fates[r]) {
				v.rekey(r, refs, change)
			}
		}
	}
}

func (t *Table) personalKey() bool {
	if len(t.Key) != 1 || slices.ContainsFunc(t.Edges, func(e *Edge) bool { return slices.Contains(e.Columns, t.Key[0]) }) || t.Columns[t.At(t.Key[0])].Type != Text {
		return false
	}
	for _, column := range t.People {
		if column == t.Key[0] {
			return true
		}
	}
	return false
}

func (v *Verdict) shell(f *Fate) bool {
	erase := f.Row.Table.Rule.Erase
	return f.Owner == Owned && !f.Dies && !f.Kept && (f.Pinned || erase == "anonymise" || erase == "pseudonymise")
}

// reference is an edge and the table that has it.
type reference struct {
	t *Table
	e *Edge
}

// references are those to the key of a table, and what becomes of them: Same where one of them cannot change, Free where
// that depends on the engine.
func (c *Company) references(to *Table) ([]reference, Change) {
	var out []reference
	change := Changed
	for _, t := range c.Tables {
		for _, e := range t.Edges {
			if !e.Declared || e.To != to || !slices.Contains(e.ToColumns, to.Key[0]) {
				continue
			}
			column := e.Columns[0]
			if len(e.Columns) > 1 || t.Ignored || slices.Contains(t.Key, column) || c.referred(t, column) {
				return nil, Same
			}
			if len(t.Key) == 0 {
				change = Free
			}
			out = append(out, reference{t, e})
		}
	}
	return out, change
}

func (c *Company) referred(to *Table, column string) bool {
	return slices.ContainsFunc(c.Tables, func(t *Table) bool {
		return slices.ContainsFunc(t.Edges, func(e *Edge) bool { return e.To == to && slices.Contains(e.ToColumns, column) })
	})
}

// twice: a row has the key of this one in two places. That depends on the engine.
func (r *Row) twice(refs []reference) bool {
	for _, ref := range refs {
		for _, child := range ref.t.Rows {
			n := 0
			if child == r {
				n++
			}
			for _, other := range refs {
				if other.t == ref.t && child.set(other.e) && slices.Contains(child.parents(other.e), r) {
					n++
				}
			}
			if n > 1 {
				return true
			}
		}
	}
	return false
}

func (v *Verdict) rekey(r *Row, refs []reference, change Change) {
	if r.twice(refs) {
		change = Free
	}
	v.Fates[r].Cells[r.Table.At(r.Table.Key[0])] = change
	for _, ref := range refs {
		for _, child := range ref.t.Rows {
			f := v.Fates[child]
			if !f.Dies && child.set(ref.e) && slices.Contains(child.parents(ref.e), r) {
				f.Cells[ref.t.At(ref.e.Columns[0])] = change
			}
		}
	}
}
