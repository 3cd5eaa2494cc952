package console

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/purpose"
	"github.com/ombudhq/ombud/subject"
	"github.com/ombudhq/ombud/web/console/view"
)

// chosenBy is what a person chose, and what holds of it now.
type chosenBy struct {
	*someone
	handle consent.Handle
	events []consent.Event // oldest first
	holds  []answered
	facts  []subject.Fact
	erased time.Time

	substitute string // the name that stands for them here
}

// answered is the answer about one purpose now.
type answered struct {
	rule     *purpose.Rule
	standing consent.Standing
	yes, no  []string // categories
	reason   consent.Reason
}

func (v *visit) chosenBy() (*chosenBy, error) {
	s, err := v.someone()
	if err != nil {
		return nil, err
	}
	c := &chosenBy{someone: s, substitute: v.People.Substitute(s.number)}
	c.handle, _ = v.Consents.FindID(s.id)
	c.facts = v.Consents.FactsOf(c.handle)
	if _, c.erased, _, err = v.People.Since(v.r.Context(), s.number); err != nil {
		return nil, err
	}
	if !c.erased.IsZero() {
		c.substitute = ""
	}
	if c.events, err = v.Consents.History(v.r.Context(), c.handle); err != nil {
		return nil, err
	}
	standing, err := v.Consents.StateAt(v.r.Context(), c.handle, v.time.Now)
	if err != nil {
		return nil, err
	}
	declared := slices.SortedStableFunc(slices.Values(v.Purposes.Now().All()), func(a, b *purpose.Rule) int { return cmp.Compare(order(a.Basis), order(b.Basis)) })
	for _, rule := range declared {
		c.holds = append(c.holds, v.ask(c.handle, rule, standing))
	}
	return c, nil
}

// ask asks about each category of a purpose, as whoever uses the data does.
func (v *visit) ask(who consent.Handle, rule *purpose.Rule, standing []consent.Standing) answered {
	out := answered{rule: rule}
	for _, st := range standing {
		if st.Purpose == rule.ID {
			out.standing = st
		}
	}
	for _, category := range rule.Categories {
		d := v.Consents.Decide(who, rule.ID, category, false)
		if d.Allowed {
			out.yes = append(out.yes, category)
		} else {
			out.no = append(out.no, category)
		}
		if out.reason == "" || !d.Allowed {
			out.reason = d.Reason
		}
	}
	return out
}

// person is the page of one: what holds, what they said, what limits the use of their data.
func (v *visit) person() error {
	c, err := v.chosenBy()
	if err != nil {
		return err
	}
	d, err := v.desk()
	if err != nil {
		return err
	}
	if err := v.Ledger.Looked(v.r.Context(), v.Actor, c.id, "their page in the console", "identities, masked", "consents", "restrictions", "decisions"); err != nil {
		return err
	}
	aside := h.Aside(h.Class("stackv"), h.Aria("label", "Identity and limits"), c.identity(v.may(access.LedgerRead), v.revealing(c.someone)), v.limitsOnUse(c))
	return v.show(http.StatusOK, v.shell(roomPeople, "One person", d, []view.Crumb{{Name: "People", Href: roomPeople}, {Name: "One person"}},
		view.Head(c.sentence(v.time.Now), "You see masked values. That you looked is in the audit log, and what you write down here holds for every question from its answer on.", nil),
		h.Div(h.Class("cols sec first"), h.Div(h.Class("stackv"), v.mayWe(c), v.history(c), v.acts(c)), aside)))
}

func (c *chosenBy) sentence(now time.Time) string {
	if !c.erased.IsZero() {
		return "This person was erased; nothing leads to them any more."
	}
	allowed := 0
	for _, p := range c.holds {
		if len(p.yes) > 0 {
			allowed++
		}
	}
	out := view.Spelled(int64(allowed), "of", "of") + " " + lower(view.Spelled(int64(len(c.holds)), "purpose", "purposes")) + map[bool]string{true: " is", false: " are"}[allowed == 1] + " allowed for this person"
	if allowed == 0 {
		out = "Nothing is allowed for this person"
	}
	for _, f := range c.facts {
		if f.Kind == subject.Restriction && f.Stands(now) {
			return out + "; their data is restricted."
		}
	}
	return out + "."
}

