package catalog

import (
	"context"
	"slices"
	"strings"

	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/pii"
)

// furtherAddresses are the columns that hold other addresses of the same person, by what their names say: at
// work and in private, a second one, one to get back in by. An address that nobody confirmed yet, or that is a
// parent's or a manager's, names nobody here; a column that repeats the first tells nothing new.
func (p *profile) furtherAddresses(first string) (out []string) {
	if first == "" {
		return nil
	}
	for _, c := range p.columns {
		if c == first || p.class[c].Kind != pii.Email || p.class[c].Confidence < 0.8 || !saysFurther(c) && !saysFurther(first) || !isAddress(c) {
			continue
		}
		if len(p.values[c]) >= fewestFurther && p.distinct(c) >= 0.9 && !p.repeats(c, first) {
			out = append(out, c)
		}
	}
	return out
}

const fewestFurther = 5

var (
	furtherWords = set(`private personal home work business office company second secondary alternate alternative alt other additional backup recovery primary main privat arbeid jobb`)
	addressWords = set(`email mail e epost address`)
)

func saysFurther(column string) bool {
	return slices.ContainsFunc(pii.Tokens(column), func(t string) bool { return furtherWords[t] || isDigits(t) || isDigits(strings.TrimPrefix(t, "email")) })
}

// isAddress: nothing but words for an address and for which of several it is.
func isAddress(column string) bool {
	return !slices.ContainsFunc(pii.Tokens(column), func(t string) bool {
		return !furtherWords[t] && !addressWords[strings.TrimRight(t, "0123456789")] && !isDigits(t)
	})
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// repeats: where both are filled, they are mostly the same.
func (p *profile) repeats(column, first string) bool {
	a, b := slices.Index(p.columns, column), slices.Index(p.columns, first)
	both, same := 0, 0
	for _, row := range p.sample {
		if row[a].IsNull() || row[b].IsNull() {
			continue
		}
		both++
		if connector.Fold(row[a].S) == connector.Fold(row[b].S) {
			same++
		}
	}
	return 2*same > both
}

// proposeAddressBooks: where users have no address of their own, it stands in a dataset of addresses, one or more
// for each user. People enter there, and are the users that the rows lead to.
func (s *scan) proposeAddressBooks(ctx context.Context, g *Graph) error {
	for _, owner := range g.Datasets {
		if owner.People == nil || owner.People.By["email"] != "" || KeyColumn(owner.Table) == "" {
			continue
		}
		for _, d := range g.Datasets {
			email := ""
			if d.System == owner.System && d.People == nil && !d.Ignored && addressBooks[noun(d.Name)] {
				email = s.profiles[d.Table].identity(d, pii.Email)
			}
			if email == "" {
				continue
			}
			column, err := s.leadsTo(ctx, d, owner)
			if err != nil {
				return err
			}
			if column == "" {
				continue
			}
			s.propose(Proposal{System: d.System, People: &People{Table: d.Name, By: map[string]string{"email": email}}},
				Mark{ID: "people:" + d.ID(), Confidence: 0.85, Reason: email + " holds e-mail addresses, hardly one of them twice, each of a row of " + owner.Name + ", which has none"})
			s.propose(Proposal{System: d.System, Link: &Link{From: d.Name + "." + column, To: owner.Name + "." + KeyColumn(owner.Table), As: Alias}},
				Mark{ID: "link:" + d.ID() + "." + column, Confidence: 0.9, Reason: "an address is whose key stands beside it"})
		}
	}
	return nil
}

var addressBooks = set(`email mail login identity credential`)

// leadsTo is the column of a dataset that leads to a dataset of people, declared or found; "" when none does.
func (s *scan) leadsTo(ctx context.Context, d, owner *Dataset) (string, error) {
	for _, e := range d.Out {
		if e.Parent == owner && len(e.ChildColumns) == 1 {
			return e.ChildColumns[0], nil
		}
	}
	key := keyOf(owner, KeyColumn(owner.Table), false)
	for i := range d.Table.Columns {
		c := &d.Table.Columns[i]
		m := match{key: key, name: keyNameScore(readName(c), key)}
		if m.name < 0.9 || !s.mayRefer(d, c) {
			continue
		}
		if err := s.probe(ctx, d, c, &m); ctx.Err() != nil {
			return "", ctx.Err()
		} else if err == nil && m.probed > 0 && m.convinces(d, c.Name) {
			return c.Name, nil
		}
	}
	return "", nil
}
