package console

import (
	"net/http"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/web/console/view"
)

// codeField asks for a code that was sent.
func codeField(id string) g.Node {
	return view.Field{ID: id, Name: "code", Label: "Code", Required: true, Hint: "Eight digits, good once and for ten minutes."}.
		Input(h.Type("text"), h.AutoComplete("one-time-code"), g.Attr("inputmode", "numeric"), h.MaxLength("20"))
}

// sendForm has a code sent.
func (v *visit) sendForm(look, text string) g.Node {
	return view.Form("/sign-in/mail", v.token, view.Actions(view.Button(look, text)))
}

// mailPage asks somebody for the code that is sent to them: they have no other second factor.
func (v *visit) mailPage(status int, m access.ByMail, faults []view.Fault) error {
	head := view.Head("Now a code from your e-mail.", "It goes to "+m.To+". Once you are in, set up an app or a passkey: they are safer.", nil)
	body := h.Div(h.Class("sec first"), v.sendForm("main-act", "Send me the code"))
	switch {
	case m.Sent:
		head = view.Head("Look into your e-mail.", "A code is on its way to "+m.To+".", nil)
		body = h.Div(h.Class("sec first"), view.Form("/sign-in/code", v.token, codeField("code"), view.Actions(view.Button("main-act", "Sign in"))),
			view.Fold("Nothing came", h.P(h.Class("hint"), g.Text("Look among unwanted mail too. Another code ends the one before.")), v.sendForm("sm", "Send another one")))
	case !m.Offered:
		head = view.Head("No code can be sent now.", "Codes by e-mail are switched off, or there is no address. Whoever keeps accounts here can reset yours.", nil)
		body = nil
	}
	return v.outside(status, "Second factor", head, view.Faults(faults...), body, v.recoveryInstead(map[bool]string{true: "recovery", false: "code"}[m.Sent]), v.leave())
}

// recoveryInstead takes a recovery code of somebody whom no e-mail reaches. Where it is the only code that is asked for, faults lead to
// it.
func (v *visit) recoveryInstead(id string) g.Node {
	return view.Fold("Use a recovery code", view.Form("/sign-in/code", v.token,
		view.Field{ID: id, Name: "code", Label: "Recovery code", Required: true, Hint: "One of those you wrote down. Each is good once."}.
			Input(h.Type("text"), h.AutoComplete("off"), g.Attr("autocapitalize", "none"), g.Attr("spellcheck", "false"), h.MaxLength("30")),
		view.Actions(view.Button("", "Sign in with it"))))
}

// mailInstead lets somebody who has neither app nor passkey choose codes by e-mail.
func (v *visit) mailInstead(m access.ByMail) g.Node {
	switch {
	case !m.Offered:
		return nil
	case m.Sent:
		return view.Section{ID: "mail", Title: "The code from your e-mail"}.With(h.P(h.Class("hint"), g.Text("It is on its way to "+m.To+". From now on each sign-in sends one.")),
			view.Form("/account/factor/mail", v.token, codeField("mailed"), view.Actions(view.Button("", "Take codes by e-mail"))),
			view.Fold("Nothing came", v.sendForm("sm", "Send another one")))
	}
	return view.Section{ID: "mail", Title: "Neither app nor passkey?"}.With(h.P(h.Class("hint"), g.Text("As a last resort a code by e-mail, at each sign-in, to "+m.To+". Whoever reads your e-mail has it too.")),
		v.sendForm("", "Send me a code"))
}

// sendCode sends a code to somebody half way.
func (v *visit) sendCode() error {
	again := v.codePage
	if v.stage() == access.AskSetup {
		again = v.factorPage
	}
	err := v.Accounts.SendCode(v.r.Context(), v.caller)
	if fault.KindOf(err) == fault.Unavailable {
		return again(http.StatusServiceUnavailable, faultsOf(err, "code"))
	}
	if err != nil {
		return mend(err, "code", again)
	}
	return v.seeOther(steps[v.stage()])
}

// chooseMail takes codes by e-mail for the second factor.
func (v *visit) chooseMail() error {
	e, codes, err := v.Accounts.ChooseMail(v.r.Context(), v.caller, v.r.PostForm.Get("code"))
	if err != nil {
		return mend(err, "mailed", v.factorPage)
	}
	return v.showCodes(e, "Codes by e-mail are in use.", codes)
}

// emailForm says where codes for an account go.
func emailForm(action, token, email string) g.Node {
	return view.Form(action, token, h.P(h.Class("hint"), g.Text("Codes go there when somebody has neither app nor passkey, where ombud.yaml lets them. Another address ends the sessions, and is an alarm.")),
		emailField(email), view.Actions(view.Button("", "Keep this address")))
}

func emailField(email string) g.Node {
	return view.Field{ID: "email", Name: "email", Label: "E-mail for codes"}.
		Input(h.Type("email"), h.Value(email), h.AutoComplete("off"), g.Attr("autocapitalize", "none"), g.Attr("spellcheck", "false"), h.MaxLength("254"))
}

func (v *visit) setEmail() error {
	if _, err := v.Accounts.SetEmail(v.r.Context(), v.r.PathValue("id"), v.r.PostForm.Get("email"), v.caller); err != nil {
		return err
	}
	return v.seeOther("/accounts/" + v.r.PathValue("id"))
}
