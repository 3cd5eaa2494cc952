package plan

import (
	"slices"

	"github.com/ombudhq/ombud/catalog"
)

// components are datasets, children before parents; those that refer to each other in a circle come
// together. Where that leaves a choice people come last: they are the thread back in after a crash.
func components(g *catalog.Graph) [][]*catalog.Dataset {
	t := tarjan[*catalog.Dataset]{
		next: func(d *catalog.Dataset) []*catalog.Dataset {
			var out []*catalog.Dataset
			for _, e := range d.In {
				out = append(out, e.Child)
			}
			return out
		},
		low: map[*catalog.Dataset]int{}, index: map[*catalog.Dataset]int{},
	}
	for _, people := range []bool{false, true} {
		for _, d := range g.Datasets {
			if (d.People != nil) == people {
				t.visit(d)
			}
		}
	}
	for _, c := range t.found {
		slices.SortStableFunc(c, func(a, b *catalog.Dataset) int {
			return int(boolByte(a.People != nil)) - int(boolByte(b.People != nil))
		})
	}
	return t.found
}

// components are those of the datasets met.
func (w *walk) components() [][]*catalog.Dataset {
	var out [][]*catalog.Dataset
	for _, c := range w.l.components() {
		var met []*catalog.Dataset
		for _, d := range c {
			if w.sets[d] != nil {
				met = append(met, d)
			}
		}
		if len(met) > 0 {
			out = append(out, met)
		}
	}
	return out
}

// order is the components in one row.
func (w *walk) order() []*catalog.Dataset {
	out := make([]*catalog.Dataset, 0, len(w.sets))
	for _, c := range w.l.components() {
		for _, d := range c {
			if w.sets[d] != nil {
				out = append(out, d)
			}
		}
	}
	return out
}

// tarjan finds strongly connected components, each when everything it leads to is found.
type tarjan[N comparable] struct {
	next       func(N) []N
	index, low map[N]int
	stack      []N
	on         map[N]bool
	found      [][]N
}

func (t *tarjan[N]) visit(n N) {
	if t.index[n] > 0 {
		return
	}
	if t.on == nil {
		t.on = map[N]bool{}
	}
	t.index[n] = len(t.index) + 1
	t.low[n] = t.index[n]
	t.stack = append(t.stack, n)
	t.on[n] = true
	for _, m := range t.next(n) {
		if t.index[m] == 0 {
			t.visit(m)
			t.low[n] = min(t.low[n], t.low[m])
		} else if t.on[m] {
			t.low[n] = min(t.low[n], t.index[m])
		}
	}
	if t.low[n] != t.index[n] {
		return
	}
	at := slices.Index(t.stack, n)
	t.found = append(t.found, slices.Clone(t.stack[at:]))
	for _, m := range t.stack[at:] {
		t.on[m] = false
	}
	t.stack = t.stack[:at]
}

// pinCircles is for engines that check every key at every row: dying rows that refer to each other in
// a circle, by references that cannot be NULL, can go neither one by one nor together. They are
// anonymised instead. True when there were any.
func (w *walk) pinCircles() bool {
	t := tarjan[rowID]{next: w.heldBy, low: map[rowID]int{}, index: map[rowID]int{}}
	for _, c := range w.components() {
		if !checksEachRow(w.g, c[0].System) || !slices.ContainsFunc(c, func(d *catalog.Dataset) bool { return mustStay(c, d) }) {
			continue
		}
		for _, d := range c {
			s := w.sets[d]
			s.every(func(r *record) {
				if w.dies(s, r) {
					t.visit(rowID{s, r.n})
				}
			})
		}
	}
	changed := false
	for _, c := range t.found {
		if len(c) > 1 || slices.Contains(t.next(c[0]), c[0]) {
			for _, id := range c {
				r := id.set.row(id.n)
				r.pinned, changed = true, true
				id.set.put(r)
			}
		}
	}
	return changed
}

// letsGo gives the columns that break before a dying row goes, nil where it must go with what it refers
// to: a row whose address is its place or its content would not be found again.
func letsGo(e *catalog.Edge) []string {
	if e.Child.Table.Locator.Moves {
		return nil
	}
	return breakable(e)
}

// rowID is a row of an indexed set.
type rowID struct {
	set *rowset
	n   int64
}

// heldBy are the dying rows that a dying row refers to and cannot let go of.
func (w *walk) heldBy(id rowID) []rowID {
	r := id.set.row(id.n)
	var out []rowID
	for _, e := range id.set.d.Out {
		if e.FK == nil || letsGo(e) != nil {
			continue
		}
		for _, p := range w.parents(id.set, r, e) {
			if ps := w.sets[e.Parent]; w.dies(ps, p) {
				out = append(out, rowID{ps, p.n})
			}
		}
	}
	return out
}

// mustStay: a dataset of a circle refers to one of it, and cannot let go.
func mustStay(c []*catalog.Dataset, d *catalog.Dataset) bool {
	return slices.ContainsFunc(d.Out, func(e *catalog.Edge) bool {
		return e.FK != nil && letsGo(e) == nil && slices.Contains(c, e.Parent)
	})
}

func checksEachRow(g *catalog.Graph, system string) bool {
	engine := engineOf(g, system)
	return engine == "mariadb" || engine == "mysql"
}

// engineOf is what a system runs on; "" where it did not answer.
func engineOf(g *catalog.Graph, system string) string {
	for _, s := range g.Systems {
		if s.Config.ID == system && s.Schema != nil {
			return s.Schema.Engine
		}
	}
	return ""
}

// depth is how many dying rows a dying row refers to, one above the other: deeper rows go first.
func (w *walk) depth(s *rowset, r *record, known map[rowID]int) int {
	id := rowID{s, r.n}
	if n, ok := known[id]; ok {
		return n
	}
	known[id] = 0 // circles are pinned or broken already; this only ends the recursion
	n := 0
	for _, e := range s.d.Out {
		if e.FK == nil || slices.Contains(r.nulls, w.edgeNo[e]) {
			continue
		}
		for _, p := range w.parents(s, r, e) {
			if ps := w.sets[e.Parent]; w.dies(ps, p) {
				n = max(n, 1+w.depth(ps, p, known))
			}
		}
	}
	known[id] = n
	return n
}
