package console_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/access/oidc"
	"github.com/ombudhq/ombud/internal/dial"
	"github.com/ombudhq/ombud/internal/testkit/consoletest"
	"github.com/ombudhq/ombud/internal/testkit/idptest"
)

// signOutThere is what a provider sends when somebody signed out there: no browser, no cookie, no form of ours.
func (s *site) signOutThere(form url.Values, want int) {
	s.t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/sign-out/from/work", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if w := s.do(r); w.Code != want || want == 400 && w.Body.String() != `{"error":"invalid_request"}` {
		s.t.Errorf("a word of the provider: %d %s, want %d", w.Code, w.Body, want)
	}
}

// TestSignInWithAProvider goes the way a browser does: from the door to the provider and back, with and without a second
// factor there, and back to the door when something is not right.
func TestSignInWithAProvider(t *testing.T) {
	s := newSite(t, consoletest.Empty)
	idp := idptest.New(t, s.world.Clock)
	admin, err := s.world.SignedIn(t.Context(), "ida", access.Admin, access.Caller{Actor: "local:ida", Role: access.Local})
	if err != nil {
		t.Fatal(err)
	}
	s.world.Desk.Use([]oidc.Provider{{ID: "work", Name: "our work account", Issuer: idp.Server.URL, ClientID: "ombud", Secret: "the client's secret", Groups: "groups", AMR: []string{"otp"},
		Roles: []oidc.Grant{{Group: "privacy", Role: access.Officer}}, Way: dial.Way{Private: true, Peer: dial.Peer{CA: idp.CA}}}})
	b := &browser{site: s}
	b.at("/sign-in", http.StatusOK, "Sign in with our work account")
	leave := func() string {
		t.Helper()
		w := b.send(http.MethodGet, "/sign-in/with/work", nil)
		if to := w.Header().Get("Location"); w.Code != http.StatusSeeOther || !strings.Contains(to, "redirect_uri=http%3A%2F%2Fexample.com%2Fsign-in%2Ffrom%2Fwork") {
			t.Fatalf("%d", w.Code)
		}
		return "/sign-in/from/work?" + idp.Consent(w.Header().Get("Location")).Encode()
	}
	back := leave()
	b.at(back, http.StatusOK, "You are known.")
	if b.cookie == "" || b.gone != nil {
		t.Error("the cookie of the session is not there, or that of the way still is")
	}
	b.at("/account/factor", http.StatusOK, "Set up your second factor.")
	b.at(back, http.StatusForbidden, "belongs to no sign-in that was begun here")
	idp.Claims["amr"] = []string{"otp"}
	w := b.send(http.MethodGet, leave(), nil)
	if w.Header().Get("Refresh") != "0; url=/" {
		t.Errorf("it leads to %q", w.Header().Get("Refresh"))
	}
	b.at("/account", http.StatusOK, "You are signed in as work: Kari Berg.", "within ten minutes of signing in with work", "Where work asks for no second factor")
	rec := httptest.NewRecorder()
	s.world.As(admin).ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/accounts", nil))
	if body := rec.Body.String(); !strings.Contains(body, "Kari Berg") || !strings.Contains(body, "by work") {
		t.Error("the account is not on the page of accounts")
	}
	farewell := url.Values{"logout_token": {idp.Sign("RS256", idp.Farewell(nil))}}
	for what, want := range map[string]int{"": 400, "x.y.z": 400} {
		s.signOutThere(url.Values{"logout_token": {what}}, want)
	}
	b.at("/account", http.StatusOK)
	s.signOutThere(farewell, 200)
	b.leads(b.send(http.MethodGet, "/account", nil), "/sign-in")
	s.signOutThere(farewell, 400)
	idp.Claims["groups"] = []string{}
	b.at(leave(), http.StatusForbidden, "have no role here", "Sign in to Ombud.")
	b.leads(b.send(http.MethodGet, "/account", nil), "/sign-in")
	idp.Server.Close()
	s.world.Desk.Use([]oidc.Provider{{ID: "work", Name: "our work account", Issuer: idp.Server.URL}})
	b.at("/sign-in/with/work", http.StatusServiceUnavailable, "does not answer")
}