// identity is who they are, as far as it is shown; who reads the log also finds who looked.
func (c *chosenBy) identity(log bool, revealing g.Node) g.Node {
	facts := []view.Fact{}
	for _, i := range c.hints {
		facts = append(facts, view.Fact{Name: kindName(i.Kind), Is: view.Masked(i.Value)})
	}
	if c.substitute != "" {
		facts = append([]view.Fact{{Name: "Called here", Is: g.Text(c.substitute)}}, facts...)
	}
	facts = append(facts, view.Fact{Name: "Id", Is: h.Span(h.Class("path"), g.Text(c.id))})
	return h.Section(h.Class("panel"), h.Aria("labelledby", "who-h"), h.H2(h.ID("who-h"), h.Class("sec-h"), g.Text("Who they are")), view.Facts(facts...), revealing,
		g.If(log, h.P(h.Class("mt"), h.A(h.Href("/log/looks?person="+c.id), g.Text("Who looked at them")))))
}

// mayWe answers for each purpose, with the reason.
func (v *visit) mayWe(c *chosenBy) g.Node {
	var rows []g.Node
	for _, p := range c.holds {
		rows = append(rows, view.Row(h.A(h.Href(purposeAddress(p.rule.ID)), g.Text(purposeName(&p.rule.Purpose))),
			view.Cell("Answer", p.badge()), view.Cell("Why", g.Text(view.Upper(p.reason.Sentence())), why(p.part())), view.Cell("Since, until", v.sinceUntil(p)...)))
	}
	return h.Section(h.ID("holds"), h.Aria("labelledby", "holds-h"), h.Div(h.Class("sec-h"), h.H2(h.ID("holds-h"), g.Text("May we?")), h.P(g.Text("answered now, with the reason"))),
		view.Table("stack", "May we?", []view.Column{{Name: "Purpose"}, {Name: "Answer"}, {Name: "Why"}, {Name: "Since, until"}}, view.Rows(rows...)))
}

func (p answered) badge() g.Node {
	switch {
	case len(p.yes) > 0 && len(p.no) > 0:
		return view.Badge(view.Soon, "in part")
	case len(p.yes) > 0:
		return view.Badge(view.OK, "yes")
	case p.reason == consent.IsPending:
		return view.Badge(view.Wait, "not yet")
	case p.reason == consent.NotGiven || p.reason == consent.UnknownPerson:
		return view.Badge(view.Idle, "no")
	}
	return view.Badge(view.Late, "no")
}

// part names the categories where they do not all have the same answer, and otherwise the basis.
func (p answered) part() string {
	switch {
	case len(p.yes) > 0 && len(p.no) > 0:
		return "yes for " + strings.Join(p.yes, ", ") + "; no for " + strings.Join(p.no, ", ")
	case len(p.rule.Categories) == 0:
		return "the purpose names no data"
	}
	return basisWord(p.rule.Basis)
}

func (v *visit) sinceUntil(p answered) []g.Node {
	st := p.standing
	if st.Status == "" {
		return nil
	}
	until := ""
	switch {
	case st.ValidUntil.IsZero():
	case st.Unconfirmed:
		until = "not confirmed in time"
	case st.Status == consent.Pending:
		until = "to be confirmed until " + v.time.Short(st.ValidUntil)
	case st.Status == consent.Expired:
		until = "ended " + v.time.Date(st.ValidUntil)
	default:
		until = "until " + v.time.Date(st.ValidUntil)
	}
	return []g.Node{g.Text(string(st.Status) + " " + v.time.Date(st.Since)), g.If(until != "", why(until))}
}

// limitsOnUse are the restrictions and objections that have not ended.
func (v *visit) limitsOnUse(c *chosenBy) g.Node {
	s := []g.Node{h.Aria("labelledby", "limits-h"), h.H2(h.ID("limits-h"), h.Class("sec-h"), g.Text("Limits on use"))}
	if len(c.facts) == 0 {
		s = append(s, h.P(h.Class("quiet"), g.Text("None. Nothing is restricted, and they object to nothing.")))
	}
	for _, f := range c.facts {
		reason := f.Because
		if reason != "" {
			reason = " They said: “" + reason + "”"
		}
		s = append(s, h.P(h.Class("mt"), v.factBadge(&f), g.Text(" since "+v.time.Date(f.Since)+": "+factWord(f.Kind, f.Type)+". Stops "+v.stops(&f)+"."+reason)),
			v.liftForm(consent.About{Subject: c.id, Fact: f}, "person"))
	}
	return h.Section(s...)
}

// consentReceipt is the signed receipt of one of their consents.
func (v *visit) consentReceipt() error {
	c, err := v.chosenBy()
	if err != nil {
		return err
	}
	con := v.r.PathValue("con")
	if !slices.ContainsFunc(c.events, func(e consent.Event) bool { return e.ConsentID == con && e.Kind == kindGiven }) {
		return fault.New(fault.NotFound, "this person gave no such consent")
	}
	receipt, err := v.Consents.Receipt(v.r.Context(), con)
	if err != nil {
		return err
	}
	v.attach(con+"-receipt.json", "application/json")
	_, _ = v.w.Write(receipt) // who hung up is told nothing
	return nil
}
