package console

import (
	"fmt"
	"time"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/request"
	"github.com/ombudhq/ombud/web/console/view"
)

// sentence says how a request stands, and the line below what that means.
func (d *dossier) sentence() (sentence, lede string) {
	who := name(d.Request)
	switch d.State {
	case request.Awaiting:
		return d.waiting(who)
	case request.Running:
		return who + ": Ombud is at work.", "It goes on if this page is closed, and after a restart. What is done so far is written down."
	case request.Complete:
		return d.complete(who)
	case request.Incomplete:
		return d.incomplete(who)
	case request.Failed:
		return who + ": the run failed.", view.Upper(d.Failure) + ". Nothing is left half done unseen: a retry goes on from the journal."
	case request.Refused:
		return who + ": refused.", "The person is owed the reason, and that they can complain (GDPR Art. 12(4)). The reason is kept sealed; the identities are destroyed."
	}
	return who + ".", ""
}

func (d *dossier) waiting(who string) (string, string) {
	const untouched = "Nothing has been touched. "
	asked := d.limit() + d.asked()
	if d.story.drifted() {
		return who + ": the data moved, so here is a new plan.", "Nothing more was touched. The approval before was of another plan and does not count for this one. " + asked
	}
	switch p := d.Plan; {
	case p == nil:
		return who + ": to be planned.", untouched
	case len(p.Blocking) > 0:
		return who + ": " + lower(view.Spelled(int64(len(p.Blocking)), "question comes", "questions come")) + " first.", untouched + asked + " What was only guessed is planned with, and must be answered before anybody can approve."
	case p.Nobody():
		return who + ": nobody was found.", untouched + asked + " Running it writes that down, with proof."
	case d.Kind == plan.Access:
		return who + ": ready to run.", untouched + asked + " Running it reads, changes nothing, and makes the package."
	case len(d.Approvals) > 0:
		return who + ": a second person must approve.", untouched + asked + " It runs at once when somebody else approves the same plan."
	}
	return who + ": the plan is ready for you.", untouched + asked + " Approve the plan and exactly this runs; if the data moves first, Ombud asks you again."
}

// limit says of what part of the data it is, and what it follows from; "" for all of it.
func (d *dossier) limit() string {
	switch {
	case d.Limit == nil:
		return ""
	case consent.ByItself(d.Cause):
		return "The time of a consent was over; this is about " + d.Limit.String() + ". "
	case d.Cause != "":
		return "A consent was withdrawn; this is about " + d.Limit.String() + ". "
	}
	return "This is only about " + d.Limit.String() + ". "
}

// asked says how many systems were asked and answered.
func (d *dossier) asked() string {
	if d.Plan == nil {
		return ""
	}
	silent := unreachable(d.Plan.Gaps)
	if silent == 0 {
		return fmt.Sprintf("%s asked and answered.", view.Count(int64(d.systems), "system was", "systems were"))
	}
	return fmt.Sprintf("%s asked, %d answered.", view.Count(int64(d.systems), "system was", "systems were"), d.systems-silent)
}

func (d *dossier) complete(who string) (string, string) {
	o := d.Outcome
	if o != nil && o.Nobody() {
		return who + ": done, nobody was found.", "Every system was searched, and all answered."
	}
	if d.Kind == plan.Access {
		if d.Who == you {
			return who + ": the package is ready, some text waits for review.", "What others wrote is held back until somebody has looked. The rest is in the package."
		}
		return who + ": the package is ready.", "Everything that was found is in it, with a signed list."
	}
	if d.Limit != nil {
		return who + ": done, and proven by looking again.", d.limit() + "What was asked for is gone. All else of the person is untouched, and named below."
	}
	if o != nil && len(o.Kept) > 0 {
		return who + ": done, and proven by looking again.", "What had to go is gone. What stays is named below, with its reason and its end."
	}
	return who + ": done, and proven by looking again.", "Separate code has read every system again and found nothing that leads to the person."
}

