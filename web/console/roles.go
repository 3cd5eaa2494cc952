package console

import (
	"net/http"
	"slices"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/web/console/view"
)

// power is something that can be done, in words that follow "may".
type power struct {
	needs access.Permission
	words string
}

// powers are what roles are asked about, in the order of a day's work. What stands in none is for programs, or everybody's.
func powers() []power {
	return []power{
		{access.RequestRead, "see requests and their plans"},
		{access.RequestPlan, "take requests in, plan and refuse"},
		{access.RequestApprove, "approve plans and run what was approved"},
		{access.PackageRead, "hand a person's data over"},
		{access.ReceiptRead, "read receipts and proofs"},
		{access.PersonRead, "look at the page of one person, masked"},
		{access.ValueReveal, "reveal what is masked"},
		{access.PseudonymMake, "give people pseudonyms"},
		{access.PseudonymRead, "see who asked whom a pseudonym stands for"},
		{access.PseudonymResolve, "find out who a pseudonym is"},
		{access.ConsentRead, "see what people chose"},
		{access.ConsentWrite, "record and withdraw consents"},
		{access.RestrictionWrite, "restrict the use of a person's data, and lift it"},
		{access.HoldRead, "see legal holds"},
		{access.HoldWrite, "make and release legal holds"},
		{access.CatalogRead, "see the data map, without values"},
		{access.CatalogWrite, "answer what was guessed on the data map"},
		{access.PurposeRead, "see the register of purposes"},
		{access.PurposeWrite, "change the register of purposes"},
		{access.DecisionAsk, "ask whether data may be processed"},
		{access.EventPost, "tell what happened elsewhere"},
		{access.EventRead, "see which services were told"},
		{access.EventReplay, "tell services again"},
		{access.LedgerRead, "read the whole log"},
		{access.LookRead, "see who looked at whom"},
		{access.PolicyRead, "read the policies"},
		{access.ElevationTake, "break the glass in an emergency"},
		{access.AlarmRead, "see that an alarm waits for a review"},
		{access.AlarmReview, "review what another did, and close the alarm"},
		{access.SystemRead, "see backups and encryption keys"},
		{access.KeyManage, "make and revoke API keys"},
		{access.AccountManage, "manage accounts and their roles"},
	}
}

// shownRoles are those the table has a column for.
func shownRoles() []access.Role { return append(access.PeopleRoles(), access.Service) }

// asIf is somebody with a role, signed in to the end, under the policies in force.
func (v *visit) asIf(r access.Role) access.Caller {
	return access.Caller{Role: r, Session: "as if"}.Under(v.caller.Policies())
}

// roles says what each role may do, and answers one question in a sentence, with the policies that decide it.
func (v *visit) roles() error {
	q := v.r.URL.Query()
	role, asked := access.Role(q.Get("role")), access.Permission(q.Get("may"))
	head := view.Head("What no policy permits is denied.", "These are all the roles, and all that each may do. What a policy forbids stays forbidden, whatever another permits. Nobody changes their own role.", nil)
	body := []g.Node{v.askRole(role, asked)}
	if i := slices.IndexFunc(powers(), func(p power) bool { return p.needs == asked }); i >= 0 && slices.Contains(shownRoles(), role) {
		said := access.Judge(v.asIf(role), asked, asked.On(""))
		head = view.Head(answerTo(role, powers()[i], said), v.answerMore(asked, said), nil)
		body = append(body, v.decidedBy(said))
	}
	return v.inRoom(http.StatusOK, roomAccounts, "Roles", head, v.accessTabs("/roles"), append(body, v.roleTable(role))...)
}

// answerTo is the answer in a sentence.
func answerTo(r access.Role, p power, said access.Verdict) string {
	switch {
	case said.Allowed:
		return "Yes: a " + roleName(r) + " may " + p.words + "."
	case said.Wants != "":
		return "Only with " + wantWord(said.Wants) + ": a " + roleName(r) + " may then " + p.words + "."
	}
	return "No: a " + roleName(r) + " may not " + p.words + "."
}

