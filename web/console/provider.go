package console

import (
	"net/http"
	"strings"

	g "maragu.dev/gomponents"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/web/console/view"
)

// choices are the identity providers one can sign in with.
func (v *visit) choices() g.Node {
	all := v.Desk.Choices()
	if len(all) == 0 {
		return nil
	}
	var links []g.Node
	for _, c := range all {
		links = append(links, view.Link("", "/sign-in/with/"+c.ID, "Sign in with "+c.Name))
	}
	return view.Section{ID: "with", Title: "Or with another account of yours"}.With(view.Actions(links...))
}

// callback is where a provider sends a browser back to.
func (v *visit) callback() string { return v.Origin + "/sign-in/from/" + v.r.PathValue("provider") }

// flowCookie is the name of the cookie that a browser holds while it is away at a provider. It comes back from another
// site, so it is not strict as that of a session is; it opens nothing by itself.
func (v *visit) flowCookie(value string) *http.Cookie {
	c := &http.Cookie{Name: v.Cookie + "_away", Value: value, Path: "/", HttpOnly: true, Secure: strings.HasPrefix(v.Cookie, "__Host-"), SameSite: http.SameSiteLaxMode, MaxAge: 600}
	if value == "" {
		c.MaxAge = -1
	}
	return c
}

// toProvider sends the browser to a provider.
func (v *visit) toProvider() error {
	to, browser, err := v.Desk.Begin(v.r.Context(), v.r.PathValue("provider"), v.callback())
	if err != nil {
		return v.atTheDoor(err)
	}
	http.SetCookie(v.w, v.flowCookie(browser))
	return v.seeOther(to)
}

// fromProvider takes the browser back. A page of ours leads on, and not this answer: to a request that another site began
// the browser would not give the cookie of the session.
func (v *visit) fromProvider() error {
	browser := ""
	if c, err := v.r.Cookie(v.Cookie + "_away"); err == nil {
		browser = c.Value
	}
	http.SetCookie(v.w, v.flowCookie(""))
	e, err := v.Desk.Finish(v.r.Context(), v.r.PathValue("provider"), browser, v.r.URL.Query(), from(v.r))
	if err != nil {
		return v.atTheDoor(err)
	}
	v.giveCookie(e.Token)
	to := "/"
	if e.Stage != access.SignedIn {
		to = steps[e.Stage]
	}
	v.w.Header().Set("Refresh", "0; url="+to)
	return v.outside(http.StatusOK, "Signed in", view.Head("You are known.", "This page leads on by itself.", nil), view.Actions(view.Link("main-act", to, "Go on")))
}

// signedOutThere is where a provider says, by itself and with a token that it signed, that somebody signed out there.
const signedOutThere = "POST /sign-out/from/{provider}"

// SignedOut tells that a request is such a word: it comes from no browser, so no cookie and no origin is asked of it.
func SignedOut(r *http.Request) bool {
	return r.Method == http.MethodPost && strings.HasPrefix(r.URL.Path, "/sign-out/from/")
}

// signedOutThere answers as OpenID Connect Back-Channel Logout 1.0, 2.8, says: 200 when the sessions are over, else 400, and
// nothing of why.
func (v *visit) signedOutThere() error {
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, 64<<10)
	var err error
	if v.r.ParseForm() != nil {
		err = fault.New(fault.Invalid, "this is no form")
	} else {
		err = v.Desk.Leave(v.r.Context(), v.r.PathValue("provider"), v.r.PostForm.Get("logout_token"), from(v.r))
	}
	if err == nil {
		return nil
	}
	switch fault.KindOf(err) {
	case fault.Denied, fault.Invalid, fault.NotFound:
		v.w.Header().Set("Content-Type", "application/json")
		v.w.WriteHeader(http.StatusBadRequest)
		_, err = v.w.Write([]byte(`{"error":"invalid_request"}`))
	}
	return err
}

// atTheDoor says at the door why somebody was not let in.
func (v *visit) atTheDoor(err error) error {
	if k := fault.KindOf(err); k == fault.Unavailable {
		return v.doorPage(fault.HTTPStatus(err), "", faultsOf(err, "name"))
	}
	return mend(err, "name", func(status int, faults []view.Fault) error { return v.doorPage(status, "", faults) })
}