func (d *dossier) incomplete(who string) (string, string) {
	n := int64(len(left(d.Request)))
	return who + ": incomplete, " + lower(view.Spelled(n, "thing remains", "things remain")) + ".",
		"What could be done is done. It is not over until each line below is proven; a retry goes on with exactly that."
}

func lower(s string) string {
	if s == "" {
		return s
	}
	return string(s[0]|0x20) + s[1:]
}

// next is who acts, what and by when.
func (v *visit) next(d *dossier) *view.Next {
	n := &view.Next{Who: who(d.Who), What: view.Upper(v.plainDates(d.What))}
	if d.Who == you {
		n.WhoWhy = g.Text(v.me(v.Actor))
	}
	n.WhatWhy = g.Group{state(d.Request), g.Text(" since " + v.since(d.Updated))}
	if until, ok := reviewUntil(d.Request); ok {
		n.What, n.When = "Review the text held back", view.Upper(v.time.Near(until))
		n.WhenWhy = g.Text(v.time.Left(until) + "; then the text and the identities are destroyed")
		return n
	}
	if !d.State.Open() {
		n.Limits, n.When = "Closed", v.time.Date(d.Updated)
		days := "on the same day"
		if took := int64(v.time.Days(d.Updated) - v.time.Days(d.Received)); took > 0 {
			days = "after " + view.Count(took, "day")
		}
		n.WhenWhy = g.Text(days + "; the law allowed until " + v.time.Date(d.Due))
		if d.Updated.After(d.Due) {
			n.WhenWhy = g.Group{view.Badge(view.Late, "late"), g.Text(" the limit was " + v.time.Date(d.Due))}
		}
		return n
	}
	switch {
	case v.time.Days(d.Due) < 0:
		n.When, n.WhenWhy = v.time.Date(d.Due), g.Group{view.Badge(view.Late, v.time.Left(d.Due)), g.Text(" " + lawOf(d.DueWhy) + ": tell the person why, today")}
	case v.time.Days(d.Target) >= 0:
		n.When, n.WhenWhy = view.Upper(v.time.Near(d.Target)), g.Text("own target; the law says "+v.time.Date(d.Due)+", "+v.time.Left(d.Due))
	default:
		n.When, n.WhenWhy = view.Upper(v.time.Near(d.Due)), g.Text(v.time.Left(d.Due)+", "+lawOf(d.DueWhy)+"; own target was "+v.time.Date(d.Target))
	}
	return n
}

// reviewUntil is when text held for review is destroyed; false where none is.
func reviewUntil(r *request.Request) (time.Time, bool) {
	if r.State != request.Complete || r.Who != you {
		return time.Time{}, false
	}
	t, err := time.Parse(time.DateOnly, isoDate.FindString(r.What))
	return t, err == nil
}

func (v *visit) since(t time.Time) string {
	if v.time.Days(t) == 0 {
		return "today " + v.time.Clock(t)
	}
	return v.time.Moment(t)
}

// when is a moment, or nothing if it never came.
func (v *visit) when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return v.time.Moment(t)
}

// progressSection is what moves while a run goes on; live.js keeps it fresh, and without script the page loads again.
func (v *visit) progressSection(d *dossier) g.Node {
	p := stand(d.Request)
	bar := h.Progress(h.ID("progress"), h.Max("1"))
	if p.Total > 0 {
		bar = h.Progress(h.ID("progress"), h.Max(fmt.Sprint(p.Total)), h.Value(fmt.Sprint(min(p.Done, p.Total))))
	}
	return h.Section(h.Class("sec"), h.ID("running"), h.Aria("labelledby", "running-h"),
		h.Div(h.Class("sec-h"), h.H2(h.ID("running-h"), g.Text("Running"))),
		h.Div(h.Data("live", address(d.Request)+"/progress"), h.Label(h.For("progress"), h.ID("progress-words"), g.Text(p.Words)), bar,
			h.P(h.Class("sr"), h.Role("status"))))
}
