package plan

import (
	"fmt"
	"slices"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/pii"
)

// A row that must stay, and whose primary key is, or holds, the identity itself, gets another key, and whatever repeats it by
// a declared key, or by a link within its system, gets it too, in one transaction behind everything else: as long as the row has
// its old key it is the thread back in after a crash. So does a row whose address is a key beside the primary one, to which others
// refer. A declared key that cannot follow keeps all as it is; a link that cannot is cut, and the sweep names what stays.

// handles are the columns by which others may hold a row and that erasure changes: the parts of the primary key that
// identify, and what else is referred to and is personal, or what the rule names.
func handles(d *catalog.Dataset) []string {
	var out []string
	for _, c := range d.Table.Columns {
		if isHandle(d, c) {
			out = append(out, c.Name)
		}
	}
	return out
}

func isHandle(d *catalog.Dataset, c connector.Column) bool {
	if slices.Contains(d.Table.Primary, c.Name) {
		return isBy(d, c.Name) && c.Kind == connector.Text
	}
	referred := slices.ContainsFunc(d.In, func(e *catalog.Edge) bool { return repeatable(e) && slices.Contains(e.ParentColumns, c.Name) })
	if !referred || c.Generated || isEdgeColumn(d, c.Name) {
		return false
	}
	return catalog.IsPersonal(d.Table, c, isBy(d, c.Name)) || d.Rule != nil && slices.Contains(d.Rule.Columns, c.Name)
}

// keyOf are the columns that tell a row of the dataset, nil where only its place or its content does.
func keyOf(d *catalog.Dataset) []string {
	if len(d.Table.Primary) == 0 && d.Table.Locator.Kind == connector.ByUnique {
		return d.Table.Locator.Columns
	}
	return d.Table.Primary
}

// holders are the references by which rows of a system repeat handles of a dataset: its children's, and those of rows below
// them whose keys refer to what the children repeat.
type holders struct {
	d     *catalog.Dataset
	parts []string        // the handles
	refs  []*catalog.Edge // from the columns that repeat to those of d that are repeated
	fixed bool            // the handles, or one of the references, cannot be given another value
}

// allHolders are those of the primary key, and of each other handle.
func allHolders(d *catalog.Dataset) []*holders {
	out := []*holders{}
	parts := handles(d)
	if key := within(parts, d.Table.Primary); len(key) > 0 {
		out = append(out, newHolders(d, key))
	}
	for _, c := range parts {
		if !slices.Contains(d.Table.Primary, c) {
			out = append(out, newHolders(d, []string{c}))
		}
	}
	return out
}

func newHolders(d *catalog.Dataset, parts []string) *holders {
	h := &holders{d: d, parts: parts}
	h.below(d, func(column string) string { return column })
	t := d.Table
	h.fixed = len(keyOf(d)) == 0 || t.Versioned && !t.Rights.DeleteHistory || slices.ContainsFunc(h.parts, func(c string) bool { return isReference(d, c) || t.Column(c).Generated }) ||
		slices.ContainsFunc(h.refs, func(e *catalog.Edge) bool { return !h.canFollow(e) })
	return h
}

// isReference: the column is part of an edge to something else.
func isReference(d *catalog.Dataset, column string) bool {
	return slices.ContainsFunc(d.Out, func(e *catalog.Edge) bool { return slices.Contains(e.ChildColumns, column) })
}

// repeatable: the reference is a key of the same system, which a database declares or ombud.yaml says.
func repeatable(e *catalog.Edge) bool {
	return e.FK != nil || !e.Value && len(e.When()) == 0 && e.Child.System == e.Parent.System
}

