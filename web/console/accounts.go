package console

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/web/console/view"
)

// logLength is how many entries the log shows.
const logLength = 100

// log shows the newest entries, to those who may read it. That they did is an entry, before the first is shown.
func (v *visit) log() error {
	d, err := v.desk()
	if err != nil {
		return err
	}
	var rows []g.Node
	last, before := int64(0), int64(0)
	if n, err := strconv.ParseInt(v.r.URL.Query().Get("before"), 10, 64); err == nil {
		before = max(0, n)
	}
	err = v.Ledger.Search(v.r.Context(), v.Actor, "console", ledger.Question{Limit: logLength, Before: before}, func(e ledger.Row) error {
		last = e.ID
		rows = append(rows, view.Row(g.Text(view.Number(e.ID)), view.Text("When", v.time.Moment(e.Time)), view.Cell("What", h.Code(g.Text(e.Kind))), view.Text("Result", e.Result), view.Text("Who", v.me(e.Actor))))
		return nil
	})
	if err != nil {
		return err
	}
	body := view.Table("stack", "The newest entries", []view.Column{{Name: "Entry"}, {Name: "When"}, {Name: "What"}, {Name: "Result"}, {Name: "Who"}}, view.Rows(rows...))
	if len(rows) == 0 {
		body = view.Empty("Nothing has been done yet.", "Each act leaves one entry here, which nobody can change.")
	}
	return v.show(http.StatusOK, v.shell(roomLog, "Log", d, nil,
		view.Head(view.Upper(view.Count(v.Ledger.Size(), "entry is", "entries are"))+" in the log.", "The newest come first; that you read them is one more.", nil), v.logTabs(roomLog), h.Div(h.Class("sec first"), body, g.If(last > 1, view.Actions(view.Link("sm", "/log?before="+strconv.FormatInt(last, 10), "Older entries"))))))
}

var roleWords = map[access.Role][2]string{
	access.Support:   {"support agent", "takes requests in, plans and approves; records consents"},
	access.Officer:   {"data protection officer", "reads, approves and audits everything; changes nothing by hand"},
	access.Admin:     {"system admin", "accounts and systems; sees nobody's data"},
	access.Auditor:   {"auditor", "reads the log and the evidence"},
	access.Developer: {"developer", "data map and purposes; sees nobody's data"},
	access.Service:   {"service", "a program of the company: asks for decisions, records consents, tells of events"},
	access.Machine:   {"this machine", "the command line on this machine: the work goes on, without the log, packages and people's roles"},
	access.Local:     {"this machine", "whoever started Ombud, while nobody has an account: everything"},
}

func roleName(r access.Role) string { return roleWords[r][0] }

func roleOptions() (out []view.Option) {
	for _, r := range access.PeopleRoles() {
		out = append(out, view.Option{Value: string(r), Label: view.Upper(roleWords[r][0]), Hint: view.Upper(roleWords[r][1]) + "."})
	}
	return out
}

// furtherRoles asks for roles beside the first.
func furtherRoles(have []access.Role) g.Node {
	var options []view.Option
	var chosen []string
	for _, r := range access.PeopleRoles() {
		options = append(options, view.Option{Value: string(r), Label: view.Upper(roleName(r))})
	}
	for _, r := range have {
		chosen = append(chosen, string(r))
	}
	return view.Fold("Further roles", view.Boxes(view.Field{ID: "also", Name: "also", Label: "Further roles", Hint: "They add up. What one of them is kept from, no other gives: a system admin sees no content, an officer changes nothing by hand."}, chosen, options...))
}

// formRoles are those of a form: the first one, and the further ones.
func (v *visit) formRoles() []access.Role {
	out := []access.Role{access.Role(v.r.PostForm.Get("role"))}
	for _, r := range v.r.PostForm["also"] {
		if access.Role(r) != out[0] {
			out = append(out, access.Role(r))
		}
	}
	return out
}

func roleNames(roles []access.Role) string {
	var words []string
	for _, r := range roles {
		words = append(words, roleName(r))
	}
	return strings.Join(words, " and ")
}

// accounts lists who may sign in, and makes new accounts.
func (v *visit) accounts() error { return v.accountsPage(http.StatusOK, access.NewAccount{}, nil) }

