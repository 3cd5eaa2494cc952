package console

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/purpose"
	"github.com/ombudhq/ombud/web/console/view"
)

// month is how far back and ahead the room of consents looks.
const month = 30

// consents is what the room of consents shows on each of its pages.
type consents struct {
	*desk
	declared []*purpose.Rule // those people may choose about first
	expiring []consent.Expiring
	facts    []consent.About

	chose  map[string]consent.Overview // by purpose; only where the page shows it
	people int
}

func (v *visit) consents() (*consents, error) {
	d, err := v.desk()
	if err != nil {
		return nil, err
	}
	c := &consents{desk: d, declared: v.Purposes.Now().All(), facts: v.Consents.Facts()}
	c.expiring = v.Consents.EndingBefore(v.time.Now.AddDate(0, 0, month))
	slices.SortStableFunc(c.declared, func(a, b *purpose.Rule) int { return order(a.Basis) - order(b.Basis) })
	return c, nil
}

// order puts the purposes that people choose about first.
func order(b purpose.Basis) int {
	switch b {
	case purpose.Consent:
		return 0
	case purpose.LegitimateInterests:
		return 1
	}
	return 2
}

// consentTabs are the pages of the room.
func (v *visit) consentTabs(c *consents, here string) g.Node {
	tab := func(href, name string, n int) view.Room { return view.Room{Href: href, Name: name, Count: n} }
	return v.tabs("Consent", here, tab(roomConsent, "Overview", 0), tab("/consent/purposes", "Purposes", len(c.declared)),
		tab("/consent/expiring", "Expiring", len(c.expiring)), tab("/consent/restrictions", "Restrictions", len(c.facts)))
}

// consent says whether what people chose holds everywhere, and how many chose what.
func (v *visit) consent() error {
	c, err := v.consents()
	if err != nil {
		return err
	}
	c.chose, c.people = v.Consents.Overviews()
	slices.SortStableFunc(c.declared, func(a, b *purpose.Rule) int {
		return cmp.Or(order(a.Basis)-order(b.Basis), c.chose[b.ID].Yes-c.chose[a.ID].Yes)
	})
	heard, err := v.heard()
	if err != nil {
		return err
	}
	troubles := slices.Concat(v.silent(heard), v.unassessed(c.declared))
	body := []g.Node{view.Head(consentSentence(c, heard, troubles), consentLede(c, troubles), v.firstOf(troubles)), v.consentTabs(c, roomConsent)}
	if len(c.declared) == 0 {
		body = append(body, noPurposes())
	} else {
		body = append(body, v.purposesNow(c), v.changes(c))
	}
	return v.show(http.StatusOK, v.shell(roomConsent, "Consent", c.desk, nil, append(body, v.heardSection(heard))...))
}

func noPurposes() g.Node {
	return view.Empty("No purpose is declared yet.",
		"A purpose is what data is used for: its basis, its categories, the words people are shown. Without one every question is answered no. Write the first into ombud.yaml under purposes:, or send it to /v1/purposes.")
}

func consentSentence(c *consents, heard []target, troubles []trouble) string {
	if len(c.declared) == 0 {
		return "No purpose is declared, so every question is answered no."
	}
	const holds = "Every withdrawal holds"
	behind, missing := 0, int64(0)
	for _, t := range heard {
		if n := t.unheard(); n > 0 && t.trouble() != "" {
			behind, missing = behind+1, missing+n
		}
	}
	switch {
	case behind > 0:
		return holds + ". " + view.Spelled(int64(behind), "service has", "services have") + " not heard of " + lower(view.Spelled(missing, "change")) + "."
	case len(troubles) > 0:
		return holds + ". " + view.Upper(troubles[0].short) + "."
	case len(heard) == 0:
		return holds + ". No service is told of it yet."
	}
	return holds + ", and every service has heard."
}

func consentLede(c *consents, troubles []trouble) string {
	if len(c.declared) == 0 {
		return "What nobody declared is denied."
	}
	if len(troubles) > 0 && troubles[0].target != "" {
		return "The answer to “may we?” changed the moment each person chose. What is late is only the copy elsewhere."
	}
	return "The answer to “may we?” changes the moment a person chooses. Below: how many chose what, and who has heard."
}

// purposesNow are the declared purposes with what people chose.
func (v *visit) purposesNow(c *consents) g.Node {
	objections := v.objections(c)
	var rows []g.Node
	for _, rule := range c.declared {
		rows = append(rows, view.Row(h.A(h.Href(purposeAddress(rule.ID)), g.Text(purposeName(&rule.Purpose))),
			view.Text("Basis", basisWord(rule.Basis)),
			g.Group(chosen(rule, c.chose[rule.ID], c.people, objections[rule.ID])),
			view.Text("Notice", noticeWord(rule))))
	}
	columns := []view.Column{{Name: "Purpose"}, {Name: "Basis"}, {Name: "Yes now", Right: true}, {Name: "Share"}, {Name: "Ended in 30 days", Right: true},
		{Name: "Expiring in 30 days", Right: true}, {Name: "Notice"}}
	return view.Section{ID: "purposes", Title: "Purposes", Note: g.Text(view.Count(int64(c.people), "person is", "people are") + " known here, counted " + v.time.Clock(v.time.Now))}.
		With(view.Table("stack", "Purposes", columns, view.Rows(rows...)))
}

// chosen are the four cells of figures.
func chosen(rule *purpose.Rule, o consent.Overview, people, objected int) []g.Node {
	if rule.Basis != purpose.Consent {
		ended := "–"
		if objected > 0 {
			ended = view.Number(int64(objected)) + " objected"
		}
		return []g.Node{view.Figure("Yes now", "–"), view.Cell("Share", h.Span(h.Class("quiet small"), g.Text("no yes needed"))), view.Figure("Ended", ended), view.Figure("Expiring", "–")}
	}
	share := float64(o.Yes) / float64(max(people, 1))
	percent := fmt.Sprintf("%.0f %%", 100*share)
	return []g.Node{view.Figure("Yes now", view.Number(int64(o.Yes))),
		view.Cell("Share", view.Meter(percent+" of the people known here", share, 0, false), h.Span(h.Class("small quiet"), g.Text(percent))),
		view.Figure("Ended", view.Number(int64(o.Ended))), view.Figure("Expiring", view.Number(int64(o.Expiring)))}
}

// objections counts, per purpose, the people whose objection stops it now.
func (v *visit) objections(c *consents) map[string]int {
	out := map[string]int{}
	seen := map[string]bool{}
	for _, f := range c.facts {
		who, ok := v.Consents.FindID(f.Subject)
		if seen[f.Subject] || !ok {
			continue
		}
		seen[f.Subject] = true
		for _, rule := range c.declared {
			if len(rule.Categories) > 0 && v.Consents.Decide(who, rule.ID, rule.Categories[0], false).Reason == consent.HasObjected {
				out[rule.ID]++
			}
		}
	}
	return out
}
