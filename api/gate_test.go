package api

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/access"
)

func testGate() *gate {
	return newGate(Config{Version: "test", Replays: func(next http.Handler) http.Handler { return next }})
}

// TestEveryRouteNeedsAPermission: a route that the table forgets would let nobody in, and one that is gone from the
// API must go from the table.
func TestEveryRouteNeedsAPermission(t *testing.T) {
	g, registered := testGate(), map[string]bool{}
	for _, route := range g.routes {
		registered[route] = true
		if permissions[route] == "" {
			t.Errorf("%s stands in no table of permissions", route)
		}
		if !slices.ContainsFunc([]access.Role{access.Local, access.Officer, access.Support}, func(role access.Role) bool {
			c := access.Caller{Role: role, Session: "ses_1"}.Calling(access.Call{Justification: "asked to"})
			return access.Allowed(c, permissions[route]) == nil
		}) {
			t.Errorf("%s: nobody gets in", route)
		}
	}
	for route := range permissions {
		if !registered[route] {
			t.Errorf("%s has a permission and is no route", route)
		}
	}
}

// TestQuestionsAreNotRemembered: what is posted with the permission to ask or to read alone is answered anew each time, whatever
// key it brings, and so is what a pseudonym of somebody is, and who one stands for.
func TestQuestionsAreNotRemembered(t *testing.T) {
	for route, need := range permissions {
		asks := strings.HasSuffix(string(need), ".ask") || strings.HasSuffix(string(need), ".read") || need == access.PseudonymMake || strings.HasSuffix(route, "/reveal")
		if strings.HasPrefix(route, "POST ") && asked[route] != asks {
			t.Errorf("%s, for which %s is needed: answered anew %v, want %v", route, need, asked[route], asks)
		}
	}
}

// TestGate: callers without the permission are told so before anything of the request is read, and nobody without a
// role gets anywhere.
func TestGate(t *testing.T) {
	g := &gate{mux: http.NewServeMux(), around: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Around", "yes")
			next.ServeHTTP(w, r)
		})
	}}
	g.HandleFunc("GET /v1/requests", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	g.HandleFunc("POST /v1/decisions", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	g.HandleFunc("GET /v1/forgotten", func(http.ResponseWriter, *http.Request) { t.Error("a route without a permission was entered") })
	ask := func(path string, role access.Role) *httptest.ResponseRecorder {
		method := http.MethodGet
		if path == mostAsked {
			method = http.MethodPost
		}
		r := httptest.NewRequest(method, path, unread{t})
		r = r.WithContext(access.With(r.Context(), access.Caller{Actor: "x", Role: role}))
		w := httptest.NewRecorder()
		g.ServeHTTP(w, r)
		return w
	}
	if w := ask("/v1/requests", access.Local); w.Code != http.StatusNoContent || w.Header().Get("Around") != "yes" {
		t.Errorf("who may: %d", w.Code)
	}
	if w := ask(mostAsked, access.Service); w.Code != http.StatusNoContent || w.Header().Get("Around") != "" {
		t.Errorf("a question: %d, remembered %q", w.Code, w.Header().Get("Around"))
	}
	for _, c := range []struct {
		path string
		role access.Role
	}{{"/v1/requests", access.Service}, {"/v1/requests", access.Developer}, {"/v1/requests", ""}, {"/v1/forgotten", access.Local}} {
		w := ask(c.path, c.role)
		if w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), `"code":"denied"`) || w.Header().Get("Around") != "" {
			t.Errorf("%s as %q: %d %s", c.path, c.role, w.Code, w.Body)
		}
	}
	w := httptest.NewRecorder()
	if g.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/v1/requests", nil)); w.Code != http.StatusForbidden {
		t.Errorf("without a caller: %d", w.Code)
	}
}

// unread is a body that must not be read.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("the body was read")
	return 0, io.EOF
}

// TestServiceKeysReach what programs are for, and no request, plan, receipt, package, system, entry or restriction.
func TestServiceKeysReach(t *testing.T) {
	for route, need := range permissions {
		noun, _, _ := strings.Cut(strings.TrimPrefix(route[strings.Index(route, "/"):], "/v1/"), "/")
		allowed := access.Allowed(access.Caller{Role: access.Service}, need) == nil
		if closed := noun == "requests" || noun == "data-map" || noun == "ledger" ||
			noun == "restrictions" || noun == "alarms" || noun == "elevations" || noun == "resolutions" || noun == "access" || route == "GET /v1/decisions/log" || noun == "targets" || noun == "propagations" && !strings.HasSuffix(route, "/ack") || strings.HasPrefix(route, "PUT /v1/purposes"); closed == allowed {
			t.Errorf("%s: a service gets in: %v", route, allowed)
		}
	}
}

