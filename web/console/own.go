package console

import (
	"errors"
	"net/http"
	"strings"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"
	"rsc.io/qr"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/web/console/view"
)

// faultsOf are the things to mend in an error; what names no field belongs to the one given.
func faultsOf(err error, field string) []view.Fault {
	var f *fault.Error
	if !errors.As(err, &f) {
		return nil
	}
	if len(f.Details) == 0 {
		return []view.Fault{{Field: field, Text: view.Upper(f.Message) + ". " + f.Next}}
	}
	var out []view.Fault
	for _, d := range f.Details {
		out = append(out, view.Fault{Field: d.Where, Text: view.Upper(d.Message)})
	}
	return out
}

// factor shows the secret that an app takes, and asks for the code that shows it did.
func (v *visit) factor() error { return v.factorPage(http.StatusOK, nil) }

func (v *visit) factorPage(status int, faults []view.Fault) error {
	en, ok := v.Accounts.Enrolment(v.r.Context(), v.caller)
	if !ok {
		return v.elsewhere(v.stage())
	}
	code, err := qr.Encode(en.Address, qr.M)
	if err != nil {
		return err
	}
	m, err := v.Accounts.ByMail(v.r.Context(), v.caller)
	if err != nil {
		return err
	}
	why := "An app on your phone shows a new code every 30 seconds. Without it, your password alone opens nothing."
	if m.Weak {
		why = "A code by e-mail is not enough for your role any more. An app on your phone shows a new code every 30 seconds."
	}
	return v.outside(status, "Second factor", view.Head("Set up your second factor.", why, nil), view.Faults(faults...),
		view.Section{ID: "app", Title: "1. Let the app take the secret", First: true}.With(
			h.P(g.Text("Scan this with an authenticator app.")), view.QR(code.Size, code.Black, "The secret as a QR code; it stands below as text."),
			view.Fold("No camera", h.P(g.Text("Type this into the app: time-based, six digits.")), h.P(h.Class("mt"), h.Code(g.Text(grouped(en.Secret)))))),
		view.Section{ID: "check", Title: "2. Show that it did"}.With(view.Form("/account/factor/confirm", v.token,
			view.Field{ID: "code", Name: "code", Label: "The six digits it shows now", Required: true}.
				Input(h.Type("text"), h.AutoComplete("one-time-code"), g.Attr("inputmode", "numeric"), h.MaxLength("10")),
			view.Actions(view.Button("main-act", "Take it into use")))), v.passkeyInstead(), v.mailInstead(m), v.leaveHalf())
}

func (v *visit) leaveHalf() g.Node {
	if v.stage() == access.SignedIn {
		return view.Actions(view.Link("sm", "/account", "Back to your account"))
	}
	return v.leave()
}

// grouped breaks a secret into groups of four.
func grouped(secret string) string {
	var out []string
	for i := 0; i < len(secret); i += 4 {
		out = append(out, secret[i:min(i+4, len(secret))])
	}
	return strings.Join(out, " ")
}

func (v *visit) confirmFactor() error {
	e, codes, err := v.Accounts.ConfirmFactor(v.r.Context(), v.caller, v.r.PostForm.Get("code"))
	if err != nil {
		return mend(err, "code", v.factorPage)
	}
	return v.showCodes(e, "Your second factor is in use.", codes)
}

// showCodes shows recovery codes, this once.
func (v *visit) showCodes(e access.Entry, what string, codes []string) error {
	v.giveCookie(e.Token)
	return v.outside(http.StatusOK, "Recovery codes", view.Head(what+" Keep these codes.", "Each lets you in once when your phone is lost, or no e-mail comes. They are shown now and never again: write them down, and not on your phone.", nil),
		h.Div(h.Class("sec first"), h.Ol(h.Class("codes"), g.Map(codes, func(c string) g.Node { return h.Li(h.Code(g.Text(c))) }))),
		view.Actions(view.Link("main-act", "/", "I have them: go on")))
}

// account is what somebody can see and change of their own.
func (v *visit) account() error { return v.accountPage(http.StatusOK, nil) }

