package console

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/purpose"
	"github.com/ombudhq/ombud/web/console/view"
)

// purposes lists what data is used for.
func (v *visit) purposes() error {
	c, err := v.consents()
	if err != nil {
		return err
	}
	var table g.Node = noPurposes()
	if len(c.declared) > 0 {
		var rows []g.Node
		for _, rule := range c.declared {
			rows = append(rows, view.Row(h.A(h.Href(purposeAddress(rule.ID)), g.Text(purposeName(&rule.Purpose))),
				view.Cell("Basis", g.Text(basisWord(rule.Basis)), why(articleOf(rule.Basis))), view.Text("Data", strings.Join(rule.Categories, ", ")),
				view.Text("In", strings.Join(rule.Systems, ", ")), view.Text("Kept", rule.Retention), view.Text("Written in", string(rule.Source))))
		}
		table = view.Table("stack", "Purposes", []view.Column{{Name: "Purpose"}, {Name: "Basis"}, {Name: "Data"}, {Name: "In"}, {Name: "Kept"}, {Name: "Written in"}}, view.Rows(rows...))
	}
	return v.show(http.StatusOK, v.shell(roomConsent, "Purposes", c.desk, consentCrumbs("Purposes"),
		view.Head(purposesSentence(c.declared), "What a purpose does not name may not be used for it: other data, other fields, other systems.", nil),
		v.consentTabs(c, "/consent/purposes"), h.Section(h.ID("list"), h.Aria("label", "Purposes"), table)))
}

func purposesSentence(declared []*purpose.Rule) string {
	if len(declared) == 0 {
		return "No purpose is declared, so every question is answered no."
	}
	n := 0
	for _, rule := range declared {
		if rule.Basis == purpose.Consent {
			n++
		}
	}
	return view.Spelled(int64(len(declared)), "purpose is", "purposes are") + " declared; " + lower(view.Spelled(int64(n), "leans", "lean")) + " on consent."
}

func consentCrumbs(names ...string) []view.Crumb {
	out := []view.Crumb{{Name: "Consent", Href: roomConsent}}
	for _, n := range names {
		out = append(out, view.Crumb{Name: n})
	}
	return out
}

// purpose is one of them with its basis, and the words people were shown.
func (v *visit) purpose() error {
	rule, ok := v.Purposes.Now().Known(v.r.PathValue("purpose"))
	if !ok {
		return fault.New(fault.NotFound, "no such purpose was ever declared").Then("The room of consents lists them all.")
	}
	d, err := v.desk()
	if err != nil {
		return err
	}
	sentence, lede := v.purposeSentence(rule)
	crumbs := []view.Crumb{{Name: "Consent", Href: roomConsent}, {Name: "Purposes", Href: "/consent/purposes"}, {Name: purposeName(&rule.Purpose)}}
	body := []g.Node{view.Head(sentence, lede, v.firstOf(v.unassessed([]*purpose.Rule{rule}))), v.basisSection(rule)}
	if rule.Basis == purpose.Consent {
		body = append(body, v.weeks(purposeAddress(rule.ID), rule))
	}
	return v.show(http.StatusOK, v.shell(roomConsent, purposeName(&rule.Purpose), d, crumbs, append(body, fieldsSection(rule), v.noticesSection(rule))...))
}

func (v *visit) purposeSentence(rule *purpose.Rule) (sentence, lede string) {
	name := purposeName(&rule.Purpose)
	switch {
	case rule.Retired:
		return name + ": no longer declared, so every question is answered no.", rule.Description
	case rule.Basis == purpose.Consent:
		overviews, people := v.Consents.Overviews()
		o := overviews[rule.ID]
		return fmt.Sprintf("%s: %s of %s say yes now.", name, view.Number(int64(o.Yes)), view.Count(int64(people), "person", "people")), rule.Description
	case rule.Basis == purpose.LegitimateInterests && !rule.Assessed(v.time.Now):
		return name + ": without a valid assessment every question is answered no.", rule.Description
	}
	return name + ": no yes is needed, its basis is " + basisWord(rule.Basis) + ".", rule.Description
}

func (v *visit) basisSection(rule *purpose.Rule) g.Node {
	lines := func(items []string) g.Node {
		if len(items) == 0 {
			return nil
		}
		return g.Text(strings.Join(items, ", "))
	}
	text := func(s string) g.Node {
		if s == "" {
			return nil
		}
		return g.Text(s)
	}
	return view.Section{ID: "basis", Title: "What makes it lawful", First: true, Note: g.Text("written in " + string(rule.Source))}.With(view.Facts(
		view.Fact{Name: "Basis", Is: g.Text(basisWord(rule.Basis) + ", " + articleOf(rule.Basis))},
		view.Fact{Name: "Because", Is: text(rule.Because)},
		view.Fact{Name: "Assessment", Is: v.assessment(rule)},
		view.Fact{Name: "A yes counts", Is: text(yesCounts(rule))},
		view.Fact{Name: "Data", Is: lines(rule.Categories)},
		view.Fact{Name: "Law treats it as", Is: text(strings.ReplaceAll(strings.Join(rule.Uses, ", "), "_", " "))},
		view.Fact{Name: "In systems", Is: lines(rule.Systems)},
		view.Fact{Name: "Kept", Is: text(rule.Retention)},
		view.Fact{Name: "Given to", Is: lines(rule.Recipients)}))
}

