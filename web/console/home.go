package console

import (
	"fmt"
	"net/http"
	"strings"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/request"
	"github.com/ombudhq/ombud/web/console/view"
)

// home says what needs whoever is looking, what is late, which limits come, and what was done.
func (v *visit) home() error {
	if !v.may(access.RequestRead) {
		for _, r := range v.shell("", "", nil, nil).Rooms {
			return v.seeOther(r.Href)
		}
		return access.Allowed(v.caller, access.RequestRead)
	}
	d, err := v.desk()
	if err != nil {
		return err
	}
	n := &needs{desk: d, guesses: len(openGuesses(v.Catalog.Config()))}
	if n.troubles, err = v.troubles(); err != nil {
		return err
	}
	body := []g.Node{view.Head(n.sentence(), v.homeLede(d), nil), v.needsYou(n), v.limits(d)}
	if v.may(access.LedgerRead) {
		entries, err := v.lately()
		if err != nil {
			return err
		}
		body = append(body, v.doneLately(entries))
	}
	if len(v.Catalog.Config().Systems) == 0 && d.all() == 0 {
		body = []g.Node{view.Head("Ombud is here, and knows no system yet.", v.homeLede(d), nil), noSystems()}
	}
	return v.show(http.StatusOK, v.shell(roomHome, "Home", d, nil, body...))
}

// homeRows are the requests that the first page names one by one.
const homeRows = 12

// needs is what somebody has to do.
type needs struct {
	*desk
	guesses  int
	troubles []trouble
}

// sentence answers the two questions of every morning.
func (n *needs) sentence() string {
	count, late := int64(len(n.mine)+len(n.troubles)), len(n.late)
	if n.guesses > 0 {
		count++
	}
	needs := view.Spelled(count, "thing needs", "things need") + " you."
	if count == 0 {
		needs = "Nothing needs you."
	}
	if late == 0 {
		return needs + " Nothing is late."
	}
	return needs + " " + view.Spelled(int64(late), "request is", "requests are") + " late."
}

func (v *visit) homeLede(d *desk) string {
	now := v.time.Now.In(v.time.In)
	out := now.Format("Monday 2 January 2006, 15:04 MST") + ". "
	switch others := len(d.open) - len(d.mine); {
	case len(d.open) == 0:
		return out + "No request is open."
	case others <= 0:
		return out + view.Upper(view.Count(int64(len(d.open)), "request is", "requests are")) + " open."
	default:
		return out + fmt.Sprintf("%s open; %s for somebody else.", view.Count(int64(len(d.open)), "request is", "requests are"), view.Count(int64(others), "waits", "wait"))
	}
}

func noSystems() g.Node {
	return view.Empty("No system is connected yet.",
		"Ombud reads the stores that a company has and finds whose data is in them. Name the first one; nothing in it is changed, and no password is written down.",
		h.Code(g.Text("ombud scan shop=postgres://ombud@db/shop --write")))
}

func (v *visit) needsYou(n *needs) g.Node {
	s := view.Section{ID: "needs", Title: "Needs you", First: true, Note: g.Group{g.Text("Next limit first. "),
		h.A(h.Href("/requests"), g.Textf("All open: %d", len(n.open)))}}
	if len(n.mine) == 0 && n.guesses == 0 && len(n.troubles) == 0 {
		return s.With(view.Empty("Nothing waits for you.", "What a person has to decide comes here: plans to approve, questions of a plan, text to review. Requests come by mail or phone to you, and you take them in here.",
			view.Link("sm", "/requests/new", "Take in a request")))
	}
	var rows []g.Node
	for _, t := range n.troubles {
		rows = append(rows, v.troubleRow(t))
	}
	for i, r := range n.mine[:min(len(n.mine), homeRows)] {
		rows = append(rows, v.needRow(r, i == 0))
	}
	if more := len(n.mine) - homeRows; more > 0 {
		rows = append(rows, view.Row(h.A(h.Href("/requests?state=you"), g.Text("And "+view.Count(int64(more), "more request", "more requests"))),
			view.Text("You", "Their limits come later"), view.Cell("By"), view.Cell("Time used"), view.Act(view.Link("sm", "/requests?state=you", "Show all"))))
	}
	if n.guesses > 0 {
		rows = append(rows, view.Row(h.A(h.Href("/map#findings"), g.Text("Data map: "+view.Count(int64(n.guesses), "finding"))),
			view.Text("You", "Say yes or no to what was guessed"), view.Cell("By", g.Text("No limit of its own"), why("but erasures wait for it")),
			view.Act(), view.Act(view.Link("sm", "/map#findings", "Answer"))))
	}
	return s.With(view.Table("stack", "What needs you", []view.Column{{Name: "What"}, {Name: "What you do"}, {Name: "By when"}, {Name: "Time used"}, {Name: "Act", Hidden: true}}, view.Rows(rows...)))
}

// troubleRow tells of what is wrong in the room of consents.
func (v *visit) troubleRow(t trouble) g.Node {
	do := t.what
	if t.who != "You" {
		do = "See that " + t.who + " acts: " + lower(t.what)
	}
	return view.Row(h.A(h.Href(t.href), g.Text("Consent: "+t.short)), view.Text("You", do), view.Cell("By", h.B(g.Text(v.deadline(t))), why(t.byWhy)),
		view.Act(), view.Act(view.Link("sm", t.href, "See why")))
}

func (v *visit) needRow(r *request.Request, first bool) g.Node {
	class := "sm"
	if first {
		class = "sm main-act"
	}
	return view.Row(g.Group{h.A(h.Class("nowrap"), h.Href(address(r)), title(r)), g.If(r.Called != "", why(r.Called))},
		view.Text("You", view.Upper(v.plainDates(r.What))),
		view.Cell("By", v.byWhen(r)...),
		view.Cell("Time used", v.timeUsed(r)...),
		view.Act(view.Link(class, address(r), doWord(r))))
}

