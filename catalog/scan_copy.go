package catalog

import (
	"context"
	"slices"
	"strings"

	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/pii"
)

// isCopy: the row's key already leads to the person whose address this is. Such a column is a
// copy, found by value when it matters, and no second way to whose the row is; but the only one to rows
// whose key leads to nobody, as a guest's does.
func (s *scan) isCopy(ctx context.Context, g *Graph, d *Dataset, c *connector.Column, m *match) (bool, error) {
	if !m.key.email {
		return false, nil
	}
	for _, e := range s.waysTo(g, d, m.key.d) {
		seen, err := s.agreement(ctx, d, c.Name, e, m)
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		if err != nil || seen.share() < 0.95 {
			continue
		}
		if m.guests = seen.alone; seen.alone > 0 {
			return false, nil
		}
		s.f.Surprises = append(s.f.Surprises, Surprise{d.System, d.Name, c.Name + " repeats " + m.key.d.ID() + "." + m.key.column + " of the same person"})
		return true, nil
	}
	return false, nil
}

// fewestGuests with an address say that a column is there for those without an account.
const fewestGuests = 3

// ofGuests finds the people whose key a row's address stands in for: every row that has an address has a key of nobody.
func (s *scan) ofGuests(ctx context.Context, g *Graph, d *Dataset, c *connector.Column, keys []parentKey) (*match, error) {
	for _, k := range keys {
		if !k.email || s.profiles[d.Table].class[c.Name].Kind != pii.Email {
			continue
		}
		for _, e := range s.waysTo(g, d, k.d) {
			m := &match{key: k, name: 0.95}
			seen, err := s.agreement(ctx, d, c.Name, e, m)
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if err == nil && seen.known == 0 && seen.alone >= fewestGuests {
				m.guests, m.probed = seen.alone, seen.alone
				return m, nil
			}
		}
	}
	return nil, nil
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
		_, from := g.endpoint(d.System, p.Link.From)
		if to, cols := g.endpoint(d.System, p.Link.To); to == parent && len(from) == 1 && len(cols) == 1 && p.Link.As != Mention && !isIdentity(to, cols[0]) {
			out = append(out, way{from[0], cols[0]})
		}
	}
	return out
}

// mostKeys of a sample are looked for: all of a usual one, for guests may all have the same.
const mostKeys = 1000

// agreement is what rows with an address say of the people their keys lead to.
type agreement struct {
	known int // people
	agree int // of these, with the row's address
	alone int // rows whose key is nobody's
}

func (a agreement) share() float64 { return float64(a.agree) / float64(max(a.known, 1)) }

// agreement compares the sampled rows' addresses with those of the people whom a key leads to.
func (s *scan) agreement(ctx context.Context, d *Dataset, column string, w way, m *match) (a agreement, err error) {
	p := s.profiles[d.Table]
	ki, ci := slices.Index(p.columns, w.child), slices.Index(p.columns, column)
	if ki < 0 || ci < 0 {
		return a, nil // a key that was not sampled
	}
	parent := m.key.d
	want, rows := map[connector.Value]string{}, map[connector.Value]int{}
	var keys []connector.Key
	for _, row := range p.sample {
		if row[ci].IsNull() || strings.TrimSpace(row[ci].S) == "" {
			continue
		}
		k, ok := parent.Store.Convert(row[ki], parent.Table.Column(w.parent))
		switch {
		case !ok || k.IsNull() || k.S == "0": // a guest's number, whether a row has it or not
			a.alone++
		case want[k] == "" && len(keys) < mostKeys:
			want[k] = connector.Fold(row[ci].S)
			keys = append(keys, connector.Key{k})
		}
		rows[k]++
	}
	if len(keys) == 0 {
		return a, nil
	}
	err = parent.Store.Select(ctx, []connector.Select{{Table: parent.Table, Columns: []string{w.parent, m.key.column},
		Where: []connector.Match{{Columns: []string{w.parent}, Keys: keys}}}},
		func(_ int, row []connector.Value) error {
			a.known++
			if want[row[0]] == connector.Fold(row[1].S) {
				a.agree++
			}
			delete(rows, row[0])
			return nil
		})
	for k := range want {
		a.alone += rows[k]
	}
	return a, err
}