// yesCounts says what makes a consent to the purpose count, and for how long.
func yesCounts(rule *purpose.Rule) string {
	if rule.Basis != purpose.Consent {
		return ""
	}
	expires := rule.Expires
	if expires == "" {
		expires = purpose.DefaultExpiry
	}
	out := "for " + expires
	if expires == purpose.Never {
		out = "until it is withdrawn"
	}
	if rule.Explicit {
		out += "; only when it was explicit (Art. 9(2)(a))"
	}
	if rule.DoubleOptIn {
		out += "; once it is confirmed a second time"
	}
	if rule.Reconsent != "" {
		out += "; given to version " + rule.Reconsent + " of the notice or a later one"
	}
	return out
}

func (v *visit) assessment(rule *purpose.Rule) g.Node {
	if rule.LIA == nil {
		if rule.Basis != purpose.LegitimateInterests {
			return nil
		}
		return view.Badge(view.Late, "none")
	}
	l := rule.LIA
	badge := view.Badge(view.OK, "valid")
	if !rule.Assessed(v.time.Now) {
		badge = view.Badge(view.Late, "not valid")
	}
	text := " " + strings.ReplaceAll(l.Outcome, "_", " ") + "; assessed " + v.day(l.Assessed)
	if l.By != "" {
		text += " by " + l.By
	}
	text += ", to be reviewed " + v.day(l.Review)
	if l.File != "" {
		text += "; in " + l.File
	}
	return g.Group{badge, g.Text(text)}
}

// day writes a date of the register as people do.
func (v *visit) day(iso string) string {
	t, err := time.ParseInLocation(time.DateOnly, iso, v.time.In)
	if err != nil {
		return iso
	}
	return v.time.Date(t)
}

func fieldsSection(rule *purpose.Rule) g.Node {
	s := view.Section{ID: "fields", Title: "The fields it needs", Note: g.Text("any other is left out before the purpose sees a record")}
	if len(rule.Fields) == 0 {
		return s.With(h.P(g.Text("No field is declared, so a record that is minimised for this purpose comes out empty.")))
	}
	var rows []g.Node
	for _, f := range rule.Fields {
		needed := "may be missing"
		if f.Required {
			needed = "always"
		}
		rows = append(rows, view.Row(h.Code(g.Text(f.Name)), view.Text("Because", f.Because), view.Text("Needed", needed)))
	}
	return s.With(view.Table("stack", "Fields", []view.Column{{Name: "Field"}, {Name: "Because"}, {Name: "Needed"}}, view.Rows(rows...)))
}

// noticesSection shows the exact words, those in use first.
func (v *visit) noticesSection(rule *purpose.Rule) g.Node {
	s := view.Section{ID: "notices", Title: "What people are shown", Note: g.Text("the exact words, by version and language")}
	if len(rule.Notices) == 0 {
		return s.With(view.Empty("No notice is declared.", "A yes counts only for what the person was shown. Write the words here, each version and language, and keep the old ones: they prove what earlier people said yes to."))
	}
	notices := slices.Clone(rule.Notices)
	slices.Reverse(notices)
	slices.SortStableFunc(notices, func(a, b purpose.Notice) int { return old(a) - old(b) })
	var rows []g.Node
	for _, n := range notices {
		badge := view.Badge(view.OK, "shown now")
		if n.Superseded {
			badge = view.Badge(view.Idle, "old, kept as proof")
		}
		text := n.Text
		if text == "" {
			text = "In the file " + n.File + "; its words are not held here."
		}
		rows = append(rows, view.Row(g.Text(n.ID+", version "+n.Version), view.Text("Language", n.Language), view.Cell("State", badge),
			view.Cell("Words", h.Span(g.If(n.Language != "" && n.Text != "", h.Lang(n.Language)), g.Text(text)))))
	}
	return s.With(view.Table("stack", "Notices", []view.Column{{Name: "Notice"}, {Name: "Language"}, {Name: "State"}, {Name: "The words"}}, view.Rows(rows...)))
}

func old(n purpose.Notice) int {
	if n.Superseded {
		return 1
	}
	return 0
}
