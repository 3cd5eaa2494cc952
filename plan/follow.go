package plan

import (
	"context"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
)

// closeFollowed expands and judges until no followed parent is new. What follows depends on who else
// owns the rows that refer to it, so each time it is judged anew.
func (w *walk) closeFollowed(ctx context.Context) error {
	for {
		if err := w.closure(ctx); err != nil {
			return err
		}
		if err := w.judge(ctx); err != nil {
			return err
		}
		more, err := w.follow(ctx)
		if err != nil || !more {
			return err
		}
		w.unjudge()
	}
}

// follow looks at parents that links declare as follow: one is the person's when every row that
// refers to it, by any edge, is the person's. True when some were, and the closure must go on.
func (w *walk) follow(ctx context.Context) (bool, error) {
	more := false
	for _, e := range w.g.Edges {
		if e.Role != catalog.Follow || w.sets[e.Child] == nil {
			continue
		}
		m, err := w.followEdge(ctx, e)
		if err != nil {
			return false, err
		}
		more = more || m
	}
	return more, nil
}

func (w *walk) followEdge(ctx context.Context, e *catalog.Edge) (bool, error) {
	children, parents := w.sets[e.Child], w.set(e.Parent)
	var keys []connector.Key
	path := int32(0)
	seen := map[string]bool{}
	err := children.each(func(r *record) error {
		w.settle(children, r)
		k, ok := convertKey(e.Parent, e.ParentColumns, children.values(r, e.ChildColumns))
		if !ok || !r.reached || r.co || seen[k.Encode()] || len(reachedOnly(parents.find(e.ParentColumns, false, k.Encode()))) > 0 {
			return nil
		}
		seen[k.Encode()] = true
		keys, path = append(keys, k), r.path
		return nil
	})
	if err != nil || len(keys) == 0 {
		return false, err
	}
	free, err := w.unshared(ctx, e.Parent, e.ParentColumns, keys)
	if err != nil {
		return false, err
	}
	w.shared[e.Parent.ID()] = int64(len(keys) - len(free))
	if len(free) == 0 {
		return false, nil
	}
	before := parents.n - parents.foreign
	err = w.ask(ctx, []question{{d: e.Parent, edge: -1, up: true, path: w.pathID(w.paths[path] + " › " + e.Parent.Name),
		sel: w.selectBy(e.Parent, e.ParentColumns, free, nil)}})
	return parents.n-parents.foreign > before, err // a reference that no database checks may lead to nothing
}

// unshared keeps the keys to which no row refers that is not the person's.
func (w *walk) unshared(ctx context.Context, d *catalog.Dataset, columns []string, keys []connector.Key) ([]connector.Key, error) {
	foreign := map[string]bool{}
	for _, e := range d.In {
		if !equalColumns(e.ParentColumns, columns) || e.Child.Ignored {
			continue
		}
		set := w.set(e.Child)
		sel := w.selectBy(e.Child, e.ChildColumns, keys, nil)
		err := e.Child.Store.Select(ctx, []connector.Select{sel}, func(_ int, row []connector.Value) error {
			r := &record{cells: row}
			if old := set.lookup(r, 0); old == nil || !old.reached || old.co {
				if k, ok := convertKey(d, columns, set.values(r, e.ChildColumns)); ok {
					foreign[k.Encode()] = true
				}
			}
			return nil
		})
		if err != nil {
			w.unreadable(e.Child)
			return nil, ctx.Err()
		}
	}
	var free []connector.Key
	for _, k := range keys {
		if !foreign[k.Encode()] {
			free = append(free, k)
		}
	}
	return free, nil
}

func equalColumns(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func reachedOnly(rs []*record) []*record {
	var out []*record
	for _, r := range rs {
		if r.reached {
			out = append(out, r)
		}
	}
	return out
}
