package console_test

import (
	"encoding/base32"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/testkit/consoletest"
)

// browser keeps the cookie of a session.
type browser struct {
	*site
	cookie string
	gone   *http.Cookie // while it is away at a provider
}

// away takes the cookie that goes along to a provider.
func (b *browser) away(c *http.Cookie) bool {
	if c.Name != consoletest.Cookie+"_away" {
		return false
	}
	if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" {
		b.t.Errorf("the cookie is %v", c)
	}
	if b.gone = c; c.MaxAge < 0 {
		b.gone = nil
	}
	return true
}

func (b *browser) send(method, path string, form url.Values) *httptest.ResponseRecorder {
	b.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if b.cookie != "" {
		r.AddCookie(&http.Cookie{Name: consoletest.Cookie, Value: b.cookie})
	}
	if b.gone != nil {
		r.AddCookie(b.gone)
	}
	w := b.do(r)
	for _, c := range w.Result().Cookies() {
		if b.away(c) {
			continue
		}
		if b.cookie = c.Value; !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" {
			b.t.Errorf("the cookie is %v", c)
		}
	}
	return w
}

// at gets a page with what it must say.
func (b *browser) at(path string, code int, says ...string) *page {
	b.t.Helper()
	w := b.send(http.MethodGet, path, nil)
	p := b.page(path, w)
	if w.Code != code {
		b.t.Fatalf("%s: %d to %s, want %d", path, w.Code, w.Header().Get("Location"), code)
	}
	p.has(says...)
	return p
}

// page parses an answer; links of a page for somebody who is signed in are not followed without them.
func (b *browser) page(name string, w *httptest.ResponseRecorder) *page {
	for _, to := range regexp.MustCompile(`(?:href|src)="([^"#]*)`).FindAllStringSubmatch(w.Body.String(), -1) {
		b.seen[to[1]] = http.StatusOK
	}
	return b.parse(name, w)
}

// fill sends the form to an address that stands on a page, with its hidden fields and these.
func (b *browser) fill(p *page, action string, fields ...string) *httptest.ResponseRecorder {
	b.t.Helper()
	form := p.fields(action)
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return b.send(http.MethodPost, action, form)
}

// leads demands that an answer leads on.
func (b *browser) leads(w *httptest.ResponseRecorder, to string) {
	b.t.Helper()
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != to {
		b.t.Fatalf("%d to %q, want %s: %s", w.Code, w.Header().Get("Location"), to, w.Body)
	}
}

const password = "correct horse battery"

// shown finds what a page shows.
func shown(p *page, pattern string) string {
	p.t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(text(p.root))
	if m == nil {
		p.t.Fatalf("%s: nothing like %s in %s", p.name, pattern, text(p.root))
	}
	return m[len(m)-1]
}

// setUp opens a setup link and goes through to the recovery codes; it answers the secret of the app.
func (b *browser) setUp(link string) (secret string) {
	b.t.Helper()
	for range 3 {
		b.at(link, http.StatusOK, "Choose your password")
	}
	p := b.at(link, http.StatusOK)
	b.page("not the same", b.fill(p, "/setup", "password", password, "again", "another horse battery")).has("Write the same password twice")
	b.leads(b.fill(p, "/setup", "password", password, "again", password), "/account/factor")
	b.leads(b.send(http.MethodGet, "/requests", nil), "/account/factor")
	f := b.at("/account/factor", http.StatusOK, "Set up your second factor")
	secret = strings.ReplaceAll(shown(f, `((?:[A-Z2-7]{4} ){7}[A-Z2-7]{4})`), " ", "")
	half := b.cookie
	w := b.fill(f, "/account/factor/confirm", "code", "000000")
	b.page("wrong", w).has("This is not the code of the secret above")
	w = b.fill(f, "/account/factor/confirm", "code", b.code(secret))
	b.page("codes", w).has("Keep these codes", "never again")
	if b.cookie == half {
		b.t.Error("the token of half way goes on")
	}
	b.world.Clock.Advance(time.Minute)
	return secret
}

func (b *browser) code(secret string) string {
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	if err != nil {
		b.t.Fatal(err)
	}
	return consoletest.Code(raw, b.world.Clock.Now())
}

