package model

import "slices"

// cells says what must become of each cell of a row that stays.
func (v *Verdict) cells(f *Fate) {
	if f.Kept || f.Owner == Conflict {
		return
	}
	switch {
	case f.Owner == Nobody:
		v.othersCells(f)
	case f.Owner == CoOwned:
		v.sharedCells(f)
	default:
		v.ownCells(f)
	}
	v.breaks(f)
}

// breaks: every reference to a dying row loses one column.
func (v *Verdict) breaks(f *Fate) {
	r := f.Row
	for _, e := range r.Table.Edges {
		if e.Value || !slices.ContainsFunc(r.parents(e), func(p *Row) bool { return v.Fates[p].Dies }) {
			continue
		}
		if columns := breakable(r.Table, e); len(columns) > 0 {
			f.Cells[r.Table.At(columns[0])] = Nulled
		}
	}
}

// othersCells: in somebody else's row only the person's address, where it names them, and text that a rule redacts and that
// names the person.
func (v *Verdict) othersCells(f *Fate) {
	t := f.Row.Table
	for _, e := range t.Edges {
		if e.Value && e.Role == Mention && f.Row.set(e) && v.namesTheirs(f.Row.parents(e)) {
			f.Cells[t.At(e.Columns[0])] = Masked
		}
	}
	if t.Rule.Erase != "redact" {
		return
	}
	hit := slices.ContainsFunc(t.Rule.Columns, func(c string) bool { return v.Mentions(f.Row.Cell(c).S) })
	if hit {
		v.mask(f)
	}
}

// namesTheirs: some of the rows are the person's, and none of those is kept.
func (v *Verdict) namesTheirs(rows []*Row) bool {
	theirs := slices.DeleteFunc(slices.Clone(rows), func(r *Row) bool { return v.Fates[r].Owner == Nobody })
	return len(theirs) > 0 && !slices.ContainsFunc(theirs, func(r *Row) bool { return v.Fates[r].Kept })
}

func (v *Verdict) mask(f *Fate) {
	for _, c := range f.Row.Table.Rule.Columns {
		if cell := f.Row.Cell(c); !cell.Null && v.mayMask(cell.S) {
			f.Cells[f.Row.Table.At(c)] = Masked
		}
	}
}

// sharedCells: text the subject wrote goes whole, the person's spans go from what others wrote.
func (v *Verdict) sharedCells(f *Fate) {
	t := f.Row.Table
	if t.Rule.Erase != "redact" {
		for i, c := range t.Columns {
			if c.Type == Text && !t.refers(c.Name) && !slices.Contains(t.Key, c.Name) && !f.Row.Cells[i].Null {
				f.Cells[i] = Free
			}
		}
		return
	}
	if v.writer(f) == Nobody {
		v.mask(f)
		return
	}
	v.change(f, t.Rule.Columns)
}

// writer of a row's text: the subject, somebody else, or Conflict when that is not known.
func (v *Verdict) writer(f *Fate) Owner {
	for _, e := range f.Row.Table.Edges {
		if !e.Author {
			continue
		}
		if !f.Row.set(e) {
			return Conflict
		}
		for _, p := range f.Row.parents(e) {
			if v.Fates[p].Owner != Nobody {
				return Owned
			}
		}
		return Nobody
	}
	if f.Owner == Owned {
		return Owned
	}
	return Conflict
}

// ownCells: the listed columns, or when a row is pinned everything personal.
func (v *Verdict) ownCells(f *Fate) {
	t := f.Row.Table
	if f.Pinned || len(t.Rule.Columns) == 0 {
		v.change(f, t.personal())
		return
	}
	if t.Rule.Erase == "redact" && v.writer(f) == Nobody {
		v.mask(f)
		return
	}
	v.change(f, t.Rule.Columns)
}

func (v *Verdict) change(f *Fate, columns []string) {
	for _, c := range columns {
		at := f.Row.Table.At(c)
		switch {
		case f.Row.Cells[at].Null:
		case f.Row.Table.Columns[at].Type == Date:
			f.Cells[at] = Free // a text on one engine, a time on others
		default:
			f.Cells[at] = Changed
		}
	}
}

// personal columns: identities, and every text that is no key and no reference.
func (t *Table) personal() []string {
	var out []string
	for _, c := range t.Columns {
		identity := false
		for _, column := range t.People {
			identity = identity || column == c.Name
		}
		if slices.Contains(t.Key, c.Name) || t.refers(c.Name) {
			continue
		}
		if identity || c.Type != Int && !c.Business {
			out = append(out, c.Name)
		}
	}
	return out
}

// refers: the column is part of a reference by key. One that names a person by value is not.
func (t *Table) refers(column string) bool {
	return slices.ContainsFunc(t.Edges, func(e *Edge) bool { return !e.Value && slices.Contains(e.Columns, column) })
}
