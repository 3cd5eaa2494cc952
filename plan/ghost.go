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
	edges  map[*catalog.Edge]*ghostKeys
	ids    []ghostID
	rows   []ghostRef // addresses of rows that no key leads to
	vals   values
	tokens map[int][]string           // per person, of everything that identified them: holds are found by these
	former formers                    // see losses
	lists  map[string]map[string]bool // keys of rows that went, by list
	moves  ghostMoves
	unseen []ghostRef // of systems that do not answer now; they may answer later
}

// ghostRef is acts of a chunk of the journal, which is read again when its turn comes: a person may have
// had very many rows.
type ghostRef struct {
	ordinal int
	acts    []int
}

// note keeps the place of an act.
func note(refs []ghostRef, ordinal, act int) []ghostRef {
	if last := len(refs) - 1; last >= 0 && refs[last].ordinal == ordinal {
		refs[last].acts = append(refs[last].acts, act)
		return refs
	}
	return append(refs, ghostRef{ordinal, []int{act}})
}

// reread gives the acts of some places.
func (w *walk) reread(ctx context.Context, refs []ghostRef, f func(system string, a act) error) error {
	for _, ref := range refs {
		c, err := w.before.chunk(ctx, ref.ordinal)
		if err != nil {
			return err
		}
		for _, i := range ref.acts {
			if err := f(c.system, c.acts[i]); err != nil {
				return err
			}
		}
	}
	return nil
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

// ghostRows are some of them. Each row is the one meant only while its
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

func (g ghosts) fate(e *catalog.Edge, k connector.Key) string { return g.edges[e].fate(k) }

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
	w.ghosts = ghosts{edges: map[*catalog.Edge]*ghostKeys{}, vals: newValues(), tokens: map[int][]string{}, lists: map[string]map[string]bool{}, moves: ghostMoves{}}
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
		for i, a := range c.acts {
			if a.verb == watchFormer {
				w.ghosts.former.take(c.system, a)
			}
			if !recalls(a.verb) {
				continue
			}
			if err := w.addGhost(c.system, a, h.ordinal, i); err != nil {
				return err
			}
		}
	}
	return w.storage.failed()
}

// addGhost takes in one act of recall, or keeps its place where what it speaks of cannot be seen now.
func (w *walk) addGhost(system string, a act, ordinal, i int) error {
	if a.verb == recallFacts {
		w.addFacts(a)
		return nil
	}
	d, seen := w.g.Dataset(system, a.dataset), true
	var err error
	switch {
	case d == nil:
		seen = false
	case a.verb == recallIDs:
		w.ghosts.ids = append(w.ghosts.ids, ghostID{d, a.set[0], a.breaks, a.rows})
	case a.verb == recallRows:
		w.ghosts.rows = note(w.ghosts.rows, ordinal, i)
	case a.verb == recallKeys:
		seen, err = w.addGhostKeys(d, a)
	case a.verb == recallMoved:
		seen = w.addGhostMove(d, a)
	}
	if !seen {
		w.ghosts.unseen = note(w.ghosts.unseen, ordinal, i)
	}
	return err
}

func (w *walk) addGhostKeys(d *catalog.Dataset, a act) (found bool, err error) {
	for _, e := range d.Out {
		if e.Parent.ID() != a.set[1] || !slices.Equal(e.ChildColumns, a.fence[0].columns) || !sameWhen(e, a.fence[1:]) {
			continue
		}
		found = true
		if w.ghosts.edges[e] == nil {
			if w.ghosts.edges[e], err = newGhostKeys(w.storage, e.Value); err != nil {
				return true, err
			}
		}
		for _, k := range a.fence[0].keys {
			w.ghosts.edges[e].put(k, a.set[0])
		}
	}
	return found, nil
}

