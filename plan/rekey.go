package plan

import (
	"fmt"
	"slices"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/pii"
)

// A row that must stay, and whose primary key is, or holds, the identity itself, gets another key, and whatever repeats it by
// a declared key gets it too, in one transaction behind everything else: as long as the row has its old key it is the thread
// back in after a crash.

// handles are the parts of a dataset's primary key that identify the person.
func handles(d *catalog.Dataset) []string {
	var out []string
	for _, c := range d.Table.Primary {
		if col := d.Table.Column(c); isBy(d, c) && col != nil && col.Kind == connector.Text {
			out = append(out, c)
		}
	}
	return out
}

// personalKey: the address of the row is what identifies the person, as an address or a login does. What was made at random
// for the row says as little of them as a number.
func (w *walk) personalKey(s *rowset, r *record) bool {
	return slices.ContainsFunc(s.values(r, handles(s.d)), func(v connector.Value) bool { return !pii.IsRandom(v.S) })
}

// getsKey: the decision gives the row another key.
func getsKey(d *catalog.Dataset, fields []string) bool { return len(within(handles(d), fields)) > 0 }

// holders are the references by which rows of a system repeat the handles of a dataset: its children's, and those of rows
// below them whose keys refer to what the children repeat.
type holders struct {
	d     *catalog.Dataset
	parts []string        // the handles
	refs  []*catalog.Edge // from the columns that repeat to those of d that are repeated
	fixed bool            // the key, or one of them, cannot be given another value
}

func newHolders(d *catalog.Dataset) *holders {
	h := &holders{d: d, parts: handles(d)}
	if len(h.parts) == 0 {
		return h
	}
	h.below(d, func(column string) string { return column })
	t := d.Table
	h.fixed = t.Versioned && !t.Rights.DeleteHistory || slices.ContainsFunc(h.parts, func(c string) bool { return isReference(d, c) || t.Column(c).Generated }) ||
		slices.ContainsFunc(h.refs, func(e *catalog.Edge) bool { return !h.canFollow(e) })
	return h
}

// isReference: the column is part of an edge to something else.
func isReference(d *catalog.Dataset, column string) bool {
	return slices.ContainsFunc(d.Out, func(e *catalog.Edge) bool { return slices.Contains(e.ChildColumns, column) })
}

// below adds the keys that refer to a dataset by columns that repeat some of d; of gives which, "" for none.
func (h *holders) below(parent *catalog.Dataset, of func(column string) string) {
	for _, e := range parent.In {
		if e.FK == nil {
			continue
		}
		ref := &catalog.Edge{Child: e.Child, Parent: h.d, FK: e.FK}
		for i, c := range e.ParentColumns {
			if repeated := of(c); repeated != "" {
				ref.ChildColumns, ref.ParentColumns = append(ref.ChildColumns, e.ChildColumns[i]), append(ref.ParentColumns, repeated)
			}
		}
		if len(within(h.parts, ref.ParentColumns)) == 0 || slices.ContainsFunc(h.refs, func(o *catalog.Edge) bool { return sameEnds(o, ref) }) {
			continue
		}
		h.refs = append(h.refs, ref)
		h.below(e.Child, func(column string) string { return repeats(ref, column) })
	}
}

func sameEnds(a, b *catalog.Edge) bool {
	return a.Child == b.Child && slices.Equal(a.ChildColumns, b.ChildColumns) && slices.Equal(a.ParentColumns, b.ParentColumns)
}

// repeats is the parent's column that a child's repeats, "" for none.
func repeats(e *catalog.Edge, column string) string {
	if i := slices.Index(e.ChildColumns, column); i >= 0 {
		return e.ParentColumns[i]
	}
	return ""
}

// canFollow: rows can be given another value there, all of them are found by it, and their address tells which.
func (h *holders) canFollow(e *catalog.Edge) bool {
	t := e.Child.Table
	if e.Child.Ignored || t.Versioned && !t.Rights.DeleteHistory || t.NoRollback || t.Locator.Moves || !t.Rights.Update || !t.Rights.Select || t.RowSecurity {
		return false
	}
	if !tellsRow(h.d.Table, e.ParentColumns) {
		return false
	}
	address := within(e.ChildColumns, t.Locator.Columns)
	for i, c := range e.ChildColumns {
		col := t.Column(c)
		if col == nil || col.Generated {
			return false
		}
		if slices.Contains(h.parts, e.ParentColumns[i]) && (!h.free(e.Child, c, e.ParentColumns[i]) || slices.Contains(address, c) && len(address) < len(e.ChildColumns)) {
			return false
		}
	}
	return true
}

// tellsRow: no two rows of the table have the same values there.
func tellsRow(t *connector.Table, columns []string) bool {
	has := func(key []string) bool { return len(key) > 0 && len(within(key, columns)) == len(key) }
	return has(t.Primary) || slices.ContainsFunc(t.Uniques, func(u connector.Unique) bool { return !u.Partial && has(u.Columns) })
}

