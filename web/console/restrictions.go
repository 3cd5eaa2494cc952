package console

import (
	"net/http"
	"slices"
	"strings"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/subject"
	"github.com/ombudhq/ombud/web/console/view"
)

// restrictions lists what limits the use of somebody's data.
func (v *visit) restrictions() error {
	c, err := v.consents()
	if err != nil {
		return err
	}
	var restricted, objected int64
	for _, f := range c.facts {
		if f.Kind == subject.Restriction {
			restricted++
		} else {
			objected++
		}
	}
	sentence := view.Spelled(restricted, "restriction stands", "restrictions stand") + ", and " + lower(view.Spelled(objected, "objection", "objections")) + "."
	if restricted+objected == 0 {
		sentence = "No restriction and no objection stands."
	}
	body := []g.Node{view.Head(sentence, "Every question obeys them at once. Restricted data is kept and not used, except with the person's own yes and for legal claims (GDPR Art. 18(2)).", nil),
		v.consentTabs(c, "/consent/restrictions")}
	if len(c.facts) == 0 {
		body = append(body, view.Empty("Nobody's data is restricted.", "When a person disputes what you hold or objects to its use, find them and record it on their page. It stands here until it ends or is lifted.",
			view.Link("sm", roomPeople, "Find a person")))
	} else {
		body = append(body, v.factTable(c.facts))
	}
	return v.show(http.StatusOK, v.shell(roomConsent, "Restrictions", c.desk, consentCrumbs("Restrictions"), body...))
}

func (v *visit) factTable(facts []consent.About) g.Node {
	note := view.Count(int64(len(facts)), "stands", "stand") + ", the oldest first"
	if more := len(facts) - longest; more > 0 {
		note, facts = "the oldest 200; "+view.Number(int64(more))+" more", facts[:longest]
	}
	var rows []g.Node
	for _, f := range facts {
		rows = append(rows, view.Row(v.personLink(f.Subject), view.Cell("What", v.factBadge(&f.Fact), why(view.Upper(factWord(f.Kind, f.Type)))),
			view.Text("Stops", v.stops(&f.Fact)), view.Cell("Since", v.lasts(&f.Fact)...), view.Act(v.liftForm(f, "list"))))
	}
	return view.Section{ID: "list", Title: "Whose", Note: g.Text(note)}.With(view.Table("stack", "Restrictions and objections",
		[]view.Column{{Name: "Person"}, {Name: "What"}, {Name: "Stops"}, {Name: "Since, until"}, {Name: "Lift", Hidden: true}}, view.Rows(rows...)))
}

func (v *visit) factBadge(f *subject.Fact) g.Node {
	switch {
	case !f.Stands(v.time.Now):
		return view.Badge(view.Idle, "over or not begun")
	case f.Kind == subject.Restriction:
		return view.Badge(view.Soon, "restricted")
	}
	return view.Badge(view.Late, "objected")
}

// stops says what a fact is about.
func (v *visit) stops(f *subject.Fact) string {
	out := "all it is about"
	if len(f.Purposes) > 0 {
		out = v.calledAll(f.Purposes)
	}
	if len(f.Allowed) > 0 {
		out += ", but not " + v.calledAll(f.Allowed)
	}
	return out
}

func (v *visit) lasts(f *subject.Fact) []g.Node {
	until := "until it is lifted"
	if !f.Until.IsZero() {
		until = "until " + v.time.Date(f.Until)
	}
	return []g.Node{g.Text(v.time.Date(f.Since)), why(until)}
}

// liftForm says what lifting does before it does it. from tells where to go afterwards.
func (v *visit) liftForm(f consent.About, from string) g.Node {
	if !v.may(access.RestrictionWrite) {
		return nil
	}
	id := "told-" + f.ID
	body := []g.Node{view.Hidden("from", from)}
	if f.Kind == subject.Restriction {
		body = append(body, h.P(h.Class("small"), g.Text("Whatever it stopped goes on at once where its basis stands.")),
			h.Label(h.Class("opt small"), h.For(id), h.Input(h.Type("checkbox"), h.ID(id), h.Name("told"), h.Value("yes"), h.Required()),
				h.Span(g.Text("I have told the person first (GDPR Art. 18(3))"))))
	} else {
		body = append(body, h.P(h.Class("small"), g.Text("What they objected to goes on at once where its basis stands. Lift it only when they take it back.")))
	}
	body = append(body, view.Actions(view.Button("sm", "Lift the "+string(f.Kind), h.Span(h.Class("sr"), g.Text(" of "+f.Subject)))))
	return h.Details(h.Class("reveal"), h.Summary(g.Text("Lift"), h.Span(h.Class("sr"), g.Text(" the "+string(f.Kind)+" "+strings.TrimPrefix(f.ID, "fact_")))),
		view.Form("/consent/restrictions/"+f.ID+"/lift", v.token, body...))
}

// lift ends a restriction or an objection. Whoever has restricted processing is told before: the form says so, and
// without it nothing is changed.
func (v *visit) lift() error {
	facts := v.Consents.Facts()
	i := slices.IndexFunc(facts, func(f consent.About) bool { return f.ID == v.r.PathValue("fact") })
	if i < 0 {
		return fault.New(fault.NotFound, "this restriction or objection stands no longer").Then("Load the list again.")
	}
	if f := facts[i]; f.Kind == subject.Restriction && v.r.PostForm.Get("told") != "yes" {
		return fault.New(fault.Invalid, "the person must be told before their restriction is lifted; nothing was changed").
			Then("Tell them first (GDPR Art. 18(3)). Then go back, say that you have, and lift it.")
	}
	if _, err := v.Consents.EndFact(v.r.Context(), facts[i].ID, v.Actor); err != nil {
		return err
	}
	if v.r.PostForm.Get("from") == "person" {
		return v.seeOther("/people/" + facts[i].Subject)
	}
	return v.seeOther("/consent/restrictions")
}
