package console

import (
	"net/http"
	"slices"
	"strings"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/subject"
	"github.com/ombudhq/ombud/web/console/view"
)

// byID is the kind by which a person is found by the id that answers carry.
const byID = "id"

// people is where a person is looked for.
func (v *visit) people() error { return v.findPage(http.StatusOK, subject.Identity{}, "") }

// find leads to the page of the person whose exact value the form holds. It travels in the body, and no address holds it.
func (v *visit) find() error {
	form := v.r.PostForm
	i := subject.Identity{Kind: form.Get("kind"), Value: strings.TrimSpace(form.Get("value"))}
	switch {
	case !slices.Contains(v.findKinds(), i.Kind):
		return v.findPage(http.StatusUnprocessableEntity, i, "Choose what you know of the person")
	case i.Value == "":
		return v.findPage(http.StatusUnprocessableEntity, i, "Write the value you know of the person")
	case i.Kind == "email" && !strings.Contains(i.Value, "@"):
		return v.findPage(http.StatusUnprocessableEntity, i, "Write the e-mail address with an @")
	}
	who := v.Consents.Find(i)
	if i.Kind == byID {
		who, _ = v.Consents.FindID(i.Value)
	}
	_, _, known, err := v.People.Since(v.r.Context(), who.Person())
	if err != nil {
		return err
	}
	if !known {
		return v.findPage(http.StatusNotFound, i, "Nobody is known by this: they never said yes or no to anything, and limited nothing")
	}
	return v.seeOther("/people/" + v.Consents.Who(who.Person()))
}

// findKinds are what people can be found by: what ombud.yaml names and the usual ones, e-mail first.
func (v *visit) findKinds() []string {
	kinds := identityKinds(v.Catalog.Config())
	for _, k := range []string{"email", "customer", "phone", byID} {
		if !slices.Contains(kinds, k) {
			kinds = append(kinds, k)
		}
	}
	return kinds
}

func (v *visit) findPage(status int, i subject.Identity, mistake string) error {
	d, err := v.desk()
	if err != nil {
		return err
	}
	var faults []view.Fault
	if mistake != "" {
		faults = append(faults, view.Fault{Field: "value", Text: mistake})
	}
	return v.show(status, v.shell(roomPeople, "Find a person", d, nil,
		view.Head("Find a person by what you know of them.", "You see what they chose, what they were shown, and what limits the use of their data. Who they are stays masked.", nil),
		v.peopleTabs(roomPeople), view.Faults(faults...), h.Div(h.Class("sec first"), v.findForm(i, mistake))))
}

func (v *visit) findForm(i subject.Identity, mistake string) g.Node {
	var kinds [][2]string
	for _, k := range v.findKinds() {
		kinds = append(kinds, [2]string{k, kindName(k)})
	}
	return view.Form("/people/find", v.token,
		view.Field{ID: "kind", Name: "kind", Label: "Find by"}.Select(i.Kind, kinds...),
		view.Field{ID: "value", Name: "value", Label: "The exact value", Fault: mistake, Required: true,
			Hint: "Sent in the body, never in an address. Close values do not match: this is no search engine for people."}.
			Input(h.Type("text"), h.Value(i.Value), h.AutoComplete("off"), g.Attr("spellcheck", "false"), g.Attr("autocapitalize", "none"), h.MaxLength("500")),
		view.Actions(view.Button("main-act", "Find")))
}

// someone is a person whose page is asked for.
type someone struct {
	id     string
	number subject.Number
	hints  []subject.Identity // kinds and masked values
	ids    []subject.Identity // never shown
}

// someone is who the address names.
func (v *visit) someone() (*someone, error) {
	id := v.r.PathValue("id")
	missing := fault.New(fault.NotFound, "nobody has this id").Then("Find the person by what you know of them.")
	n, ok := v.People.Number(id)
	if !ok {
		return nil, missing
	}
	_, _, known, err := v.People.Since(v.r.Context(), n)
	if err != nil {
		return nil, err
	}
	if !known {
		return nil, missing
	}
	s := &someone{id: id, number: n}
	s.ids, err = v.People.Identities(v.r.Context(), n)
	for _, i := range s.ids {
		s.hints = append(s.hints, subject.Identity{Kind: i.Kind, Value: i.Hint()})
	}
	return s, err
}