func (v *visit) accountPage(status int, faults []view.Fault) error {
	acc, err := v.Accounts.Own(v.r.Context(), v.caller)
	if err != nil {
		return err
	}
	d, err := v.desk()
	if err != nil {
		return err
	}
	present := func(id string) g.Node { return present(acc, id) }
	return v.show(status, v.shell("", "Your account", d, nil,
		view.Head("You are signed in as "+acc.Name+".", "Your role is "+roleNames(acc.Roles)+". Every change here ends your other sessions.", nil), view.Faults(faults...),
		h.P(h.A(h.Href("/roles"), g.Text("What your role may do")), g.Text(". Without a visit you are signed out after "+view.Count(int64(v.Accounts.Idle().Minutes()), "minute")+".")),
		view.Section{ID: "sessions", Title: "Where you are signed in", First: true}.With(v.sessionTable(v.Accounts.Sessions(acc.ID), "/account/sessions", v.caller.Session)),
		v.glass(),
		g.If(acc.Provider == "", view.Section{ID: "change", Title: "Password"}.With(view.Form("/account/password", v.token, present("present"), newPassword("", ""), view.Actions(view.Button("", "Change the password"))))),
		v.passkeys(acc),
		view.Section{ID: "factor", Title: "Second factor", Note: g.Text(view.Count(int64(acc.Codes), "recovery code") + " left")}.With(
			g.If(acc.ByMail, h.P(g.Text("You have codes by e-mail, the last resort. Set up an app, or add a passkey: then no more codes are sent."))),
			view.Fold("Move it to another phone", view.Form("/account/factor", v.token, present("present-factor"), view.Actions(view.Button("", "Set up another one")))),
			view.Fold("New recovery codes", view.Form("/account/codes", v.token, present("present-codes"), view.Actions(view.Button("", "Make new codes"))))),
		view.Section{ID: "bearer", Title: "Calling the API as yourself"}.With(
			view.Fold("Get a bearer", view.Form("/account/bearer", v.token, h.P(h.Class("hint"), g.Text("A program that sends it does what you may, in your name. It is one more session of yours, and ends as this one does.")),
				present("present-bearer"), view.Actions(view.Button("", "Show me a bearer")))))))
}

// present asks for what shows that it is still them.
func present(acc access.Account, id string) g.Node {
	if acc.Provider != "" {
		return h.P(h.Class("hint"), g.Text("Only within ten minutes of signing in with "+acc.Provider+"."))
	}
	return view.Field{ID: id, Name: "present", Label: "Your present password", Required: true}.Input(h.Type("password"), h.AutoComplete("current-password"))
}

// bearer shows the token of one more session, this once.
func (v *visit) bearer() error {
	token, err := v.Accounts.Bearer(v.r.Context(), v.caller, v.r.PostForm.Get("present"))
	if err != nil {
		return mend(err, "present-bearer", v.accountPage)
	}
	return v.outside(http.StatusOK, "Bearer", view.Head("Copy the bearer now.", "It is shown now and never again. Who has it acts as you, until you end that session on your page.", nil),
		h.Div(h.Class("sec first"), h.Pre(h.Class("secret"), h.TabIndex("0"), h.Aria("label", "Bearer"), h.Role("group"), g.Text(token))),
		view.Actions(view.Link("main-act", "/account#sessions", "I have it: back to your account")))
}

// sessionTable lists sessions; here is the one that looks.
func (v *visit) sessionTable(all []access.Session, action, here string) g.Node {
	if len(all) == 0 {
		return h.P(g.Text("No session goes on."))
	}
	var rows []g.Node
	for _, s := range all {
		act := g.Node(view.Badge(view.OK, "this one"))
		if s.ID != here && action != "" {
			act = view.Form(action, v.token, view.Hidden("session", s.ID), view.Button("sm", "End it", h.Aria("label", "End the session that began "+v.time.Moment(s.Began))))
		} else if s.ID != here {
			act = g.Text("")
		}
		rows = append(rows, view.Row(g.Text(v.time.Moment(s.Began)), view.Text("Last seen", v.time.Moment(s.Seen)), view.Act(act)))
	}
	return view.Table("stack", "Sessions", []view.Column{{Name: "Began"}, {Name: "Last seen"}, {Name: "Act", Hidden: true}}, view.Rows(rows...))
}

func (v *visit) changePassword() error {
	err := v.typedTwice()
	var e access.Entry
	if err == nil {
		e, err = v.Accounts.ChangePassword(v.r.Context(), v.caller, v.r.PostForm.Get("present"), v.r.PostForm.Get("password"))
	}
	if err != nil {
		return mend(err, "present", v.accountPage)
	}
	v.giveCookie(e.Token)
	return v.seeOther("/account")
}

func (v *visit) beginFactor() error {
	if err := v.Accounts.BeginFactor(v.r.Context(), v.caller, v.r.PostForm.Get("present")); err != nil {
		return mend(err, "factor", v.accountPage)
	}
	return v.seeOther("/account/factor")
}

func (v *visit) newCodes() error {
	e, codes, err := v.Accounts.NewCodes(v.r.Context(), v.caller, v.r.PostForm.Get("present"))
	if err != nil {
		return mend(err, "factor", v.accountPage)
	}
	return v.showCodes(e, "The earlier codes are void.", codes)
}

func (v *visit) endOwn() error {
	if err := v.Accounts.EndSession(v.r.Context(), v.r.PostForm.Get("session"), access.Caller{Actor: v.caller.Actor}); err != nil {
		return err
	}
	return v.seeOther("/account#sessions")
}
