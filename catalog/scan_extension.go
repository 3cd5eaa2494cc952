package catalog

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/pii"
)

// proposeExtension: contacts_cstm has more columns for each of contacts, and no column of another name: its own key is theirs.
// So is that of a copy, an order_grid, which says of each what the order says.
func (s *scan) proposeExtension(ctx context.Context, g *Graph, d *Dataset) error {
	key := KeyColumn(d.Table)
	if key == "" || isReference(d.Table, key) || linked(d, key) {
		return nil
	}
	whole := s.wholeOf(g, d)
	if whole == nil || s.proposed("link:"+d.ID()+"."+key) {
		return nil
	}
	if !s.tellsByItself(d, key) {
		if alike, err := s.saysTheSame(ctx, d, whole); !alike || err != nil {
			return err
		}
	}
	m := match{key: keyOf(whole, KeyColumn(whole.Table), false), name: 0.9}
	if err := s.probe(ctx, d, d.Table.Column(key), &m); ctx.Err() != nil {
		return ctx.Err()
	} else if err != nil || m.probed < severalProbed || m.share < enough {
		return nil // what cannot be compared is not guessed
	}
	s.addLinkProposal(g, d, d.Table.Column(key), &m)
	return nil
}

// wholeOf is the dataset of people, or of what is theirs, whose name stands in front of the dataset's own or behind it; of
// several the one that says most.
func (s *scan) wholeOf(g *Graph, d *Dataset) *Dataset {
	var whole *Dataset
	most := 0
	for _, o := range g.Datasets {
		words := o.words
		if n := len(words); n > 1 && isAffix(words) {
			words = words[:n-1] // customer_entity, of which there is a customer_grid
		}
		n := len(words)
		switch {
		case o == d || o.System != d.System || o.People == nil && !o.Personal || o.Container || KeyColumn(o.Table) == "" || refersTo(o, d):
		case n == 0 || n >= len(d.words) || whole != nil && n <= most:
		case slices.Equal(words, d.words[:n]) || slices.Equal(words, d.words[len(d.words)-n:]):
			whole, most = o, n
		}
	}
	return whole
}

// saysTheSame: the keys have one name, and what stands beside them in a column that the two have, in hardly two rows the same.
func (s *scan) saysTheSame(ctx context.Context, d, whole *Dataset) (bool, error) {
	key, theirs := KeyColumn(d.Table), KeyColumn(whole.Table)
	if !strings.EqualFold(key, theirs) {
		return false, nil
	}
	for _, c := range d.Table.Columns {
		if c.Kind != connector.Text || c.Name == key || whole.Table.Column(c.Name) == nil || s.profiles[d.Table].distinct(c.Name) < 0.9 {
			continue
		}
		seen, err := s.agreement(ctx, d, c.Name, way{key, theirs}, &match{key: keyOf(whole, c.Name, false)})
		if ctx.Err() != nil || err == nil && seen.known >= severalProbed && seen.share() >= enough {
			return ctx.Err() == nil, ctx.Err()
		}
	}
	return false, nil
}

// tellsByItself: a value of the column is no number that anything might have: a UUID, or one of a series with many gaps.
func (s *scan) tellsByItself(d *Dataset, column string) bool {
	p := s.profiles[d.Table]
	values := p.some(column, s.samples)
	if len(values) < severalProbed {
		return false
	}
	if d.Table.Column(column).Kind != connector.Int {
		return !slices.ContainsFunc(values, func(v connector.Value) bool { return !pii.IsUUID(v.S) })
	}
	var numbers []int64
	for _, v := range values {
		n, err := strconv.ParseInt(v.S, 10, 64)
		if err != nil {
			return false
		}
		numbers = append(numbers, n)
	}
	return (slices.Max(numbers)-slices.Min(numbers))/manyGaps > max(p.rows, int64(len(values)))
}

const manyGaps = 4

// proposeFaced: what each row of has one there that says whose it is, an order its order_customer, is theirs, and so is all that
// hangs on it. To follow the reference the other way would leave an order that has lines and addresses too.
func (s *scan) proposeFaced(g *Graph) {
	for _, e := range g.Edges {
		n := len(e.Parent.words)
		if e.Role != Follow || e.Link != nil || n != len(e.Child.words)-1 || !slices.Equal(e.Child.words[:n], e.Parent.words) || !isPersonNoun(e.Child.words[n]) {
			continue
		}
		from := e.Parent.Name + "." + strings.Join(e.ParentColumns, "+")
		s.propose(Proposal{System: e.Child.System, Link: &Link{From: from, To: e.Child.Name + "." + strings.Join(e.ChildColumns, "+"), As: Own}},
			Mark{ID: "link:" + e.Child.System + "." + from, Confidence: 0.8, Reason: fmt.Sprintf("each has one %s, which says whose it is", e.Child.Name)})
	}
}
