package plan

import (
	"context"
	"slices"
	"strings"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
)

// ghosts are keys that an earlier run of the same request erased. The rows are gone, and with them
// the thread to rows that were left or came back; the sealed journal still knows their keys, so a
// retry finds what refers to them and treats it as the person's.
type ghosts struct {
	edges map[*catalog.Edge]map[string]connector.Key
	ids   []ghostID
}

// ghostID is identities that were looked for in an identity column.
type ghostID struct {
	d      *catalog.Dataset
	column string
	fold   bool
	keys   []connector.Key
}

func (g ghosts) has(e *catalog.Edge, k connector.Key) bool {
	if len(g.edges[e]) == 0 {
		return false
	}
	_, ok := g.edges[e][encodeKey(k, false)]
	return ok
}

func (g ghosts) keys(e *catalog.Edge) []connector.Key {
	var out []connector.Key
	for _, k := range sorted(g.edges[e]) {
		out = append(out, k)
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
	w.ghosts.edges = map[*catalog.Edge]map[string]connector.Key{}
	if j == nil || !j.acting || w.q.Kind != Erasure {
		return nil // no run before, or one that is closed for good
	}
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
			if d := w.g.Dataset(c.system, a.dataset); d != nil && a.verb == watchKeys {
				w.addGhost(d, a)
			}
		}
	}
	return nil
}

func (w *walk) addGhost(d *catalog.Dataset, a act) {
	if len(a.fence[0].columns) == 1 && isBy(d, a.fence[0].columns[0]) {
		w.ghosts.ids = append(w.ghosts.ids, ghostID{d, a.fence[0].columns[0], a.breaks, a.fence[0].keys})
		return
	}
	for _, e := range d.Out {
		if e.Value || !slices.Equal(e.ChildColumns, a.fence[0].columns) || !sameWhen(e, a.fence[1:]) {
			continue
		}
		if w.ghosts.edges[e] == nil {
			w.ghosts.edges[e] = map[string]connector.Key{}
		}
		for _, k := range a.fence[0].keys {
			w.ghosts.edges[e][encodeKey(k, false)] = k
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

// skipErased leaves out rows that an earlier run has changed already, so that a retry plans what is
// left and nothing else.
func (w *walk) skipErased(ctx context.Context, groups []*group) ([]*group, error) {
	err := w.readContents(ctx, groups, func(g *group, r *record, full []connector.Value) error {
		for _, f := range g.decision.fields {
			if v := full[columnAt(g.d, f)]; !v.IsNull() && !isTombstone(v.S) {
				return nil
			}
		}
		r.erased = true
		return nil
	})
	if err != nil {
		return nil, err
	}
	return w.group()
}

func isTombstone(s string) bool {
	return s == mark || strings.HasPrefix(s, "erased-") || strings.HasSuffix(s, "@erased.invalid")
}

// haunt asks for the rows that still, or again, answer to what is gone.
func (w *walk) haunt(ctx context.Context) error {
	var qs []question
	for _, e := range w.g.Edges {
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
