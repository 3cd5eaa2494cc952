package console

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/event"
	"github.com/ombudhq/ombud/purpose"
	"github.com/ombudhq/ombud/web/console/view"
)

// tolerance is how old a message may get before the service counts as behind.
const tolerance = 15 * time.Minute

// target is a service that is told, and how that goes.
type target struct {
	event.Status
	owner string // who acts when it fails; "" when nobody is named
	now   time.Time
}

// trouble is something in the room of consents that somebody must see to.
type trouble struct {
	target          string // empty where it is about no service
	short           string // half a sentence
	who, what, href string
	why             g.Node
	by              time.Time // zero when it has no date
	byWhy           string
}

// heard are the services, those in trouble first.
func (v *visit) heard() ([]target, error) {
	all, err := v.Relay.Status(v.r.Context())
	if err != nil {
		return nil, err
	}
	out := make([]target, len(all))
	for i, s := range all {
		out[i] = target{s, v.owner(s.Target), v.time.Now}
	}
	slices.SortStableFunc(out, func(a, b target) int {
		return cmp.Or(cmp.Compare(rankOf(b), rankOf(a)), cmp.Compare(b.unheard(), a.unheard()), strings.Compare(a.Target, b.Target))
	})
	return out, nil
}

func rankOf(t target) int {
	if t.trouble() != "" {
		return 1
	}
	return 0
}

// owner of the first system that a service stands for.
func (v *visit) owner(id string) string {
	cfg := v.Catalog.Config()
	for _, t := range cfg.Targets {
		for _, s := range cfg.Systems {
			if t.ID == id && s.Owner != "" && slices.Contains(t.Systems, s.ID) {
				return s.Owner
			}
		}
	}
	return ""
}

// unheard is how much the service has not taken.
func (t target) unheard() int64 { return t.Pending + t.Dead }

// trouble is the word for what is wrong with a service; "" when nothing is.
func (t target) trouble() string {
	switch {
	case !t.DisabledAt.IsZero():
		return "switched off"
	case t.Dead > 0:
		return view.Number(t.Dead) + " given up"
	case t.Late > 0:
		return view.Number(t.Late) + " late"
	case t.Pending > 0 && (!t.FailingSince.IsZero() || t.now.Sub(t.Oldest) > tolerance):
		return view.Number(t.Pending) + " behind"
	}
	return ""
}

func (t target) badge() g.Node {
	switch word := t.trouble(); {
	case word == "" && t.Pending > 0:
		return view.Badge(view.Wait, view.Number(t.Pending)+" on their way")
	case word == "":
		return view.Badge(view.OK, "up to date")
	case strings.HasSuffix(word, "behind"):
		return view.Badge(view.Soon, word)
	default:
		return view.Badge(view.Late, word)
	}
}

// silent are the services that need somebody.
func (v *visit) silent(heard []target) []trouble {
	var out []trouble
	for _, t := range heard {
		if t.trouble() != "" {
			out = append(out, v.troubleOf(t))
		}
	}
	return out
}

// troubles are all that somebody must see to.
func (v *visit) troubles() ([]trouble, error) {
	heard, err := v.heard()
	return slices.Concat(v.silent(heard), v.unassessed(v.Purposes.Now().All())), err
}

func (v *visit) troubleOf(t target) trouble {
	out := trouble{target: t.Target, who: cmp.Or(t.owner, "You"), href: roomConsent + "#heard", why: t.badge(), by: t.Due, byWhy: "until then a service must have heard; after it you get an alarm"}
	changes := view.Count(t.unheard(), "change")
	switch {
	case !t.DisabledAt.IsZero():
		out.short, out.what = t.Target+" is switched off", "Mend "+t.Target+", then send it the "+changes+" again"
		out.why = g.Group{t.badge(), g.Text(" since " + v.time.Moment(t.DisabledAt) + reasonOf(t.Reason))}
	case t.unheard() == 0:
		out.short, out.what = t.Target+" has not said that it acted", "See why "+t.Target+" does not answer for "+view.Count(t.Late, "change")
	case t.FailingSince.IsZero():
		out.short, out.what = t.Target+" has not heard of "+changes, "Send "+t.Target+" again what it did not take"
	default:
		out.short, out.what = t.Target+" has not heard of "+changes, "Mend the way to "+t.Target
		out.why = g.Group{t.badge(), g.Text(" since " + v.time.Moment(t.FailingSince) + reasonOf(t.Reason))}
	}
	switch {
	case out.by.IsZero():
		out.byWhy = "its time is over"
	case v.time.Now.After(out.by):
		out.byWhy = "that was the time to have heard; there was an alarm"
	}
	return out
}

