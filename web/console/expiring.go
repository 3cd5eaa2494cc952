package console

import (
	"cmp"
	"net/http"
	"slices"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/web/console/view"
)

// longest is how many rows a list of people shows.
const longest = 200

// expiring lists the consents that end by themselves soon, the first to end first.
func (v *visit) expiring() error {
	c, err := v.consents()
	if err != nil {
		return err
	}
	list := slices.SortedFunc(slices.Values(c.expiring), func(a, b consent.Expiring) int {
		return cmp.Or(a.Ends.Compare(b.Ends), cmp.Compare(a.ConsentID, b.ConsentID))
	})
	lede := "Nothing happens to anybody's data before they end; then every question is answered no. Who is asked again before, and says yes, goes on."
	body := []g.Node{view.Head(view.Spelled(int64(len(list)), "consent ends", "consents end")+" in the next 30 days.", lede, nil), v.consentTabs(c, "/consent/expiring")}
	if len(list) == 0 {
		body = append(body, view.Empty("Nothing ends soon.", "A consent lasts as long as its purpose says, 12 months where it says nothing. Those that end within 30 days stand here, so that you can ask again in time."))
	} else {
		body = append(body, v.expiringTallies(list), v.expiringTable(list))
	}
	return v.show(http.StatusOK, v.shell(roomConsent, "Expiring", c.desk, consentCrumbs("Expiring"), body...))
}

func (v *visit) expiringTallies(list []consent.Expiring) g.Node {
	counts := map[string]int64{}
	for _, e := range list {
		counts[e.Purpose]++
	}
	var tallies []view.Tally
	for _, rule := range v.Purposes.Now().All() {
		if n := counts[rule.ID]; n > 0 {
			tallies = append(tallies, view.Tally{Figure: view.Number(n), Word: purposeName(&rule.Purpose), Href: purposeAddress(rule.ID)})
		}
	}
	return view.Section{ID: "counts", Title: "By purpose"}.With(view.Tallies(tallies...))
}

func (v *visit) expiringTable(list []consent.Expiring) g.Node {
	note := "the first to end first"
	if more := len(list) - longest; more > 0 {
		note = "the first 200; " + view.Number(int64(more)) + " more end later"
		list = list[:longest]
	}
	var rows []g.Node
	for _, e := range list {
		rows = append(rows, view.Row(v.personLink(e.Subject), view.Text("Purpose", v.called(e.Purpose)),
			view.Cell("Ends", g.Text(view.Upper(v.time.Near(e.Ends))), why(v.time.Left(e.Ends)))))
	}
	return view.Section{ID: "list", Title: "Whose", Note: g.Text(note)}.With(
		view.Table("stack", "Consents that end soon", []view.Column{{Name: "Person"}, {Name: "Purpose"}, {Name: "Ends"}}, view.Rows(rows...)))
}

// personLink leads to the page of a person, by the name that stands for them and the id that says nothing of them.
func (v *visit) personLink(id string) g.Node {
	return g.Group{h.A(h.Href("/people/"+id), g.Text(v.substitute(id))), h.Div(h.Class("path"), g.Text(id))}
}

// substitute is the name that stands for a person here; their id where nobody has it.
func (v *visit) substitute(id string) string {
	if n, ok := v.People.Number(id); ok {
		return v.People.Substitute(n)
	}
	return id
}
