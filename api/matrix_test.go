package api_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/api"
	"github.com/ombudhq/ombud/internal/testkit/consoletest"
)

// everyRole is also nobody, and a role that there is not.
var everyRole = []access.Role{"", "root", access.Support, access.Officer, access.Admin, access.Auditor, access.Developer, access.Service, access.Machine, access.DataSubject}

// bodies are what routes with an id are sent; "#" is the hash of the plan, "@" the id.
var bodies = map[string]string{
	"POST /v1/requests/{id}/approve":  `{"hash":"#"}`,
	"POST /v1/requests/{id}/refuse":   `{"because":"the account belongs to a company"}`,
	"PUT /v1/purposes/{id}":           `{"id":"@","name":"News","basis":"consent","categories":["contact"]}`,
	"POST /v1/purposes/{id}/minimise": `{"record":{"email":"a"}}`,
	"POST /v1/alarms/{id}/review":     `{"found":"all is in order here"}`,
}

// guesses are ids that look right and are nobody's.
var guesses = map[string]string{
	"request": "R-2026-0999", "consent": "con_01kb0000000000000000000000", "purpose": "no-such-purpose", "propagation": "prp_01kb0000000000000000000000",
	"alarm": "alm_01kb0000000000000000000000", "resolution": "res_01kb0000000000000000000000", "target": "no-such-target", "restriction": "fact_01kb0000000000000000000000", "person": "sub_01kb0000000000000000000000",
}

// shut are the routes that are closed to everybody for a relation, whatever the role permits.
var shut = map[string]string{
	"POST /v1/resolutions/{id}/approve": "own",     // another person does
	"POST /v1/resolutions/{id}/reveal":  "others'", // who asked sees it
}

// company is the API over a company whose requests stand in every state.
type company struct {
	t     *testing.T
	world *consoletest.World
	refs  consoletest.Refs
	api   http.Handler
}

func newCompany(t *testing.T) *company {
	t.Helper()
	w, err := consoletest.Open(t.Context(), t.TempDir(), consoletest.Full)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	refs, err := w.Populate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h := api.New(api.Config{
		Requests: w.Requests, Catalog: w.Catalog, Ledger: w.Ledger, Vault: w.Vault(), Consents: w.Consents, Purposes: w.Purposes, Relay: w.Relay,
		MirrorToken: func(string) string { return "" }, Pseudonyms: w.Pseudonyms, Clock: w.Clock, Accounts: w.Accounts, Stands: func(access.Caller) bool { return true },
		Go: func(fn func(context.Context)) { fn(context.WithoutCancel(t.Context())) }, Dir: filepath.Join(w.Dir, "data"), Version: "test",
		Replays: func(next http.Handler) http.Handler { return next }, Failed: func(error) {},
	})
	return &company{t, w, refs, h}
}

func (c *company) ask(as access.Caller, method, path, body string) *httptest.ResponseRecorder {
	return c.askAs(as, method, path, body, "application/json")
}

func (c *company) askAs(as access.Caller, method, path, body, kind string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", kind)
	w := httptest.NewRecorder()
	c.api.ServeHTTP(w, r.WithContext(access.With(r.Context(), as)))
	return w
}

// caller is somebody in a role, with all that a role can be asked for.
func caller(role access.Role) access.Caller {
	return access.Caller{Actor: "account:acc_" + string(role), Role: role, Session: "ses_1"}.Calling(access.Call{Justification: "asked to"})
}

// TestEveryThing asks every route with an id, in every role, for things that are one's own, of others, of nobody, and a path
// in place of an id: what the table of permissions says, for own and others' things alike, and nothing more. A route whose
// ids are not declared, or of a kind that nothing makes, fails.
func TestEveryThing(t *testing.T) {
	c, tried, entered := newCompany(t), 0, 0
	for _, route := range slices.Sorted(slices.Values(api.Routes())) {
		names, err := api.Things(route)
		if err != nil {
			t.Error(err)
		}
		if len(names) == 0 {
			continue
		}
		for _, role := range everyRole {
			for _, rel := range []string{"own", "others'", "guessed", "nested"} {
				tried++
				if c.try(route, names[0], role, rel) {
					entered++
				}
			}
		}
	}
	if tried < 700 || entered < 60 {
		t.Errorf("only %d were tried, and %d entered", tried, entered)
	}
}

// try asks once, and tells whether a thing was reached.
func (c *company) try(route string, of access.Named, role access.Role, rel string) bool {
	c.t.Helper()
	who, need := caller(role), api.Needs()[route]
	may, id := access.Allowed(who, need) == nil, c.id(route, of.Kind, who, rel)
	body := strings.ReplaceAll(bodies[route], "@", id)
	if r, err := c.world.Requests.Get(c.t.Context(), id); err == nil {
		body = strings.ReplaceAll(body, "#", r.Hash)
	}
	if rel == "nested" {
		id += "%2F" + id
	}
	method, path, _ := strings.Cut(route, " ")
	size := c.world.Ledger.Size()
	w := c.ask(who, method, strings.Replace(path, "{"+of.Wildcard+"}", id, 1), body)
	open := may && (rel == "own" || rel == "others'") && shut[route] != rel
	switch {
	case !may && w.Code != http.StatusForbidden:
		c.t.Errorf("%s %s as %q: %d, and they may not", route, rel, role, w.Code)
	case open && (w.Code == http.StatusForbidden || w.Code == http.StatusNotFound || w.Code >= 500 && w.Code != http.StatusNotImplemented):
		c.t.Errorf("%s %s as %q: %d, and they may: %s", route, rel, role, w.Code, w.Body)
	case !open && w.Code < 400 && !declares(route, rel):
		c.t.Errorf("%s %s as %q: answered with %d", route, rel, role, w.Code)
	}
	if got := c.world.Ledger.Size(); !open && got != size && !declares(route, rel) {
		c.t.Errorf("%s %s as %q: %d entries were left", route, rel, role, got-size)
	}
	return open && w.Code < 400
}

