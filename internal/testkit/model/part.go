package model

import (
	"fmt"
	"slices"
)

// Part is what an erasure of some categories must do, and what it must leave. It goes by the categories that the company says
// its columns are of (Column.Category), and by these rules:
//
//   - In a row of the people alone, which no hold and no rule keeps, every cell of a category asked for goes: it is NULL or
//     another value. Not so what refers to a row by its key or says which kind of row that is, the date that a
//     time to keep counts from, and columns that a rule to null, redact or anonymise does not list.
//   - A key goes where every reference to it can follow. Where it cannot it stays, and the erasure is not complete.
//   - A row goes only where all it says was asked for. The rows of a company here say more, a number at least: none goes.
//   - In a row that is also somebody else's, of what the erasure of all changes or masks only what was asked for.
//   - Nothing else changes: no row of others, no kept row, no other cell.
type Part struct {
	c     *Company
	v     *Verdict // of the erasure of all: whose rows are, and what is kept
	asked []string
}

// JudgePart applies the rules to a company that answers an erasure of categories.
func JudgePart(c *Company, q Question, categories []string) *Part {
	return &Part{c: c, v: Judge(c, q), asked: categories}
}

func removes(erase string) bool { return erase == "" || erase == "delete" || erase == "keep" }

func (p *Part) touches(f *Fate) bool {
	return !f.Kept && (f.Owner == Owned || f.Owner == CoOwned)
}

func (p *Part) asks(c Column) bool { return c.Category != "" && slices.Contains(p.asked, c.Category) }

// leads: the column refers to a row by its key, or says which kind of row another one refers to.
func (t *Table) leads(column string) bool {
	return slices.ContainsFunc(t.Edges, func(e *Edge) bool {
		_, when := e.When[column]
		return !e.Value && (slices.Contains(e.Columns, column) || when)
	})
}

// cell says what must become of a cell.
func (p *Part) cell(f *Fate, at int) Change {
	t, r := f.Row.Table, f.Row
	c := t.Columns[at]
	switch {
	case p.follows(r, c.Name):
		return Free
	case !p.touches(f) || !p.asks(c) || r.Cells[at].Null || t.leads(c.Name) || c.Name == t.Rule.After:
		return Same
	case f.Owner == CoOwned:
		return f.Cells[at]
	case len(t.Rule.Columns) > 0 && !removes(t.Rule.Erase) && !slices.Contains(t.Rule.Columns, c.Name):
		return Same
	case slices.Contains(t.Key, c.Name):
		return p.key(r, c.Name)
	case t.Rule.Erase == "redact" && p.v.writer(f) == Nobody:
		return Masked
	}
	return Changed
}

// key says what becomes of a key that was asked for.
func (p *Part) key(r *Row, column string) Change {
	if !slices.Contains(r.Table.parts(p.c), column) {
		return Same
	}
	return p.c.copies(r.Table, column).change(p.c)
}

// follows: the cell repeats a key that may become another.
func (p *Part) follows(r *Row, column string) bool {
	for _, t := range p.c.Tables {
		for _, part := range t.parts(p.c) {
			if !p.asks(t.Columns[t.At(part)]) || !slices.Contains(p.c.copies(t, part).of[r.Table], column) {
				continue
			}
			if slices.ContainsFunc(t.Rows, func(to *Row) bool { return p.touches(p.v.Fates[to]) && to.Cell(part) == r.Cell(column) }) {
				return true
			}
		}
	}
	return false
}

// Compare holds the stores after the erasure against the rules.
func (p *Part) Compare(after Snapshot) []string {
	var out []string
	for _, t := range p.c.Tables {
		now := map[string]*Row{}
		for _, r := range after[t.ID()] {
			now[r.Mark()] = r
		}
		if len(now) > len(t.Rows) {
			out = append(out, t.ID()+": has more rows than before")
		}
		for _, r := range t.Rows {
			is := now[r.Mark()]
			if is == nil {
				is = t.renamed(now, func(c string) bool { return p.cell(p.v.Fates[r], t.At(c)) != Same }, func(is *Row) bool { return len(p.compareRow(r, is)) == 0 })
			}
			out = append(out, p.compareRow(r, is)...)
		}
	}
	return append(out[:min(len(out), Differences)], dangling(p.c, after)...)
}

func (p *Part) compareRow(r, is *Row) []string {
	f := p.v.Fates[r]
	switch {
	case is == nil:
		return []string{f.String() + ": must stay, is gone"}
	case f.Owner == Conflict:
		return nil
	}
	var out []string
	for i, c := range r.Table.Columns {
		if why := p.v.wrong(p.cell(f, i), r.Cells[i], is.Cells[i]); why != "" {
			out = append(out, fmt.Sprintf("%s: %q of category %q %s: was %s, is %s", f, c.Name, c.Category, why, r.Cells[i], is.Cells[i]))
		}
	}
	return out
}

// Left lists the cells of the people alone that were asked for, that no rule and no hold keeps, and that are as they were: with
// one, an erasure is not complete.
func (p *Part) Left(after Snapshot) []string {
	var out []string
	for _, t := range p.c.Tables {
		for _, is := range after[t.ID()] {
			i := slices.IndexFunc(t.Rows, func(r *Row) bool { return r.Mark() == is.Mark() })
			if i < 0 {
				continue
			}
			r := t.Rows[i]
			f := p.v.Fates[r]
			listed := func(c string) bool {
				return len(t.Rule.Columns) == 0 || removes(t.Rule.Erase) || slices.Contains(t.Rule.Columns, c)
			}
			for at, c := range t.Columns {
				if f.Owner == Owned && !f.Kept && p.asks(c) && listed(c.Name) && !t.leads(c.Name) && c.Name != t.Rule.After && !r.Cells[at].Null && r.Cells[at] == is.Cells[at] {
					out = append(out, fmt.Sprintf("%s.%q of row %q", t.ID(), c.Name, r.Mark()))
				}
			}
		}
	}
	return out
}