func (v *visit) accountsPage(status int, in access.NewAccount, faults []view.Fault) error {
	d, err := v.desk()
	if err != nil {
		return err
	}
	all, err := v.Accounts.List(v.r.Context())
	if err != nil {
		return err
	}
	sentence := view.Spelled(int64(len(all)), "person has an account", "people have an account") + "."
	body := v.accountTable(all)
	if len(all) == 0 {
		sentence = "Nobody has an account yet."
		body = view.Empty("Whoever has the address that serve printed may do everything.", "From the first account on, people sign in, and that address opens nothing. The first account is a system admin: it makes the others.")
	}
	return v.show(status, v.shell(roomAccounts, "Accounts", d, nil, view.Head(sentence, "Each account has one role and two factors. Nobody changes their own role.", nil), v.accessTabs(roomAccounts), view.Faults(faults...),
		view.Section{ID: "list", Title: "Accounts", First: true}.With(body),
		view.Section{ID: "new", Title: "New account"}.With(view.Form("/accounts", v.token,
			view.Field{ID: "name", Name: "name", Label: "Name to sign in with", Required: true, Hint: "Letters, digits and . - _ @, no spaces."}.
				Input(h.Type("text"), h.Value(in.Name), h.AutoComplete("off"), g.Attr("autocapitalize", "none"), g.Attr("spellcheck", "false"), h.MaxLength("64")),
			view.Field{ID: "display", Name: "display", Label: "Name to be shown as"}.Input(h.Type("text"), h.Value(in.Display), h.AutoComplete("off"), h.MaxLength("100")),
			emailField(in.Email), view.Options(view.Field{ID: "role", Name: "role", Label: "Role"}, string(in.Role), roleOptions()...), furtherRoles(in.Also),
			h.P(h.Class("mt"), h.A(h.Href("/roles"), g.Text("What each role may do"))),
			view.Actions(view.Button("main-act", "Make the account"))))))
}

func (v *visit) accountTable(all []access.Account) g.Node {
	var rows []g.Node
	for _, a := range all {
		last := "never"
		if a.SignedIn != nil {
			last = v.time.Moment(*a.SignedIn)
		}
		rows = append(rows, view.Row(h.A(h.Href("/accounts/"+a.ID), g.Text(a.Display)), view.Text("Name", a.Name), view.Text("Role", view.Upper(roleNames(a.Roles))),
			view.Cell("Standing", accountBadge(a)), view.Text("Last sign-in", last)))
	}
	return view.Table("stack", "Accounts", []view.Column{{Name: "Person"}, {Name: "Name"}, {Name: "Role"}, {Name: "Standing"}, {Name: "Last sign-in"}}, view.Rows(rows...))
}

func accountBadge(a access.Account) g.Node {
	switch {
	case !a.Enabled:
		return view.Badge(view.Idle, "disabled")
	case a.Provider != "" && !a.Factor:
		return view.Badge(view.OK, "by "+a.Provider)
	case a.Provider != "":
		return view.Badge(view.OK, "in use")
	case !a.Password && a.SetupUntil == nil:
		return view.Badge(view.Late, "setup link is over")
	case !a.Password:
		return view.Badge(view.Wait, "setup link sent")
	case a.ByMail:
		return view.Badge(view.Soon, "codes by e-mail")
	case !a.Factor:
		return view.Badge(view.Soon, "no second factor yet")
	}
	return view.Badge(view.OK, "in use")
}

func (v *visit) makeAccount() error {
	form := v.r.PostForm
	in := access.NewAccount{Name: form.Get("name"), Display: form.Get("display"), Role: v.formRoles()[0], Also: v.formRoles()[1:], Email: form.Get("email"), By: v.caller}
	acc, link, err := v.Accounts.Create(v.r.Context(), in)
	if err != nil {
		return mend(err, "name", func(status int, faults []view.Fault) error { return v.accountsPage(status, in, faults) })
	}
	return v.linkPage(acc, link)
}

// linkPage shows a setup link, this once.
func (v *visit) linkPage(acc access.Account, link string) error {
	return v.outside(http.StatusOK, "Setup link", view.Head("Give this link to "+acc.Display+".", "Whoever opens it sets the password of the account. It is shown now and never again, works once, and until "+v.time.Moment(*acc.SetupUntil)+".", nil),
		h.Div(h.Class("sec first"), h.Pre(h.Class("secret"), h.TabIndex("0"), h.Aria("label", "Setup link"), h.Role("group"), g.Text(v.Origin+"/setup?link="+link))),
		view.Actions(view.Link("main-act", "/accounts", "Back to accounts")))
}

// oneAccount is the page of an account: what it is, its sessions, and what can be done.
func (v *visit) oneAccount() error {
	acc, err := v.Accounts.Get(v.r.Context(), v.r.PathValue("id"))
	if err != nil {
		return err
	}
	d, err := v.desk()
	if err != nil {
		return err
	}
	body := []g.Node{view.Head(acc.Display+" is a "+roleNames(acc.Roles)+".", "Signs in as "+acc.Name+"; here since "+v.time.Date(acc.Created)+".", nil),
		view.Section{ID: "sessions", Title: "Sessions", First: true}.With(v.sessionTable(v.Accounts.Sessions(acc.ID), "", v.caller.Session))}
	if v.caller.Actor == "account:"+acc.ID {
		body = append(body, h.P(h.Class("mt"), g.Text("This is you. Nobody changes the role or the standing of their own account. "), h.A(h.Href("/account"), g.Text("Your account"))))
	} else {
		body = append(body, v.accountActs(acc))
	}
	return v.show(http.StatusOK, v.shell(roomAccounts, acc.Display, d, []view.Crumb{{Name: "Accounts", Href: "/accounts"}, {Name: acc.Display}}, body...))
}