// why is the second, quiet line of a cell.
func why(text string) g.Node {
	return g.Group{h.Br(), h.Span(h.Class("quiet small"), g.Text(text))}
}

// byWhen is the next date of an open request: our own target while it lies ahead, then the law's.
func (v *visit) byWhen(r *request.Request) []g.Node {
	if until, ok := reviewUntil(r); ok {
		return []g.Node{h.B(g.Text(view.Upper(v.time.Near(until)))), why("then what was held back is destroyed")}
	}
	if !r.State.Open() {
		return []g.Node{h.Span(g.Text("Closed " + v.time.Date(r.Updated)))}
	}
	switch {
	case v.time.Days(r.Due) < 0:
		return []g.Node{view.Badge(view.Late, v.time.Left(r.Due)), why("the limit was " + v.time.Date(r.Due) + ", " + lawOf(r.DueWhy))}
	case v.time.Days(r.Target) >= 0:
		return []g.Node{h.B(g.Text(view.Upper(v.time.Near(r.Target)))), why("own target; the law says " + v.time.Date(r.Due))}
	}
	return []g.Node{h.B(g.Text(view.Upper(v.time.Near(r.Due)))), why(lawOf(r.DueWhy))}
}

// lawOf is the citation at the end of the first clause of why a date is the limit.
func lawOf(dueWhy string) string {
	clause, _, _ := strings.Cut(dueWhy, ";")
	if _, law, ok := strings.Cut(clause, ", "); ok {
		return law
	}
	return clause
}

func (v *visit) timeUsed(r *request.Request) []g.Node {
	if !r.State.Open() {
		return nil
	}
	whole := r.Due.Sub(r.Received)
	used := float64(v.time.Now.Sub(r.Received)) / float64(whole)
	target := float64(r.Target.Sub(r.Received)) / float64(whole)
	late := v.time.Days(r.Due) < 0
	left := v.time.Left(r.Due)
	days := int64(whole.Hours() / 24)
	title := fmt.Sprintf("%d of %d days used, %s", min(int64(-v.time.Days(r.Received)), days), days, left)
	return []g.Node{view.Meter(title, used, target, late), h.Span(h.Class("small quiet"), g.Text(left))}
}

// horizon is how many days the calendar of limits shows.
const horizon = 14

func (v *visit) limits(d *desk) g.Node {
	days, laws, targets := v.calendar(d)
	s := view.Section{ID: "limits", Title: fmt.Sprintf("Limits in the next %d days", horizon), Note: g.Text(view.Count(int64(len(d.open)), "open clock"))}
	if len(d.open) == 0 {
		return s.With(h.P(g.Text("No clock runs. A request has one month, from the day it came in (GDPR Art. 12(3)).")))
	}
	soon, week, later := v.ahead(d)
	title := fmt.Sprintf("Limits in the next %d days: %s of requests and %s.", horizon, view.Count(int64(laws), "legal limit"), view.Count(int64(targets), "own target"))
	return s.With(
		view.Tallies(
			view.Tally{Figure: fmt.Sprint(len(d.late)), Word: "late", Href: "/requests?due=late"},
			view.Tally{Figure: fmt.Sprint(soon), Word: "in the next 3 days", Href: "/requests?due=3"},
			view.Tally{Figure: fmt.Sprint(week), Word: "in 4 to 7 days", Href: "/requests?due=7"},
			view.Tally{Figure: fmt.Sprint(later), Word: "later", Href: "/requests?due=later"}),
		g.If(laws+targets > 0, h.P(h.Class("quiet small"), g.Text(title))),
		g.El("figure", v.time.Calendar(title, days), g.El("figcaption", h.Ul(h.Class("legend"),
			view.Key(view.Dot(), "legal limit of a request"), view.Key(view.Ring(), "own target"),
			view.Key(nil, "Tinted days are not working days; a limit that falls there moves to the next one.")))),
		view.Fold("The same as a table", v.calendarTable(days)))
}

func (v *visit) calendar(d *desk) (days []view.DayLimits, laws, targets int) {
	days = make([]view.DayLimits, horizon)
	for i := range days {
		days[i].Day = v.time.Now.AddDate(0, 0, i)
	}
	for _, r := range d.open {
		if i := v.time.Days(r.Due); i >= 0 && i < horizon {
			days[i].Laws++
			laws++
		}
		if i := v.time.Days(r.Target); i >= 0 && i < horizon {
			days[i].Targets++
			targets++
		}
	}
	return days, laws, targets
}

// ahead sorts open requests that are not late by how soon their legal limit is.
func (v *visit) ahead(d *desk) (soon, week, later int) {
	for _, r := range d.open {
		switch n := v.time.Days(r.Due); {
		case n < 0:
		case n <= 3:
			soon++
		case n <= 7:
			week++
		default:
			later++
		}
	}
	return soon, week, later
}

func (v *visit) calendarTable(days []view.DayLimits) g.Node {
	var rows []g.Node
	for _, d := range days {
		if d.Laws+d.Targets > 0 {
			rows = append(rows, view.Row(g.Text(v.time.Date(d.Day)), view.Figure("Legal limits", fmt.Sprint(d.Laws)), view.Figure("Own targets", fmt.Sprint(d.Targets))))
		}
	}
	if len(rows) == 0 {
		return h.P(g.Textf("No limit falls on the next %d days.", horizon))
	}
	return view.Table("dense", "Limits by day", []view.Column{{Name: "Day"}, {Name: "Legal limits", Right: true}, {Name: "Own targets", Right: true}}, view.Rows(rows...))
}
