package console

import (
	"slices"
	"strings"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/web/console/view"
)

// kindGiven is the kind of the acts that have a receipt.
const kindGiven = "consent.given"

// history is everything they said, newest first, with the exact words they were shown.
func (v *visit) history(c *chosenBy) g.Node {
	s := view.Section{ID: "history", Title: "What they chose, and what they were shown", Note: g.Text(view.Count(int64(len(c.events)), "entry", "entries") + ", newest first")}
	if len(c.events) == 0 {
		return s.With(h.P(g.Text("They said nothing yet.")))
	}
	var events []view.Event
	for _, e := range slices.Backward(c.events) {
		events = append(events, view.Event{At: e.At, Text: v.act(e), More: v.actMore(c, e)})
	}
	return s.With(v.time.Log(events...))
}

// act tells what they did in half a sentence.
func (v *visit) act(e consent.Event) g.Node {
	name := func(ids ...string) g.Node { return h.B(g.Text(v.calledAll(ids))) }
	switch e.Kind {
	case kindGiven:
		verb := "Yes to "
		if e.Renews != "" {
			verb = "Yes again to "
		}
		return g.Group{g.Text(verb), name(e.Purpose), g.Text(", " + methodWord(e.Method) + on(e.Interface))}
	case "consent.pending":
		return g.Group{g.Text("Yes to "), name(e.Purpose), g.Text(", to be confirmed until " + v.time.Short(e.Until))}
	case "consent.withdrawn":
		out := g.Group{g.Text("No to "), name(append(e.Purposes, e.Narrowed...)...)}
		if len(e.Categories) > 0 {
			out = append(out, g.Text(", for "+strings.Join(e.Categories, ", ")))
		}
		return out
	case "consent.expired":
		return g.Group{g.Text("The yes to "), name(e.Purpose), g.Text(" ended by itself")}
	}
	what, ended := strings.CutSuffix(e.Kind, ".ended")
	if ended {
		return g.Group{g.Text(view.Upper(what) + " lifted")}
	}
	what = strings.TrimSuffix(what, ".added")
	out := g.Group{g.Text(view.Upper(what))}
	if len(e.Purposes) > 0 {
		out = append(out, g.Text(" against "), name(e.Purposes...))
	}
	return out
}

func methodWord(method string) string {
	switch method {
	case "explicit", "explicit_opt_in":
		return "explicitly"
	case "opt_in":
		return "by a choice of theirs"
	case "web_form":
		return "on a web form"
	case "api":
		return "through a service"
	}
	return method
}

func on(surface string) string {
	if surface == "" {
		return ""
	}
	return ", " + surface
}

// heardFrom says who told us of an act that was not said to us, and when it was said by what they say.
func (v *visit) heardFrom(e consent.Event) string {
	if e.Said.IsZero() {
		return "told by " + e.Source
	}
	return "told by " + e.Source + ", as of " + v.time.Date(e.Said)
}

// actMore is what proves it: the words, the notice, the entry, the receipt.
func (v *visit) actMore(c *chosenBy, e consent.Event) g.Node {
	var out []g.Node
	switch {
	case e.Notice == nil:
	case e.Text == consent.NotHeld:
		out = append(out, g.Text("The words they were shown are not held. "))
	default:
		out = append(out, h.Span(g.If(e.Notice.Language != "", h.Lang(e.Notice.Language)), g.Text("“"+e.Text+"”")))
	}
	var facts []string
	if e.Notice != nil {
		facts = append(facts, "notice "+e.Notice.ID+", version "+e.Notice.Version)
		if e.Notice.Language != "" {
			facts = append(facts, e.Notice.Language)
		}
	}
	if e.Type != "" {
		facts = append(facts, factWord(factKind(e.Kind), e.Type))
	}
	if e.Reason != "" {
		facts = append(facts, "“"+e.Reason+"”")
	}
	if !e.ValidUntil.IsZero() {
		facts = append(facts, "until "+v.time.Date(e.ValidUntil))
	}
	if e.Source != "" {
		facts = append(facts, v.heardFrom(e))
	}
	if e.Actor != "" {
		facts = append(facts, "written down by "+v.me(e.Actor))
	}
	out = append(out, g.Text(strings.Join(append(facts, "entry "+view.Number(e.Revision&(1<<40-1))), ", ")))
	if e.Kind == kindGiven {
		out = append(out, g.Text(" · "), h.A(h.Href("/people/"+c.id+"/consents/"+e.ConsentID+"/receipt"), h.Download(""), g.Text("signed receipt"),
			h.Span(h.Class("sr"), g.Text(" of "+v.called(e.Purpose)+", "+v.time.Date(e.At)))))
	}
	return g.Group(out)
}