func (v *visit) accountActs(acc access.Account) g.Node {
	at := "/accounts/" + acc.ID
	one := func(path, text, hint string) g.Node {
		return view.Form(at+path, v.token, h.P(h.Class("hint"), g.Text(hint)), view.Actions(view.Button("", text)))
	}
	standing, back := one("/disable", "Disable the account", "Ends its sessions; nobody signs in with it."), one("/reset", "Reset the account", "Takes password and second factor, ends its sessions, and gives a setup link.")
	if !acc.Enabled {
		standing = one("/enable", "Enable the account", "It can sign in again.")
	}
	if acc.Provider != "" {
		return g.Group{h.P(h.Class("mt"), g.Text("Signs in with "+acc.Provider+", which says its role.")), view.Section{ID: "acts", Title: "Standing"}.With(
			g.If(len(v.Accounts.Sessions(acc.ID)) > 0, one("/sessions", "End all sessions", "Whoever is signed in with it is out at once.")),
			one("/reset", "Take its second factor", "Ends its sessions; it sets up another one when it comes next."), standing)}
	}
	if !acc.Password {
		back = one("/link", "New setup link", "An earlier one ends.")
	}
	return g.Group{
		view.Section{ID: "role-of", Title: "Role"}.With(view.Form(at+"/role", v.token, view.Options(view.Field{ID: "role", Name: "role", Label: "Another role ends the sessions"}, string(acc.Role), roleOptions()...), furtherRoles(acc.Roles[1:]),
			view.Actions(view.Button("", "Give this role")))),
		view.Section{ID: "attributes", Title: "What policies may ask"}.With(view.Fold("Department, clearance, place", attributesForm(at+"/attributes", v.token, acc.Attributes)), view.Fold("E-mail for codes", emailForm(at+"/email", v.token, acc.Email))),
		view.Section{ID: "acts", Title: "Standing"}.With(g.If(len(v.Accounts.Sessions(acc.ID)) > 0, one("/sessions", "End all sessions", "Whoever is signed in with it is out at once.")), back, standing),
	}
}

// attributesForm asks what the policies of the company may ask about an account.
func attributesForm(action, token string, has access.Attributes) g.Node {
	line := func(id, label, value string) g.Node {
		return view.Field{ID: id, Name: id, Label: label}.Input(h.Type("text"), h.Value(value), h.MaxLength("64"))
	}
	return view.Form(action, token, line("department", "Department", has.Department), line("place", "Place", has.Place), line("jurisdiction", "Jurisdiction", has.Jurisdiction),
		view.Field{ID: "clearance", Name: "clearance", Label: "Clearance"}.Select(strconv.Itoa(has.Clearance), [2]string{"0", "none"}, [2]string{"1", "internal"}, [2]string{"2", "confidential"}, [2]string{"3", "restricted"}),
		view.Actions(view.Button("", "Keep this")))
}

func (v *visit) setAttributes() error {
	form := v.r.PostForm
	clearance, err := strconv.Atoi(form.Get("clearance"))
	if err != nil {
		return fault.New(fault.Invalid, "a clearance is 0, 1, 2 or 3")
	}
	to := access.Attributes{Department: form.Get("department"), Place: form.Get("place"), Jurisdiction: form.Get("jurisdiction"), Clearance: clearance}
	if _, err := v.Accounts.SetAttributes(v.r.Context(), v.r.PathValue("id"), to, v.caller); err != nil {
		return err
	}
	return v.seeOther("/accounts/" + v.r.PathValue("id"))
}

func (v *visit) setRole() error {
	if _, err := v.Accounts.SetRoles(v.r.Context(), v.r.PathValue("id"), v.formRoles(), v.caller); err != nil {
		return err
	}
	return v.seeOther("/accounts/" + v.r.PathValue("id"))
}

// managed is an act on another's account that leads back to its page.
func managed(act func(*access.Accounts, context.Context, string, access.Caller) (access.Account, error)) func(*visit) error {
	return func(v *visit) error {
		acc, err := act(v.Accounts, v.r.Context(), v.r.PathValue("id"), v.caller)
		if err != nil {
			return err
		}
		return v.seeOther("/accounts/" + acc.ID)
	}
}

// linked is one that gives a setup link.
func linked(act func(*access.Accounts, context.Context, string, access.Caller) (access.Account, string, error)) func(*visit) error {
	return func(v *visit) error {
		acc, link, err := act(v.Accounts, v.r.Context(), v.r.PathValue("id"), v.caller)
		if err != nil {
			return err
		}
		if link == "" {
			return v.seeOther("/accounts/" + acc.ID)
		}
		return v.linkPage(acc, link)
	}
}

// me names an actor as a person reads it: an account, and an API key, by its name.
func (c *console) me(actor string) string {
	if name, ok := c.Accounts.NameOf(actor); ok {
		return name
	}
	if name, ok := c.Keys.NameOf(actor); ok {
		return "the key " + name
	}
	return me(actor)
}
