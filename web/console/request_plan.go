package console

import (
	"fmt"
	"slices"
	"strings"
	"time"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/request"
	"github.com/ombudhq/ombud/web/console/view"
)

// planSection shows a plan like a diff: figures, then every system with its datasets, what could not be reached first.
func planSection(d *dossier) g.Node {
	p := d.Plan
	heading := "What would happen"
	if d.State == request.Running {
		heading = "What runs now"
	} else if !d.planWaits() {
		heading = "What was planned"
	}
	s := view.Section{ID: "plan", Title: heading, First: true, Note: g.Group{g.Text("Plan "), view.Hash(p.Hash), g.Text(" · "), h.A(h.Href(address(d.Request)+"/plan.json"), h.Download(""), g.Text("JSON"))}}
	tallies, bar := figures(p)
	return s.With(tallies, bar,
		g.If(p.Nobody(), h.P(g.Text("No row of any people dataset carries what was given. Spelling counts, case and outer spaces do not."))),
		planTable(p), pathTree(p), ignoredLine(p.Ignored))
}

// figures sums the plan up by what happens to rows.
func figures(p *plan.Plan) (tallies, bar g.Node) {
	var n [3]int64 // deleted, changed, kept
	for _, sys := range p.Systems {
		for _, st := range sys.Datasets {
			switch sign, _ := signOf(p.Kind, st.Method); {
			case sign == view.Delete:
				n[0] += st.Rows
			case sign == view.Alter:
				n[1] += st.Rows
			case st.Method != plan.NameOnly:
				n[2] += st.Rows
			}
		}
	}
	gaps := int64(len(p.Gaps))
	sign := view.Gap
	if gaps == 0 {
		sign = view.OK
	}
	gap := view.Tally{Sign: sign, Figure: view.Number(gaps), Word: plural(gaps, "gap", "gaps")}
	if p.Kind == plan.Access {
		all := []view.Tally{{Sign: view.Keep, Figure: view.Number(n[2]), Word: plural(n[2], "row copied", "rows copied")}, gap}
		if n := heldTexts(p.Held); n > 0 {
			all = append(all, view.Tally{Sign: view.Soon, Figure: view.Number(n), Word: plural(n, "text held for review", "texts held for review")})
		}
		return view.Tallies(all...), nil
	}
	return view.Tallies(
		view.Tally{Sign: view.Delete, Figure: view.Number(n[0]), Word: plural(n[0], "row deleted", "rows deleted")},
		view.Tally{Sign: view.Alter, Figure: view.Number(n[1]), Word: plural(n[1], "row loses its link", "rows lose their link")},
		view.Tally{Sign: view.Keep, Figure: view.Number(n[2]), Word: plural(n[2], "row stays", "rows stay")}, gap,
	), view.Bar(view.Share{Class: "fb", Part: n[0]}, view.Share{Class: "fv", Part: n[1]}, view.Share{Class: "fw", Part: n[2]})
}

func heldTexts(held []plan.Held) (n int64) {
	for _, x := range held {
		n += x.Rows
	}
	return n
}

func plural(n int64, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// planTable has a body for each system: those with gaps first, and in each the gaps first.
func planTable(p *plan.Plan) g.Node {
	var order []string
	place := map[string]plan.SystemPlan{}
	add := func(id string) {
		if !slices.Contains(order, id) {
			order = append(order, id)
		}
	}
	for _, gap := range p.Gaps {
		add(gap.System)
	}
	for _, sys := range p.Systems {
		place[sys.ID] = sys
		if len(sys.Datasets) > 0 {
			add(sys.ID)
		}
	}
	if len(order) == 0 {
		return nil
	}
	var bodies []g.Node
	for _, id := range order {
		bodies = append(bodies, systemBody(p, id, place[id]))
	}
	return view.Table("stack plan", "Plan by system and dataset",
		[]view.Column{{Name: "Method and dataset"}, {Name: "Rows", Right: true}, {Name: "Path to the person"}, {Name: "Because, until"}}, bodies...)
}

func systemBody(p *plan.Plan, id string, sys plan.SystemPlan) g.Node {
	rows := []g.Node{h.Tr(h.Class("grp"), h.Td(h.ColSpan("4"), h.B(g.Text(id)), g.Text(" "), h.Small(g.Text(strings.Trim(sys.Engine+" · "+sys.Location, " ·")))))}
	for _, gap := range p.Gaps {
		if gap.System == id {
			rows = append(rows, gapRow(gap))
		}
	}
	for _, st := range sys.Datasets {
		sign, word := signOf(p.Kind, st.Method)
		rows = append(rows, planRow(sign, word, id, st.Name, view.Number(st.Rows), st.Path, because(st)))
	}
	return view.Rows(rows...)
}

func gapRow(r plan.Remaining) g.Node {
	dataset := r.Dataset
	if dataset == "" {
		dataset = "all of it"
	}
	return planRow(view.Gap, gapWord(r.Code), r.System, dataset, rowsOf(r), "", g.Group{
		g.Text(view.Upper(r.Why) + ". "), h.B(g.Text(who(r.Who))), g.Text(" acts: " + r.Next)})
}

func rowsOf(r plan.Remaining) string {
	if r.Rows < 0 {
		return "?"
	}
	return view.Number(r.Rows)
}

func planRow(sign view.Sign, word, system, dataset, rows, path string, because g.Node) g.Node {
	return view.Row(h.Span(h.Class("vn"), view.Verb(sign, word), h.B(h.Span(h.Class("sr"), g.Text(system+".")), g.Text(dataset))),
		h.Td(h.Class("r num"), h.Data("l", "Rows"), g.Text(rows)),
		h.Td(h.Class("path"), h.Data("l", "Path"), paths(path)),
		h.Td(h.Class("why"), g.If(because != nil, h.Data("l", "Why")), because))
}

// paths that lead to the same rows stand one below the other.
func paths(path string) g.Node {
	var out []g.Node
	for one := range strings.SplitSeq(path, "; ") {
		if len(out) > 0 {
			out = append(out, h.Br())
		}
		out = append(out, g.Text(one))
	}
	return h.Span(out...)
}

// because says of a step what its line cannot: the ground, the end, the fields that change.
func because(st plan.Step) g.Node {
	var parts []string
	if st.Because != "" {
		parts = append(parts, view.Upper(st.Because))
	}
	if len(st.Fields) > 0 && st.Method != catalog.Delete && st.Method != catalog.Keep {
		parts = append(parts, strings.Join(st.Fields, ", "))
	}
	if u := until(st.UntilFirst, st.Until); u != "" {
		parts = append(parts, "Until "+u)
	}
	if len(parts) == 0 {
		return nil
	}
	return g.Text(strings.Join(parts, ". "))
}

// until writes the end of keeping: one date, or the first and the last of many.
func until(first, last string) string {
	if first == "" || first == last {
		return date(last)
	}
	return date(first) + " to " + date(last) + ", row by row"
}

// date turns the date of a plan into one for people.
func date(s string) string {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return s
	}
	return t.Format("2 Jan 2006")
}

