package plan

import (
	"slices"
	"strings"
	"time"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
)

// fates decides what happens to every row met: keeps first, then the pins that they and everything
// else that survives put on rows they refer to, then the references to break. The only move is from
// delete to anonymise, so the loop ends.
func (w *walk) fates() error {
	w.held = w.heldPeople()
	w.blind = w.blindDatasets()
	if w.kept = w.keeps(); w.kept {
		for w.storage.failed() == nil && w.keepParts() {
		}
	}
	for {
		changed, err := w.pin()
		if err != nil {
			return err
		}
		if !changed && !w.pinCircles() {
			return w.storage.failed()
		}
	}
}

// keeps keeps the rows that holds and rules speak of; true when there are any.
func (w *walk) keeps() bool {
	any := false
	for _, s := range w.sets {
		ruled := s.d.Rule != nil && s.d.Rule.Erase == catalog.Keep
		if !s.indexed || len(w.held) == 0 && !ruled {
			continue // a row that streams keeps nothing else
		}
		s.every(func(r *record) {
			w.keepRow(s, r)
			if r.keep {
				any = true
				s.put(r)
			}
		})
	}
	return any
}

// finish gives a row its whole state: for streamed rows all of it, for indexed ones the references
// that break, which follow from what the pins left to die.
func (w *walk) finish(s *rowset, r *record) {
	if !s.indexed {
		w.settle(s, r)
		w.keepRow(s, r)
		w.keepPart(s, r)
	}
	r.nulls = r.nulls[:0]
	if w.dies(s, r) || r.keep || r.conflict {
		return
	}
	for _, e := range s.d.Out {
		if (w.refersToDying(s, r, e) || w.refersToGone(s, r, e)) && breakable(e) != nil {
			r.nulls = append(r.nulls, w.edgeNo[e])
		}
	}
}

// keepRow: a hold beats everything, then the dataset's keep rule for as long as it says.
func (w *walk) keepRow(s *rowset, r *record) {
	if !r.reached || r.conflict {
		return
	}
	if h, ok := w.hold(s, r); ok {
		r.keep, r.why = true, w.reasonID(reason{"a hold stands on it: " + h.ID, "hold", h.ID})
		return
	}
	rule := s.d.Rule
	if rule == nil || rule.Erase != catalog.Keep {
		return
	}
	until, dated, over := w.until(s, r)
	if over {
		return
	}
	code := "rule"
	if rule.Until != "" && !dated {
		code = "undated"
	}
	r.keep, r.until, r.why = true, until, w.reasonID(reason{rule.Because, code, ""})
}

// until is the date the rule gives this row, and whether it has passed. A missing or impossible
// date never ends a duty to keep.
func (w *walk) until(s *rowset, r *record) (date string, dated, over bool) {
	column := untilColumn(s.d)
	if column == "" {
		return "", false, false
	}
	u, err := catalog.ParseUntil(s.d.Rule.Until)
	if err != nil {
		return "", false, false
	}
	end, ok := u.Date(r.cells[s.at[column]])
	if !ok {
		return "", false, false
	}
	return end.Format(time.DateOnly), true, end.Before(w.e.cfg.Clock.Now().Truncate(24 * time.Hour))
}

// keepParts keeps what hangs on kept rows and has no rule of its own; true when anything changed.
func (w *walk) keepParts() bool {
	changed := false
	for _, d := range w.g.Datasets {
		s := w.sets[d]
		if s == nil || !s.indexed {
			continue
		}
		s.every(func(r *record) {
			if w.keepPart(s, r) {
				changed = true
				s.put(r)
			}
		})
	}
	return changed
}

func (w *walk) keepPart(s *rowset, r *record) bool {
	if !w.kept || !r.reached || r.keep || r.conflict || s.d.Rule != nil && s.d.Rule.Erase != "" {
		return false
	}
	for _, e := range w.judged(s, r) {
		if e.Parent.People != nil || e.Role != catalog.Own && e.Role != catalog.Inherit {
			continue
		}
		for _, p := range w.parents(s, r, e) {
			if p.keep {
				r.keep, r.why, r.until = true, p.why, p.until
				return true
			}
		}
	}
	return false
}

// parents are the met rows that an edge of a row refers to.
func (w *walk) parents(s *rowset, r *record, e *catalog.Edge) []*record {
	ps := w.sets[e.Parent]
	if ps == nil || !set(s, r, e) {
		return nil
	}
	k, ok := convertKey(e.Parent, e.ParentColumns, s.values(r, e.ChildColumns))
	if !ok {
		return nil
	}
	fold := e.Value || foldEqual(e)
	return ps.find(e.ParentColumns, fold, encodeKey(k, fold))
}

// pin goes over every row that survives and demotes the dying rows it cannot let go of.
func (w *walk) pin() (bool, error) {
	changed := false
	for _, d := range w.g.Datasets {
		s := w.sets[d]
		if s == nil || !pinsPossible(d) {
			continue
		}
		err := s.each(func(r *record) error {
			if !s.indexed {
				w.settle(s, r)
				w.keepRow(s, r)
				w.keepPart(s, r)
			}
			changed = w.pinFrom(s, r) || changed
			return nil
		})
		if err != nil {
			return false, err
		}
	}
	return changed, nil
}

func pinsPossible(d *catalog.Dataset) bool {
	return slices.ContainsFunc(d.Out, func(e *catalog.Edge) bool { return !e.Value })
}

