package plan

import (
	"context"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
)

// textMentions reads the datasets whose text a rule redacts for identities that no key leads to: in
// a letter between two others, only the person's name and address go. What is too large to read
// inside a request is left to the sweep, which names what it finds.
func (w *walk) textMentions(ctx context.Context) error {
	if w.q.Kind != Erasure || w.q.Limit != nil {
		return nil
	}
	m := newMatcher(w.collect().sweepable())
	for _, d := range w.g.Datasets {
		if !redacts(d) || d.Ignored || !d.Table.Rights.Select || d.Table.Bytes/sweepRate > w.e.cfg.SweepMS {
			continue
		}
		if err := w.mentionsIn(ctx, d, m); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) mentionsIn(ctx context.Context, d *catalog.Dataset, m *matcher) error {
	s := w.set(d)
	cols := textColumns(d)
	sel := connector.Select{Table: d.Table, Columns: append(append([]string{}, s.columns...), cols...)}
	path := w.pathID("text › " + d.Name)
	err := d.Store.Select(ctx, []connector.Select{sel}, func(_ int, row []connector.Value) error {
		hit := false
		for _, v := range row[len(s.columns):] {
			hit = hit || len(m.find(v.S)) > 0
		}
		if !hit {
			return nil
		}
		cells := append([]connector.Value{}, row[:len(s.columns)]...)
		r, _, err := s.add(&record{cells: cells, path: path, via: -1}, 0)
		if err != nil {
			return ours{err}
		}
		r.inText = !r.reached
		s.put(r)
		return nil
	})
	return w.readWhole(ctx, d, err)
}
