package console_test

import (
	"net/http"
	"testing"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/testkit/consoletest"
	"github.com/ombudhq/ombud/internal/testkit/passkeytest"
)

// TestAskedForAPasskey: who has a passkey and no app is asked for that, or for a recovery code, and not for the code of an app.
func TestAskedForAPasskey(t *testing.T) {
	s := newSite(t, consoletest.Empty)
	if _, err := s.world.SignedIn(t.Context(), "kari", access.Admin, access.Caller{Actor: consoletest.Actor, Role: access.Local}); err != nil {
		t.Fatal(err)
	}
	a := s.world.Accounts
	comes := func() string {
		t.Helper()
		e, _, err := a.Arrive(t.Context(), access.Arrival{Provider: "work", Issuer: "https://id.example.com", Subject: "7", Display: "Ola", Roles: []access.Role{access.Support}, Address: "192.0.2.1"})
		if err != nil {
			t.Fatal(err)
		}
		return e.Token
	}
	who, _ := a.Visit(comes(), true)
	device := &passkeytest.Device{Origin: "http://localhost", RP: "localhost"}
	question, err := a.BeginPasskey(t.Context(), who, device.Origin, "laptop", "")
	if err != nil {
		t.Fatal(err)
	}
	answer, err := device.Make(question)
	if err != nil {
		t.Fatal(err)
	}
	_, codes, err := a.ConfirmPasskey(t.Context(), who, answer)
	if err != nil || len(codes) != 10 {
		t.Fatal(codes, err)
	}
	b := &browser{site: s, cookie: comes()}
	p := b.at("/sign-in/code", http.StatusOK, "Now your passkey.", "Passkeys belong to a name", "Use a recovery code")
	p.lacks("your app")
	b.page("wrong", b.fill(p, "/sign-in/code", "code", "aaaa-bbbb-cccc")).has("This code is not right")
	b.leads(b.fill(p, "/sign-in/code", "code", codes[0]), "/")
	b.at("/account", http.StatusOK, "You are signed in as work: Ola.", "9 recovery codes left")
}