func (w *walk) pinFrom(s *rowset, r *record) bool {
	if w.dies(s, r) {
		return false
	}
	changed := false
	for _, e := range s.d.Out {
		if !w.refersToDying(s, r, e) || !w.mustHold(r, e) {
			continue
		}
		ps := w.sets[e.Parent]
		for _, p := range w.parents(s, r, e) {
			if w.dies(ps, p) {
				p.pinned, changed = true, true
				ps.put(p)
			}
		}
	}
	return changed
}

// mustHold reports whether the surviving row cannot let go of the row it refers to.
func (w *walk) mustHold(r *record, e *catalog.Edge) bool {
	switch {
	case r.keep || r.conflict || w.q.Limit != nil:
		return true // under a limit nothing changes but what was asked for
	case !r.reached && e.Role != catalog.Mention && e.Role != catalog.Pointer:
		return true // somebody else's row hangs there
	}
	return breakable(e) == nil
}

func (w *walk) refersToDying(s *rowset, r *record, e *catalog.Edge) bool {
	if e.Value {
		return false
	}
	for _, p := range w.parents(s, r, e) {
		if w.dies(w.sets[e.Parent], p) {
			return true
		}
	}
	return false
}

// refersToGone: an earlier run deleted the row that this one refers to, and could not reach this one.
func (w *walk) refersToGone(s *rowset, r *record, e *catalog.Edge) bool {
	if e.Value || w.q.Limit != nil || !r.reached && e.Role != catalog.Mention && e.Role != catalog.Pointer || !set(s, r, e) {
		return false
	}
	return w.ghosts.fate(e, s.values(r, e.ChildColumns)) == gone
}

// dies: the row will be gone.
func (w *walk) dies(s *rowset, r *record) bool {
	return r.reached && !r.co && !r.keep && !r.conflict && !w.isPinned(s, r) && w.goesWhole(s.d)
}

// isPinned: something that stays refers to the row, or may do so out of our sight.
func (w *walk) isPinned(s *rowset, r *record) bool {
	return r.pinned || w.blind[s.d] && w.goesWhole(s.d)
}

// blindDatasets are those whose rows the store could take others along with, unseen: a child that
// cascades and cannot be read, or a catalog that this role sees only in part.
func (w *walk) blindDatasets() map[*catalog.Dataset]bool {
	blind := map[*catalog.Dataset]bool{}
	for _, s := range w.g.Systems {
		for _, d := range w.g.Datasets {
			if s.Schema != nil && s.Schema.Partial && d.System == s.Config.ID {
				blind[d] = true
			}
		}
	}
	for _, e := range w.g.Edges {
		if e.FK != nil && cascades(e.FK.OnDelete) && w.unseen(e.Child) {
			blind[e.Parent] = true
		}
	}
	return blind
}

func cascades(a connector.Action) bool {
	return a == connector.Cascade || a == connector.SetNull || a == connector.SetDefault
}

func (w *walk) unseen(d *catalog.Dataset) bool {
	return !d.Ignored && (!d.Table.Rights.Select || d.Table.RowSecurity || slices.ContainsFunc(w.gaps, func(g Remaining) bool {
		return g.System == d.System && g.Dataset == d.Name && g.Code == "unreadable"
	}))
}

func removes(m catalog.Method) bool { return m == catalog.Delete || m == catalog.Shred }

// wanted is the method a dataset's rows take when nothing stands in the way. A keep rule that
// reaches a row has already kept it; a row it no longer covers is deleted.
func wanted(d *catalog.Dataset) catalog.Method {
	if d.Rule == nil || d.Rule.Erase == "" || d.Rule.Erase == catalog.Keep {
		return catalog.Delete
	}
	return d.Rule.Erase
}

// breakable gives the columns to set to NULL so that the edge refers to nothing, nil when that
// cannot be: under MATCH FULL all of them, else one that no other reference shares.
func breakable(e *catalog.Edge) []string {
	var free []string
	for _, c := range e.ChildColumns {
		if canBeNull(e.Child.Table, c) && !sharedColumn(e, c) {
			free = append(free, c)
		}
	}
	if e.FK != nil && e.FK.MatchFull {
		if len(free) == len(e.ChildColumns) {
			return free
		}
		return nil
	}
	if len(free) == 0 {
		return nil
	}
	return free[:1]
}

func canBeNull(t *connector.Table, column string) bool {
	c := t.Column(column)
	if c == nil || c.NotNull || c.Generated || slices.Contains(t.Primary, column) {
		return false
	}
	for _, ch := range t.Checks {
		if slices.Contains(ch.Columns, column) && strings.Contains(strings.ToLower(ch.Expr), "null") {
			return false
		}
	}
	return true
}

// sharedColumn: another reference of the row uses the column too (the tenant of a composite key).
func sharedColumn(e *catalog.Edge, column string) bool {
	return slices.ContainsFunc(e.Child.Out, func(o *catalog.Edge) bool {
		return o != e && !(o.Parent == e.Parent && equalColumns(o.ChildColumns, e.ChildColumns)) && !exclude(e, o) && slices.Contains(o.ChildColumns, column)
	})
}

// exclude: no row has both references, for their conditions contradict each other.
func exclude(e, o *catalog.Edge) bool {
	for column, value := range e.When() {
		if other, ok := o.When()[column]; ok && other != value {
			return true
		}
	}
	return false
}
