package catalog

import (
	"slices"
	"strings"

	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/pii"
)

var (
	writers = set(`from sender author writer creator submitter reporter requester poster commenter`)
	sides   = set(`from to sender recipient receiver buyer seller payer payee giver taker`)
)

// isWriter: who stands in the column wrote the row's text.
func isWriter(column string) bool {
	toks := unglue(pii.Tokens(column), "")
	return slices.ContainsFunc(toks, func(t string) bool { return writers[t] }) || strings.HasPrefix(strings.Join(toks, "_"), "created_by") || slices.Equal(toks, []string{"user", "created"})
}

func isSide(column string) bool {
	return slices.ContainsFunc(pii.Tokens(column), func(t string) bool { return sides[t] })
}

func (s *scan) addLinkProposal(g *Graph, d *Dataset, c *connector.Column, m *match) {
	to := m.key.d.Name + "." + m.key.column
	if m.key.d.System != d.System {
		to = m.key.d.System + "." + to
	}
	role := s.roleOf(g, d, c.Name, m)
	s.propose(Proposal{System: d.System, Link: &Link{From: d.Name + "." + c.Name, To: to, As: role, Author: m.key.d.People != nil && isWriter(c.Name)}},
		Mark{ID: "link:" + d.ID() + "." + c.Name, Confidence: m.confidence(), Reason: m.reason()})
}

// roleOf judges what a found reference says. With another way to a person it names somebody beside
// the owner; an address column that also holds others' (staff who answer in a thread) names who
// wrote, while the thread says whose it is.
func (s *scan) roleOf(g *Graph, d *Dataset, column string, m *match) Role {
	direct := eachLeadsToPerson(d) || s.proposedDirect(g, d)
	switch {
	case m.key.d.People != nil && (isOrganisation(d) || s.hasMembers(g, d, m.key)):
		return Mention
	case m.guests > 0:
		return Own
	case m.key.d.People == nil && (direct || isNewest(column) || m.probed == 0 && s.proposedOwner(d)):
		return Context
	case m.key.d.People == nil:
		return Own
	case direct || isNewest(column) || isAnything(column) || isActor([]string{column}) && !((bears(column, m.key.d) || isMaker(column, d) || isWriter(column) && leavesTrace(d)) && s.namesNobodyElse(g, d, m.key.d)):
		return Mention
	case m.key.email && m.rows < enough && hangsOnPersonal(d):
		return Mention
	}
	return Own
}

// servedFirst: of a patient and a user, a payment is the patient's, whichever stands first; of two
// users it is that one's who is called nothing but user; and of a lead and a contact a case is that one's whom any row names.
func (s *scan) servedFirst(t *connector.Table) []*connector.Column {
	var first, plain, rest, empty []*connector.Column
	for i := range t.Columns {
		c := &t.Columns[i]
		stem, suffix := splitReference(c.Name)
		switch {
		case len(s.profiles[t].sample) > 0 && len(s.profiles[t].some(c.Name, 1)) == 0:
			empty = append(empty, c)
		case suffix != "" && len(stem) == 1 && servedNouns[stem[0]]:
			first = append(first, c)
		case suffix != "" && len(stem) == 1 && accountNouns[stem[0]] && !isActor([]string{c.Name}):
			plain = append(plain, c)
		default:
			rest = append(rest, c)
		}
	}
	return slices.Concat(first, plain, rest, empty)
}

// isAnything: in an old_value may stand whatever a row was changed from, now and then somebody.
func isAnything(column string) bool {
	toks := pii.Tokens(column)
	return len(toks) > 0 && strings.HasSuffix(toks[len(toks)-1], "value")
}

// hasMembers: beside channels there are channel_members, so a channel is not its creator's; but a conversation that users take part
// in is the customer's whom it names.
func (s *scan) hasMembers(g *Graph, d *Dataset, k parentKey) bool {
	return slices.ContainsFunc(g.Datasets, func(o *Dataset) bool {
		n := len(o.words) - 1
		named := o.System == d.System && n >= 0 && (memberNouns[o.words[n]] && slices.Equal(o.words[:n], d.words) || o.words[n] == d.noun+"member" && n == len(d.words)-1)
		return named && (refersTo(o, k.d) || slices.ContainsFunc(o.Table.Columns, func(c connector.Column) bool { return s.nameScore(o, readName(&c), k) >= 0.8 }))
	})
}

