package catalog

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/pii"
)

// inferRoles gives a role to every edge that no link speaks of, in the order of the rules: a later
// rule never overrules an earlier one. What it cannot know for sure it also asks.
func (g *Graph) inferRoles(ctx context.Context) error {
	if err := g.inferFollow(ctx, isPeople); err != nil {
		return err
	}
	if err := g.markContainers(ctx); err != nil {
		return err
	}
	for _, d := range g.Datasets {
		if d.People != nil {
			peopleRoles(d)
		} else if d.Container {
			containerRoles(d)
		} else {
			g.directRoles(d)
		}
	}
	g.inheritRoles()
	if err := g.inferFollow(ctx, isPersonal); err != nil {
		return err
	}
	for _, e := range g.Edges {
		if e.Role == "" {
			e.Role = Lookup
		}
	}
	g.askPolymorphic()
	return nil
}

// markContainers: what a people row refers to (its store, tenant, account) and all parents of that
// hold many people together. A back reference to a child (users.last_order_id) looks the same; it is
// told apart by the data: at most one person points to each row.
func (g *Graph) markContainers(ctx context.Context) error {
	var mark func(d *Dataset)
	mark = func(d *Dataset) {
		if d.Container || d.People != nil {
			return
		}
		d.Container = true
		for _, e := range d.Out {
			mark(e.Parent)
		}
	}
	for _, e := range g.Edges {
		if e.Role != "" || e.Child.People == nil || e.Parent.People != nil {
			continue
		}
		pointer, err := isPointer(ctx, e)
		if err != nil {
			return err
		}
		if pointer {
			e.Role = Pointer
			continue
		}
		e.Role = Up
		mark(e.Parent)
	}
	return nil
}

const pointerSample = 2000

func isPointer(ctx context.Context, e *Edge) (bool, error) {
	back := false
	for _, o := range e.Parent.Out {
		back = back || o.Parent == e.Child
	}
	if !back || !e.Child.Table.Rights.Select {
		return false, nil
	}
	if isUnique(e.Child.Table, e.ChildColumns) {
		return true, nil
	}
	rows, err := e.Child.Store.Sample(ctx, e.Child.Table, e.ChildColumns, pointerSample)
	if err != nil {
		return false, fmt.Errorf("sampling %s: %w", e.Child.ID(), err)
	}
	seen := map[string]bool{}
	for _, r := range rows {
		k := connector.Key(r)
		if k.HasNull() {
			continue
		}
		if seen[k.Encode()] {
			return false, nil
		}
		seen[k.Encode()] = true
	}
	return len(seen) > 0, nil
}

func isUnique(t *connector.Table, columns []string) bool {
	if sameSet(t.Primary, columns) {
		return true
	}
	for _, u := range t.Uniques {
		if !u.Partial && sameSet(u.Columns, columns) {
			return true
		}
	}
	return false
}

func sameSet(a, b []string) bool {
	if len(a) != len(b) || len(a) == 0 {
		return false
	}
	for _, x := range a {
		if !slices.Contains(b, x) {
			return false
		}
	}
	return true
}

// peopleRoles: a people row whose key is its reference is the same person; any other reference to a
// person names somebody else.
func peopleRoles(d *Dataset) {
	for _, e := range d.Out {
		if e.Role != "" || e.Parent.People == nil {
			continue
		}
		e.Role = Mention
		if e.Parent != d && sameSet(d.Table.Primary, e.ChildColumns) {
			e.Role = Alias
		}
	}
}

// containerRoles: a person a container refers to (its manager, its primary contact) is mentioned.
func containerRoles(d *Dataset) {
	for _, e := range d.Out {
		if e.Role == "" && e.Parent.People != nil {
			e.Role = Mention
		}
	}
}

var actorNouns = []string{"staff", "employee", "agent", "rep", "manager", "teacher", "moderator", "operator", "admin", "assignee", "reviewer", "approver", "handler", "supervisor"}