func wantWord(w access.Want) string {
	switch w {
	case access.WantsWhy:
		return "a written reason"
	case access.WantsEmergency:
		return "broken glass"
	}
	return "a " + string(w)
}

func (v *visit) answerMore(asked access.Permission, said access.Verdict) string {
	switch {
	case said.Allowed:
		return ""
	case len(said.Because) == 0:
		return "No policy permits it, and what none permits is denied. " + v.whoMay(asked)
	case said.Wants != "":
		return ""
	}
	return "A policy forbids it, whatever another permits. " + v.whoMay(asked)
}

// decidedBy shows the policies that decided, to those who may read them.
func (v *visit) decidedBy(said access.Verdict) g.Node {
	if len(said.Because) == 0 {
		return nil
	}
	s := view.Section{ID: "because", Title: "Which policy says so"}
	return s.With(g.Map(said.Because, func(p access.Policy) g.Node {
		sign := view.OK
		if p.Effect == "forbid" {
			sign = view.Late
		}
		text := ""
		if v.may(access.PolicyRead) {
			text = p.Text
		}
		return view.Note(sign, p.ID+".", p.Says, text)
	}))
}

// whoMay names the roles of people that may.
func (v *visit) whoMay(p access.Permission) string {
	var may []string
	for _, r := range access.PeopleRoles() {
		if said := access.Judge(v.asIf(r), p, p.On("")); said.Allowed || said.Wants == access.WantsWhy {
			may = append(may, roleName(r))
		}
	}
	if len(may) == 0 {
		return "No role of people may."
	}
	return "Ask a " + inWords(may, "or") + "."
}

// inWords joins words as a sentence does.
func inWords(words []string, last string) string {
	out := ""
	for i, w := range words {
		switch {
		case i == 0:
		case i == len(words)-1:
			out += " " + last + " "
		default:
			out += ", "
		}
		out += w
	}
	return out
}

// askRole asks in the address: it holds a role and a deed, and nobody.
func (v *visit) askRole(role access.Role, asked access.Permission) g.Node {
	var roles, acts [][2]string
	for _, r := range shownRoles() {
		roles = append(roles, [2]string{string(r), "a " + roleName(r)})
	}
	for _, d := range powers() {
		acts = append(acts, [2]string{string(d.needs), d.words})
	}
	return view.Section{ID: "ask", Title: "May a role do something?", First: true}.With(h.Form(h.Method("get"), h.Action("/roles"), h.Class("ask"),
		view.Field{ID: "role", Name: "role", Label: "May"}.Select(string(role), roles...),
		view.Field{ID: "may", Name: "may", Label: "do this"}.Select(string(asked), acts...),
		view.Button("main-act", "Answer")))
}

// roleTable has a column for each role; the one that was asked about comes first.
func (v *visit) roleTable(asked access.Role) g.Node {
	roles := shownRoles()
	if i := slices.Index(roles, asked); i > 0 {
		roles = append([]access.Role{asked}, slices.Delete(roles, i, i+1)...)
	}
	columns := []view.Column{{Name: "May"}}
	for _, r := range roles {
		columns = append(columns, view.Column{Name: view.Upper(roleName(r))})
	}
	var rows []g.Node
	for _, d := range powers() {
		var cells []g.Node
		for _, r := range roles {
			cells = append(cells, view.Cell(view.Upper(roleName(r)), granted(access.Judge(v.asIf(r), d.needs, d.needs.On("")))))
		}
		rows = append(rows, view.Row(g.Text(view.Upper(d.words)), cells...))
	}
	return view.Section{ID: "table", Title: "All of it"}.With(view.Wide("What each role may do", view.Table("dense roles", "What each role may do", columns, view.Rows(rows...))))
}

func granted(said access.Verdict) g.Node {
	switch {
	case said.Allowed:
		return view.Badge(view.OK, "yes")
	case said.Wants == access.WantsWhy:
		return view.Badge(view.Soon, "with a reason")
	case said.Wants == access.WantsEmergency:
		return view.Badge(view.Wait, "in an emergency")
	}
	return h.Span(h.Class("quiet"), g.Text("no"))
}
