package console

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/ombudhq/ombud/request"
	"github.com/ombudhq/ombud/web/console/view"
)

// choice is one way to narrow the list.
type choice struct {
	value, tab string
	count      int
	open       []*request.Request // those to show, or nil: closed says which are asked for
	closed     request.Filter
}

func (d *desk) choices() []choice {
	var stuck []*request.Request
	for _, r := range d.open {
		if r.State == request.Incomplete || r.State == request.Failed {
			stuck = append(stuck, r)
		}
	}
	return []choice{
		{value: "open", tab: "Open", count: len(d.open), open: d.open},
		{value: "you", tab: "Needs you", count: len(d.mine), open: d.mine},
		{value: "incomplete", tab: "Incomplete or failed", count: len(stuck), open: stuck},
		{value: "closed", tab: "Closed", count: d.closed(), closed: request.Filter{State: []request.State{request.Complete, request.Refused}}},
		{value: "all", tab: "All", count: d.all(), closed: request.Filter{}},
	}
}

// dueChoice narrows by the law's limit; the figures of the home page lead here.
type dueChoice struct {
	words    string
	from, to int // days left
}

func dueChoices() map[string]dueChoice {
	return map[string]dueChoice{
		"late":  {"late", -1 << 20, -1},
		"3":     {"with a limit in the next 3 days", 0, 3},
		"7":     {"with a limit in 4 to 7 days", 4, 7},
		"later": {"with a limit later than in 7 days", 8, 1 << 20},
	}
}

// pageRows are the requests of one page of the list.
const pageRows = 100

// requests lists them; the address says which, and behind which one to go on.
func (v *visit) requests() error {
	d, err := v.desk()
	if err != nil {
		return err
	}
	q := v.r.URL.Query()
	chosen := d.choices()[0]
	for _, c := range d.choices() {
		if c.value == q.Get("state") {
			chosen = c
		}
	}
	due, ok := dueChoices()[q.Get("due")]
	if ok {
		chosen.value, chosen.open = "", slices.DeleteFunc(slices.Clone(d.open), func(r *request.Request) bool {
			n := v.time.Days(r.Due)
			return n < due.from || n > due.to
		})
		chosen.count = len(chosen.open)
	}
	shown, err := v.listed(chosen, q.Get("after"))
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, v.shell(roomRequests, "Requests", d, nil,
		view.Head(listSentence(d), "What people asked about their data. Each has one month, and a clock that shows.", nil),
		choiceTabs(chosen, d),
		v.requestTable(shown, chosen, due.words)))
}

// listed is a page of a choice, and one more where another follows.
func (v *visit) listed(c choice, after string) ([]*request.Request, error) {
	if c.value == "closed" || c.value == "all" {
		c.closed.After, c.closed.Limit = after, pageRows+1
		return v.Requests.List(v.r.Context(), c.closed)
	}
	from := 1 + slices.IndexFunc(c.open, func(r *request.Request) bool { return r.Ref == after })
	return c.open[from:min(len(c.open), from+pageRows+1)], nil
}

func listSentence(d *desk) string {
	if d.all() == 0 {
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

func choiceTabs(chosen choice, d *desk) g.Node {
	var tabs []view.Room
	for _, c := range d.choices() {
		tabs = append(tabs, view.Room{Href: "/requests?" + url.Values{"state": {c.value}}.Encode(), Name: c.tab, Here: c.value == chosen.value, Count: c.count})
	}
	return view.Tabs("Requests by state", tabs...)
}

func (v *visit) requestTable(shown []*request.Request, chosen choice, due string) g.Node {
	label := "Requests: " + cmp.Or(due, chosen.tab)
	if len(shown) == 0 {
		return h.Section(h.ID("list"), h.Aria("label", label), view.Empty("No request here.",
			"A request is what a person asks: a copy of what you hold about them, or to be erased. Take it in when it reaches you; the clock counts from the day it came.",
			view.Link("main-act", "/requests/new", "Take in a request"), g.If(due != "", view.Link("", "/requests", "Show all open"))))
	}
	var older g.Node
	if len(shown) > pageRows {
		shown = shown[:pageRows]
		q := v.r.URL.Query()
		q.Set("after", shown[pageRows-1].Ref)
		older = h.P(view.Link("", "/requests?"+q.Encode(), "The next ones"))
	}
	var rows []g.Node
	for _, r := range shown {
		rows = append(rows, view.Row(
			g.Group{h.A(h.Class("nowrap"), h.Href(address(r)), title(r)), g.If(r.Called != "", why(r.Called)), why(r.Ref)},
			view.Cell("State", state(r)),
			view.Text("Who acts", who(r.Who)),
			view.Cell("By", v.byWhen(r)...),
			view.Cell("Time used", v.timeUsed(r)...)))
	}
	table := view.Table("stack", label, []view.Column{{Name: "Request"}, {Name: "State"}, {Name: "Who acts"}, {Name: "By when"}, {Name: "Time used"}}, view.Rows(rows...))
	return h.Section(h.ID("list"), h.Aria("label", label),
		h.Div(h.Class("sec-h"), h.P(g.Text(listNote(chosen, due))), view.Link("sm", "/requests/new", "Take in a request")), table, older)
}

func listNote(chosen choice, due string) string {
	out := view.Count(int64(chosen.count), "request")
	if due != "" {
		out += ", " + due
	}
	if chosen.value == "open" || due != "" {
		out += ", next limit first"
	}
	return out
}
