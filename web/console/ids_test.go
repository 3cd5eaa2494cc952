package console_test

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/testkit/consoletest"
	"github.com/ombudhq/ombud/web/console"
)

// guesses are ids that look right and are nobody's, by what stands before them in an address.
var guesses = map[string]string{
	"/people/": "sub_01kb0000000000000000000000", "/accounts/": "acc_01kb0000000000000000000000", "/alarms/": "alm_01kb0000000000000000000000",
	"/api-keys/": "key_01kb0000000000000000000000", "/requests/": "R-2026-0999", "/consents/": "con_01kb0000000000000000000000", "/entries/": "999999",
	"/purposes/": "no-such-purpose", "/restrictions/": "fact_01kb000000000000000000000", "/targets/": "no-such-target", "/backups/": "ombud-no.age",
	"/with/": "no-such-provider", "/from/": "no-such-provider", "/passkeys/": "AAAAAAAAAAAAAAAAAAAAAA",
}

var wildcard = regexp.MustCompile(`(/[a-z-]+/)\{[a-z]+\}`)

// guessed fills an address with ids that are nobody's.
func guessed(t *testing.T, path string) string {
	return wildcard.ReplaceAllStringFunc(path, func(m string) string {
		before := m[:strings.Index(m, "{")]
		if guesses[before] == "" {
			t.Errorf("there is no guess for %s", m)
		}
		return before + guesses[before]
	})
}

// denied tells whether an answer is a no for the role, whatever the id.
func denied(code int, to string) bool {
	return code == http.StatusForbidden || strings.HasPrefix(to, "/why?about=")
}

// TestGuessedIDs: every route × every role with ids that are nobody's: who may not is told so and nothing else, and who may
// learns that there is nothing; nothing changes, and nobody is shown anything.
func TestGuessedIDs(t *testing.T) {
	o := newOffice(t)
	for _, route := range console.Routes() {
		method, path, _ := strings.Cut(route, " ")
		if !strings.Contains(path, "{") || path == "/{$}" || console.Needs()[route] == "anybody" {
			continue
		}
		for role := range o.tokens {
			size := o.world.Ledger.Size()
			w := o.ask(role, method, guessed(t, path), "found", "all is in order here", "role", "auditor", "because", "a guess of an id", "present", consoletest.Password)
			may := access.Allowed(o.as(role), console.Needs()[route]) == nil
			if no := denied(w.Code, w.Header().Get("Location")); no == may {
				t.Errorf("%s as %s: %d %s, may %v", route, role, w.Code, w.Header().Get("Location"), may)
			}
			if may && w.Code < 400 {
				t.Errorf("%s as %s: a guess is answered with %d", route, role, w.Code)
			}
			if o.world.Ledger.Size() != size {
				t.Errorf("%s as %s: a guess left an entry", route, role)
			}
		}
	}
}

// TestOthersIDs: what belongs to one cannot be reached through another: entries of another request, sessions and elevations of
// another person, the own account through the room of accounts.
func TestOthersIDs(t *testing.T) {
	o := newOffice(t)
	one, err := o.world.Requests.Get(t.Context(), o.refs["complete"])
	if err != nil {
		t.Fatal(err)
	}
	other, err := o.world.Requests.Get(t.Context(), o.refs["refused"])
	if err != nil {
		t.Fatal(err)
	}
	entry := func(ref string, id int64) int {
		return o.ask(access.Support, http.MethodGet, "/requests/"+ref+"/entries/"+strconv.FormatInt(id, 10)).Code
	}
	if got := entry(one.Ref, one.Entries[0]); got != http.StatusOK {
		t.Errorf("an own entry: %d", got)
	}
	if got := entry(one.Ref, other.Entries[0]); got != http.StatusNotFound {
		t.Errorf("an entry of another request: %d", got)
	}
	for role := range o.tokens {
		for victim := range o.tokens {
			if role == victim {
				continue
			}
			o.ask(role, http.MethodPost, "/account/sessions", "session", o.as(victim).Session)
			if o.as(victim).Session == "" {
				t.Fatalf("%s ended the session of %s", role, victim)
			}
		}
		for _, act := range []string{"/role", "/disable", "/reset", "/link", "/sessions"} {
			o.blocked(role, http.MethodPost, "/accounts/"+o.ids[role]+act, "role", string(access.Auditor))
		}
	}
}