// below adds the keys that refer to a dataset by columns that repeat some of d; of gives which, "" for none.
func (h *holders) below(parent *catalog.Dataset, of func(column string) string) {
	for _, e := range parent.In {
		if !repeatable(e) {
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
		if ref.FK == nil && !h.canFollow(ref) {
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
		if slices.Contains(h.parts, e.ParentColumns[i]) && (narrower(col, h.d.Table.Column(e.ParentColumns[i])) || !h.free(e.Child, c, e.ParentColumns[i]) || slices.Contains(address, c) && len(address) < len(e.ChildColumns)) {
			return false
		}
	}
	return true
}

// longKey is as many characters as a new key may have.
const longKey = 64

// narrower: a new key may fit into the one column and not into the other that repeats it.
func narrower(c, repeated *connector.Column) bool {
	return c.Length > 0 && c.Length < longKey && (repeated.Length == 0 || c.Length < repeated.Length)
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
	return !slices.ContainsFunc(d.In, func(e *catalog.Edge) bool { return !repeatable(e) && slices.Contains(e.ParentColumns, column) })
}

// allHandles are the handles of a dataset.
func (w *walk) allHandles(d *catalog.Dataset) []string {
	var out []string
	for _, h := range w.l.holders(d) {
		out = append(out, h.parts...)
	}
	return out
}

// canRekey: every reference to the handles is one that can be given another value, where we see it.
func (w *walk) canRekey(h *holders) bool { return !h.fixed && !w.blind[h.d] }

// personalKey: the primary key of the row is what identifies the person, as an address or a login does. What was made at random
// for the row, or by an earlier run, says as little of them as a number.
func personalKey(s *rowset, r *record) bool {
	return slices.ContainsFunc(s.values(r, within(handles(s.d), s.d.Table.Primary)), func(v connector.Value) bool { return !pii.IsRandom(v.S) && !isTombstone(v.S) })
}

// moving are the handles of a row that can become others.
func (w *walk) moving(s *rowset, r *record) []string {
	var out []string
	for _, h := range w.l.holders(s.d) {
		isKey := slices.Contains(s.d.Table.Primary, h.parts[0])
		if w.canRekey(h) && (!isKey || personalKey(s, r)) {
			out = append(out, h.parts...)
		}
	}
	return out
}

// getsKey: the decision gives the row another key.
func (w *walk) getsKey(d *catalog.Dataset, fields []string) bool {
	return len(within(w.allHandles(d), fields)) > 0
}

// movesKey: the row has a key that the decision can change.
func (w *walk) movesKey(s *rowset, r *record, fields []string) bool {
	return slices.ContainsFunc(within(w.moving(s, r), fields), func(c string) bool { return !r.cells[s.at[c]].IsNull() })
}

// repeaters are the references that follow when some columns of a dataset change.
func (w *walk) repeaters(d *catalog.Dataset, fields []string) []*catalog.Edge {
	var out []*catalog.Edge
	for _, h := range w.l.holders(d) {
		for _, e := range h.refs {
			if len(within(h.parts, fields)) > 0 && !slices.ContainsFunc(out, func(o *catalog.Edge) bool { return sameEnds(o, e) }) {
				out = append(out, e)
			}
		}
	}
	return out
}

// newKey adds the parts of the primary key that identify to what changes in a row, and leaves out what cannot be another.
func (w *walk) newKey(s *rowset, r *record, fields []string) []string {
	parts := w.allHandles(s.d)
	if len(parts) == 0 {
		return fields
	}
	moving := w.moving(s, r)
	fields = slices.DeleteFunc(fields, func(c string) bool { return slices.Contains(parts, c) && !slices.Contains(moving, c) })
	return append(fields, within(moving, s.d.Table.Primary)...)
}

// handlesAsked are the handles of a row that its erasure is about.
func (w *walk) handlesAsked(s *rowset, r *record) []string {
	parts := w.allHandles(s.d)
	if len(parts) > 0 && !personalKey(s, r) {
		parts = slices.DeleteFunc(parts, func(c string) bool { return slices.Contains(s.d.Table.Primary, c) })
	}
	switch {
	case w.q.Limit != nil:
		return within(parts, w.limits(s.d).fields)
	case s.d.Rule == nil || len(s.d.Rule.Columns) == 0 || w.isPinned(s, r):
		return parts
	}
	return within(parts, append(slices.Clone(s.d.Table.Primary), s.d.Rule.Columns...))
}

// keepsKey: a row that is anonymised keeps a handle, for neither it nor a row that it repeats gets another.
func (w *walk) keepsKey(s *rowset, r *record, dec decision) bool {
	if dec.method != catalog.Anonymise && dec.method != catalog.Pseudonymise {
		return false
	}
	stays := slices.DeleteFunc(slices.Clone(w.handlesAsked(s, r)), func(c string) bool { return slices.Contains(dec.fields, c) || r.cells[s.at[c]].IsNull() })
	return len(stays) > 0 && !slices.ContainsFunc(w.g.Datasets, func(d *catalog.Dataset) bool {
		return w.sets[d] != nil && slices.ContainsFunc(w.l.holders(d), func(h *holders) bool { return w.canRekey(h) && w.repeatsMoving(s, r, h, stays) })
	})
}

// repeatsMoving: the row repeats in these columns the handles of a row that gets others.
func (w *walk) repeatsMoving(s *rowset, r *record, h *holders, columns []string) bool {
	ps := w.sets[h.d]
	return slices.ContainsFunc(h.refs, func(e *catalog.Edge) bool {
		return e.Child == s.d && len(within(columns, e.ChildColumns)) == len(columns) && slices.ContainsFunc(w.parents(s, r, e), func(p *record) bool {
			w.finish(ps, p)
			dec, ok := w.decide(ps, p)
			return ok && len(within(h.parts, dec.fields)) > 0
		})
	})
}

// rekeyWarnings tell whose references change with a key.
func (w *walk) rekeyWarnings(p *Plan, groups []*group) error {
	for _, g := range groups {
		if !w.getsKey(g.d, g.decision.fields) {
			continue
		}
		for _, e := range w.repeaters(g.d, g.decision.fields) {
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