func (w *walk) addFacts(a act) {
	for _, k := range a.rows {
		switch a.set[0] {
		case "id":
			w.ghosts.vals.addID("", k[0].S, false)
		case "sure":
			w.ghosts.vals.addID(k[0].S, k[1].S, true)
		case "list":
			if w.ghosts.lists[k[0].S] == nil {
				w.ghosts.lists[k[0].S] = map[string]bool{}
			}
			w.ghosts.lists[k[0].S][k[1].S] = true
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
	if !w.again {
		return nil
	}
	h := haunting{w: w}
	for _, e := range w.g.Edges {
		if err := w.layGhosts(ctx, e); err != nil {
			return err
		}
		if e.Child.Ignored {
			continue
		}
		err := w.ghosts.edges[e].parts(w.e.cfg.Chunk, func(part []ghost) error {
			keys := addressed(part)
			return h.add(ctx, question{d: e.Child, edge: w.edgeNo[e], path: w.pathID("an earlier run › " + e.Path()), sel: w.selectBy(e.Child, e.ChildColumns, keys, e)}, len(keys))
		})
		if err != nil {
			return err
		}
	}
	for _, id := range w.ghosts.ids {
		q := question{d: id.d, edge: -1, up: true, path: w.pathID("an earlier run › " + id.d.Name), sel: w.selectBy(id.d, []string{id.column}, id.keys, nil)}
		q.sel.Where[0].Fold = id.fold
		if err := h.add(ctx, q, len(id.keys)); err != nil {
			return err
		}
	}
	return w.ask(ctx, h.qs)
}

// haunting collects questions and asks them when they have keys for some chunks.
type haunting struct {
	w    *walk
	qs   []question
	keys int
}

func (h *haunting) add(ctx context.Context, q question, keys int) error {
	h.qs, h.keys = append(h.qs, q), h.keys+keys
	if h.keys < atOnce*h.w.e.cfg.Chunk {
		return nil
	}
	qs := h.qs
	h.qs, h.keys = nil, 0
	return h.w.ask(ctx, qs)
}

func addressed(gs []ghost) []connector.Key {
	out := make([]connector.Key, len(gs))
	for i, g := range gs {
		out[i] = g.key
	}
	return out
}

// layGhosts forgets the keys of rows that went where there is such a row again: a store gave the
// number to somebody new, and what refers to it is theirs.
func (w *walk) layGhosts(ctx context.Context, e *catalog.Edge) error {
	ghosts := w.ghosts.edges[e]
	if ghosts == nil || e.Value || e.Parent.Ignored || !e.Parent.Table.Rights.Select {
		return nil
	}
	s := w.set(e.Parent)
	return ghosts.parts(w.e.cfg.Chunk, func(part []ghost) error {
		known := map[string]connector.Key{} // by the parent's key
		sel := w.selectBy(e.Parent, e.ParentColumns, nil, nil)
		for _, g := range part {
			if k, ok := convertKey(e.Parent, e.ParentColumns, g.key); ok && g.fate == gone {
				known[k.Encode()] = g.key
				sel.Where[0].Keys = append(sel.Where[0].Keys, k)
			}
		}
		if len(known) == 0 {
			return nil
		}
		err := e.Parent.Store.Select(ctx, []connector.Select{sel}, func(_ int, row []connector.Value) error {
			if k, ok := known[s.values(&record{cells: row}, e.ParentColumns).Encode()]; ok {
				ghosts.put(k, "")
			}
			return nil
		})
		if err != nil && ctx.Err() == nil {
			w.unreadable(e.Parent)
		}
		return ctx.Err()
	})
}

// recall finds the rows that only their address tells. A parent that is the person's because nobody
// else refers to it is theirs only while that is so.
func (w *walk) recall(ctx context.Context) error {
	return w.reread(ctx, w.ghosts.rows, func(system string, a act) error {
		d := w.g.Dataset(system, a.dataset)
		return w.recallRows(ctx, ghostRows{d, a.rows, a.fence[0].columns, a.fence[0].keys, a.breaks, a.together})
	})
}

func (w *walk) recallRows(ctx context.Context, g ghostRows) error {
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
	if len(keys) == 0 {
		return ctx.Err()
	}
	q := question{d: g.d, edge: -1, up: true, state: state{co: g.shared, emptied: g.emptied && !g.shared}, path: w.pathID("an earlier run › " + g.d.Name), sel: w.selectBy(g.d, g.d.Table.Locator.Columns, keys, nil)}
	return w.ask(ctx, []question{q})
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
