package catalog

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ombudhq/ombud/connector"
)

// Where several companies share the tables, a person is known by a key of several columns, the company's and
// their own number, and no single one of them says who it is. Such a key is looked for where every column of it
// stands under its own name, or all but one that is named like a reference to it.

// proposeComposites finds references to keys of several columns that no database declares. What has an owner by
// the first round needs no second.
func (s *scan) proposeComposites(ctx context.Context, g *Graph, d *Dataset, people bool) error {
	if !people && d.Personal {
		return nil
	}
	for _, parent := range g.Datasets {
		if parent == d || parent.System != d.System || parent.Ignored || (parent.People != nil) != people || !people && (!parent.Personal || parent.Container) ||
			!parent.Table.Rights.Select || !isOwnKey(parent) || refersTo(parent, d) {
			continue
		}
		for _, columns := range s.namedAlike(d, parent) {
			if err := s.proposeComposite(ctx, g, d, parent, columns); err != nil {
				return err
			}
		}
	}
	return nil
}

// isOwnKey: a key of several columns, of which one is named like what it counts: order_no of orders. The keys of
// many tables are made of the same columns, and refer to none of each other.
func isOwnKey(d *Dataset) bool {
	return KeyColumn(d.Table) == "" && len(d.Table.Primary) > 1 && slices.ContainsFunc(d.Table.Primary, func(c string) bool {
		stem, _ := splitReference(c)
		return len(stem) > 0 && (stem[len(stem)-1] == noun(d.Name) || d.People != nil && isPersonNoun(stem[len(stem)-1]))
	})
}

// namedAlike are the columns of a dataset, in the order of the parent's key, that could be it: those of the same
// names first, then those where one column names it in its own way (reviewer_no for employee_no).
func (s *scan) namedAlike(d, parent *Dataset) [][]string {
	key := parent.Table.Primary
	var same []string
	odd := -1
	for i, k := range key {
		at := slices.IndexFunc(d.Table.Columns, func(c connector.Column) bool { return strings.EqualFold(c.Name, k) })
		if at < 0 {
			if odd >= 0 {
				return nil
			}
			odd, same = i, append(same, "")
			continue
		}
		same = append(same, d.Table.Columns[at].Name)
	}
	var out [][]string
	if odd < 0 {
		out, odd = append(out, same), len(key)-1
	}
	own := keyOf(parent, key[odd], false)
	for i := range d.Table.Columns {
		c := &d.Table.Columns[i]
		if !slices.Contains(same, c.Name) && columnKind(own) == c.Kind && keyNameScore(readName(c), own) >= 0.5 {
			columns := slices.Clone(same)
			columns[odd] = c.Name
			out = append(out, columns)
		}
	}
	return out
}

func (s *scan) proposeComposite(ctx context.Context, g *Graph, d, parent *Dataset, columns []string) error {
	from := d.Name + "." + strings.Join(columns, "+")
	if s.proposed("link:"+d.System+"."+from) || slices.ContainsFunc(d.Out, func(e *Edge) bool { return e.Parent == parent && slices.Equal(e.ChildColumns, columns) }) {
		return nil
	}
	m := &match{key: keyOf(parent, strings.Join(parent.Table.Primary, "+"), false), name: 0.9}
	if err := s.probeTuples(ctx, d, columns, m); ctx.Err() != nil {
		return ctx.Err()
	} else if err != nil || m.probed < fewProbed || m.share < enough {
		return nil // what cannot be compared is not guessed
	}
	role := s.roleOf(g, d, ownColumn(columns, parent), m)
	s.propose(Proposal{System: d.System, Link: &Link{From: from, To: parent.Name + "." + m.key.column, As: role}},
		Mark{ID: "link:" + d.System + "." + from, Confidence: m.confidence(), Reason: m.reason()})
	return nil
}

// ownColumn is the column that tells people of one company apart: the last that is not named as in the key, or the key's last.
func ownColumn(columns []string, parent *Dataset) string {
	for i, c := range columns {
		if !strings.EqualFold(c, parent.Table.Primary[i]) {
			return c
		}
	}
	return columns[len(columns)-1]
}

// probeTuples asks the parent's store how many of the sampled keys it knows.
func (s *scan) probeTuples(ctx context.Context, d *Dataset, columns []string, m *match) error {
	p, parent := s.profiles[d.Table], m.key.d
	at := make([]int, len(columns))
	for i, c := range columns {
		if at[i] = slices.Index(p.columns, c); at[i] < 0 {
			return fmt.Errorf("%s.%s was not sampled", d.ID(), c)
		}
	}
	asked := map[string]bool{}
	var keys []connector.Key
	for _, row := range p.sample {
		key := make(connector.Key, len(at))
		fits := true
		for i, col := range at {
			v, ok := parent.Store.Convert(row[col], parent.Table.Column(parent.Table.Primary[i]))
			key[i], fits = v, fits && ok
		}
		if fits && !key.HasNull() && !asked[key.Encode()] && len(keys) < probeValues {
			asked[key.Encode()] = true
			keys = append(keys, key)
		}
	}
	if m.probed = len(keys); m.probed == 0 {
		return nil
	}
	found := 0
	err := parent.Store.Select(ctx, []connector.Select{{Table: parent.Table, Columns: parent.Table.Primary,
		Where: []connector.Match{{Columns: parent.Table.Primary, Keys: keys}}}}, func(int, []connector.Value) error { found++; return nil })
	if err != nil {
		return fmt.Errorf("looking for keys of %s: %w", parent.ID(), err)
	}
	m.share = float64(found) / float64(m.probed)
	return nil
}
