package catalog

import (
	"context"
	"slices"
	"strings"

	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/pii"
)

// proposeAddressBooks: the addresses of users may stand in a dataset of their own, one or more for each user. People enter
// there, and are the users that the rows lead to, by a key or by a dataset between.
func (s *scan) proposeAddressBooks(ctx context.Context, g *Graph) error {
	for _, owner := range g.Datasets {
		if owner.People == nil || KeyColumn(owner.Table) == "" {
			continue
		}
		for _, d := range g.Datasets {
			email := s.addressOf(d, owner)
			if email == "" {
				continue
			}
			if err := s.proposeAddressBook(ctx, g, d, owner, email); err != nil {
				return err
			}
		}
	}
	return nil
}

// addressOf is the column of addresses of a dataset that holds little else; "" for any other. Of users who have an address of
// their own it holds further ones.
func (s *scan) addressOf(d, owner *Dataset) string {
	what := noun(d.Name)
	ofMail := what == "email" || what == "mail" || what == "address" && slices.ContainsFunc(d.words, func(w string) bool { return addressWords[w] && w != what })
	switch {
	case d == owner || d.System != owner.System || d.People != nil && !d.People.Proposed || d.Ignored || !ofMail && !addressBooks[what]:
		return ""
	case owner.People.By["email"] != "" && (!ofMail || s.hasProse(d)):
		return ""
	}
	if email := s.profiles[d.Table].identity(d, pii.Email); email != "" {
		return email
	}
	return s.profiles[d.Table].mixed(d.Table)
}

var addressBooks = set(`login identity credential channel threepid contactpoint`)

// mixed is a column of addresses, and of numbers to call in the other rows.
func (p *profile) mixed(t *connector.Table) string {
	for _, c := range t.Columns {
		mails, all := 0, p.values[c.Name]
		if c.Kind != connector.Text || len(all) < severalProbed || p.distinct(c.Name) < 0.9 {
			continue
		}
		others := slices.ContainsFunc(all, func(v connector.Value) bool {
			if strings.Contains(v.S, "@") {
				mails++
				return false
			}
			return len(v.S) < 7 || strings.Trim(v.S, "+0123456789 ()-") != ""
		})
		if !others && 3*mails >= len(all) && mails == p.content[c.Name].Whole[pii.Email] {
			return c.Name
		}
	}
	return ""
}

// hasProse: a letter that was sent is no address of who sent it.
func (s *scan) hasProse(d *Dataset) bool {
	return slices.ContainsFunc(d.Table.Columns, func(c connector.Column) bool {
		toks := pii.Tokens(c.Name)
		return s.profiles[d.Table].class[c.Name].Kind == pii.FreeText || len(toks) > 0 && prose[toks[len(toks)-1]]
	})
}

func (s *scan) proposeAddressBook(ctx context.Context, g *Graph, d, owner *Dataset, email string) error {
	column, err := s.leadsTo(ctx, d, owner)
	if err != nil {
		return err
	}
	if column == "" {
		return s.proposeBetween(ctx, g, d, owner, email)
	}
	reason := "which has none"
	if theirs := owner.People.By["email"]; theirs != "" {
		seen, err := s.agreement(ctx, d, email, way{column, KeyColumn(owner.Table)}, &match{key: keyOf(owner, theirs, true)})
		if err != nil || seen.known < fewestFurther || 2*seen.agree > seen.known {
			return ctx.Err() // the same once more, or too few to tell
		}
		reason = "which has another"
	}
	s.proposeBook(d, owner, email, reason)
	s.proposeAlias(d, column, owner, nil, 0.9)
	return nil
}

func (s *scan) proposeBook(d, owner *Dataset, email, reason string) {
	by := map[string]string{"email": email}
	if s.profiles[d.Table].content[email].Whole[pii.Phone] > 0 {
		by["phone"] = email
	}
	s.propose(Proposal{System: d.System, People: &People{Table: d.Name, By: by}},
		Mark{ID: "people:" + d.ID(), Confidence: 0.85, Reason: email + " holds e-mail addresses, hardly one of them twice, each of a row of " + owner.Name + ", " + reason})
}

// proposeAlias: both rows are the same person's; when says of which rows that is meant, nil of all.
func (s *scan) proposeAlias(d *Dataset, column string, owner *Dataset, when map[string]string, confidence float64) {
	id := "link:" + d.ID() + "." + column
	for _, kind := range when {
		id += ":" + kindID(kind)
	}
	s.propose(Proposal{System: d.System, Link: &Link{From: d.Name + "." + column, To: owner.Name + "." + KeyColumn(owner.Table), As: Alias, When: when}},
		Mark{ID: id, Confidence: confidence, Reason: "an address is whose key stands beside it"})
}

// proposeBetween: where one address may be that of several rows, a dataset between them says whose it is, of which kind maybe
// (bean_id and bean_module beside email_address_id).
func (s *scan) proposeBetween(ctx context.Context, g *Graph, d, owner *Dataset, email string) error {
	if KeyColumn(d.Table) == "" || owner.People.By["email"] != "" {
		return nil
	}
	for _, between := range g.Datasets {
		if between == d || between.System != d.System || between.People != nil || between.Ignored || s.hasProse(between) {
			continue // a letter from an address is no address of whom it was assigned to
		}
		column, err := s.leadsTo(ctx, between, d)
		if err != nil {
			return err
		}
		if column == "" {
			continue
		}
		found, err := s.proposeOwnerOf(ctx, g, between, owner)
		if err != nil {
			return err
		}
		if found {
			s.proposeBook(d, owner, email, "which has none")
			s.proposeAlias(between, column, d, nil, 0.9)
		}
	}
	return nil
}

// proposeOwnerOf says that a row of the dataset between is the owner's who stands in it; false when none does.
func (s *scan) proposeOwnerOf(ctx context.Context, g *Graph, between, owner *Dataset) (bool, error) {
	column, err := s.leadsTo(ctx, between, owner)
	if err != nil {
		return false, err
	}
	if column != "" && !isActor([]string{column}) && !isWriter(column) {
		s.proposeAlias(between, column, owner, nil, 0.9)
		return true, nil
	}
	found := false
	for _, p := range typedKeys(between.Table) {
		read, err := s.keysByKind(ctx, between, p)
		if err != nil {
			return false, ctx.Err()
		}
		names := s.kindNames(between, p.kind)
		for _, kind := range read.kinds {
			if namedParent(g, between.System, names(kind)) != owner {
				continue
			}
			m := match{key: keyOf(owner, KeyColumn(owner.Table), false), name: 0.9}
			if err := s.probeValues(ctx, read.ids[kind], &m); err != nil || m.probed == 0 || m.share < enough {
				continue // what cannot be compared is not guessed
			}
			s.proposeAlias(between, p.id, owner, map[string]string{p.kind: kind.S}, m.confidence())
			found = true
		}
	}
	return found, ctx.Err()
}

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
