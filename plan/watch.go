package plan

import (
	"cmp"
	"context"
	"slices"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
)

// What the proof looks for is fixed before anything is touched, beside the acts: which keys and
// identities led to the person, and how many rows may still answer to them because the plan leaves
// them. Anything beyond is residue.
const (
	watchKeys   connector.Verb = "watch"  // rows of dataset whose columns are one of the keys
	watchValues connector.Verb = "values" // the person's identities, for the sweep of all text
	watchKept   connector.Verb = "kept"   // rows kept that say who the person is; expect: the hashes of what they say
)

// looks: an act that only the proof reads.
func (a act) looks() bool {
	return a.verb == watchKeys || a.verb == watchValues || a.verb == watchFormer || a.verb == watchOwned || a.verb == watchList || a.verb == watchKept || recalls(a.verb)
}

// watches writes them, behind the acts.
func (s *scribe) watches(ctx context.Context) error {
	for _, e := range s.w.g.Edges {
		if err := s.watchEdge(ctx, e); err != nil {
			return err
		}
	}
	for _, d := range s.w.g.Datasets {
		if d.People != nil && !d.Ignored {
			if err := s.watchIdentities(ctx, d); err != nil {
				return err
			}
		}
	}
	if err := s.watchLists(ctx); err != nil {
		return err
	}
	return s.watchText(ctx)
}

// watchEdge looks, below every row that is or was the person's, at all rows that refer to it: for a
// chunk of keys at a time, and what may be left at all stands beside the first.
func (s *scribe) watchEdge(ctx context.Context, e *catalog.Edge) error {
	if e.Child.Ignored || e.Value {
		return nil
	}
	var keys []connector.Key
	parts := 0
	flush := func() error {
		if len(keys) == 0 {
			return nil
		}
		a := act{dataset: e.Child.Name, verb: watchKeys, step: -1, expect: []string{"0"}, fence: []fence{{columns: e.ChildColumns, keys: keys}}}
		a.fence = append(a.fence, whenFences(e)...)
		if parts == 0 {
			left, err := s.leftBehind(e)
			if err != nil {
				return err
			}
			a.expect = []string{itoa(left)}
		}
		parts, keys = parts+1, nil
		return s.add(ctx, e.Child.System, a)
	}
	err := s.w.personsKeys(e, func(k connector.Key) error {
		if keys = append(keys, k); len(keys) < s.w.e.cfg.Chunk {
			return nil
		}
		return flush()
	})
	return cmp.Or(err, flush())
}

// personsKeys gives every key once by which a child may refer to a row that is or was the person's.
func (w *walk) personsKeys(e *catalog.Edge, f func(connector.Key) error) error {
	ghosts := w.ghosts.edges[e]
	err := ghosts.parts(w.e.cfg.Chunk, func(part []ghost) error {
		for _, g := range part {
			if err := f(g.key); err != nil {
				return err
			}
		}
		return nil
	})
	set := w.sets[e.Parent]
	if err != nil || set == nil {
		return err
	}
	seen, remember := map[string]bool{}, !distinct(e)
	return set.each(func(r *record) error {
		k, ok := convertKey(e.Child, e.ChildColumns, set.values(r, e.ParentColumns))
		if !r.reached || !ok {
			return nil
		}
		enc := ""
		if remember {
			enc = k.Encode()
		}
		if seen[enc] || ghosts.has(k) {
			return nil
		}
		if remember {
			seen[enc] = true
		}
		return f(k)
	})
}

// leftBehind counts the rows that still refer to the person's rows when all is done as planned.
func (s *scribe) leftBehind(e *catalog.Edge) (int64, error) {
	set := s.w.sets[e.Child]
	if set == nil {
		return 0, nil
	}
	n := int64(0)
	err := set.each(func(r *record) error {
		s.w.finish(set, r)
		if !s.w.dies(set, r) && s.staysBehind(set, r, e) {
			n++
		}
		return nil
	})
	return n, err
}

// staysBehind: a row that stays goes on referring to a row that is or was the person's.
func (s *scribe) staysBehind(set *rowset, r *record, e *catalog.Edge) bool {
	return !slices.Contains(r.nulls, s.w.edgeNo[e]) && (len(reachedOnly(s.w.parents(set, r, e))) > 0 || s.w.ghosts.has(e, set.values(r, e.ChildColumns)))
}

// watchIdentities looks for every identity of the people in every identity column.
func (s *scribe) watchIdentities(ctx context.Context, d *catalog.Dataset) error {
	ids := s.w.collect()
	for _, known := range d.Known {
		kind, column := known.Kind, known.Column
		c := d.Table.Column(column)
		if c == nil {
			continue
		}
		f := fence{columns: []string{column}}
		for id := range sorted(ids.sure[kind]) {
			k, ok := d.Store.Convert(connector.TextValue(id), c)
			if others := s.w.again && ownNumber(d, c) && !s.has(d, column, k, true); ok && !others {
				f.keys = append(f.keys, connector.Key{k})
			}
		}
		f.keys = append(f.keys, s.w.ghosts.identities(d, column)...)
		if len(f.keys) == 0 {
			continue
		}
		a := act{dataset: d.Name, verb: watchKeys, step: -1, fence: []fence{f}, breaks: c.Kind == connector.Text, expect: []string{itoa(s.identitiesKept(d, column, ids.sure[kind]))}}
		if err := s.add(ctx, d.System, a); err != nil {
			return err
		}
	}
	return nil
}

