package console

import (
	"fmt"
	"net/http"
	"net/url"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/ombudhq/ombud/request"
	"github.com/ombudhq/ombud/web/console/view"
)

// choice is one way to narrow the list.
type choice struct {
	value, tab string
	takes      func(*visit, *request.Request) bool
}

func choices() []choice {
	return []choice{
		{"open", "Open", func(_ *visit, r *request.Request) bool { return r.State.Open() }},
		{"you", "Needs you", func(_ *visit, r *request.Request) bool { return r.Who == you }},
		{"incomplete", "Incomplete or failed", func(_ *visit, r *request.Request) bool {
			return r.State == request.Incomplete || r.State == request.Failed
		}},
		{"closed", "Closed", func(_ *visit, r *request.Request) bool { return !r.State.Open() }},
		{"all", "All", func(*visit, *request.Request) bool { return true }},
	}
}

// dueChoices narrow by the law's limit; the figures of the home page lead here.
func dueChoices() map[string]choice {
	between := func(from, to int) func(*visit, *request.Request) bool {
		return func(v *visit, r *request.Request) bool {
			n := v.time.Days(r.Due)
			return r.State.Open() && n >= from && n <= to
		}
	}
	return map[string]choice{
		"late":  {tab: "late", takes: between(-1<<20, -1)},
		"3":     {tab: "with a limit in the next 3 days", takes: between(0, 3)},
		"7":     {tab: "with a limit in 4 to 7 days", takes: between(4, 7)},
		"later": {tab: "with a limit later than in 7 days", takes: between(8, 1<<20)},
	}
}

// requests lists them; the address says which.
func (v *visit) requests() error {
	d, err := v.desk()
	if err != nil {
		return err
	}
	q := v.r.URL.Query()
	chosen, words := choices()[0], ""
	for _, c := range choices() {
		if c.value == q.Get("state") {
			chosen = c
		}
	}
	if c, ok := dueChoices()[q.Get("due")]; ok {
		chosen, words = c, c.tab
	}
	from := d.open
	if chosen.value == "closed" || chosen.value == "all" || chosen.value == you {
		from = d.all
	}
	var shown []*request.Request
	for _, r := range from {
		if chosen.takes(v, r) {
			shown = append(shown, r)
		}
	}
	return v.show(http.StatusOK, v.shell(roomRequests, "Requests", d, nil,
		view.Head(listSentence(d), "What people asked about their data. Each has one month, and a clock that shows.", nil),
		choiceTabs(chosen, d, v),
		v.requestTable(shown, chosen, words)))
}

func listSentence(d *desk) string {
	if len(d.all) == 0 {
		return "Nobody has asked yet."
	}
	late := "none is late."
	if n := len(d.late); n > 0 {
		late = fmt.Sprintf("%d late.", n)
		if n == 1 {
			late = "one is late."
		}
	}
	return view.Spelled(int64(len(d.open)), "request is", "requests are") + " open, " + late
}

func choiceTabs(chosen choice, d *desk, v *visit) g.Node {
	var tabs []view.Room
	for _, c := range choices() {
		n := 0
		for _, r := range d.all {
			if c.takes(v, r) {
				n++
			}
		}
		tabs = append(tabs, view.Room{Href: "/requests?" + url.Values{"state": {c.value}}.Encode(), Name: c.tab, Here: c.value == chosen.value, Count: n})
	}
	return view.Tabs("Requests by state", tabs...)
}

func (v *visit) requestTable(shown []*request.Request, chosen choice, due string) g.Node {
	label := "Requests: " + chosen.tab
	if len(shown) == 0 {
		return h.Section(h.ID("list"), h.Aria("label", label), view.Empty("No request here.",
			"A request is what a person asks: a copy of what you hold about them, or to be erased. Take it in when it reaches you; the clock counts from the day it came.",
			view.Link("main-act", "/requests/new", "Take in a request"), g.If(due != "", view.Link("", "/requests", "Show all open"))))
	}
	var rows []g.Node
	for _, r := range shown {
		rows = append(rows, view.Row(
			g.Group{h.A(h.Class("nowrap"), h.Href(address(r)), title(r)), why(r.Ref)},
			view.Cell("State", state(r)),
			view.Text("Who acts", who(r.Who)),
			view.Cell("By", v.byWhen(r)...),
			view.Cell("Time used", v.timeUsed(r)...)))
	}
	table := view.Table("stack", label, []view.Column{{Name: "Request"}, {Name: "State"}, {Name: "Who acts"}, {Name: "By when"}, {Name: "Time used"}}, view.Rows(rows...))
	return h.Section(h.ID("list"), h.Aria("label", label),
		h.Div(h.Class("sec-h"), h.P(g.Text(listNote(len(shown), chosen, due))), view.Link("sm", "/requests/new", "Take in a request")), table)
}

func listNote(n int, chosen choice, due string) string {
	out := view.Count(int64(n), "request")
	if due != "" {
		out += ", " + due
	}
	if chosen.value == "open" || due != "" {
		out += ", next limit first"
	}
	return out
}
