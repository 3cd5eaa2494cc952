package plan

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
)

// closure expands until no row is new: the fixed point. Sets only grow, so cycles end.
func (w *walk) closure(ctx context.Context) error {
	for {
		front, n := w.takeFront()
		if n == 0 {
			if asked, err := w.enter(ctx); err != nil || !asked {
				return err
			}
			continue
		}
		if err := w.expandAll(ctx, front, n <= int64(atOnce*w.e.cfg.Chunk)); err != nil {
			return err
		}
	}
}

// takeFront is the rows reached in the last round, whose children are not yet asked for.
func (w *walk) takeFront() (map[*catalog.Dataset]ranges, int64) {
	front, n := map[*catalog.Dataset]ranges{}, int64(0)
	for d, s := range w.sets {
		if len(s.front) > 0 {
			front[d], s.front = s.front, nil
			n += front[d].len()
		}
	}
	return front, n
}

// atOnce is how many chunks of rows may be asked about in one go.
const atOnce = 4

// expandAll asks everything that follows from rows: all of it in one go while they are few, else each
// question for a part of the rows at a time, in the same order, so that both make the same plan.
func (w *walk) expandAll(ctx context.Context, front map[*catalog.Dataset]ranges, few bool) error {
	var qs []question
	for _, d := range w.g.Datasets { // in catalog order: the same data gives the same plan
		if len(front[d]) == 0 {
			continue
		}
		asks, err := w.follows(d, front[d])
		if err != nil {
			return err
		}
		if few {
			recs, err := w.rows(d, front[d])
			if err != nil {
				return err
			}
			for _, ask := range asks {
				qs = ask(qs, recs)
			}
			continue
		}
		for _, ask := range asks {
			for _, part := range front[d].parts(int64(w.e.cfg.Chunk)) {
				recs, err := w.rows(d, part)
				if err != nil {
					return err
				}
				if err := w.ask(ctx, ask(nil, recs)); err != nil {
					return err
				}
			}
		}
	}
	return w.ask(ctx, qs)
}

func (w *walk) rows(d *catalog.Dataset, rs ranges) ([]*record, error) {
	var out []*record
	err := w.sets[d].some(rs, func(r *record) error { out = append(out, r.lasting()); return nil })
	return out, err
}

// follower adds the questions that follow from rows to others.
type follower func(qs []question, recs []*record) []question

// follows is what to ask about the rows of a dataset: their children by each edge, and who else they are.
func (w *walk) follows(d *catalog.Dataset, rs ranges) ([]follower, error) {
	seen := map[int32]bool{}
	if err := w.sets[d].some(rs, func(r *record) error { seen[r.path] = true; return nil }); err != nil {
		return nil, err
	}
	paths := slices.SortedFunc(maps.Keys(seen), func(a, b int32) int { return cmp.Compare(w.paths[a], w.paths[b]) })
	var out []follower
	for _, e := range d.In {
		for _, path := range paths {
			out = append(out, func(qs []question, recs []*record) []question { return w.below(qs, d, recs, e, path) })
		}
	}
	for _, path := range paths {
		out = append(out, func(qs []question, recs []*record) []question { return w.aliases(qs, d, recs, path) })
	}
	return append(out, func(qs []question, recs []*record) []question { return append(qs, w.identities(d, recs)...) }), nil
}

// below asks for the children of newly reached rows, by an edge.
func (w *walk) below(qs []question, d *catalog.Dataset, recs []*record, e *catalog.Edge, path int32) []question {
	if e.Child.Ignored {
		return qs
	}
	keys := w.parentKeys(d, recs, e, path)
	if len(keys) == 0 {
		return qs
	}
	q := question{d: e.Child, edge: w.edgeNo[e], path: w.pathID(w.paths[path] + " › " + e.Path()), sel: w.selectBy(e.Child, e.ChildColumns, keys, e)}
	if e.Role == catalog.Alias {
		q.same = w.sameBy(d, recs, e.Child, e.ParentColumns, e.ChildColumns, e.Value)
	}
	return append(qs, q)
}

// sameBy says who is meant by the keys by which an alias leads from rows to another dataset.
func (w *walk) sameBy(d *catalog.Dataset, recs []*record, to *catalog.Dataset, here, there []string, fold bool) map[string]int32 {
	out := map[string]int32{}
	for _, r := range recs {
		if k, ok := convertKey(to, there, w.sets[d].values(r, here)); ok && r.same > 0 {
			out[encodeKey(k, fold)] = r.same
		}
	}
	return out
}

// parentKeys are the distinct keys by which children refer to those of the rows that were met by a
// path, in the children's type.
func (w *walk) parentKeys(d *catalog.Dataset, recs []*record, e *catalog.Edge, path int32) []connector.Key {
	s := w.sets[d]
	seen := map[string]bool{}
	var out []connector.Key
	for _, r := range recs {
		if r.path != path {
			continue
		}
		k, ok := convertKey(e.Child, e.ChildColumns, s.values(r, e.ParentColumns))
		if !ok {
			continue
		}
		if enc := encodeKey(k, e.Value); !seen[enc] {
			seen[enc] = true
			out = append(out, k)
		}
	}
	return out
}

// aliases asks for the base rows of the same person.
func (w *walk) aliases(qs []question, d *catalog.Dataset, recs []*record, path int32) []question {
	s := w.sets[d]
	for _, e := range d.Out {
		if e.Role != catalog.Alias || e.Parent.Ignored {
			continue
		}
		var keys []connector.Key
		var lead []*record
		for _, r := range recs {
			if k, ok := convertKey(e.Parent, e.ParentColumns, s.values(r, e.ChildColumns)); ok && r.path == path && set(s, r, e) {
				keys, lead = append(keys, k), append(lead, r)
			}
		}
		if len(keys) > 0 {
			qs = append(qs, question{d: e.Parent, edge: -1, up: true, path: w.pathID(w.paths[path] + " › " + e.Parent.Name),
				sel: w.selectBy(e.Parent, e.ParentColumns, keys, nil), same: w.sameBy(d, lead, e.Parent, e.ChildColumns, e.ParentColumns, false)})
		}
	}
	return qs
}