// pathTree shows the same paths as they branch, from what was given to the last dataset.
func pathTree(p *plan.Plan) g.Node {
	root := &branch{}
	for _, sys := range p.Systems {
		for _, st := range sys.Datasets {
			for path := range strings.SplitSeq(st.Path, "; ") {
				if path != "" {
					root.add(strings.Split(path, " › "), sys.ID+"."+st.Name, p.Kind, st)
				}
			}
		}
	}
	if len(root.over) == 0 {
		return nil
	}
	return view.Fold("Show the path as a tree", view.Tree(root.branches()...))
}

// branch of the tree of paths, in the order of the plan.
type branch struct {
	name  string
	leads []g.Node
	over  []*branch
}

func (b *branch) add(path []string, dataset string, kind plan.Kind, st plan.Step) {
	if len(path) == 0 {
		sign, word := signOf(kind, st.Method)
		b.leads = append(b.leads, g.Group{g.Text(" "), h.B(g.Text(dataset)), g.Text(" " + view.Number(st.Rows) + " "), view.Verb(sign, word)})
		return
	}
	i := slices.IndexFunc(b.over, func(o *branch) bool { return o.name == path[0] })
	if i < 0 {
		i = len(b.over)
		b.over = append(b.over, &branch{name: path[0]})
	}
	b.over[i].add(path[1:], dataset, kind, st)
}

func (b *branch) branches() []view.Branch {
	var out []view.Branch
	for _, o := range b.over {
		out = append(out, view.Branch{Is: g.Group{g.Text(o.name), g.Group(o.leads)}, Over: o.branches()})
	}
	return out
}

func ignoredLine(ignored []string) g.Node {
	if len(ignored) == 0 {
		return nil
	}
	return h.P(h.Class("small quiet mt"), g.Text("Not looked into, as ombud.yaml says: "+strings.Join(ignored, ", ")+"."))
}

// knowFirst is what to know before deciding: what gaps mean, then warnings with the statement that cures each.
func knowFirst(p *plan.Plan) g.Node {
	var notes []g.Node
	if n := int64(len(p.Gaps)); n > 0 {
		notes = append(notes, view.Note(view.Gap, view.Upper(view.Count(n, "gap"))+".", "The request ends as incomplete until "+plural(n, "it is closed. It stands", "each is closed. They stand")+" first in the table, with who acts.", ""))
	}
	for _, w := range p.Warnings {
		sign := view.Soon
		if w.Code == "look-alike" {
			sign = view.OK
		}
		text := ""
		if w.CostMS >= 1000 {
			text = view.Upper(view.Lasting(time.Duration(w.CostMS)*time.Millisecond)) + " of reading."
		}
		if w.Cure != "" {
			text += " This statement cures it:"
		}
		notes = append(notes, view.Note(sign, strings.Trim(w.System+"."+w.Dataset, ".")+":", strings.TrimSpace(w.Message+". "+text), w.Cure))
	}
	for _, x := range p.Held {
		notes = append(notes, view.Note(view.Soon, fmt.Sprintf("%s.%s.%s: %s held for review.", x.System, x.Dataset, x.Field, view.Count(x.Rows, "text")), view.Upper(x.Why)+".", ""))
	}
	if len(notes) == 0 {
		return nil
	}
	return view.Section{ID: "know", Title: "Know before you decide", Note: estimate(p)}.With(notes...)
}

func estimate(p *plan.Plan) g.Node {
	return g.Text("running it takes " + view.Lasting(time.Duration(p.Estimate)*time.Millisecond))
}
