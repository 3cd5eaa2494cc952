package plan

import (
	"context"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
)

// deletes writes the rows that go, in order.
func (s *scribe) deletes(ctx context.Context) error {
	for _, c := range s.w.components() {
		if (len(c) > 1 || s.tied(c[0])) && checksEachRow(s.w.g, c[0].System) {
			if err := s.deleteByDepth(ctx, c); err != nil {
				return err
			}
			continue
		}
		for _, d := range c {
			if err := s.deleteFrom(ctx, d, s.tied(d), nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// deleteByDepth deletes datasets that refer to each other row by row in order, for engines that
// neither postpone checks nor delete from several tables at once.
func (s *scribe) deleteByDepth(ctx context.Context, c []*catalog.Dataset) error {
	known, deepest := map[rowID]int{}, 0
	for _, d := range c {
		set := s.w.sets[d]
		set.every(func(r *record) {
			if s.w.dies(set, r) {
				deepest = max(deepest, s.w.depth(set, r, known))
			}
		})
	}
	for n := deepest; n >= 0; n-- {
		for _, d := range c {
			if err := s.deleteFrom(ctx, d, false, func(r *record) bool { return known[rowID{s.w.sets[d], r.n}] == n }); err != nil {
				return err
			}
		}
	}
	return nil
}

// deleteFrom writes the dying rows of one dataset, or those that only names.
func (s *scribe) deleteFrom(ctx context.Context, d *catalog.Dataset, together bool, only func(*record) bool) error {
	set := s.w.sets[d]
	broken := s.breaking(d)
	p := s.portions(s.reasonKey(set, broken), func(r *record) act {
		step, _ := s.stepOf(set, r)
		a := s.newAct(set, r, step, connector.Delete, nil)
		a.together = together
		s.looseFence(&a, set, r, broken)
		return a
	})
	err := set.each(func(r *record) error {
		s.w.finish(set, r)
		if !s.w.dies(set, r) || only != nil && !only(r) {
			return nil
		}
		return p.add(ctx, set, r, func(a *act) {
			if len(s.lost(set, r, broken)) == 0 {
				a.expectRow(d, s.w.fullRow(set, r))
			}
		})
	})
	if err != nil {
		return err
	}
	return p.flush(ctx, d.System)
}

// fullRow is the row in catalog order; the walk reads whole rows where a row has no key.
func (w *walk) fullRow(set *rowset, r *record) []connector.Value {
	if k := set.d.Table.Locator.Kind; k != connector.ByPhysical && k != connector.ByPredicate {
		return nil
	}
	full := make([]connector.Value, len(set.d.Table.Columns))
	for i, c := range set.d.Table.Columns {
		full[i] = r.cells[set.at[c.Name]]
	}
	return full
}