// identitiesKept counts the rows that keep an identity of the people in this column by plan.
func (s *scribe) identitiesKept(d *catalog.Dataset, column string, ids map[string]bool) int64 {
	set := s.w.sets[d]
	if set == nil {
		return 0
	}
	n := int64(0)
	set.every(func(r *record) {
		s.w.finish(set, r)
		dec, ok := s.w.decideFor(set, r)
		stays := !s.w.dies(set, r) && !(ok && slices.Contains(dec.fields, column))
		if stays && ids[connector.Fold(r.cells[set.at[column]].S)] {
			n++
		}
	})
	return n
}

// watchText seals the identities and the former values for the sweep, and how often they may stand in kept rows.
func (s *scribe) watchText(ctx context.Context) error {
	a, ids := act{verb: watchValues, step: -1}, s.w.sweepable()
	for _, id := range ids {
		a.rows = append(a.rows, connector.Key{connector.TextValue(id)})
	}
	if len(s.w.g.Systems) == 0 {
		return nil
	}
	if err := s.add(ctx, s.w.g.Systems[0].Config.ID, a); err != nil {
		return err
	}
	lost := s.losses()
	q := newQuarry(ids, lost)
	if err := s.watchFormers(ctx, lost); err != nil {
		return err
	}
	for _, d := range s.w.order() {
		if err := s.watchKept(ctx, d, q); err != nil {
			return err
		}
	}
	return nil
}

// cellHash is of what a cell says, whatever the type of its column.
func cellHash(v connector.Value) string {
	return connector.RowHash([]connector.Value{connector.TextValue(v.S)})
}

// watchKept tells, per text column, the kept cells in which an identity stands, and goes on standing when keys have moved.
func (s *scribe) watchKept(ctx context.Context, d *catalog.Dataset, q *quarry) error {
	set := s.w.sets[d]
	var keys []connector.Key
	err := set.each(func(r *record) error {
		s.w.finish(set, r)
		if r.keep || r.conflict {
			keys = append(keys, set.key(r))
		}
		return nil
	})
	if err != nil || len(keys) == 0 {
		return err
	}
	cols := sweepColumns(d.Table)
	hits, owned := make([]map[string]int64, len(cols)), make([]map[string]int64, len(cols)) // the hash of what cells say, and former values, to how many say it
	for i := range hits {
		hits[i], owned[i] = map[string]int64{}, map[string]int64{}
	}
	all, tell := s.moves.columns(d, cols), map[string][]string{}
	sel := connector.Select{Table: d.Table, Columns: slices.Concat(all, d.Table.Locator.Columns), Where: []connector.Match{{Columns: d.Table.Locator.Columns, Keys: keys}}}
	if len(cols) > 0 {
		err = d.Store.Select(ctx, []connector.Select{sel}, func(_ int, row []connector.Value) error {
			address := connector.Key(row[len(all):]).Encode()
			for i, v := range s.moves.after(d, all, row[:len(all)])[:len(cols)] {
				in := q.in(v)
				if in.identity {
					hits[i][cellHash(v)]++
				}
				if in.identity || len(in.former) > 0 {
					tell[address] = append(tell[address], cellHash(v))
				}
				for _, value := range in.former {
					owned[i][value]++
				}
			}
			return nil
		})
		if err != nil {
			s.w.unreadable(d)
		}
	}
	for i, texts := range hits {
		if len(texts) > 0 {
			a := act{dataset: d.Name, verb: watchValues, step: -1, set: []string{cols[i]}}
			for hash, n := range sorted(texts) {
				a.expect = append(a.expect, hash+" "+itoa(n))
			}
			if err := s.add(ctx, d.System, a); err != nil {
				return err
			}
		}
		if len(owned[i]) > 0 {
			if err := s.add(ctx, d.System, ownedAct(d, cols[i], owned[i])); err != nil {
				return err
			}
		}
	}
	return cmp.Or(ctx.Err(), s.watchTelling(ctx, set, tell))
}

// watchTelling writes which kept rows say who the person is, by their addresses, and why they were theirs: what they say may stay only
// while they are. A look by the identities alone has no journal to write to.
func (s *scribe) watchTelling(ctx context.Context, set *rowset, tell map[string][]string) error {
	if len(tell) == 0 || s.j == nil {
		return nil
	}
	p := s.portions(s.fenceKey(set), func(r *record) act { return s.newAct(set, r, -1, watchKept, nil) })
	err := set.each(func(r *record) error {
		said := tell[set.key(r).Encode()]
		if !r.keep || len(said) == 0 || s.w.fenceColumns(set, r) == nil {
			return nil
		}
		now := *r
		now.cells = s.moves.after(set.d, set.columns, r.cells)
		return p.add(ctx, set, &now, func(a *act) {
			a.fenceRow(set, r) // where a store does not let the key move
			a.expect = append(a.expect, said...)
		})
	})
	return cmp.Or(err, p.flush(ctx, set.d.System))
}

// watchKept: no row that was to stay as the person's is somebody else's now and says who they are.
func (l *looker) watchKept(d *catalog.Dataset, a act) *glance {
	cols := sweepColumns(d.Table)
	sel := connector.Select{Table: d.Table, Columns: cols, Where: []connector.Match{{Columns: d.Table.Locator.Columns, Keys: l.addresses(d, a.rows)}}}
	why, n := causeOf(d, a, &sel, l.moved), int64(0)
	row := func(row []connector.Value) {
		if !why.holds(row[len(cols):]) && slices.ContainsFunc(row[:len(cols)], func(v connector.Value) bool { return slices.Contains(a.expect, cellHash(v)) }) {
			n++
		}
	}
	return &glance{d: d, sel: sel, row: row, done: func() {
		if n > 0 {
			l.residue(d, n, "rows that were to stay as the person's are somebody else's now, and still say who they were")
		}
	}}
}