// TestFromNobodyToAccounts walks the whole way: the first account, signing out and in, another person, their end.
func TestFromNobodyToAccounts(t *testing.T) {
	s := newSite(t, consoletest.Full)
	kari := &browser{site: s}
	p := kari.at("/accounts", http.StatusOK, "Nobody has an account yet")
	w := kari.fill(p, "/accounts", "name", "kari", "display", "Kari", "role", "auditor")
	kari.page("first", w).has("The first account is a system_admin")
	link := shown(kari.page("link", kari.fill(p, "/accounts", "name", "kari", "display", "Kari", "role", "system_admin")), `(/setup\?link=[\w-]{43})`)
	for _, path := range []string{"/", "/requests", "/accounts", "/nothing", "/requests/" + s.refs["planned"]} {
		kari.leads(kari.send(http.MethodGet, path, nil), "/sign-in")
	}
	secret := kari.setUp(link)
	kari.page("again", kari.send(http.MethodGet, link, nil)).has("This link was used already")
	kari.leads(kari.send(http.MethodGet, "/", nil), "/map")
	kari.at("/requests", http.StatusForbidden, "no permission request.read").lacks("R-2026")
	kari.at("/accounts", http.StatusOK, "One person has an account.", "in use")
	a := kari.at("/account", http.StatusOK, "You are signed in as kari", "this one", "10 recovery codes left")
	kari.leads(kari.fill(a, "/sign-out"), "/sign-in")
	kari.leads(kari.send(http.MethodGet, "/accounts", nil), "/sign-in")

	d := kari.at("/sign-in", http.StatusOK)
	kari.page("wrong", kari.fill(d, "/sign-in", "name", "kari", "password", "wrong")).has("do not open an account")
	kari.leads(kari.fill(d, "/sign-in", "name", "kari", "password", password), "/sign-in/code")
	kari.leads(kari.send(http.MethodGet, "/accounts", nil), "/sign-in/code")
	c := kari.at("/sign-in/code", http.StatusOK)
	kari.page("wrong", kari.fill(c, "/sign-in/code", "code", "1")).has("This code is not right")
	kari.leads(kari.fill(c, "/sign-in/code", "code", kari.code(secret)), "/")

	p = kari.at("/accounts", http.StatusOK)
	ola := &browser{site: s}
	ola.setUp(shown(kari.page("link", kari.fill(p, "/accounts", "name", "ola", "display", "Ola", "role", "data_protection_officer")), `(/setup\?link=[\w-]{43})`))
	ola.at("/", http.StatusOK, "need you", "Done lately", "Ola", "Kari").lacks("acc_")
	ola.at("/log", http.StatusOK, "session.began", "account.created")
	r := ola.at("/requests/"+s.refs["planned"], http.StatusOK, "Approve plan")
	if fields := r.fields("/requests/" + s.refs["planned"] + "/approve"); fields.Get("token") == p.fields("/accounts").Get("token") {
		t.Error("two sessions share what their forms carry")
	}
	ola.at("/accounts", http.StatusForbidden, "no permission account.manage")

	id := regexp.MustCompile(`/accounts/(acc_\w+)">Ola`).FindStringSubmatch(kari.at("/accounts", http.StatusOK).body)[1]
	one := kari.at("/accounts/"+id, http.StatusOK, "Ola is a data protection officer", "End all sessions")
	kari.leads(kari.fill(one, "/accounts/"+id+"/role", "role", "support_agent"), "/accounts/"+id)
	ola.leads(ola.send(http.MethodGet, "/requests", nil), "/sign-in")
	kari.leads(kari.fill(one, "/accounts/"+id+"/disable"), "/accounts/"+id)
	kari.at("/accounts/"+id, http.StatusOK, "Enable the account")
	self := s.world.Accounts
	all, err := self.List(t.Context())
	if err != nil || len(all) != 2 {
		t.Fatal(err, len(all))
	}
	kari.at("/accounts/"+all[0].ID, http.StatusOK, "This is you").lacks("Disable the account")
	kari.page("own", kari.send(http.MethodPost, "/accounts/"+all[0].ID+"/role", url.Values{"token": one.fields("/accounts/" + id + "/disable")["token"], "role": {"auditor"}})).has("Nobody changes the role or the standing of their own account")
}

// TestOwnAccount: password, factor and codes change behind the password, and other sessions end.
func TestOwnAccount(t *testing.T) {
	s := newSite(t, consoletest.Empty)
	_, link, err := s.world.Accounts.Create(t.Context(), access.NewAccount{Name: "kari", Role: access.Admin, By: access.Caller{Actor: "local:kari", Role: access.Local}})
	if err != nil {
		t.Fatal(err)
	}
	b := &browser{site: s}
	b.setUp("/setup?link=" + link)
	p := b.at("/account", http.StatusOK)
	b.page("wrong", b.fill(p, "/account/password", "present", "wrong", "password", password+"2", "again", password+"2")).has("This is not your present password")
	before := b.cookie
	b.leads(b.fill(p, "/account/password", "present", password, "password", password+"2", "again", password+"2"), "/account")
	old := &browser{site: s, cookie: before}
	old.leads(old.send(http.MethodGet, "/account", nil), "/sign-in")
	p = b.at("/account", http.StatusOK)
	b.page("codes", b.fill(p, "/account/codes", "present", password+"2")).has("The earlier codes are void")
	p = b.at("/account", http.StatusOK)
	b.leads(b.fill(p, "/account/factor", "present", password+"2"), "/account/factor")
	b.at("/account/factor", http.StatusOK, "Back to your account")
	stale := p.fields("/account/codes")
	if w := b.send(http.MethodPost, "/account/codes", url.Values{"token": {strings.Repeat("0", 64)}, "present": stale["present"]}); w.Code != http.StatusForbidden {
		t.Errorf("a form of another session: %d", w.Code)
	}
}