func reasonOf(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + reason
}

// unassessed are the purposes whose assessment is over or missing, so that every question about them is answered no.
func (v *visit) unassessed(declared []*purpose.Rule) []trouble {
	var out []trouble
	for _, rule := range declared {
		if rule.Basis == purpose.LegitimateInterests && !rule.Assessed(v.time.Now) {
			name := purposeName(&rule.Purpose)
			out = append(out, trouble{short: name + " has no valid assessment", who: "You", what: "Assess the interest again, and write it into " + string(rule.Source),
				href: purposeAddress(rule.ID), why: g.Text("until then every question about " + name + " is answered no"), byWhy: "its time is over"})
		}
	}
	return out
}

// firstOf is who acts, what and by when, of the first trouble; nil when there is none.
func (v *visit) firstOf(troubles []trouble) *view.Next {
	if len(troubles) == 0 {
		return nil
	}
	t := troubles[0]
	return &view.Next{Who: t.who, What: t.what, WhatWhy: t.why, When: v.deadline(t), WhenWhy: g.Text(t.byWhy)}
}

func (v *visit) deadline(t trouble) string {
	if t.by.IsZero() {
		return "Now"
	}
	if v.time.Now.After(t.by) {
		return view.Upper(v.time.Near(t.by)) + ", over"
	}
	return view.Upper(v.time.Near(t.by)) + ", " + v.time.Clock(t.by)
}

// heardSection says of each service what it took and how soon.
func (v *visit) heardSection(heard []target) g.Node {
	s := view.Section{ID: "heard", Title: "Who has heard", Note: g.Text("of what is kept; times of the last 30 days; behind first")}
	if len(heard) == 0 {
		return s.With(view.Empty("No service is told.", "Services that keep a copy of a choice can be told of each change within seconds, and say when they acted. Name the first one in ombud.yaml under targets:. Who only asks before each use needs none."))
	}
	var rows []g.Node
	for _, t := range heard {
		rows = append(rows, view.Row(h.Span(h.Class("nowrap"), g.Text(t.Target)),
			view.Cell("State", t.badge()),
			view.Cell("Received", g.Text(fmt.Sprintf("%s of %s", view.Number(t.Received+t.Acted), view.Number(t.Received+t.Acted+t.unheard()))), why("acted on: "+view.Number(t.Acted))),
			view.Figure("Half within", span(t.P50)), view.Figure("99 of 100 within", span(t.P99)),
			view.Text("Oldest open", t.oldest()), view.Cell("Next try", v.nextTry(t)...)))
	}
	columns := []view.Column{{Name: "Service"}, {Name: "State"}, {Name: "Received"}, {Name: "Half within", Right: true}, {Name: "99 of 100 within", Right: true},
		{Name: "Oldest open"}, {Name: "Next try"}}
	return s.With(view.Table("stack", "Who has heard", columns, view.Rows(rows...)))
}

func (t target) oldest() string {
	if t.Oldest.IsZero() {
		return "none"
	}
	return span(t.now.Sub(t.Oldest))
}

func (v *visit) nextTry(t target) []g.Node {
	var out []g.Node
	if !t.NextTry.IsZero() && t.Pending > 0 {
		at := "at once"
		if t.NextTry.After(v.time.Now) {
			at = v.time.Moment(t.NextTry)
		}
		out = append(out, h.Span(h.Class("nowrap"), g.Text(at)))
	}
	if v.may(access.EventReplay) && t.trouble() != "" && (t.unheard() > 0 || !t.DisabledAt.IsZero()) {
		out = append(out, view.Form("/consent/targets/"+url.PathEscape(t.Target)+"/again", v.token,
			view.Button("sm", "Send again now", h.Span(h.Class("sr"), g.Text(" to "+t.Target)))))
	}
	return out
}

// sendAgain takes back a service that was switched off, and sends it at once what it did not take.
func (v *visit) sendAgain() error {
	id := v.r.PathValue("target")
	if err := v.Relay.Enable(v.r.Context(), id); err != nil {
		return err
	}
	if _, err := v.Relay.ReplayAll(v.r.Context(), id); err != nil {
		return err
	}
	return v.seeOther(roomConsent + "#heard")
}
