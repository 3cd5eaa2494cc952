package plan

import (
	"context"
	"slices"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
)

// skipErased leaves out rows that an earlier run has changed already, so that a retry plans what is
// left and nothing else, and an erasure of part of the data the rows that still hold some of it. The request's key tells: it gives the same value for the same cell again.
func (w *walk) skipErased(ctx context.Context, groups []*group) ([]*group, error) {
	var rep *replacer
	if w.before != nil {
		rep = w.replacer(w.before.mac)
	}
	err := w.readContents(ctx, groups, func(g *group, r *record, full []connector.Value) error {
		r.erased = !g.decision.keyStays && (w.allTombstones(g, r, full) || rep != nil && rep.wrote(ctx, w.sets[g.d], r, g.decision, full))
		w.sets[g.d].put(r)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return w.group()
}

// allTombstones: nothing of the row is left to change. A reference that must break may hold a key that was made by an earlier run.
func (w *walk) allTombstones(g *group, r *record, full []connector.Value) bool {
	nulls := w.nullColumns(r)
	for _, f := range g.decision.fields {
		if v := full[columnAt(g.d, f)]; !v.IsNull() && (!isTombstone(v.S) || slices.Contains(nulls, f)) {
			return false
		}
	}
	return true
}

// wrote reports whether the row holds what it would be given.
func (p *replacer) wrote(ctx context.Context, s *rowset, r *record, dec decision, full []connector.Value) bool {
	values, ok := p.row(ctx, s, r, dec, full)
	nulls := p.w.nullColumns(r)
	for i, f := range dec.fields {
		if v := full[columnAt(s.d, f)]; ok && !v.IsNull() && (!isTombstone(v.S) || slices.Contains(nulls, f)) {
			ok = sameCell(s.d, f, v, values[i])
		}
	}
	return ok
}

// sameCell compares a cell with a value to be written as the store would write it.
func sameCell(d *catalog.Dataset, column string, is, want connector.Value) bool {
	c := d.Table.Column(column)
	a, ok := d.Store.Convert(is, c)
	b, ok2 := d.Store.Convert(want, c)
	return is == want || ok && ok2 && !b.IsNull() && a == b
}
