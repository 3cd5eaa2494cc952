package catalog

import "slices"

// severalRoles: two or more ways to a person. Whichever rule decides, it is asked.
func (g *Graph) severalRoles(d *Dataset, open []*Edge) {
	var firm, loose []*Edge
	for _, e := range open {
		if nullable(d.Table, e.ChildColumns) {
			loose = append(loose, e)
		} else {
			firm = append(firm, e)
		}
	}
	actors, rest := fanOutActors(open)
	keepers, served := besideServed(open)
	strangers, known := apart(loose, firm)
	switch {
	case len(keepers) > 0:
		g.mention(d, keepers, "names an owner beside a customer, as whoever sees to it would be called")
		g.restRoles(d, served)
	case len(actors) > 0:
		g.mention(d, actors, "names people who stand in many more rows each, as somebody who acts would")
		g.restRoles(d, rest)
	case len(firm) == 1 && len(loose) > 0:
		firm[0].Role = Own
		g.mention(d, loose, "may be empty, so it seems to name somebody beside the owner")
	case len(firm) > 1 && len(strangers) > 0:
		g.mention(d, strangers, "may be empty and is another kind of person, so it seems to name somebody beside the owners")
		g.restRoles(d, append(firm, known...))
	case isPureLink(d.Table):
		for _, e := range open {
			e.Role = Join
		}
	default:
		for _, e := range open {
			e.Role = Co
			g.ask(d, e, "is one of several people the row could belong to")
		}
	}
}

func (g *Graph) mention(d *Dataset, edges []*Edge, why string) {
	for _, e := range edges {
		e.Role = Mention
		g.ask(d, e, why)
	}
}

func (g *Graph) restRoles(d *Dataset, rest []*Edge) {
	if len(rest) == 1 {
		rest[0].Role = Own
		return
	}
	g.severalRoles(d, rest)
}

// besideServed finds the owners of what is a customer's: a ticket is not the agent's who owns it, nor who made it.
func besideServed(open []*Edge) (owners, rest []*Edge) {
	served := false
	for _, e := range open {
		switch stem, _ := splitReference(e.ChildColumns[0]); {
		case len(stem) > 0 && (stem[len(stem)-1] == "owner" || stem[len(stem)-1] == "creator"):
			owners = append(owners, e)
			continue
		case len(stem) > 0 && servedNouns[stem[len(stem)-1]]:
			served = true
		}
		rest = append(rest, e)
	}
	if !served {
		return nil, open
	}
	return owners, rest
}

var servedNouns = set(`customer client patient student pupil guest applicant kunde cliente`)

// fanOutActors finds the edges to another people dataset whose people are each named by over eight
// times as many rows as those of the rest.
func fanOutActors(open []*Edge) (actors, rest []*Edge) {
	a := open[0].Parent
	toA, toB := apartFrom(open, a)
	if len(toB) == 0 || slices.ContainsFunc(toB, func(e *Edge) bool { return e.Parent != toB[0].Parent }) {
		return nil, open
	}
	inA, inB := a.Table.Rows, toB[0].Parent.Table.Rows
	switch {
	case inA <= 0 || inB <= 0:
		return nil, open
	case inB > 8*inA:
		return toA, toB
	case inA > 8*inB:
		return toB, toA
	}
	return nil, open
}

func apartFrom(edges []*Edge, parent *Dataset) (to, other []*Edge) {
	for _, e := range edges {
		if e.Parent == parent {
			to = append(to, e)
		} else {
			other = append(other, e)
		}
	}
	return to, other
}

// apart tells the edges to a people dataset that none of the others leads to from the rest.
func apart(edges, others []*Edge) (strangers, known []*Edge) {
	for _, e := range edges {
		if slices.ContainsFunc(others, func(o *Edge) bool { return o.Parent == e.Parent }) {
			known = append(known, e)
		} else {
			strangers = append(strangers, e)
		}
	}
	return strangers, known
}
