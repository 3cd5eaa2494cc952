package console

import (
	"slices"
	"strings"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/request"
	"github.com/ombudhq/ombud/web/console/view"
)

// decision is where a person says yes to exactly this plan, asks for a new one, or says no.
func (v *visit) decision(d *dossier) g.Node {
	if d.State != request.Awaiting {
		return nil
	}
	return h.Section(h.Class("sec decide"), h.ID("decide"), h.Aria("labelledby", "decide-h"),
		h.H2(h.ID("decide-h"), h.Class("sec-h"), g.Text("Your decision")),
		v.sayYes(d), v.otherWays(d))
}

// sayYes carries the hash of the plan that is on the page: another plan cannot be approved from it.
func (v *visit) sayYes(d *dossier) g.Node {
	p := d.Plan
	switch {
	case len(p.Blocking) > 0:
		return h.Div(questions(p), v.samePerson(d))
	case d.Kind == plan.Access:
		return view.Form(address(d.Request)+"/run", v.token, view.Hidden("hash", p.Hash),
			h.P(g.Text("The package is made from what is there when it runs. It lies in the data directory until you hand it over.")),
			view.Actions(view.Button("main-act", "Run and make the package")))
	}
	return view.Form(address(d.Request)+"/approve", v.token, view.Hidden("hash", p.Hash),
		h.P(g.Text("You approve plan "), view.Hash(p.Hash), g.Text(". Erasing cannot be undone.")),
		view.Actions(view.Button("main-act", "Approve plan "+view.Digits(p.Hash, 8))))
}

// questions are what a plan cannot be approved with.
func questions(p *plan.Plan) g.Node {
	var items []g.Node
	for _, q := range p.Blocking {
		place, question, _ := strings.Cut(q, ": ")
		items = append(items, view.Note(view.Gap, place+":", question+".", ""))
	}
	return h.Div(h.P(g.Text("This plan cannot be approved before "+plural(int64(len(p.Blocking)), "this is", "these are")+" answered:")),
		h.Div(append([]g.Node{h.Class("mt")}, items...)...),
		g.If(guessed(p), view.Actions(view.Link("main-act", "/map#findings", "Answer on the data map"))),
		h.P(h.Class("hint mt"), g.Text("The command line and ombud.yaml take the answers too. Then plan again.")))
}

// samePerson answers the review of rows that may be two people's: whoever says yes has looked at them.
func (v *visit) samePerson(d *dossier) g.Node {
	at := slices.IndexFunc(d.Plan.Gaps, func(r plan.Remaining) bool { return r.Code == "review" })
	if at < 0 {
		return nil
	}
	return view.Form(address(d.Request)+"/plan", v.token, view.Hidden("same", "yes"),
		h.P(g.Text("Look at the rows in "+d.Plan.Gaps[at].System+" yourself. If they are one person's, say so; if not, refuse this request and take one in for each person by what tells them apart.")),
		view.Actions(view.Button("main-act", "They are one person: plan again")))
}

// guessed is true where an answer to a finding takes a question away; others are answered by looking at the rows.
func guessed(p *plan.Plan) bool {
	return slices.ContainsFunc(p.Gaps, func(r plan.Remaining) bool { return r.Code == "proposed" })
}

// otherWays are planning again and refusing.
func (v *visit) otherWays(d *dossier) g.Node {
	again := view.Form(address(d.Request)+"/plan", v.token, view.Button("sm", "Plan again"))
	return h.Div(h.Class("mt"),
		h.Div(h.Class("row mt"), again, h.Span(h.Class("hint"), g.Text("Reads every system anew; approvals of this plan are then void."))),
		view.Fold("Refuse this request", view.Form(address(d.Request)+"/refuse", v.token,
			view.Field{ID: "because", Name: "because", Label: "Reason, as the person will read it", Required: true,
				Hint: "They are owed it within a month, and that they can complain (GDPR Art. 12(4)). It is kept sealed."}.Text(""),
			view.Actions(view.Button("stop", "Refuse "+d.Ref)))))
}

// goOn is what can be done with what remains, failed or waits for review.
func (v *visit) goOn(d *dossier) g.Node {
	if d.State != request.Incomplete && d.State != request.Failed {
		return nil
	}
	word := "Try again what remains"
	if d.State == request.Failed {
		word = "Run it again"
	}
	return h.Section(h.Class("sec decide"), h.ID("decide"), h.Aria("labelledby", "decide-h"),
		h.H2(h.ID("decide-h"), h.Class("sec-h"), g.Text("Go on")),
		view.Form(address(d.Request)+"/retry", v.token,
			h.P(g.Text("What is proven stays proven. Only what remains is tried; if the data has moved, you are asked again.")),
			view.Actions(view.Button("main-act", word))),
		v.otherWays(d))
}
