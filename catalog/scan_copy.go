package catalog

import (
	"context"
	"slices"
	"strings"

	"github.com/ombudhq/ombud/connector"
)

// isCopy: the row's key already leads to the person whose address this is. Such a column is a
// copy, found by value when it matters, and no second way to whose the row is; but the only one to rows
// whose key leads to nobody, as a guest's does.
func (s *scan) isCopy(ctx context.Context, g *Graph, d *Dataset, c *connector.Column, m *match) (bool, error) {
	if !m.key.email {
		return false, nil
	}
	for _, e := range s.waysTo(g, d, m.key.d) {
		share, alone, err := s.agreement(ctx, d, c.Name, e, m)
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		if err != nil || share < 0.95 {
			continue
		}
		if m.guests = alone; alone > 0 {
			return false, nil
		}
		s.f.Surprises = append(s.f.Surprises, Surprise{d.System, d.Name, c.Name + " repeats " + m.key.d.ID() + "." + m.key.column + " of the same person"})
		return true, nil
	}
	return false, nil
}

// way is a single-column reference, declared or proposed.
type way struct{ child, parent string }

func (s *scan) waysTo(g *Graph, d, parent *Dataset) []way {
	var out []way
	for _, e := range d.Out {
		if e.Parent == parent && len(e.ChildColumns) == 1 && e.Role != Mention && !e.Value {
			out = append(out, way{e.ChildColumns[0], e.ParentColumns[0]})
		}
	}
	for _, p := range s.f.Proposals {
		if p.Link == nil || p.System != d.System || !strings.HasPrefix(p.Link.From, d.Name+".") {
			continue
		}
		if to, col := g.endpoint(d.System, p.Link.To); to == parent && p.Link.As != Mention && !isIdentity(to, col) {
			out = append(out, way{lastPart(p.Link.From), col})
		}
	}
	return out
}

// mostKeys of a sample are looked for: all of a usual one, for guests may all have the same.
const mostKeys = 1000

// agreement is the share of sampled rows whose address is that of the person the key leads to, and the
// number of those that have an address and a key of nobody.
func (s *scan) agreement(ctx context.Context, d *Dataset, column string, w way, m *match) (share float64, alone int, err error) {
	p := s.profiles[d.Table]
	ki, ci := slices.Index(p.columns, w.child), slices.Index(p.columns, column)
	parent := m.key.d
	want, rows := map[connector.Value]string{}, map[connector.Value]int{}
	var keys []connector.Key
	for _, row := range p.sample {
		if row[ci].IsNull() || strings.TrimSpace(row[ci].S) == "" {
			continue
		}
		k, ok := parent.Store.Convert(row[ki], parent.Table.Column(w.parent))
		switch {
		case !ok || k.IsNull():
			alone++
		case want[k] == "" && len(keys) < mostKeys:
			want[k] = connector.Fold(row[ci].S)
			keys = append(keys, connector.Key{k})
		}
		rows[k]++
	}
	if len(keys) == 0 {
		return 0, alone, nil
	}
	known, agree := 0, 0
	err = parent.Store.Select(ctx, []connector.Select{{Table: parent.Table, Columns: []string{w.parent, m.key.column},
		Where: []connector.Match{{Columns: []string{w.parent}, Keys: keys}}}},
		func(_ int, row []connector.Value) error {
			known++
			if want[row[0]] == connector.Fold(row[1].S) {
				agree++
			}
			delete(rows, row[0])
			return nil
		})
	for k := range want {
		alone += rows[k]
	}
	return float64(agree) / float64(max(known, 1)), alone, err
}