// declares tells that a new name is what the route is for, or that a name of nothing is an answer too.
func declares(route, rel string) bool {
	return rel == "guessed" && (route == "PUT /v1/purposes/{id}" || route == "POST /v1/purposes/{id}/minimise")
}

func (c *company) id(route, kind string, who access.Caller, rel string) string {
	c.t.Helper()
	if rel == "guessed" || access.Allowed(who, api.Needs()[route]) != nil && rel != "others'" {
		return guesses[kind]
	}
	if file := route[strings.LastIndex(route, "/"):]; file == "/receipt" && kind == "request" || file == "/package" {
		return c.refs["access-complete"]
	}
	if strings.HasSuffix(route, "/alarms/{id}/end") {
		return c.elevation()
	}
	if rel == "others'" {
		who = caller("somebody")
	}
	id, err := c.world.Make(c.t.Context(), kind, "", who)
	if err != nil {
		c.t.Fatalf("%s: %v", route, err)
	}
	return id
}

// elevation is the alarm of one that goes on, of a developer.
func (c *company) elevation() string {
	c.t.Helper()
	dev := caller(access.Developer)
	_ = c.world.Accounts.EndOwnElevation(c.t.Context(), dev) // that of the try before
	one, err := c.world.Accounts.Elevate(c.t.Context(), dev, "the shop is down", 0)
	if err != nil {
		c.t.Fatal(err)
	}
	return one.ID
}

// TestNestedIDs: an id in a body that says another than the address changes nothing, and a thing of one kind is none of another.
func TestNestedIDs(t *testing.T) {
	c := newCompany(t)
	dev := caller(access.Developer)
	if w := c.ask(dev, "PUT", "/v1/purposes/club", `{"id":"newsletter","name":"News","basis":"consent","categories":["contact"]}`); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("another purpose in the body: %d", w.Code)
	}
	if w := c.ask(dev, "PUT", "/v1/purposes/club", `{"basis":"consent","categories":["contact"]}`); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"id":"club"`) {
		t.Errorf("no purpose in the body: %d %s", w.Code, w.Body)
	}
	one, err := c.world.Make(t.Context(), "request", "", caller(access.Support))
	if err != nil {
		t.Fatal(err)
	}
	other, err := c.world.Requests.Get(t.Context(), c.refs["planned"])
	if err != nil {
		t.Fatal(err)
	}
	body, _ := json.Marshal(map[string]string{"hash": other.Hash})
	if w := c.ask(caller(access.Support), "POST", "/v1/requests/"+one+"/approve", string(body)); w.Code != http.StatusForbidden {
		t.Errorf("the hash of another request: %d", w.Code)
	}
	for kind := range guesses {
		id, err := c.world.Make(t.Context(), kind, "", caller(access.Support))
		if err != nil {
			t.Fatal(err)
		}
		if kind == "request" || kind == "purpose" || kind == "target" {
			continue
		}
		for _, path := range []string{"/v1/requests/" + id, "/v1/consents/" + id, "/v1/purposes/" + id, "/v1/propagations/" + id} {
			if strings.HasPrefix(path, "/v1/"+kind) {
				continue
			}
			for _, role := range []access.Role{access.Support, access.Officer, access.Service} {
				if w := c.ask(caller(role), "GET", path, ""); w.Code < 400 {
					t.Errorf("%s as %s: %d", path, role, w.Code)
				}
			}
		}
	}
}

// TestMatrix asks every route without an id in every role: it is entered exactly where the policies say so.
func TestMatrix(t *testing.T) {
	c, tried := newCompany(t), 0
	over, cancel := context.WithCancel(t.Context())
	cancel() // streams end at once
	for _, route := range api.Routes() {
		method, path, ok := strings.Cut(route, " ")
		if !ok {
			method, path = "GET", route+"x"
		}
		if strings.Contains(path, "{") {
			continue
		}
		for _, role := range everyRole {
			r := httptest.NewRequest(method, path, strings.NewReader("{}"))
			w := httptest.NewRecorder()
			c.api.ServeHTTP(w, r.WithContext(access.With(over, caller(role))))
			tried++
			if may := access.Allowed(caller(role), api.Needs()[route]) == nil; may == (w.Code == http.StatusForbidden) {
				t.Errorf("%s as %q: %d, may: %v", route, role, w.Code, may)
			}
		}
	}
	if tried < 300 {
		t.Errorf("only %d were tried", tried)
	}
}
