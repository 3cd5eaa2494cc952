package plan

import (
	"context"
	"slices"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
)

// where an edge of a row leads.
type lead int

const (
	nowhere   lead = iota
	toSubject      // the parent row is the subject's alone
	toShared       // the parent row is the subject's and others'
	toOther        // the parent row is somebody else's
)

// judge tells owned rows from co-owned ones. Every reached row starts as owned; a row with a judged
// edge that leads elsewhere, or to a co-owned row, is co-owned too. Rows only ever lose, so this ends.
func (w *walk) judge(ctx context.Context) error {
	var err error
	if w.others, err = w.othersValues(ctx); err != nil {
		return err
	}
	for changed := true; changed && w.storage.failed() == nil; {
		changed = false
		for _, d := range w.g.Datasets {
			s := w.sets[d]
			if s == nil || !s.indexed {
				continue
			}
			s.every(func(r *record) {
				if w.judgeRow(s, r) {
					changed = true
					s.put(r)
				}
			})
		}
	}
	return w.storage.failed()
}

// unjudge takes every judgement back: more rows are the subject's than it knew.
func (w *walk) unjudge() {
	for _, s := range w.sets {
		s.every(func(r *record) {
			r.co, r.conflict, r.settled = r.co && r.seed, false, false
			s.put(r)
		})
	}
}

// settle gives a streamed row the state that judge keeps for indexed rows. Its parents are settled.
func (w *walk) settle(s *rowset, r *record) {
	if !s.indexed && !r.settled {
		r.settled = true
		w.judgeRow(s, r)
	}
}

// judgeRow demotes one row if it must; true when it did.
func (w *walk) judgeRow(s *rowset, r *record) bool {
	if !r.reached || r.seed || r.co {
		return false
	}
	var mine, notMine, valueMine, keyNotMine, keyMine, valueNotMine bool
	for _, e := range w.judged(s, r) {
		l := w.lead(s, r, e)
		if e.Role == catalog.Join {
			if l == toSubject {
				return false
			}
			continue
		}
		ours, theirs := l == toSubject, l == toOther || l == toShared
		mine, notMine = mine || ours, notMine || theirs
		if e.Role == catalog.Own {
			valueMine, keyMine = valueMine || ours && e.Value, keyMine || ours && !e.Value
			valueNotMine, keyNotMine = valueNotMine || l == toOther && e.Value, keyNotMine || l == toOther && !e.Value
		}
	}
	if valueMine && keyNotMine || keyMine && valueNotMine {
		r.conflict = true
	}
	r.co = notMine || !mine
	return r.co
}

// lead looks up the parent row.
func (w *walk) lead(s *rowset, r *record, e *catalog.Edge) lead {
	k, ok := convertKey(e.Parent, e.ParentColumns, s.values(r, e.ChildColumns))
	if !ok {
		return nowhere
	}
	fold := e.Value || foldEqual(e)
	enc := encodeKey(k, fold)
	parents := w.sets[e.Parent]
	if parents == nil {
		return w.elsewhere(e, enc, s.values(r, e.ChildColumns))
	}
	mine := false
	for _, p := range parents.find(e.ParentColumns, fold, enc) {
		if p.reached && p.co {
			return toShared
		}
		mine = mine || p.reached
	}
	if mine || r.via == w.edgeNo[e] && e.FK != nil && fold { // the store says so by a collation that folds more than we do
		return toSubject
	}
	return w.elsewhere(e, enc, s.values(r, e.ChildColumns))
}

// elsewhere: a key that is not the subject's is somebody's; a value only if somebody has it. An earlier
// run may know that the subject had it, or who asked says so.
func (w *walk) elsewhere(e *catalog.Edge, enc string, k connector.Key) lead {
	others, checked := w.others[e]
	taken := others[enc] && (e.Value || e.FK == nil) // what a database checks was not given to somebody new
	switch fate := w.ghosts.fate(e, k); {
	case fate == shared && !taken:
		return toShared
	case fate != "" && !taken:
		return toSubject
	case w.entered[e][enc] && !taken:
		return toSubject
	case (e.Value || checked) && !others[enc]:
		return nowhere
	}
	return toOther
}

// foldEqual: the store itself compares this reference without case.
func foldEqual(e *catalog.Edge) bool {
	for i := range e.ChildColumns {
		c, p := e.Child.Table.Column(e.ChildColumns[i]), e.Parent.Table.Column(e.ParentColumns[i])
		if p != nil && c != nil && p.Kind == connector.Text && (p.FoldEqual || c.FoldEqual) {
			return true
		}
	}
	return false
}

// othersValues finds, for value edges of reached rows that do not lead to the subject, whether the
// value is somebody else's: only then is the row theirs too. The same for keys that may lead to nobody.
func (w *walk) othersValues(ctx context.Context) (map[*catalog.Edge]map[string]bool, error) {
	out := map[*catalog.Edge]map[string]bool{}
	for _, e := range w.g.Edges {
		s := w.sets[e.Child]
		if !e.Value && !mayDangle(e) || s == nil || !s.indexed {
			continue
		}
		fold := e.Value || foldEqual(e)
		var keys []connector.Key
		seen := map[string]bool{}
		s.every(func(r *record) {
			k, ok := convertKey(e.Parent, e.ParentColumns, s.values(r, e.ChildColumns))
			if enc := encodeKey(k, fold); ok && r.reached && set(s, r, e) && !seen[enc] && (e.FK == nil || len(reachedOnly(w.parents(s, r, e))) == 0) {
				seen[enc] = true
				keys = append(keys, k)
			}
		})
		if len(keys) == 0 {
			continue
		}
		out[e] = map[string]bool{}
		if e.FK != nil {
			out[e] = seen // a database knows whose each is
		}
		parents := w.set(e.Parent)
		sel := w.selectBy(e.Parent, e.ParentColumns, keys, nil)
		sel.Where[0].Fold = fold
		n := len(sel.Columns)
		if !e.Value {
			sel.Columns = slices.Concat(sel.Columns, personalColumns(e.Parent))
		}
		err := e.Parent.Store.Select(ctx, []connector.Select{sel}, func(_ int, row []connector.Value) error {
			p := &record{cells: row[:n]}
			enc := encodeKey(parents.values(p, e.ParentColumns), fold)
			if old := parents.lookup(p, 0); (old == nil || !old.reached) && (e.Value || !parents.nobody(p, e.ParentColumns, row[n:])) {
				out[e][enc] = true
			} else if e.FK != nil {
				delete(out[e], enc)
			}
			return nil
		})
		if err != nil {
			w.unreadable(e.Parent)
			if !e.Value {
				delete(out, e) // it may be anybody's
			}
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
		}
	}
	return out, nil
}

// noteConflicts: a row whose key says B and whose address says A is asked about, and not touched.
func (w *walk) noteConflicts() {
	for _, d := range w.g.Datasets {
		s := w.sets[d]
		if s == nil {
			continue
		}
		n := int64(0)
		if s.indexed { // only rows with several references can contradict themselves
			s.every(func(r *record) {
				if r.conflict {
					n++
				}
			})
		}
		if n > 0 {
			w.gap(d, Remaining{Rows: n, Code: "conflict", Why: "a key leads to one person and a value to another", Next: "correct the rows in the store, then plan again"})
		}
	}
}