// free: when the column follows the part, whatever else the column is a key for follows it too.
func (h *holders) free(d *catalog.Dataset, column, part string) bool {
	for _, e := range d.Out {
		i := slices.Index(e.ChildColumns, column)
		if e.FK == nil || i < 0 || e.Parent == h.d && e.ParentColumns[i] == part {
			continue
		}
		if !slices.ContainsFunc(h.refs, func(o *catalog.Edge) bool { return o.Child == e.Parent && repeats(o, e.ParentColumns[i]) == part }) {
			return false
		}
	}
	return !slices.ContainsFunc(d.In, func(e *catalog.Edge) bool { return e.FK == nil && slices.Contains(e.ParentColumns, column) })
}

// canRekey: every reference to the key is one that can be given another value, where we see it.
func (w *walk) canRekey(d *catalog.Dataset) bool {
	h := w.l.holders(d)
	return len(h.parts) > 0 && !h.fixed && !w.blind[d]
}

// canRekeyRow: where key and references change in one statement, no row can be changed twice by it.
func (w *walk) canRekeyRow(s *rowset, r *record) bool {
	return w.canRekey(s.d) && w.personalKey(s, r) && !w.twice[s.d][s.values(r, s.d.Table.Primary).Encode()]
}

// newKey adds the parts of the primary key that identify to what changes in a row, where they can be others.
func (w *walk) newKey(s *rowset, r *record, fields []string) []string {
	if w.canRekeyRow(s, r) {
		return append(fields, w.l.holders(s.d).parts...)
	}
	return fields
}

// keepsKey: a row that is anonymised keeps a key that identifies, for neither it nor a row whose key it repeats gets another.
func (w *walk) keepsKey(s *rowset, r *record, dec decision) bool {
	if dec.method != catalog.Anonymise && dec.method != catalog.Pseudonymise || !w.personalKey(s, r) || !w.keyGoes(s.d) || getsKey(s.d, dec.fields) {
		return false
	}
	for _, d := range w.g.Datasets {
		if w.sets[d] == nil || !w.canRekey(d) {
			continue
		}
		for _, e := range w.l.holders(d).refs {
			parts := handles(s.d)
			if e.Child == s.d && len(within(parts, e.ChildColumns)) == len(parts) && slices.ContainsFunc(w.parents(s, r, e), func(p *record) bool { return w.rekeysRow(w.sets[d], p) }) {
				return false
			}
		}
	}
	return true
}

func (w *walk) rekeysRow(s *rowset, r *record) bool {
	w.finish(s, r)
	dec, ok := w.decide(s, r)
	return ok && getsKey(s.d, dec.fields)
}

// findTwice finds the keys that one row has in two places: it refers to the row twice, or to itself.
func (w *walk) findTwice() {
	w.twice = map[*catalog.Dataset]map[string]bool{}
	for _, d := range w.order() {
		if engineOf(w.g, d.System) != "postgres" || !w.canRekey(d) {
			continue
		}
		by := map[*catalog.Dataset][]*catalog.Edge{}
		for _, e := range w.l.holders(d).refs {
			by[e.Child] = append(by[e.Child], e)
		}
		w.twice[d] = map[string]bool{}
		for child, edges := range by {
			if set := w.sets[child]; set != nil && (len(edges) > 1 || child == d) {
				set.every(func(r *record) { w.findTwiceIn(set, r, d, edges) })
			}
		}
	}
}

func (w *walk) findTwiceIn(set *rowset, r *record, d *catalog.Dataset, edges []*catalog.Edge) {
	var has []string
	if set.d == d {
		has = append(has, set.values(r, d.Table.Primary).Encode())
	}
	for _, e := range edges {
		for _, p := range w.parents(set, r, e) {
			if enc := w.sets[d].values(p, d.Table.Primary).Encode(); slices.Contains(has, enc) {
				w.twice[d][enc] = true
			} else {
				has = append(has, enc)
			}
		}
	}
}

// rekeyWarnings tell whose references change with a key.
func (w *walk) rekeyWarnings(p *Plan, groups []*group) error {
	for _, g := range groups {
		if !getsKey(g.d, g.decision.fields) {
			continue
		}
		for _, e := range w.l.holders(g.d).refs {
			set, n := w.sets[e.Child], int64(0)
			if set == nil {
				continue
			}
			err := set.each(func(r *record) error {
				w.finish(set, r)
				if !w.dies(set, r) && len(w.parents(set, r, e)) > 0 {
					n++
				}
				return nil
			})
			if err != nil {
				return err
			}
			if n > 0 {
				p.Warnings = append(p.Warnings, Warning{System: e.Child.System, Dataset: e.Child.Name, Code: "rekey",
					Message: fmt.Sprintf("the key of %s is the identity: it gets another, and %d rows here refer to that", g.d.Name, n)})
			}
		}
	}
	return nil
}
