package catalog

import (
	"context"
	"slices"
	"strings"

	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/pii"
)

// proposeLists finds columns whose cells list people: arrays, and what is an array of JSON in every row that was seen.
func (s *scan) proposeLists(ctx context.Context, g *Graph) error {
	keys := s.parentKeys(g, true)
	for _, d := range g.Datasets {
		if d.Ignored || !d.Table.Rights.Select {
			continue
		}
		for i := range d.Table.Columns {
			c := &d.Table.Columns[i]
			if values := s.listed(d, c); len(values) > 0 && !s.proposed("link:"+d.ID()+"."+c.Name+listMark) {
				if err := s.proposeList(ctx, d, c, values, keys); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// listed are the distinct elements of a column's cells, none where one of the cells is no list.
func (s *scan) listed(d *Dataset, c *connector.Column) (out []connector.Value) {
	switch c.Kind {
	case connector.Array, connector.JSON, connector.Text:
	default:
		return nil
	}
	if c.Generated || linked(d, c.Name) || d.IsList(c.Name) {
		return nil
	}
	seen := map[string]bool{}
	for _, v := range s.profiles[d.Table].values[c.Name] {
		_, said, ok := connector.Elements(v)
		if !ok {
			return nil
		}
		for _, key := range said {
			if key != connector.NoKey && !seen[key] && len(out) < probeValues {
				seen[key] = true
				out = append(out, connector.TextValue(key))
			}
		}
	}
	return out
}

func (s *scan) proposeList(ctx context.Context, d *Dataset, c *connector.Column, values []connector.Value, keys []parentKey) error {
	var best *match
	single := *c // the name that one of them would have
	single.Name = strings.TrimSuffix(c.Name, "s")
	for _, k := range keys {
		m := match{key: k, name: s.listScore(&single, values, k)}
		if m.name < 0.6 {
			continue
		}
		if err := s.probeValues(ctx, values, &m); ctx.Err() != nil {
			return ctx.Err()
		} else if err != nil {
			continue // what cannot be compared is not guessed
		}
		if m.probed >= fewProbed && m.share >= enough && (best == nil || m.score() > best.score()) {
			best = &m
		}
	}
	if best == nil {
		return nil
	}
	to := best.key.d.Name + "." + best.key.column
	if best.key.d.System != d.System {
		to = best.key.d.System + "." + to
	}
	s.propose(Proposal{System: d.System, Link: &Link{From: d.Name + "." + c.Name + listMark, To: to, As: Mention}},
		Mark{ID: "link:" + d.ID() + "." + c.Name + listMark, Confidence: best.confidence(), Reason: "its cells are lists: " + best.reason()})
	return nil
}

// listScore is how much the names speak for it; UUIDs and addresses speak for themselves.
func (s *scan) listScore(c *connector.Column, values []connector.Value, k parentKey) float64 {
	all := func(is func(string) bool) bool {
		return !slices.ContainsFunc(values, func(v connector.Value) bool { return !is(v.S) })
	}
	switch {
	case k.email && all(func(v string) bool { return strings.Contains(v, "@") }):
		return 0.9
	case k.email:
		return 0
	case all(pii.IsUUID) && s.holdsUUIDs(k.d, k.column):
		return max(0.6, keyNameScore(readName(c), k))
	}
	named := *c
	if named.Kind = columnKind(k); named.Kind == connector.Null {
		named.Kind = c.Kind
	}
	return keyNameScore(readName(&named), k)
}
