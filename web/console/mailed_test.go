package console_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/testkit/consoletest"
)

// TestCodesByMailInTheBrowser: who has neither app nor passkey chooses codes by e-mail and signs in by them; no page and no
// address shows more of theirs than its first letter.
func TestCodesByMailInTheBrowser(t *testing.T) {
	s := newSite(t, consoletest.Full)
	sent, fail := "", error(nil)
	s.world.Accounts.SetMailer(func(_ context.Context, _, code string, _ time.Time) error { sent = code; return fail })
	by := access.Caller{Actor: consoletest.Actor, Role: access.Local}
	_, _, err := s.world.Accounts.Create(t.Context(), access.NewAccount{Name: "kari", Role: access.Admin, Password: password, By: by})
	if err == nil {
		_, _, err = s.world.Accounts.Create(t.Context(), access.NewAccount{Name: "ola", Role: access.Support, Email: "ola.nordmann@fjordly.example", Password: password, By: access.Caller{Actor: "account:x", Role: access.Admin, Session: "s"}})
	}
	if err != nil {
		t.Fatal(err)
	}
	b := &browser{site: s}
	enter := func(to string) {
		p := b.at("/sign-in", http.StatusOK)
		b.leads(b.fill(p, "/sign-in", "name", "ola", "password", password), to)
	}
	enter("/account/factor")
	p := b.at("/account/factor", http.StatusOK, "Neither app nor passkey?", "o…@fjordly.example")
	p.lacks("nordmann@")
	b.leads(b.fill(p, "/sign-in/mail"), "/account/factor")
	p = b.at("/account/factor", http.StatusOK, "The code from your e-mail")
	b.page("wrong", b.fill(p, "/account/factor/mail", "code", "12")).has("This is not the code that was sent last")
	p = b.page("recovery codes", b.fill(p, "/account/factor/mail", "code", sent))
	p.has("Codes by e-mail are in use.")
	recovery := shown(p, `[a-z2-7]{4}-[a-z2-7]{4}-[a-z2-7]{4}`)
	b.at("/account", http.StatusOK, "You have codes by e-mail, the last resort", "10 recovery codes left")
	b.cookie = ""
	enter("/sign-in/code")
	p = b.at("/sign-in/code", http.StatusOK, "Now a code from your e-mail", "Send me the code")
	p.lacks("nordmann@")
	fail = fault.New(fault.Unavailable, "the mail server cannot be reached")
	w := b.fill(p, "/sign-in/mail")
	if fail = nil; w.Code != http.StatusServiceUnavailable {
		t.Errorf("%d", w.Code)
	}
	b.page("not sent", w).has("The mail server cannot be reached")
	b.leads(b.fill(p, "/sign-in/mail"), "/sign-in/code")
	p = b.at("/sign-in/code", http.StatusOK, "Look into your e-mail", "Nothing came")
	b.page("wrong", b.fill(p, "/sign-in/code", "code", "00000000")).has("This is not the code that was sent last")
	b.leads(b.fill(p, "/sign-in/code", "code", sent), "/")
	b.cookie = ""
	enter("/sign-in/code")
	p = b.at("/sign-in/code", http.StatusOK, "Use a recovery code")
	b.leads(b.fill(p, "/sign-in/code", "code", recovery), "/")
	b.at("/account", http.StatusOK, "9 recovery codes left")
	if w := b.send(http.MethodPost, "/sign-in/mail", url.Values{}); w.Code == http.StatusSeeOther {
		t.Error("without the token of a form")
	}
	for to := range s.seen {
		if strings.Contains(to, "ola") || strings.Contains(to, "@") {
			t.Errorf("an address names them: %s", to)
		}
	}
}
