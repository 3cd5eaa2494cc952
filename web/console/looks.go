package console

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/request"
	"github.com/ombudhq/ombud/subject"
	"github.com/ombudhq/ombud/web/console/view"
)

// looksShown is how many looks the page shows.
const looksShown = 200

// looks says who looked at whom. The address may narrow it to one who looked, or to one person, both by opaque ids.
func (v *visit) looks() error {
	q := ledger.Question{Actor: v.r.URL.Query().Get("who")}
	title := "Who looked, the newest first"
	if id := v.r.URL.Query().Get("person"); id != "" {
		if _, ok := v.People.Number(id); !ok {
			return fault.New(fault.NotFound, "nobody has this id").Then("Find the person by what you know of them, below.")
		}
		q.Subjects, title = []string{id}, "Who looked at this person"
	}
	if q.Actor != "" {
		title = "What " + v.me(q.Actor) + " looked at"
	}
	return v.looksPage(http.StatusOK, q, title, subject.Identity{}, "")
}

// looksOf answers for the person whose exact value the form holds; it travels in the body, and no address holds it.
func (v *visit) looksOf() error {
	form := v.r.PostForm
	i := subject.Identity{Kind: form.Get("kind"), Value: strings.TrimSpace(form.Get("value"))}
	if !slices.Contains(v.findKinds(), i.Kind) || i.Value == "" {
		return v.looksPage(http.StatusUnprocessableEntity, ledger.Question{}, "Who looked, the newest first", i, "Choose what you know of the person, and write the exact value")
	}
	names := []string{i.Value}
	if i.Kind != byID {
		names = subject.Tokens(v.Vault, []subject.Identity{i})
		if n := v.Consents.Find(i).Person(); n != 0 {
			names = append(names, v.Consents.Who(n))
		}
	}
	return v.looksPage(http.StatusOK, ledger.Question{Subjects: names}, "Who looked at this person", subject.Identity{Kind: i.Kind}, "")
}

func (v *visit) looksPage(status int, q ledger.Question, title string, i subject.Identity, mistake string) error {
	q.Kinds, q.Limit = []string{ledger.KindLooked, request.KindHandedOut}, looksShown
	if len(q.Subjects) == 0 {
		q.Kinds = append(q.Kinds, ledger.KindRead)
	}
	var all []ledger.Row
	err := v.Ledger.Search(v.r.Context(), v.Actor, "console", q, func(e ledger.Row) error {
		all = append(all, e)
		return nil
	})
	if err != nil {
		return err
	}
	var faults []view.Fault
	if mistake != "" {
		faults = append(faults, view.Fault{Field: "value", Text: mistake})
	}
	narrowed := q.Actor != "" || len(q.Subjects) > 0
	return v.inRoom(status, roomLog, "Who looked", view.Head(looksSentence(all, narrowed), "Each look at a person, at a package and at this log is an entry, on the disk before anything was shown. That you looked here is one more.", nil),
		v.logTabs("/log/looks"), view.Faults(faults...),
		view.Section{ID: "list", Title: title, First: true, Note: g.If(narrowed, h.A(h.Href("/log/looks"), g.Text("All looks")))}.With(v.looksTable(all)),
		view.Section{ID: "find", Title: "One person"}.With(v.looksForm(i, mistake)))
}

// looksSentence counts who looked at how many.
func looksSentence(all []ledger.Row, narrowed bool) string {
	who, whom := map[string]bool{}, map[string]bool{}
	for _, e := range all {
		who[e.Actor] = true
		if e.Kind != ledger.KindRead && e.Subject != "" {
			whom[e.Subject] = true
		}
	}
	switch {
	case len(all) == 0 && narrowed:
		return "Nobody looked."
	case len(all) == 0:
		return "Nobody has looked at anybody yet."
	case len(whom) == 0:
		return "Nobody looked at a person; the log itself was read."
	}
	return view.Spelled(int64(len(who)), "account looked at", "accounts looked at") + " " + lower(view.Spelled(int64(len(whom)), "person", "people")) + "."
}

// saidWhy is the justification of a look.
func saidWhy(e ledger.Row) g.Node {
	if e.Via == nil || e.Via.Because == "" {
		return nil
	}
	return why("“" + e.Via.Because + "”")
}

func (v *visit) looksTable(all []ledger.Row) g.Node {
	if len(all) == 0 {
		return view.Empty("No look is written down here.", "Opening the page of a person, taking a package and reading the log each leave an entry.")
	}
	var rows []g.Node
	for _, e := range all {
		who := g.Node(h.A(h.Href("/log/looks?who="+e.Actor), g.Text(v.me(e.Actor))))
		rows = append(rows, view.Row(g.Text(v.time.Moment(e.Time)), view.Cell("Who", who), view.Cell("Looked at", v.lookedAt(e), saidWhy(e)), view.Cell("Whom", v.lookedWhom(e)...), view.Figure("Entry", view.Number(e.ID))))
	}
	return view.Table("stack", "Who looked", []view.Column{{Name: "When"}, {Name: "Who"}, {Name: "Looked at"}, {Name: "Whom"}, {Name: "Entry", Right: true}}, view.Rows(rows...))
}

// lookedAt is what was shown.
func (v *visit) lookedAt(e ledger.Row) g.Node {
	var c struct {
		What, How, Request string
		Asked              []string
	}
	_ = json.Unmarshal(e.Content, &c) // an erased or foreign content tells only its kind
	switch {
	case e.Kind == ledger.KindRead && len(c.Asked) > 0:
		return g.Group{g.Text("the log"), why("by the " + c.How + ", asked by " + strings.Join(c.Asked, ", "))}
	case e.Kind == ledger.KindRead:
		return g.Group{g.Text("the log"), why("by the " + c.How)}
	case c.Request != "" && v.may(access.RequestRead):
		return g.Group{g.Text("package of "), h.A(h.Href("/requests/"+c.Request), g.Text(c.Request))}
	case c.Request != "":
		return g.Text("package of " + c.Request)
	case c.What != "":
		return g.Text(c.What)
	}
	return h.Code(g.Text(e.Kind))
}

// lookedWhom is about whom, by the opaque id where there is one.
func (v *visit) lookedWhom(e ledger.Row) []g.Node {
	switch {
	case e.Erased:
		return []g.Node{g.Text("forgotten")}
	case e.Subject == "":
		return nil
	case !strings.HasPrefix(e.Subject, "sub_"):
		return []g.Node{g.Text("the person of the request")}
	}
	return []g.Node{h.A(h.Href("/log/looks?person="+e.Subject), g.Text(v.substitute(e.Subject))), h.Div(h.Class("path"), g.Text(e.Subject))}
}

func (v *visit) looksForm(i subject.Identity, mistake string) g.Node {
	var kinds [][2]string
	for _, k := range v.findKinds() {
		kinds = append(kinds, [2]string{k, kindName(k)})
	}
	return view.Form("/log/looks", v.token,
		view.Field{ID: "kind", Name: "kind", Label: "Find by"}.Select(i.Kind, kinds...),
		view.Field{ID: "value", Name: "value", Label: "The exact value", Fault: mistake, Required: true, Hint: "Sent in the body, never in an address. In the log they are known by a keyed token; what you write is kept nowhere."}.
			Input(h.Type("text"), h.AutoComplete("off"), g.Attr("spellcheck", "false"), g.Attr("autocapitalize", "none"), h.MaxLength("500")),
		view.Actions(view.Button("main-act", "Who looked at them?")))
}
