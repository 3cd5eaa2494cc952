package console

import (
	"fmt"
	"net/url"
	"slices"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/purpose"
	"github.com/ombudhq/ombud/web/console/view"
)

// spans are how many weeks a plot may show.
func spans() []int { return []int{13, 52} }

// weeksAsked is how many weeks the address asks for.
func (v *visit) weeksAsked() int {
	for _, n := range spans() {
		if v.r.URL.Query().Get("weeks") == fmt.Sprint(n) {
			return n
		}
	}
	return spans()[0]
}

// changes are those of the purpose that the address names, or of the first that leans on consent.
func (v *visit) changes(c *consents) g.Node {
	var choice []*purpose.Rule
	for _, rule := range c.declared {
		if rule.Basis == purpose.Consent {
			choice = append(choice, rule)
		}
	}
	if len(choice) == 0 {
		return nil
	}
	chosen := choice[0]
	for _, rule := range choice {
		if rule.ID == v.r.URL.Query().Get("purpose") {
			chosen = rule
		}
	}
	var others []g.Node
	if len(choice) > 1 {
		others = append(others, h.Nav(h.Class("row small"), h.Aria("label", "Purposes to show"), g.Map(choice, func(rule *purpose.Rule) g.Node {
			return h.A(h.Href(weeksAddress(roomConsent, rule.ID, v.weeksAsked())), g.If(rule == chosen, h.Aria("current", "true")), g.Text(purposeName(&rule.Purpose)))
		})))
	}
	return v.weeks(roomConsent, chosen, others...)
}

func weeksAddress(page, purposeID string, weeks int) string {
	return page + "?" + url.Values{"purpose": {purposeID}, "weeks": {fmt.Sprint(weeks)}}.Encode() + "#changes"
}

// weeks is the section that plots yes and no of a purpose, week by week.
func (v *visit) weeks(page string, rule *purpose.Rule, more ...g.Node) g.Node {
	n := v.weeksAsked()
	weeks := v.Consents.Weeks(rule.ID, n)
	note := []g.Node{g.Text(purposeName(&rule.Purpose))}
	for _, other := range spans() {
		words := view.Count(int64(other), "week")
		if other == n {
			note = append(note, g.Text(" · "+words))
		} else {
			note = append(note, g.Text(" · "), h.A(h.Href(weeksAddress(page, rule.ID, other)), g.Text(words)))
		}
	}
	s := view.Section{ID: "changes", Title: "Changes, week by week", Note: g.Group(note)}
	f := findingOf(weeks)
	if f.yes+f.no == 0 {
		return s.With(append(more, h.P(h.Class("mt"), g.Textf("Nobody changed their mind about this in %s.", view.Count(int64(n), "week"))))...)
	}
	plot := view.Plot{ID: "weeks", Step: "Week from", Up: "said yes", Down: "said no or let it lapse", Title: v.plotTitle(rule, weeks, f)}
	for i, w := range weeks {
		label := w.From.Format("2 Jan")
		b := view.Bars{Label: label, Name: w.From.Format("2 Jan 2006"), Up: int64(w.Yes), Down: int64(w.No)}
		if i == len(weeks)-1 {
			b.Name += ", so far"
		}
		plot.Bars = append(plot.Bars, b)
	}
	return s.With(append(more, h.P(h.Class("mt"), g.Text(f.sentence(len(weeks)))), plot.Figure())...)
}

// finding is what stands out in some weeks.
type finding struct {
	yes, no int // in all
	usual   int // no in a usual week
	peak    consent.Week
}

func findingOf(weeks []consent.Week) (f finding) {
	var nos []int
	for _, w := range weeks {
		f.yes, f.no = f.yes+w.Yes, f.no+w.No
		nos = append(nos, w.No)
		if w.No > f.peak.No {
			f.peak = w
		}
	}
	slices.Sort(nos)
	if len(nos) > 0 {
		f.usual = nos[len(nos)/2]
	}
	return f
}

// stands tells whether the week of most no is one to look at.
func (f finding) stands() bool { return f.peak.No >= 5 && f.peak.No >= 2*f.usual }

// sentence says what stands out in n weeks.
func (f finding) sentence(n int) string {
	nobody := "nobody said no or let it lapse"
	if f.no > 0 {
		nobody = view.Number(int64(f.no)) + " said no or let it lapse"
	}
	all := fmt.Sprintf("In these %d weeks %s said yes, and %s.", n, view.Number(int64(f.yes)), nobody)
	if !f.stands() {
		return all
	}
	usual := "nobody does in a usual week"
	if f.usual > 0 {
		usual = fmt.Sprintf("%d do in a usual week", f.usual)
	}
	return fmt.Sprintf("More people said no in the week of %s: %s; %s. %s", f.peak.From.Format("2 January"), view.Number(int64(f.peak.No)), usual, all)
}

func (v *visit) plotTitle(rule *purpose.Rule, weeks []consent.Week, f finding) string {
	out := fmt.Sprintf("Yes and no to %s each week since %s: %s yes, %s no", purposeName(&rule.Purpose), weeks[0].From.Format("2 January"),
		view.Number(int64(f.yes)), view.Number(int64(f.no)))
	if f.peak.No > 0 {
		out += fmt.Sprintf("; most no in the week of %s, %d", f.peak.From.Format("2 January"), f.peak.No)
	}
	return out + "."
}
