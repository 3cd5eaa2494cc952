package catalog

import (
	"context"
	"fmt"
	"slices"
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
