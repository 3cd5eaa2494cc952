package access_test

import (
	"strings"
	"testing"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/fault"
)

// TestAHashInsteadOfAPassword: it opens the account to whoever knows its password; one that is guessed early is refused.
func TestAHashInsteadOfAPassword(t *testing.T) {
	h := newHouse(t)
	phc := access.HashAt(password, 19<<10, 2)
	for _, weak := range []string{access.HashAt(password, 8<<10, 1), access.HashAt(password, 4<<10, 16), "$argon2id$", strings.Replace(phc, "v=19", "v=16", 1),
		strings.Replace(phc, "p=1", "p=0", 1), strings.Replace(phc, "m=19456", "m=99999999", 1), phc[:40]} {
		_, _, err := h.Create(t.Context(), access.NewAccount{Name: "kari", Role: access.Admin, Password: weak, By: local})
		h.wantKind(weak[:min(len(weak), 30)], err, fault.Invalid)
	}
	_, _, err := h.Create(t.Context(), access.NewAccount{Name: "kari", Role: access.Admin, Password: phc, By: local})
	must(t, err)
	_, err = h.SignIn(t.Context(), "kari", phc, "192.0.2.1")
	h.wantKind("the hash itself", err, fault.Denied)
	h.half("kari")
}
