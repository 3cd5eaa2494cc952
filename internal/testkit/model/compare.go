package model

import (
	"fmt"
	"slices"
	"strings"
)

// Snapshot is the rows of tables as they are now, by table ID.
type Snapshot map[string][]*Row

// Differences is how many Compare reports before it stops.
const Differences = 12

// Compare holds the stores after a completed erasure against the verdict. Every row that must be
// gone is gone, every other is there with every cell as it must be, and no row has come.
func (v *Verdict) Compare(c *Company, after Snapshot) []string {
	var out []string
	for _, t := range c.Tables {
		out = append(out, v.compareTable(t, after[t.ID()])...)
		if len(out) >= Differences {
			return out[:Differences]
		}
	}
	return append(out, dangling(c, after)...)
}

// Others compares only what is wholly somebody else's: by this verdict and by an earlier one, or by this one for rows
// that are new or are the given row. They are there, and nothing in them changed but what either verdict allows.
func (v *Verdict) Others(c *Company, after Snapshot, earlier *Verdict, given *Row) []string {
	var out []string
	for _, t := range c.Tables {
		now := map[string]*Row{}
		for _, r := range after[t.ID()] {
			now[r.Mark()] = r
		}
		for _, r := range t.Rows {
			f, is := v.Fates[r], now[r.Mark()]
			if f.Owner != Nobody {
				continue
			}
			e := earlier.Fates[r]
			if e == nil || r == given {
				e = f // nobody may change it for what it was
			}
			if e.Owner != Nobody {
				continue
			}
			if is == nil {
				out = append(out, f.String()+": is gone")
				continue
			}
			out = append(out, v.compareRow(mild(f, e), is)...)
		}
	}
	return append(out, dangling(c, after)...)
}

// Touched are the rows that an erasure deletes or changes, in the company's order.
func (v *Verdict) Touched(c *Company) []*Row {
	var out []*Row
	for _, t := range c.Tables {
		for _, r := range t.Rows {
			if f := v.Fates[r]; f.Dies || slices.ContainsFunc(f.Cells, func(c Change) bool { return c != Same }) {
				out = append(out, r)
			}
		}
	}
	return out
}

// mild leaves free what either of two verdicts changes.
func mild(a, b *Fate) *Fate {
	out := *a
	out.Cells = slices.Clone(a.Cells)
	for i := range out.Cells {
		if out.Cells[i] != Same || b.Cells != nil && b.Cells[i] != Same {
			out.Cells[i] = Free
		}
	}
	return &out
}

func (v *Verdict) compareTable(t *Table, rows []*Row) []string {
	var out []string
	now := map[string]*Row{}
	for _, r := range rows {
		now[r.Mark()] = r
	}
	for _, r := range t.Rows {
		f, is := v.Fates[r], now[r.Mark()]
		if is == nil && !f.Dies {
			is = v.renamed(f, now)
		}
		if is != nil {
			delete(now, is.Mark())
		}
		switch {
		case f.Dies && is != nil:
			out = append(out, f.String()+": must be gone, is still there")
		case !f.Dies && is == nil:
			out = append(out, f.String()+": must stay, is gone")
		case is != nil:
			out = append(out, v.compareRow(f, is)...)
		}
	}
	for _, r := range now {
		out = append(out, fmt.Sprintf("%s: a row that was not there before: %v", t.ID(), r.Cells))
	}
	return out
}

// renamed finds a row by what must not change in it, where what tells it from others must.
func (v *Verdict) renamed(f *Fate, now map[string]*Row) *Row {
	t := f.Row.Table
	return t.renamed(now, func(c string) bool { return f.Cells != nil && f.Cells[t.At(c)] != Same }, func(is *Row) bool { return len(v.compareRow(f, is)) == 0 })
}

func (t *Table) renamed(now map[string]*Row, changes func(column string) bool, fits func(*Row) bool) *Row {
	if !slices.ContainsFunc(t.Mark, changes) {
		return nil
	}
	for _, is := range now {
		if !slices.ContainsFunc(t.Rows, func(r *Row) bool { return r.Mark() == is.Mark() }) && fits(is) {
			return is
		}
	}
	return nil
}

func (v *Verdict) compareRow(f *Fate, is *Row) []string {
	var out []string
	for i, c := range f.Row.Table.Columns {
		if why := v.wrong(f.Cells[i], f.Row.Cells[i], is.Cells[i]); why != "" {
			out = append(out, fmt.Sprintf("%s: %q %s: was %s, is %s", f, c.Name, why, f.Row.Cells[i], is.Cells[i]))
		}
	}
	return out
}

// wrong says why a cell is not what it must be, "" when it is.
func (v *Verdict) wrong(want Change, was, is Cell) string {
	switch want {
	case Same:
		if was != is {
			return "must not change"
		}
	case Nulled:
		if !is.Null {
			return "must be NULL"
		}
	case Changed:
		if was == is || v.Mentions(is.S) {
			return "must change"
		}
	case Masked:
		if v.Mentions(is.S) || v.Mentions(was.S) && was == is {
			return "must be masked"
		}
	}
	return ""
}

// String is the row and its fate, for messages of failed tests.
func (f *Fate) String() string {
	what := []string{"somebody else's", "owned", "co-owned", "conflict"}[f.Owner]
	if f.Kept {
		what += ", kept"
	}
	if f.Pinned {
		what += ", pinned"
	}
	return fmt.Sprintf("%s[%s] (%s)", f.Row.Table.ID(), strings.ReplaceAll(strings.TrimSuffix(f.Row.Mark(), "\x00"), "\x00", "/"), what)
}

// String is the value, for messages.
func (c Cell) String() string {
	if c.Null {
		return "NULL"
	}
	return fmt.Sprintf("%.60q", c.S)
}

// dangling finds references that the database promised and that now point at nothing.
func dangling(c *Company, after Snapshot) []string {
	var out []string
	for _, t := range c.Tables {
		for _, e := range t.Edges {
			if e.Declared {
				out = append(out, danglingEdge(t, e, after)...)
			}
		}
	}
	return out
}

func danglingEdge(t *Table, e *Edge, after Snapshot) []string {
	var out []string
	for _, r := range after[t.ID()] {
		mine, ok := r.tuple(e.Columns)
		if ok && !slices.ContainsFunc(after[e.To.ID()], func(p *Row) bool { theirs, ok := p.tuple(e.ToColumns); return ok && slices.Equal(mine, theirs) }) {
			out = append(out, fmt.Sprintf("%s%v refers to nothing in %s", t.ID(), mine, e.To.ID()))
		}
	}
	return out
}

// Residue lists cells that still hold an identity of the people and belong to no kept row: with one,
// a result must not be complete.
func (v *Verdict) Residue(c *Company, after Snapshot) []string {
	var out []string
	for _, t := range c.Tables {
		kept := map[string]bool{}
		for _, r := range t.Rows {
			kept[r.Mark()] = v.Fates[r].Kept
		}
		for _, r := range after[t.ID()] {
			for i, cell := range r.Cells {
				if t.Columns[i].Type == Text && !kept[r.Mark()] && !t.Ignored && v.Mentions(cell.S) {
					out = append(out, fmt.Sprintf("%s.%q of row %q", t.ID(), t.Columns[i].Name, r.Mark()))
				}
			}
		}
	}
	return out
}
