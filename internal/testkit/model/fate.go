package model

import (
	"slices"
	"strings"
	"time"
)

// Change is what a cell must be afterwards.
type Change int

const (
	Same    Change = iota // exactly as before
	Nulled                // NULL
	Changed               // not as before; NULL counts
	Masked                // as before without the person
	Free                  // whatever the engine chose
)

// Fate of one row.
type Fate struct {
	Row    *Row
	Owner  Owner
	Kept   bool
	Pinned bool
	Dies   bool
	Cells  []Change // by column; only of rows that do not die
}

// Verdict is what must become of every row.
type Verdict struct {
	Fates   map[*Row]*Fate
	Matched int
	// Identities that are the people's alone, folded: they may remain in kept rows only.
	Identities []string
	Names      []string
	// Conflicts counts rows whose owner is contradictory; one makes the result incomplete.
	Conflicts int
}

// Judge applies the rules to a company that answers an erasure.
func Judge(c *Company, q Question) *Verdict {
	w := newWhose(c, q)
	v := &Verdict{Fates: map[*Row]*Fate{}, Matched: w.matched}
	for _, t := range c.Tables {
		for _, r := range t.Rows {
			f := &Fate{Row: r, Owner: w.owner(r), Cells: make([]Change, len(t.Columns))}
			f.Kept = v.keeps(c, q, f)
			v.Fates[r] = f
			if f.Owner == Conflict {
				v.Conflicts++
			}
		}
	}
	v.collect(c, q, w)
	for v.keepParts() {
	}
	v.settle()
	for v.pin() || c.EachRow && v.circles() {
		v.settle()
	}
	for _, f := range v.Fates {
		if !f.Dies {
			v.cells(f)
		}
	}
	v.rekeys(c)
	return v
}

// keeps: a hold, else a keep rule whose date has not passed. No date never ends a duty.
func (v *Verdict) keeps(c *Company, q Question, f *Fate) bool {
	t := f.Row.Table
	if f.Owner != Owned && f.Owner != CoOwned {
		return false
	}
	for _, h := range q.Holds {
		if h.System == t.System && (h.Dataset == "" || h.Dataset == t.Name) {
			return true
		}
	}
	if t.Rule.Erase != "keep" {
		return false
	}
	if t.Rule.After == "" {
		return true
	}
	cell := f.Row.Cell(t.Rule.After)
	from, err := time.Parse(time.DateOnly, cell.S)
	if cell.Null || err != nil {
		return true
	}
	return !from.AddDate(t.Rule.Years, 0, 0).Before(c.Today.Truncate(24 * time.Hour))
}

// keepParts: what hangs on a kept row, and has no rule of its own, is part of it.
func (v *Verdict) keepParts() bool {
	changed := false
	for r, f := range v.Fates {
		if f.Kept || r.Table.Rule.Erase != "" || f.Owner != Owned && f.Owner != CoOwned {
			continue
		}
		for _, e := range judged(r) {
			if e.To.People != nil || e.Role != Own && e.Role != Inherit {
				continue
			}
			for _, p := range r.parents(e) {
				if v.Fates[p].Kept {
					f.Kept, changed = true, true
				}
			}
		}
	}
	return changed
}

// settle says who dies: rows of the subject alone that nothing keeps.
func (v *Verdict) settle() {
	for r, f := range v.Fates {
		erase := r.Table.Rule.Erase
		f.Dies = f.Owner == Owned && !f.Kept && !f.Pinned && (erase == "" || erase == "delete" || erase == "keep")
	}
}

// pin demotes dying rows that a surviving row cannot let go of.
func (v *Verdict) pin() bool {
	changed := false
	for r, f := range v.Fates {
		if f.Dies {
			continue
		}
		for _, e := range r.Table.Edges {
			if e.Value || !v.holdsOn(f, e) {
				continue
			}
			for _, p := range r.parents(e) {
				if v.Fates[p].Dies && !v.Fates[p].Pinned {
					v.Fates[p].Pinned, changed = true, true
				}
			}
		}
	}
	return changed
}

// circles pins dying rows that come back to themselves by declared references that cannot be NULL.
func (v *Verdict) circles() bool {
	changed := false
	for r, f := range v.Fates {
		if f.Dies && v.reaches(r, r, map[*Row]bool{}) {
			f.Pinned, changed = true, true
		}
	}
	return changed
}

func (v *Verdict) reaches(from, to *Row, seen map[*Row]bool) bool {
	for _, e := range from.Table.Edges {
		if !e.Declared || len(breakable(from.Table, e)) > 0 {
			continue
		}
		for _, p := range from.parents(e) {
			if !v.Fates[p].Dies {
				continue
			}
			if p == to {
				return true
			}
			if !seen[p] {
				seen[p] = true
				if v.reaches(p, to, seen) {
					return true
				}
			}
		}
	}
	return false
}

func (v *Verdict) holdsOn(f *Fate, e *Edge) bool {
	if f.Kept || f.Owner == Conflict || f.Owner == Nobody && e.Role != Mention {
		return true
	}
	return len(breakable(f.Row.Table, e)) == 0
}

// breakable are the columns of which one may be set to NULL to break the edge.
func breakable(t *Table, e *Edge) []string {
	var out []string
	for _, c := range e.Columns {
		shared := slices.ContainsFunc(t.Edges, func(o *Edge) bool {
			return o != e && slices.Contains(o.Columns, c) && !slices.Equal(o.Columns, e.Columns)
		})
		if t.nullable(c) && !shared {
			out = append(out, c)
		}
	}
	return out
}

func (t *Table) nullable(column string) bool {
	if t.Columns[t.At(column)].NotNull || slices.Contains(t.Key, column) {
		return false
	}
	return !slices.ContainsFunc(t.Checks, func(c Check) bool { return c.Null && slices.Contains(c.Columns, column) })
}

// collect gathers what identifies the people in text.
func (v *Verdict) collect(c *Company, q Question, w *whose) {
	add := func(s string) {
		if s = folded(s); len(s) >= 6 && !slices.Contains(v.Identities, s) {
			v.Identities = append(v.Identities, s)
		}
	}
	for _, id := range q.Identities {
		add(id.Value)
	}
	for r := range w.reached {
		for _, id := range identitiesOf(r.Table, r) {
			add(id.Value)
		}
		if at := r.Table.At(NameColumn); at >= 0 && r.Table.People != nil && !r.Cells[at].Null {
			v.Names = append(v.Names, strings.Fields(folded(r.Cells[at].S))...)
		}
	}
}

// Mentions reports whether a text names the person by an identity that is theirs alone.
func (v *Verdict) Mentions(s string) bool {
	s = folded(s)
	return slices.ContainsFunc(v.Identities, func(id string) bool { return strings.Contains(s, id) })
}

func (v *Verdict) mayMask(s string) bool {
	s = folded(s)
	return v.Mentions(s) || slices.ContainsFunc(v.Names, func(n string) bool { return strings.Contains(s, n) })
}
