package plan

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
)

// ghosts are what an earlier run of the same request knew and the stores may not tell any more: it
// cut threads, and rows may hang on them that a hold kept, a store did not let go, or that came back.
// The sealed journal still knows them (see recall.go), so a retry finds such rows, and judges them as
// the first run did.
type ghosts struct {
	edges  map[*catalog.Edge]map[string]ghost
	ids    []ghostID
	rows   []ghostRows
	vals   values
	tokens map[int][]string // per person, of everything that identified them: holds are found by these
	unseen []chunk          // of systems that do not answer now; they may answer later
}

// ghost is a key by which rows referred to a row of the person, and what became of that row.
type ghost struct {
	key  connector.Key
	fate string
}

// What the earlier run planned for a parent.
const (
	gone   = "gone"
	stays  = "stays"
	shared = "shared" // it stays, and is also somebody else's
)

// ghostID is identities that were looked for in an identity column.
type ghostID struct {
	d      *catalog.Dataset
	column string
	fold   bool
	keys   []connector.Key
}

// ghostRows are addresses of rows that no key leads to. Each row is the one meant only while its
// fence columns hold what they held, or nothing.
type ghostRows struct {
	d       *catalog.Dataset
	keys    []connector.Key
	columns []string
	held    []connector.Key
	shared  bool
	emptied bool // nothing in them identifies anybody any more
}

func (g ghosts) has(e *catalog.Edge, k connector.Key) bool { return g.fate(e, k) != "" }

func (g ghosts) fate(e *catalog.Edge, k connector.Key) string {
	if len(g.edges[e]) == 0 {
		return ""
	}
	return g.edges[e][encodeKey(k, e.Value)].fate
}

func (g ghosts) keys(e *catalog.Edge) []connector.Key {
	var out []connector.Key
	for _, k := range sorted(g.edges[e]) {
		out = append(out, k.key)
	}
	return out
}

func (g ghosts) identities(d *catalog.Dataset, column string) []connector.Key {
	var out []connector.Key
	for _, id := range g.ids {
		if id.d == d && id.column == column {
			out = append(out, id.keys...)
		}
	}
	return out
}

// summon reads them from the request's journal, when there is one.
func (w *walk) summon(ctx context.Context, j *journal) error {
	w.ghosts = ghosts{edges: map[*catalog.Edge]map[string]ghost{}, vals: newValues(), tokens: map[int][]string{}}
	if j == nil || !j.acting || w.q.Kind != Erasure {
		return nil // no run before, or one that is closed for good
	}
	w.again, w.before = true, j
	heads, err := j.heads(ctx)
	if err != nil {
		return err
	}
	for _, h := range heads {
		c, err := j.chunk(ctx, h.ordinal)
		if err != nil {
			return err
		}
		for _, a := range c.acts {
			if recalls(a.verb) && !w.addGhost(c.system, a) {
				w.ghosts.unseen = append(w.ghosts.unseen, chunk{system: c.system, acts: []act{a}})
			}
		}
	}
	return nil
}

// addGhost takes in one act of recall; false when what it speaks of cannot be seen now.
func (w *walk) addGhost(system string, a act) bool {
	if a.verb == recallFacts {
		w.addFacts(a)
		return true
	}
	d := w.g.Dataset(system, a.dataset)
	if d == nil {
		return false
	}
	switch a.verb {
	case recallIDs:
		w.ghosts.ids = append(w.ghosts.ids, ghostID{d, a.set[0], a.breaks, a.rows})
	case recallRows:
		w.ghosts.rows = append(w.ghosts.rows, ghostRows{d, a.rows, a.fence[0].columns, a.fence[0].keys, a.breaks, a.together})
	case recallKeys:
		return w.addGhostKeys(d, a)
	}
	return true
}

func (w *walk) addGhostKeys(d *catalog.Dataset, a act) bool {
	found := false
	for _, e := range d.Out {
		if e.Parent.ID() != a.set[1] || !slices.Equal(e.ChildColumns, a.fence[0].columns) || !sameWhen(e, a.fence[1:]) {
			continue
		}
		found = true
		if w.ghosts.edges[e] == nil {
			w.ghosts.edges[e] = map[string]ghost{}
		}
		for _, k := range a.fence[0].keys {
			w.ghosts.edges[e][encodeKey(k, e.Value)] = ghost{k, a.set[0]}
		}
	}
	return found
}

func (w *walk) addFacts(a act) {
	for _, k := range a.rows {
		switch a.set[0] {
		case "id":
			w.ghosts.vals.addID("", k[0].S, false)
		case "sure":
			w.ghosts.vals.addID(k[0].S, k[1].S, true)
		case "name":
			w.ghosts.vals.names[k[0].S] = true
		case "token":
			if person, err := strconv.Atoi(k[0].S); err == nil {
				w.ghosts.tokens[person] = append(w.ghosts.tokens[person], k[1].S)
			}
		}
	}
}

