package console_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/testkit/consoletest"
	"github.com/ombudhq/ombud/web/console"
)

// TestEveryRouteNeedsAPermission: a route that the table forgets would let nobody in, and one that is gone from the
// console must go from the table.
func TestEveryRouteNeedsAPermission(t *testing.T) {
	registered, needs := map[string]bool{}, console.Needs()
	for _, route := range console.Routes() {
		registered[route] = true
		if needs[route] == "" {
			t.Errorf("%s stands in no table of permissions", route)
		}
	}
	for route := range needs {
		if !registered[route] {
			t.Errorf("%s has a permission and is no route", route)
		}
	}
}

// everybody signs one person in for each role that people have, beside callers who have none.
func everybody(t *testing.T, w *consoletest.World) []access.Caller {
	t.Helper()
	out := []access.Caller{{}, {Actor: "local:kari", Role: access.Local}}
	for _, role := range []access.Role{access.Machine, access.Service, access.DataSubject, access.Officer, "root"} {
		out = append(out, access.Caller{Actor: "account:acc_x", Role: role}) // nobody's session
	}
	by, roles := out[1], access.PeopleRoles()
	for _, role := range append([]access.Role{access.Admin}, slices.DeleteFunc(roles, func(r access.Role) bool { return r == access.Admin })...) {
		c, err := w.SignedIn(t.Context(), string(role), role, by)
		if err != nil {
			t.Fatal(err)
		}
		if out = append(out, c); role == access.Admin {
			by = c
		}
	}
	return out
}

// TestMatrix asks every route in every role, with a guessed id where it takes one: what the table says, nothing more.
func TestMatrix(t *testing.T) {
	s := newSite(t, consoletest.Empty)
	callers := everybody(t, s.world)
	for _, route := range console.Routes() {
		need := console.Needs()[route]
		method, path, _ := strings.Cut(route, " ")
		path = strings.NewReplacer("{$}", "", "{ref}", "R-2026-0001", "{id}", "acc_00000000000000000000000000").Replace(path)
		for _, caller := range callers {
			r := httptest.NewRequest(method, path, nil)
			r.Header.Set("Sec-Fetch-Site", "same-origin")
			w, size := httptest.NewRecorder(), s.world.Ledger.Size()
			s.world.As(caller).ServeHTTP(w, r)
			turned := w.Code == http.StatusForbidden && (strings.Contains(w.Body.String(), "has no permission") || strings.Contains(w.Body.String(), "for a written justification") || strings.Contains(w.Body.String(), "You are not signed in"))
			entered := !turned && w.Header().Get("Location") != "/sign-in"
			in := caller.Session != "" || caller.Role == access.Local
			if strings.HasPrefix(w.Header().Get("Location"), "/why?about=") {
				entered = false
				if access.Wants(caller, need, need.On("")) != access.WantsWhy || w.Body.Len() > 200 {
					t.Errorf("%s as %q: asked for a justification", route, caller.Role)
				}
			}
			may := need == "anybody" || in && (need == "begun" || access.Allowed(caller, need) == nil)
			if entered != may {
				t.Errorf("%s as %q: %d %s, may: %v", route, caller.Role, w.Code, w.Header().Get("Location"), may)
			}
			if changed := s.world.Ledger.Size() != size; changed != (may && (route == "GET /log" || route == "GET /log/looks")) {
				t.Errorf("%s as %q: an entry was left: %v", route, caller.Role, changed)
			}
		}
	}
}

// TestRolesReach says it by name: a change of a role shows here.
func TestRolesReach(t *testing.T) {
	const request = "/requests /package /receipt"
	for role, want := range map[access.Role]string{
		access.Support:   "/map " + request,
		access.Officer:   "/log /map /answer " + request + " /looks /checkpoints /backups",
		access.Admin:     "/accounts /role /map /backups /api-keys",
		access.Auditor:   "/log /map /receipt /looks /checkpoints /backups",
		access.Developer: "/map /answer",
		access.Machine:   "/map /answer /requests /receipt /backups /api-keys",
	} {
		var reach []string
		for _, route := range []string{"GET /accounts", "POST /accounts/{id}/role", "GET /log", "GET /map", "POST /map/answer", "GET /requests", "GET /requests/{ref}/package", "GET /requests/{ref}/receipt", "GET /log/looks", "GET /log/checkpoints", "GET /backups", "POST /api-keys"} {
			if access.Allowed(access.Caller{Role: role, Session: "ses_1"}.Calling(access.Call{Justification: "asked for"}), console.Needs()[route]) == nil {
				reach = append(reach, route[strings.LastIndex(route, "/"):])
			}
		}
		if got := strings.Join(reach, " "); got != want {
			t.Errorf("%s: %s", role, got)
		}
	}
}
