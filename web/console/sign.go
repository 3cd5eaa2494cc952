package console

import (
	"net"
	"net/http"
	"strings"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/web/console/view"
)

// giveCookie gives the browser the token of a session; "" takes it away. Its name says whether it is for encrypted
// connections only: one that no other host can set.
func (v *visit) giveCookie(token string) {
	c := &http.Cookie{Name: v.Cookie, Value: token, Path: "/", HttpOnly: true, Secure: strings.HasPrefix(v.Cookie, "__Host-"), SameSite: http.SameSiteStrictMode}
	if token == "" {
		c.MaxAge = -1
	}
	http.SetCookie(v.w, c)
}

// step gives the cookie of a step and leads to the next one.
func (v *visit) step(e access.Entry) error {
	v.giveCookie(e.Token)
	if to := steps[e.Stage]; e.Stage != access.SignedIn {
		return v.seeOther(to)
	}
	return v.seeOther("/")
}

// outside is a page for somebody who is not signed in: it says nothing of the company.
func (v *visit) outside(status int, title string, body ...g.Node) error {
	return v.show(status, view.Shell{Title: title, Asset: v.assets.address, Alone: true, Body: body})
}

// mend shows a form again with what to mend, where a person can mend it; any other error is a page of its own.
func mend(err error, field string, again func(status int, faults []view.Fault) error) error {
	switch fault.KindOf(err) {
	case fault.Denied, fault.Invalid, fault.Busy, fault.Conflict:
		return again(fault.HTTPStatus(err), faultsOf(err, field))
	}
	return err
}

// door is where people sign in.
func (v *visit) door() error { return v.doorPage(http.StatusOK, "", nil) }

func (v *visit) doorPage(status int, name string, faults []view.Fault) error {
	body := []g.Node{view.Head("Sign in to Ombud.", "With your name and password; your second factor comes next.", nil), view.Faults(faults...),
		h.Div(h.Class("sec first"), view.Form("/sign-in", v.token,
			view.Field{ID: "name", Name: "name", Label: "Name", Required: true}.
				Input(h.Type("text"), h.Value(name), h.AutoComplete("username"), g.Attr("autocapitalize", "none"), g.Attr("spellcheck", "false"), h.MaxLength("64")),
			view.Field{ID: "password", Name: "password", Label: "Password", Required: true}.Input(h.Type("password"), h.AutoComplete("current-password")),
			view.Actions(view.Button("main-act", "Sign in")))), v.byPasskey(), v.choices(),
		h.P(h.Class("quiet small mt"), g.Text("Locked out? Whoever keeps accounts here can give you a setup link."))}
	return v.outside(status, "Sign in", body...)
}

func (v *visit) signIn() error {
	name, password := v.r.PostForm.Get("name"), v.r.PostForm.Get("password")
	e, err := v.Accounts.SignIn(v.r.Context(), name, password, from(v.r))
	if err != nil {
		return mend(err, "name", func(status int, faults []view.Fault) error { return v.doorPage(status, name, faults) })
	}
	return v.step(e)
}

// from is the address that guesses are counted for.
func from(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

func (v *visit) askCode() error {
	if stage := v.stage(); stage != access.AskCode {
		return v.elsewhere(stage)
	}
	return v.codePage(http.StatusOK, nil)
}

// elsewhere leads to where a stage goes on.
func (v *visit) elsewhere(stage access.Stage) error {
	if to, ok := steps[stage]; ok {
		return v.seeOther(to)
	}
	return v.seeOther("/")
}

func (v *visit) codePage(status int, faults []view.Fault) error {
	m, err := v.Accounts.ByMail(v.r.Context(), v.caller)
	if err != nil {
		return err
	}
	if m.Chosen {
		return v.mailPage(status, m, faults)
	}
	acc, err := v.Accounts.Own(v.r.Context(), v.caller)
	if err != nil {
		return err
	}
	if !acc.App && len(acc.Passkeys) > 0 {
		return v.passkeyPage(status, faults)
	}
	return v.outside(status, "Second factor", view.Head("Now the code of your app.", "Six digits, new every 30 seconds. Each is good once.", nil), view.Faults(faults...),
		h.Div(h.Class("sec first"), view.Form("/sign-in/code", v.token,
			view.Field{ID: "code", Name: "code", Label: "Code", Required: true, Hint: "Or one of your recovery codes."}.
				Input(h.Type("text"), h.AutoComplete("one-time-code"), g.Attr("autocapitalize", "none"), g.Attr("spellcheck", "false"), h.MaxLength("30")),
			view.Actions(view.Button("main-act", "Sign in")))), v.byPasskey(), v.leave())
}

// leave ends what is half way.
func (v *visit) leave() g.Node {
	return view.Form("/sign-out", v.token, view.Actions(view.Button("sm", "Not me: begin again")))
}

func (v *visit) giveCode() error {
	e, err := v.Accounts.Code(v.r.Context(), v.caller, v.r.PostForm.Get("code"))
	if err != nil {
		return mend(err, "code", v.codePage)
	}
	return v.step(e)
}

func (v *visit) signOut() error {
	err := v.Accounts.EndSession(v.r.Context(), v.caller.Session, v.caller)
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return err
	}
	v.giveCookie("")
	return v.seeOther("/sign-in")
}

// setup shows the form of a setup link. Looking never spends it: programs follow links too.
func (v *visit) setup() error { return v.setupPage(http.StatusOK, v.r.URL.Query().Get("link"), nil) }

func (v *visit) setupPage(status int, link string, faults []view.Fault) error {
	acc, err := v.Accounts.SetupOf(v.r.Context(), link)
	if err != nil {
		return err
	}
	return v.outside(status, "Set up your account", view.Head("Choose your password, "+acc.Display+".", "You sign in as "+acc.Name+". A second factor comes next; have your phone at hand.", nil), view.Faults(faults...),
		h.Div(h.Class("sec first"), view.Form("/setup", v.token, view.Hidden("link", link),
			h.Input(h.Type("hidden"), h.Name("username"), h.AutoComplete("username"), h.Value(acc.Name)),
			newPassword("", ""), view.Actions(view.Button("main-act", "Set this password")))))
}

// newPassword asks for a password twice: nobody sees what is typed.
func newPassword(fault, again string) g.Node {
	return g.Group{
		view.Field{ID: "password", Name: "password", Label: "New password", Required: true, Fault: fault, Hint: "At least 12 characters. A few words are easy to remember and hard to guess."}.
			Input(h.Type("password"), h.AutoComplete("new-password"), h.MinLength("12"), h.MaxLength("1000")),
		view.Field{ID: "again", Name: "again", Label: "The same again", Required: true, Fault: again}.Input(h.Type("password"), h.AutoComplete("new-password"), h.MaxLength("1000")),
	}
}

// typedTwice refuses a new password whose repetition is another.
func (v *visit) typedTwice() error {
	if v.r.PostForm.Get("password") == v.r.PostForm.Get("again") {
		return nil
	}
	return fault.New(fault.Invalid, "the two are not the same").With(fault.Detail{Where: "again", Message: "write the same password twice"})
}

func (v *visit) setUp() error {
	link := v.r.PostForm.Get("link")
	err := v.typedTwice()
	var e access.Entry
	if err == nil {
		e, err = v.Accounts.Setup(v.r.Context(), link, v.r.PostForm.Get("password"))
	}
	if err != nil {
		return mend(err, "password", func(status int, faults []view.Fault) error { return v.setupPage(status, link, faults) })
	}
	return v.step(e)
}
