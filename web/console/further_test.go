package console_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/access"
)

// TestFurtherRoles: an admin gives an account several roles and says what policies may ask of it, in the console.
func TestFurtherRoles(t *testing.T) {
	o := newOffice(t)
	at := "/accounts/" + o.ids[access.Developer]
	if w := o.ask(access.Admin, http.MethodPost, at+"/role", "role", string(access.Developer), "also", string(access.Auditor)); w.Code != http.StatusSeeOther {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if w := o.ask(access.Admin, http.MethodPost, at+"/attributes", "department", "it", "place", "Oslo", "jurisdiction", "eu", "clearance", "2"); w.Code != http.StatusSeeOther {
		t.Fatalf("%d", w.Code)
	}
	acc, err := o.world.Accounts.Get(t.Context(), o.ids[access.Developer])
	if err != nil || len(acc.Roles) != 2 || acc.Attributes != (access.Attributes{Department: "it", Clearance: 2, Place: "Oslo", Jurisdiction: "eu"}) {
		t.Errorf("%v: %+v", err, acc)
	}
	o.alarmed(o.ids[access.Developer], access.AlarmRole)
	if w := o.ask(access.Admin, http.MethodGet, at); !strings.Contains(w.Body.String(), "is a developer and auditor.") {
		t.Errorf("%d", w.Code)
	}
	o.blocked(access.Auditor, http.MethodPost, at+"/attributes", "clearance", "3")
	if w := o.ask(access.Admin, http.MethodPost, at+"/attributes", "clearance", "4"); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("a clearance of 4: %d", w.Code)
	}
}
