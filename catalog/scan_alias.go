package catalog

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ombudhq/ombud/connector"
)

// proposeFaces: who signs in as a user may be known to others by an account of another dataset, where all they did
// hangs. It has no address to tell that; but each user has one of their own, and none has two.
func (s *scan) proposeFaces(g *Graph) {
	taken := takenKinds(g)
	for _, e := range g.Edges {
		if e.Child.People == nil || e.Parent.People != nil || e.Parent.Ignored || e.FK == nil || len(e.ChildColumns) != 1 || !s.oneEach(e) {
			continue
		}
		c := &candidate{d: e.Parent, by: map[string]string{}}
		if s.addKeys(c, taken); len(c.by) > 0 {
			s.propose(Proposal{System: e.Parent.System, People: &People{Table: e.Parent.Name, By: c.by}},
				Mark{ID: "people:" + e.Parent.ID(), Confidence: 0.75, Reason: fmt.Sprintf("each of %s has one of its own, and its name says that it is a person", e.Child.Name)})
		}
	}
}

// proposeSelves: a profile under the key of its user is the user, a patient under that of a person the person, where rows refer to it and
// to somebody beside: then it must be told whose a row is, and who invited or treated them.
func (s *scan) proposeSelves(g *Graph) {
	taken := takenKinds(g)
	for _, e := range g.Edges {
		d := e.Child
		if d.People != nil || d.Ignored || e.Parent.People == nil || e.FK == nil || len(e.ChildColumns) != 1 || !sameSet(d.Table.Primary, e.ChildColumns) || !isPerson(g, d) || !namesSeveral(d) {
			continue
		}
		c := &candidate{d: d, by: map[string]string{}}
		if s.addKeys(c, taken); len(c.by) > 0 {
			s.propose(Proposal{System: d.System, People: &People{Table: d.Name, By: c.by}},
				Mark{ID: "people:" + d.ID(), Confidence: 0.85, Reason: fmt.Sprintf("its key is that of %s, and rows refer to several of it", e.Parent.Name)})
		}
	}
}

// namesSeveral: a dataset refers to one of them, and to another or to other people.
func namesSeveral(d *Dataset) bool {
	return slices.ContainsFunc(d.In, func(e *Edge) bool {
		return e.Child != d && slices.ContainsFunc(e.Child.Out, func(o *Edge) bool { return o != e && (o.Parent == d || o.Parent.People != nil) })
	})
}

// proposeSameLogins: a user of another dataset who has the login of one is the same person, by whichever key everything else
// names them.
func (s *scan) proposeSameLogins(ctx context.Context, g *Graph) error {
	taken := takenKinds(g)
	for _, d := range g.Datasets {
		if d.People != nil || d.Ignored || !isPerson(g, d) {
			continue
		}
		for _, column := range s.logins(d) {
			m, err := s.sameLogins(ctx, g, d, column)
			if err != nil {
				return err
			}
			if m == nil {
				continue
			}
			c := &candidate{d: d, by: map[string]string{}}
			if s.addKeys(c, taken); len(c.by) == 0 {
				break
			}
			s.propose(Proposal{System: d.System, People: &People{Table: d.Name, By: c.by}},
				Mark{ID: "people:" + d.ID(), Confidence: 0.75, Reason: fmt.Sprintf("each has the login of one of %s in %s, and its name says that it is a person", m.key.d.Name, column)})
			s.propose(Proposal{System: d.System, Link: &Link{From: d.Name + "." + column, To: m.key.d.Name + "." + m.key.column, As: Alias}},
				Mark{ID: "link:" + d.ID() + "." + column, Confidence: m.confidence(), Reason: m.reason()})
			break
		}
	}
	return nil
}

// sameLogins finds the people of the system whose logins a column holds.
func (s *scan) sameLogins(ctx context.Context, g *Graph, d *Dataset, column string) (*match, error) {
	for _, o := range g.Datasets {
		if o.People == nil || o.System != d.System {
			continue
		}
		for _, theirs := range s.logins(o) {
			m := &match{key: keyOf(o, theirs, false), name: 0.8}
			if err := s.probe(ctx, d, d.Table.Column(column), m); ctx.Err() != nil {
				return nil, ctx.Err()
			} else if err == nil && m.share >= enough {
				return m, nil
			}
		}
	}
	return nil, nil
}

// logins are the columns called like a login, in which many have one, each another.
func (s *scan) logins(d *Dataset) (out []string) {
	p := s.profiles[d.Table]
	for _, c := range d.Table.Columns {
		stem := singulars(c.Name)
		named := slices.ContainsFunc(stem, func(w string) bool { return w == "login" || w == "username" }) || strings.HasSuffix(strings.Join(stem, "_"), "user_name")
		if named && c.Kind == connector.Text && p.distinct(c.Name) == 1 && len(p.some(c.Name, severalProbed)) == severalProbed {
			out = append(out, c.Name)
		}
	}
	return out
}

// oneEach: the sample met no two rows that refer to the same one, of a dataset whose name says person.
func (s *scan) oneEach(e *Edge) bool {
	column := e.ChildColumns[0]
	return isPersonNoun(noun(e.Parent.Name)) && len(s.profiles[e.Child.Table].values[column]) >= followFewest && s.profiles[e.Child.Table].distinct(column) == 1
}

// proposeAliases: where each row of persons names another row of persons of its own, and the addresses
// of the two agree, both are the same person: a user and the contact behind it. Without an address to
// compare, a key that the database lets nobody share says so: a patient and their account.
func (s *scan) proposeAliases(ctx context.Context, g *Graph) error {
	for _, e := range g.Edges {
		if e.Child.People == nil || e.Parent.People == nil || e.Child == e.Parent || e.Link != nil || e.Role != Mention || len(e.ChildColumns) != 1 {
			continue
		}
		same, err := s.areSame(ctx, e)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil || !same {
			continue // what cannot be compared is not guessed
		}
		s.propose(Proposal{System: e.Child.System, Link: &Link{From: e.Path(), To: e.Parent.Name + "." + e.ParentColumns[0], As: Alias}},
			Mark{ID: "link:" + e.Child.System + "." + e.Path(), Confidence: 0.9, Reason: aliasReason(e)})
	}
	return nil
}

func aliasReason(e *Edge) string {
	switch {
	case e.Child.People.By["email"] != "" && e.Parent.People.By["email"] == "":
		return "each row has one there of its own"
	case e.Child.People.By["email"] == "":
		return "each row has one there of its own, as the database demands"
	}
	return "each row has one there of its own, with the same address"
}

const fewestAliases = 5

func (s *scan) areSame(ctx context.Context, e *Edge) (bool, error) {
	p, mail, theirs := s.profiles[e.Child.Table], e.Child.People.By["email"], e.Parent.People.By["email"]
	if mail == "" && isUnique(e.Child.Table, e.ChildColumns) || theirs == "" && s.oneEach(e) {
		return true, nil
	}
	if mail == "" || theirs == "" || !slices.Contains(p.columns, mail) || len(p.values[e.ChildColumns[0]]) < fewestAliases || p.distinct(e.ChildColumns[0]) < 1 {
		return false, nil
	}
	seen, err := s.agreement(ctx, e.Child, mail, way{e.ChildColumns[0], e.ParentColumns[0]}, &match{key: keyOf(e.Parent, theirs, true)})
	return seen.share() >= 0.95, err
}