// isActor: the column names who did something to the row: created_by, assignedTo, write_uid, created_user_id, user_created, agent_id.
func isActor(columns []string) bool {
	return slices.ContainsFunc(columns, func(c string) bool {
		toks := unglue(pii.Tokens(c), "")
		if len(toks) == 0 {
			return false
		}
		first, last := toks[0], toks[len(toks)-1]
		return slices.Index(toks, "by") > 0 || isDone(first) || doings[first] && (last == "uid" || last == "id" && len(toks) == 3 && accountNouns[toks[1]]) || len(toks) == 2 && accountNouns[first] && doings[last] ||
			slices.ContainsFunc(toks, func(t string) bool { return slices.Contains(actorNouns, t) })
	})
}

// isMaker: the word for who acts comes of the word for the row: where a review has a reviewer and nobody else, it is theirs.
func isMaker(column string, d *Dataset) bool {
	return len(d.noun) > 3 && slices.ContainsFunc(pii.Tokens(column), func(t string) bool { return strings.HasPrefix(t, d.noun) })
}

// leavesTrace: the row holds the address that who made it came from, so it tells of them.
func leavesTrace(d *Dataset) bool {
	return slices.ContainsFunc(d.Table.Columns, func(c connector.Column) bool { return pii.ByName(c.Name).Kind == pii.IP })
}

// isMade: whoever created what others refer to, or what is part of something else, handled it: a concept, a provider of an encounter.
// A file that hangs on nothing else is its creator's.
func isMade(d *Dataset, column string) bool {
	stem, _ := splitReference(column)
	if len(stem) == 0 || stem[len(stem)-1] != "creator" {
		return false
	}
	return slices.ContainsFunc(d.In, func(e *Edge) bool { return e.Child != d }) ||
		slices.ContainsFunc(d.Out, func(e *Edge) bool { return e.FK != nil && e.Parent != d && e.Parent.People == nil })
}

// isDone: somebody else did it, whose number follows: assigned_user_id.
func isDone(w string) bool { return w == "approved" || w == "assigned" }

var doings = set(`create created write written update updated modify modified edit edited delete deleted`)

// directRoles judges the edges of a row that lead to people.
func (g *Graph) directRoles(d *Dataset) {
	var open []*Edge
	direct := 0
	for _, e := range d.Out {
		if e.Parent.People == nil {
			continue
		}
		if e.Role == "" {
			open = append(open, e)
		}
		if e.Role == "" || e.Direct() && !e.Value { // an address beside a key is the way to rows whose key leads to nobody
			direct++
		}
	}
	if len(open) == 1 && direct == 1 && isPureLink(d.Table) {
		open[0].Role = Own
		return
	}
	if isOrganisation(d) {
		g.mention(d, open, "names somebody of an organisation, which holds what is many people's")
		return
	}
	open = slices.DeleteFunc(open, func(e *Edge) bool {
		if isActor(e.ChildColumns) && !(direct == 1 && isMaker(e.ChildColumns[0], d)) && (!isOwnName(e) || direct > 1 && !leadAlike(d, e)) {
			e.Role = Mention
			g.ask(d, e, "looks like who handled it, not whose it is")
			direct--
			return true
		}
		return false
	})
	switch {
	case len(open) == 0:
	case direct == 1 && isMade(d, open[0].ChildColumns[0]):
		g.mention(d, open, "names who made what is part of something else, or what others refer to")
	case direct == 1:
		open[0].Role = Own
	default:
		g.severalRoles(d, open)
	}
}

// isOrganisation: its rows are companies or teams. Whoever founded one and leaves does not take the work of all with them.
func isOrganisation(d *Dataset) bool {
	toks := singulars(d.Name)
	return teamNouns[noun(d.Name)] && !slices.ContainsFunc(toks, isPersonNoun)
}

