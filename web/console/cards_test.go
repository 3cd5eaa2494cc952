package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/testkit/consoletest"
	"github.com/ombudhq/ombud/web/console"
)

// TestNoCardInForms: every form refuses a card number in any field, says so without repeating it, and stores nothing.
func TestNoCardInForms(t *testing.T) {
	s := newSite(t, consoletest.Empty)
	token := s.read("/api-keys", http.StatusOK).fields("/api-keys").Get("token")
	forms, size := 0, s.world.Ledger.Size()
	for _, route := range console.Routes() {
		path, post := strings.CutPrefix(route, "POST ")
		if !post || strings.HasPrefix(path, "/account/") || strings.HasPrefix(path, "/sign-out") || path == "/sign-in/code" {
			continue // of a session, and with nothing but passwords, codes and tokens
		}
		if need := console.Needs()[route]; access.Allowed(access.Caller{Role: access.Local}, need) != nil && need != "anybody" && need != "begun" {
			continue // whoever sends it is turned away before the form is read
		}
		forms++
		path = strings.NewReplacer("{ref}", "R-2026-0001", "{id}", "x", "{purpose}", "x", "{fact}", "x", "{target}", "x", "{name}", "x").Replace(path)
		for _, card := range []string{"4111111111111111", "5555 5555 5555 4444", "Please use 378282246310005.", "6011-1111-1111-1117"} {
			w := s.post(path, url.Values{"token": {token}, "anything": {card}})
			if w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "payment card") || strings.Contains(w.Body.String(), card) {
				t.Errorf("%s: %d", route, w.Code)
			}
		}
	}
	if forms < 20 || s.world.Ledger.Size() != size {
		t.Errorf("%d forms, %d entries more", forms, s.world.Ledger.Size()-size)
	}
	if w := s.post("/sign-in", url.Values{"token": {token}, "name": {"x"}, "password": {"4111111111111111"}}); strings.Contains(w.Body.String(), "payment card") {
		t.Error("a password is a secret of its own")
	}
}