// TestOpenAPINamesPermissions: the description says how to be let in, and what each operation needs.
func TestOpenAPINamesPermissions(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "/v1/openapi.json", nil)
	r = r.WithContext(access.With(r.Context(), access.Caller{Role: access.Service}))
	w := httptest.NewRecorder()
	testGate().ServeHTTP(w, r)
	for _, want := range []string{`"securitySchemes":{"bearer":{`, `"scheme":"bearer"`, `"security":[{"bearer":["request.approve"]}]`, `"security":[{"bearer":["ledger.read"]}]`, `"/sign-out/from/{provider}":{`, `"operationId":"back-channel-logout"`, `"security":[{}]`} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("it lacks %s", want)
		}
	}
	for _, one := range aliases {
		if _, path, _ := strings.Cut(one.route, " "); !strings.Contains(w.Body.String(), `"`+path+`":{`) || !strings.Contains(w.Body.String(), `"operationId":"`+aliasID(one.route)+`"`) {
			t.Errorf("it lacks the alias %s", one.route)
		}
	}
	if strings.Contains(w.Body.String(), `"bearer":[""]`) {
		t.Error("an operation names no permission")
	}
}

// TestOpenAPINamesKeys: what is posted and remembered takes a key and says so; what is only asked takes none.
func TestOpenAPINamesKeys(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "/v1/openapi.json", nil)
	r = r.WithContext(access.With(r.Context(), access.Caller{Role: access.Service}))
	w := httptest.NewRecorder()
	testGate().ServeHTTP(w, r)
	var doc struct {
		Paths map[string]struct {
			Post *struct{ Parameters []struct{ Name string } }
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	for path, item := range doc.Paths {
		if item.Post == nil || strings.HasPrefix(path, "/sign-out/") {
			continue
		}
		n := 0
		for _, p := range item.Post.Parameters {
			if p.Name == "Idempotency-Key" {
				n++
			}
		}
		if want := map[bool]int{false: 1}[asked["POST "+path]]; n != want {
			t.Errorf("%s names %d keys, want %d", path, n, want)
		}
	}
}

// TestProgramsAndPagesShareConsent: the aliases are for programs, the pages beside them for people.
func TestProgramsAndPagesShareConsent(t *testing.T) {
	for path, want := range map[string]bool{
		"/v1/decisions": true, "/consent/record": true, "/consent/withdraw": true, "/consent/validate": true, "/data-subject/erasure": true,
		"/consent": false, "/consent/expiring": false, "/consent/purposes/letters": false, "/people": false,
	} {
		if Programs(path) != want {
			t.Errorf("%s: %v", path, !want)
		}
	}
}

// TestDenialsDoNotDependOnIDs: every route × every role that may not × {an id, another's, a guess, one inside another}: the
// same no, before anything is read or looked for.
func TestDenialsDoNotDependOnIDs(t *testing.T) {
	g, n := testGate(), 0
	for route, need := range permissions {
		method, path, ok := strings.Cut(route, " ")
		if !ok {
			method, path = http.MethodGet, route+"x"
		}
		for _, role := range []access.Role{"", "root", access.Service, access.Developer, access.Auditor, access.Machine, access.Admin, access.Officer, access.Support, access.DataSubject} {
			c := access.Caller{Actor: "x", Role: role}
			if access.Allowed(c, need) == nil {
				continue
			}
			var first string
			for _, id := range []string{"R-2026-0001", "dsr_01kb0000000000000000000000", "con_guess", "R-2026-0001%2Fplan"} {
				r := httptest.NewRequest(method, strings.ReplaceAll(path, "{id}", id), unread{t})
				w := httptest.NewRecorder()
				g.ServeHTTP(w, r.WithContext(access.With(r.Context(), c)))
				if first == "" {
					first = w.Body.String()
				}
				if n++; w.Code != http.StatusForbidden || w.Body.String() != first {
					t.Errorf("%s %s as %q: %d %s", method, r.URL.Path, role, w.Code, w.Body)
				}
			}
		}
	}
	if n < 500 {
		t.Errorf("only %d were asked", n)
	}
}