var teamNouns = set(`organization organisation company team workspace tenant club firm school hospital community department firma lag bedrift verein`)

// isOwnName is for people datasets that are themselves named like an actor: payslips.employee_id
// referring to employees is whose it is.
func isOwnName(e *Edge) bool {
	return slices.ContainsFunc(e.ChildColumns, func(c string) bool { return bears(c, e.Parent) }) && ownsNothingElse(e)
}

func ownsNothingElse(e *Edge) bool {
	for _, o := range e.Child.Out {
		if o.Parent != e.Parent && o.Parent.Personal && !o.Parent.Container {
			return false
		}
	}
	return true
}

// leadAlike: all ways to people lead to the dataset that the edge leads to, and none but it bears its name: of
// employee_no and reviewer_no, both of employees, the first says whose a review is.
func leadAlike(d *Dataset, e *Edge) bool {
	return !slices.ContainsFunc(d.Out, func(o *Edge) bool {
		return o != e && o.Parent.People != nil && (o.Parent != e.Parent || isOwnName(o))
	})
}

// isPureLink: a composite primary key made of references, and nothing else but references and times.
func isPureLink(t *connector.Table) bool {
	if len(t.Primary) < 2 {
		return false
	}
	for _, c := range t.Columns {
		if slices.Contains(t.Primary, c.Name) || isReference(t, c.Name) || c.Kind == connector.Time {
			continue
		}
		return false
	}
	return true
}

func isReference(t *connector.Table, column string) bool {
	for _, fk := range t.ForeignKeys {
		if slices.Contains(fk.Columns, column) {
			return true
		}
	}
	return false
}

func nullable(t *connector.Table, columns []string) bool {
	for _, name := range columns {
		if c := t.Column(name); c != nil && !c.NotNull && !slices.Contains(t.Primary, name) {
			return true
		}
	}
	return false
}

// inheritRoles: children of personal rows, level by level. With a direct owner, the edge only says
// where the row hangs.
func (g *Graph) inheritRoles() {
	for changed := true; changed; {
		changed = false
		for _, d := range g.Datasets {
			if d.People != nil || d.Container {
				continue
			}
			changed = inheritEdges(d) || changed
		}
	}
}

func inheritEdges(d *Dataset) bool {
	direct := slices.ContainsFunc(d.Out, (*Edge).Direct)
	changed := false
	for _, e := range d.Out {
		if e.Role != "" || !e.Parent.Personal || e.Parent.Container {
			continue
		}
		e.Role = Inherit
		if direct || e.Parent == d {
			e.Role = Context
		}
		changed = true
	}
	owns := direct || slices.ContainsFunc(d.Out, func(e *Edge) bool { return e.Role == Inherit })
	if owns && !d.Personal {
		d.Personal, changed = true, true
	}
	return changed
}

// ask records a question unless a link already answers it.
func (g *Graph) ask(d *Dataset, e *Edge, why string) {
	g.Questions = append(g.Questions, Question{System: d.System, Dataset: d.Name, ID: "link:" + d.System + "." + e.Path(),
		Text: fmt.Sprintf("%s to %s: it %s; planned as %s until a link says so", e.Path(), e.Parent.Name, why, e.Role)})
}

// askPolymorphic: a key with a word for its table beside it is never followed by itself.
func (g *Graph) askPolymorphic() {
	for _, d := range g.Datasets {
		if d.Ignored {
			continue
		}
		for _, p := range typedKeys(d.Table) {
			if linked(d, p.id) {
				continue
			}
			g.Questions = append(g.Questions, Question{System: d.System, Dataset: d.Name,
				Text: fmt.Sprintf("%s.%s with %s can point to different tables; a link with when: says to which", d.Name, p.id, p.kind)})
		}
	}
}

func linked(d *Dataset, column string) bool {
	return slices.ContainsFunc(d.Out, func(e *Edge) bool { return e.Link != nil && slices.Contains(e.ChildColumns, column) })
}
