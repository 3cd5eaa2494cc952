package console

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/request"
	"github.com/ombudhq/ombud/subject"
	"github.com/ombudhq/ombud/web/console/view"
)

// asked is what the form for a new request holds. A value is sent in the body and shown only in the form it came from.
type asked struct {
	kind, by, value string
}

// newRequest is the form that takes a request in.
func (v *visit) newRequest() error { return v.newPage(http.StatusOK, asked{}, nil) }

// takeIn plans what was asked; nothing is touched.
func (v *visit) takeIn() error {
	form := v.r.PostForm
	a := asked{kind: form.Get("kind"), by: form.Get("by"), value: strings.TrimSpace(form.Get("value"))}
	if faults := a.check(v.Catalog.Config()); len(faults) > 0 {
		return v.newPage(http.StatusUnprocessableEntity, a, faults)
	}
	r, err := v.Requests.Plan(v.r.Context(), request.PlanInput{Kind: plan.Kind(a.kind), Actor: v.Actor,
		People: []plan.Person{{Identities: []subject.Identity{{Kind: a.by, Value: a.value}}}}})
	if fault.KindOf(err) == fault.Invalid {
		return v.newPage(http.StatusUnprocessableEntity, a, []view.Fault{{Field: "value", Text: firstLine(err)}})
	}
	if err != nil {
		return err
	}
	return v.seeOther(address(r))
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return view.Upper(line)
}

func (a asked) check(cfg *catalog.Config) []view.Fault {
	var out []view.Fault
	if a.kind != string(plan.Access) && a.kind != string(plan.Erasure) {
		out = append(out, view.Fault{Field: "kind", Text: "Say what the person asks"})
	}
	if !slices.Contains(identityKinds(cfg), a.by) {
		out = append(out, view.Fault{Field: "by", Text: "Choose what you know of the person"})
	}
	switch {
	case a.value == "":
		out = append(out, view.Fault{Field: "value", Text: "Write the value you know of the person"})
	case a.by == "email" && !strings.Contains(a.value, "@"):
		out = append(out, view.Fault{Field: "value", Text: "Write the e-mail address with an @"})
	}
	return out
}

// identityKinds are what people can be found by: what ombud.yaml names, e-mail first.
func identityKinds(cfg *catalog.Config) []string {
	kinds := map[string]bool{}
	for _, s := range cfg.Systems {
		for _, p := range s.People {
			for kind := range p.By {
				kinds[kind] = kinds[kind] || !p.Rejected
			}
		}
	}
	out := slices.Sorted(maps.Keys(kinds))
	slices.SortStableFunc(out, func(a, b string) int {
		switch {
		case a == b:
			return 0
		case a == "email":
			return -1
		case b == "email":
			return 1
		}
		return 0
	})
	return slices.DeleteFunc(out, func(k string) bool { return !kinds[k] })
}

func kindName(kind string) string {
	switch kind {
	case "email":
		return "E-mail"
	case "customer":
		return "Customer number"
	}
	return view.Upper(strings.ReplaceAll(kind, "_", " "))
}

func (v *visit) newPage(status int, a asked, faults []view.Fault) error {
	d, err := v.desk()
	if err != nil {
		return err
	}
	var body g.Node = v.newForm(a, faults)
	if len(identityKinds(v.Catalog.Config())) == 0 {
		body = view.Empty("People cannot be found yet.", "No people dataset is named in ombud.yaml, so there is nothing to look in. Let Ombud read a store and propose where people enter it.",
			h.Code(g.Text("ombud scan shop=postgres://ombud@db/shop --write")))
	}
	return v.show(status, v.shell(roomRequests, "New request", d, []view.Crumb{{Name: "Requests", Href: "/requests"}, {Name: "New"}},
		view.Head("Take in what a person asks.", "Ombud looks for them in every system and makes a plan. Nothing is touched before you approve it.", nil),
		view.Faults(faults...), body))
}

func (v *visit) newForm(a asked, faults []view.Fault) g.Node {
	fault := func(field string) string {
		for _, f := range faults {
			if f.Field == field {
				return f.Text
			}
		}
		return ""
	}
	var kinds [][2]string
	for _, k := range identityKinds(v.Catalog.Config()) {
		kinds = append(kinds, [2]string{k, kindName(k)})
	}
	return h.Div(h.Class("sec first"), view.Form("/requests", v.token,
		view.Options(view.Field{ID: "kind", Name: "kind", Label: "What do they ask?", Fault: fault("kind")}, a.kind,
			view.Option{Value: string(plan.Access), Label: "A copy of what we hold", Hint: "Access, GDPR Art. 15. Reads, and makes a package for them."},
			view.Option{Value: string(plan.Erasure), Label: "To be erased", Hint: "Erasure, GDPR Art. 17. Makes a plan that you approve."}),
		view.Field{ID: "by", Name: "by", Label: "What do you know of them?", Fault: fault("by")}.Select(a.by, kinds...),
		view.Field{ID: "value", Name: "value", Label: "The exact value", Fault: fault("value"), Required: true,
			Hint: "Case and outer spaces do not count; a look-alike is somebody else. It is sent in the body, never in an address, and kept sealed while the request is open."}.
			Input(h.Type("text"), h.Value(a.value), h.AutoComplete("off"), g.Attr("spellcheck", "false"), g.Attr("autocapitalize", "none"), h.MaxLength("1000")),
		view.Actions(view.Button("main-act", "Find them and make a plan"), view.Link("", "/requests", "Back to requests"))))
}
