package console

import (
	"net/http"
	"net/url"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/web/console/view"
)

// here is the address that a passkey is for: the public one, or on the same machine the name that was typed.
func (v *visit) here() string {
	if u, err := url.Parse(v.Origin); err == nil && u.Scheme == "http" {
		return "http://" + v.r.Host
	}
	return v.Origin
}

// device is a form that a device fills in; script shows it where there is one that can.
func (v *visit) device(kind, action, question, look, button string) g.Node {
	return view.Form(action, v.token, g.Attr("data-passkey", kind), g.Attr("data-question", question), view.Hidden("answer", ""),
		view.Actions(view.Button(look, button)), h.P(h.Class("hint"), h.Role("status")))
}

// byPasskey offers to sign in by a passkey. Where there is none of this address, or no script, nothing is offered.
func (v *visit) byPasskey() g.Node {
	question, err := v.Accounts.AskPasskey(v.here())
	if err != nil {
		return nil
	}
	return h.Div(g.Attr("hidden"), view.Section{ID: "passkey", Title: "Or with a passkey"}.With(
		h.P(h.Class("hint"), g.Text("Your device asks for your finger, face or PIN. It stands for both factors.")), v.device("get", "/sign-in/passkey", string(question), "", "Use a passkey")))
}

// passkeyPage asks somebody half way for their passkey: they have no app.
func (v *visit) passkeyPage(status int, faults []view.Fault) error {
	question, err := v.Accounts.AskPasskey(v.here())
	var ask g.Node = h.Div(h.Class("sec first"), h.P(g.Text("Passkeys belong to a name: open Ombud by the one of serve.url, or by localhost.")))
	if err == nil {
		ask = g.Group{h.Div(g.Attr("hidden"), h.Div(h.Class("sec first"), v.device("get", "/sign-in/passkey", string(question), "main-act", "Use your passkey"))),
			h.P(g.Attr("data-passkey-none"), g.Text("This browser cannot use passkeys, or has no script."))}
	}
	return v.outside(status, "Second factor", view.Head("Now your passkey.", "Your device asks for your finger, face or PIN.", nil), view.Faults(faults...), ask, v.recoveryInstead("code"), v.leave())
}

func (v *visit) signInByPasskey() error {
	e, err := v.Accounts.Passkey(v.r.Context(), v.caller, v.here(), []byte(v.r.PostForm.Get("answer")), from(v.r))
	if err != nil {
		return mend(err, "name", func(status int, faults []view.Fault) error { return v.doorPage(status, "", faults) })
	}
	return v.step(e)
}

// passkeys are those of the own account.
func (v *visit) passkeys(acc access.Account) g.Node {
	none := "None yet. A passkey signs you in with your finger, face or PIN, without password and code, and cannot be given to a false page."
	if acc.Provider != "" {
		none = "None yet. Where " + acc.Provider + " asks for no second factor, a passkey is yours here: finger, face or PIN instead of a code."
	}
	body := []g.Node{h.P(g.Text(none))}
	if len(acc.Passkeys) > 0 {
		body = []g.Node{v.passkeyTable(acc)}
	}
	if !access.PasskeysAt(v.here()) {
		return view.Section{ID: "passkeys", Title: "Passkeys"}.With(append(body, h.P(h.Class("hint"), g.Text("Passkeys belong to a name: open Ombud by the one of serve.url, or by localhost.")))...)
	}
	return view.Section{ID: "passkeys", Title: "Passkeys"}.With(append(body, view.Fold("Add a passkey", view.Form("/account/passkeys", v.token, passkeyName("passkey-name"),
		present(acc, "present-passkey"), view.Actions(view.Button("", "Add it")))))...)
}

func passkeyName(id string) g.Node {
	return view.Field{ID: id, Name: "name", Label: "What you call the device", Required: true}.Input(h.Type("text"), h.MaxLength("50"), h.AutoComplete("off"))
}

func (v *visit) passkeyTable(acc access.Account) g.Node {
	var rows []g.Node
	for _, p := range acc.Passkeys {
		used := "never"
		if p.Used != nil {
			used = v.time.Moment(*p.Used)
		}
		rows = append(rows, view.Row(g.Text(p.Name), view.Text("Added", v.time.Date(p.Created)), view.Text("Last used", used), view.Act(view.Fold("Remove", view.Form("/account/passkeys/"+p.ID, v.token,
			present(acc, "present-"+p.ID), view.Actions(view.Button("sm", "Remove it", h.Aria("label", "Remove the passkey "+p.Name))))))))
	}
	return view.Table("stack", "Passkeys", []view.Column{{Name: "Device"}, {Name: "Added"}, {Name: "Last used"}, {Name: "Act", Hidden: true}}, view.Rows(rows...))
}

// passkeyInstead lets somebody who is half way in, or moves their second factor, have a passkey for it.
func (v *visit) passkeyInstead() g.Node {
	if v.stage() != access.AskSetup || !access.PasskeysAt(v.here()) {
		return nil
	}
	return view.Section{ID: "instead", Title: "Or a passkey instead"}.With(h.P(h.Class("hint"), g.Text("No app: your device asks for your finger, face or PIN.")),
		view.Form("/account/passkeys", v.token, passkeyName("passkey-name"), view.Actions(view.Button("", "Set up a passkey"))))
}

// beginPasskey asks the device to make one.
func (v *visit) beginPasskey() error {
	name := v.r.PostForm.Get("name")
	question, err := v.Accounts.BeginPasskey(v.r.Context(), v.caller, v.here(), name, v.r.PostForm.Get("present"))
	if err != nil {
		again := v.accountPage
		if v.stage() != access.SignedIn {
			again = v.factorPage
		}
		return mend(err, "passkey-name", again)
	}
	return v.outside(http.StatusOK, "Passkey", view.Head("Let your device make the passkey.", "It asks for your finger, face or PIN, and keeps what it makes to itself.", nil),
		h.Div(g.Attr("hidden"), h.Div(h.Class("sec first"), v.device("create", "/account/passkeys/made", string(question), "main-act", "Make the passkey "+name))),
		h.P(g.Attr("data-passkey-none"), g.Text("This browser cannot make passkeys, or has no script.")), v.leaveHalf())
}

func (v *visit) confirmPasskey() error {
	e, codes, err := v.Accounts.ConfirmPasskey(v.r.Context(), v.caller, []byte(v.r.PostForm.Get("answer")))
	switch {
	case fault.KindOf(err) == fault.Denied:
		again := v.accountPage
		if v.stage() != access.SignedIn {
			again = v.factorPage
		}
		return mend(err, "passkey-name", again)
	case err != nil:
		return err
	case codes != nil:
		return v.showCodes(e, "Your passkey is in use.", codes)
	}
	v.giveCookie(e.Token)
	return v.seeOther("/account#passkeys")
}

func (v *visit) removePasskey() error {
	e, err := v.Accounts.RemovePasskey(v.r.Context(), v.caller, v.r.PathValue("key"), v.r.PostForm.Get("present"))
	if err != nil {
		return mend(err, "passkeys", v.accountPage)
	}
	v.giveCookie(e.Token)
	return v.seeOther("/account#passkeys")
}
