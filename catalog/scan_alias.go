package catalog

import (
	"context"
	"slices"
)

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
	if e.Child.People.By["email"] == "" {
		return "each row has one there of its own, as the database demands"
	}
	return "each row has one there of its own, with the same address"
}

const fewestAliases = 5

func (s *scan) areSame(ctx context.Context, e *Edge) (bool, error) {
	p, mail, theirs := s.profiles[e.Child.Table], e.Child.People.By["email"], e.Parent.People.By["email"]
	if mail == "" && isUnique(e.Child.Table, e.ChildColumns) {
		return true, nil
	}
	if mail == "" || theirs == "" || !slices.Contains(p.columns, mail) || len(p.values[e.ChildColumns[0]]) < fewestAliases || p.distinct(e.ChildColumns[0]) < 1 {
		return false, nil
	}
	share, _, err := s.agreement(ctx, e.Child, mail, way{e.ChildColumns[0], e.ParentColumns[0]}, &match{key: parentKey{e.Parent, theirs, true}})
	return share >= 0.95, err
}