// sameWhen tells polymorphic links over one column apart: the keys of one lead to nobody by another.
func sameWhen(e *catalog.Edge, fences []fence) bool {
	if len(e.When()) != len(fences) {
		return false
	}
	for _, f := range fences {
		if len(f.columns) != 1 || len(f.keys) != 1 || e.When()[f.columns[0]] != f.keys[0][0].S {
			return false
		}
	}
	return true
}

// haunt asks for the rows that still, or again, answer to what is gone.
func (w *walk) haunt(ctx context.Context) error {
	var qs []question
	for _, e := range w.g.Edges {
		if err := w.layGhosts(ctx, e); err != nil {
			return err
		}
		if keys := w.ghosts.keys(e); len(keys) > 0 && !e.Child.Ignored {
			qs = append(qs, question{d: e.Child, edge: w.edgeNo[e], path: w.pathID("an earlier run › " + e.Path()), sel: w.selectBy(e.Child, e.ChildColumns, keys, e)})
		}
	}
	for _, id := range w.ghosts.ids {
		q := question{d: id.d, edge: -1, up: true, path: w.pathID("an earlier run › " + id.d.Name), sel: w.selectBy(id.d, []string{id.column}, id.keys, nil)}
		q.sel.Where[0].Fold = id.fold
		qs = append(qs, q)
	}
	return w.ask(ctx, qs)
}

// layGhosts forgets the keys of rows that went where there is such a row again: a store gave the
// number to somebody new, and what refers to it is theirs.
func (w *walk) layGhosts(ctx context.Context, e *catalog.Edge) error {
	keys := map[string]string{} // of the parent to the ghost's
	sel := w.selectBy(e.Parent, e.ParentColumns, nil, nil)
	for enc, g := range sorted(w.ghosts.edges[e]) {
		if k, ok := convertKey(e.Parent, e.ParentColumns, g.key); ok && g.fate == gone && !e.Value {
			keys[k.Encode()] = enc
			sel.Where[0].Keys = append(sel.Where[0].Keys, k)
		}
	}
	if len(keys) == 0 || e.Parent.Ignored || !e.Parent.Table.Rights.Select {
		return nil
	}
	s := w.set(e.Parent)
	err := e.Parent.Store.Select(ctx, []connector.Select{sel}, func(_ int, row []connector.Value) error {
		delete(w.ghosts.edges[e], keys[s.values(&record{cells: row}, e.ParentColumns).Encode()])
		return nil
	})
	if err != nil && ctx.Err() == nil {
		w.unreadable(e.Parent)
	}
	return ctx.Err()
}

// recall finds the rows that only their address tells. A parent that is the person's because nobody
// else refers to it is theirs only while that is so.
func (w *walk) recall(ctx context.Context) error {
	for _, g := range w.ghosts.rows {
		s, held := w.set(g.d), g.byAddress()
		var keys []connector.Key
		sel := w.selectBy(g.d, g.d.Table.Locator.Columns, g.keys, nil)
		err := g.d.Store.Select(ctx, []connector.Select{sel}, func(_ int, row []connector.Value) error {
			r := &record{cells: row}
			was, meant := held[s.key(r).Encode()]
			if old := s.lookup(r, 0); meant && (old == nil || !old.reached) && holdsStill(s.values(r, g.columns), was) {
				keys = append(keys, slices.Clone(s.key(r)))
			}
			return nil
		})
		if err != nil && ctx.Err() == nil {
			w.unreadable(g.d)
		}
		for _, e := range g.d.In {
			if e.Role == catalog.Follow && len(keys) > 0 && equalColumns(e.ParentColumns, g.d.Table.Locator.Columns) {
				if keys, err = w.unshared(ctx, g.d, e.ParentColumns, keys); err != nil {
					return err
				}
			}
		}
		if len(keys) > 0 {
			q := question{d: g.d, edge: -1, up: true, state: state{co: g.shared, emptied: g.emptied && !g.shared}, path: w.pathID("an earlier run › " + g.d.Name), sel: w.selectBy(g.d, g.d.Table.Locator.Columns, keys, nil)}
			if err := w.ask(ctx, []question{q}); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

func (g ghostRows) byAddress() map[string]connector.Key {
	out := map[string]connector.Key{}
	for i, k := range g.keys {
		out[k.Encode()] = g.held[i]
	}
	return out
}

func holdsStill(now, held connector.Key) bool {
	for i, v := range now {
		if !v.IsNull() && v != held[i] {
			return false
		}
	}
	return true
}

func isTombstone(s string) bool {
	return s == mark || strings.HasPrefix(s, "erased-") || strings.HasSuffix(s, "@erased.invalid")
}