var memberNouns = set(`member membership participant attendee`)

// isNewest: who did it last is named, and changes (topic_last_poster_id); so does what came last, forum_last_post_id.
func isNewest(column string) bool {
	toks := pii.Tokens(column)
	return slices.Contains(toks[:max(len(toks)-1, 0)], "last")
}

// bears: the column has the name of the dataset it refers to, and not that of somebody who acts on it.
func bears(column string, parent *Dataset) bool {
	stem, _ := splitReference(column)
	return len(stem) > 0 && stem[len(stem)-1] == noun(parent.Name) && !slices.Contains(stem, "by") && !isDone(stem[0]) && !doings[stem[0]]
}

// namesNobodyElse: an employee_id in a table of nobody else's is whose the row is; beside a customer_id it is who handled it.
func (s *scan) namesNobodyElse(g *Graph, d, parent *Dataset) bool {
	keys := s.parentKeys(g, true)
	for i := range d.Table.Columns {
		name := readName(&d.Table.Columns[i])
		for _, k := range keys {
			if k.d != parent && !k.email && keyNameScore(name, k) >= 0.8 {
				return false
			}
		}
	}
	return true
}

// hangsOnPersonal: the row is part of something else, a message of its ticket.
func hangsOnPersonal(d *Dataset) bool {
	return slices.ContainsFunc(d.Out, func(e *Edge) bool {
		return e.FK != nil && e.Parent != d && e.Role != Mention && (e.Parent.Personal || threads[noun(e.Parent.Name)])
	})
}

var threads = set(`ticket thread conversation case chat inquiry request issue discussion topic`)

func (s *scan) proposedDirect(g *Graph, d *Dataset) bool {
	return slices.ContainsFunc(s.f.Proposals, func(p Proposal) bool {
		if p.Link == nil || p.System != d.System || !strings.HasPrefix(p.Link.From, d.Name+".") || p.Link.As == Mention || p.Link.As == Context || len(p.Link.When) > 0 {
			return false
		}
		to, _ := g.endpoint(d.System, p.Link.To)
		return to != nil && to.People != nil
	})
}

// proposedOwner: whatever the row is part of is known, so what nothing but a name tells of only says where it hangs.
func (s *scan) proposedOwner(d *Dataset) bool {
	return slices.ContainsFunc(s.f.Proposals, func(p Proposal) bool {
		return p.Link != nil && p.System == d.System && p.Link.As == Own && strings.HasPrefix(p.Link.From, d.Name+".")
	})
}

// balanceRoles: two ends of an exchange (from, to) are both's when each was found on its own.
func (s *scan) balanceRoles(d *Dataset) {
	var ends []*Link
	for _, p := range s.f.Proposals {
		if p.Link != nil && p.System == d.System && strings.HasPrefix(p.Link.From, d.Name+".") && len(p.Link.When) == 0 {
			if isSide(lastPart(p.Link.From)) {
				ends = append(ends, p.Link)
			}
		}
	}
	if len(ends) < 2 {
		return
	}
	for _, l := range ends {
		l.As = Co
	}
}

// proposeRoles turns what the rules ask about declared keys into guesses that can be answered.
func (s *scan) proposeRoles(g *Graph) {
	for _, q := range g.Questions {
		if q.ID == "" {
			continue
		}
		for _, e := range g.Edges {
			if e.Link != nil || e.FK == nil || "link:"+e.Child.System+"."+e.Path() != q.ID {
				continue
			}
			role, confidence := e.Role, 0.7
			if q.As != "" {
				role, confidence = q.As, 0.4
			}
			switch role {
			case Own, Co, Mention, Follow, Context, Alias:
			default:
				continue
			}
			s.propose(Proposal{System: q.System, Link: &Link{From: e.Path(), To: e.Parent.Name + "." + strings.Join(e.ParentColumns, "+"), As: role,
				Author: role == Co && isWriter(e.ChildColumns[0])}}, Mark{ID: q.ID, Confidence: confidence, Reason: roleReason(q.Text)})
		}
	}
}

// roleReason keeps the why of a question: "a.b to c: it WHY; planned as …".
func roleReason(text string) string {
	if _, rest, ok := strings.Cut(text, ": "); ok {
		text = rest
	}
	text, _, _ = strings.Cut(text, ";")
	return text
}
