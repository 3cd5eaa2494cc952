package console_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/access"
)

// guesses are ids that look right and are nobody's, by the kind of thing they would name.
var guesses = map[string]string{
	"resolution": "res_01kb0000000000000000000000",
	"person":     "sub_01kb0000000000000000000000", "account": "acc_01kb0000000000000000000000", "alarm": "alm_01kb0000000000000000000000",
	"key": "key_01kb0000000000000000000000", "request": "R-2026-0999", "consent": "con_01kb0000000000000000000000", "entry": "999999",
	"purpose": "no-such-purpose", "restriction": "fact_01kb000000000000000000000", "target": "no-such-target", "backup": "ombud-no.age", "passkey": "AAAAAAAAAAAAAAAAAAAAAA",
}

// denied tells whether an answer is a no for the role, whatever the id.
func denied(code int, to string) bool {
	return code == http.StatusForbidden || strings.HasPrefix(to, "/why?about=")
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
