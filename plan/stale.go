package plan

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
)

// Where a key became another, what a database knows to refer to it has followed. What only ombud.yaml knows to may hold the old
// one all the same: the store confirmed more than it did, or a program that remembers the key wrote it since. A retry lets it
// follow, unless somebody has the key again.

// ghostMove is a key that an earlier run made another, as rows refer to it.
type ghostMove struct {
	e        *catalog.Edge
	old, now connector.Key
	rows     int64 // how many refer to the old one, which nobody has
}

// ghostMoves are those of earlier runs, by reference and old key.
type ghostMoves map[*catalog.Edge]map[string]*ghostMove

func (g ghostMoves) add(m ghostMove) {
	if g[m.e] == nil {
		g[m.e] = map[string]*ghostMove{}
	}
	g[m.e][m.old.Encode()] = &m
}

// moved gives them in one order.
func (w *walk) moved() iter.Seq[*ghostMove] {
	return func(yield func(*ghostMove) bool) {
		for _, d := range w.g.Datasets {
			for _, e := range w.links(d) {
				for _, m := range sorted(w.ghosts.moves[e]) {
					if !yield(m) {
						return
					}
				}
			}
		}
	}
}

// links are the references to handles of a dataset that no database knows.
func (w *walk) links(d *catalog.Dataset) (out []*catalog.Edge) {
	if len(w.ghosts.moves) == 0 {
		return nil
	}
	for _, h := range w.l.holders(d) {
		out = append(out, slices.DeleteFunc(slices.Clone(h.refs), func(e *catalog.Edge) bool { return e.FK != nil })...)
	}
	return out
}

// addGhostMove takes one in; false where its link is none now.
func (w *walk) addGhostMove(d *catalog.Dataset, a act) bool {
	parent := w.g.Dataset(d.System, a.set[0])
	if parent == nil {
		return false
	}
	for _, h := range w.l.holders(parent) {
		for _, e := range h.refs {
			if e.Child == d && slices.Equal(e.ChildColumns, a.fence[0].columns) && slices.Equal(e.ParentColumns, a.set[1:]) {
				w.ghosts.moves.add(ghostMove{e: e, old: a.rows[0], now: a.values[0]})
				return true
			}
		}
	}
	return false
}

// recallMoves writes the keys that this run and earlier ones made others, where no database knows who refers to them.
func (s *scribe) recallMoves(ctx context.Context) error {
	known := slices.Collect(s.w.moved())
	for i, m := range s.moved {
		if s.w.ghosts.moves[m.e][m.old.Encode()] == nil {
			known = append(known, &s.moved[i])
		}
	}
	for _, m := range known {
		a := act{dataset: m.e.Child.Name, verb: recallMoved, step: -1, set: append([]string{m.e.Parent.Name}, m.e.ParentColumns...),
			rows: []connector.Key{m.old}, values: [][]connector.Value{m.now}, fence: []fence{{columns: m.e.ChildColumns}}}
		if err := s.add(ctx, m.e.Child.System, a); err != nil {
			return err
		}
	}
	return nil
}

// noteLinks notes the key of a row for links that cannot follow now, because their table may not be read or written: later they may.
func (s *scribe) noteLinks(k keyed) {
	follow := s.w.repeaters(k.set.d, k.fields)
	for _, e := range k.set.d.In {
		if e.FK != nil || !repeatable(e) || slices.ContainsFunc(follow, func(o *catalog.Edge) bool { return sameEnds(o, e) }) {
			continue
		}
		old, ok := convertKey(e.Child, e.ChildColumns, k.set.values(k.old, e.ParentColumns))
		now, fits := convertKey(e.Child, e.ChildColumns, k.set.values(k.now, e.ParentColumns))
		if ok && fits && !slices.Equal(old, now) {
			s.moved = append(s.moved, ghostMove{e: e, old: old, now: now})
		}
	}
}

// staleRows counts the rows that stay and refer to keys that were made others.
func (w *walk) staleRows(ctx context.Context) error {
	for e, moves := range w.ghosts.moves {
		set := w.sets[e.Child]
		if set == nil {
			continue
		}
		err := set.each(func(r *record) error {
			w.finish(set, r)
			if m := moves[set.values(r, e.ChildColumns).Encode()]; m != nil && !w.dies(set, r) {
				m.rows++
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	for m := range w.moved() {
		if m.rows == 0 {
			continue
		}
		if err := w.dropTaken(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

// dropTaken: who has the key now has the rows that refer to it.
func (w *walk) dropTaken(ctx context.Context, m *ghostMove) error {
	k, ok := convertKey(m.e.Parent, m.e.ParentColumns, m.old)
	sel := connector.Select{Table: m.e.Parent.Table, Columns: m.e.ParentColumns, Where: []connector.Match{{Columns: m.e.ParentColumns, Keys: []connector.Key{k}}}}
	taken := !ok || !m.e.Parent.Table.Rights.Select
	if !taken {
		err := m.e.Parent.Store.Select(ctx, []connector.Select{sel}, func(int, []connector.Value) error { taken = true; return nil })
		if err != nil && ctx.Err() == nil {
			w.unreadable(m.e.Parent)
		}
		taken = taken || err != nil
	}
	if taken {
		m.rows = 0
	}
	return ctx.Err()
}

// staleWarnings tell of the rows that follow late.
func (w *walk) staleWarnings(p *Plan) {
	for m := range w.moved() {
		if m.rows > 0 {
			p.Warnings = append(p.Warnings, Warning{System: m.e.Child.System, Dataset: m.e.Child.Name, Code: "rekey",
				Message: fmt.Sprintf("a key of %s was the identity and is another: %d rows here refer to the old one, and follow", m.e.Parent.Name, m.rows)})
		}
	}
}

// followLate lets them follow.
func (s *scribe) followLate(ctx context.Context) error {
	for m := range s.w.moved() {
		if m.rows == 0 {
			continue
		}
		if err := s.follow(ctx, m.e, m.old, m.now); err != nil {
			return err
		}
	}
	return nil
}
