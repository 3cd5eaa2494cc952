package api_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/api"
	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/internal/event"
	"github.com/ombudhq/ombud/internal/fault"
)

// limited comes with a key that is for some purposes or systems.
func (c *company) limited(l access.Limits) access.Caller {
	c.t.Helper()
	_, secret, err := c.world.Keys.Create(c.t.Context(), access.KeyInput{Name: "limited", Role: access.Service, Limits: l, Actor: "test",
		Among: access.Limits{Purposes: []string{"newsletter", "measuring", "partners"}, Systems: []string{"mail", "shop"}}})
	if err != nil {
		c.t.Fatal(err)
	}
	who, ok := c.world.Keys.Caller(secret)
	if !ok {
		c.t.Fatal("the key lets nobody in")
	}
	return who
}

// calls are what the routes that name a purpose are sent; "%" is the purpose.
var calls = map[string]string{
	"POST /v1/decisions":              `{"subject":{"email":"limits@example.com"},"purpose":"%","category":"contact"}`,
	"POST /v1/decisions/batch":        `{"decisions":[{"subject":{"email":"limits@example.com"},"purpose":"newsletter","category":"contact"},{"subject":{"email":"limits@example.com"},"purpose":"%","category":"contact"}]}`,
	"POST /v1/decisions/stream":       `{"subject":{"email":"limits@example.com"},"purpose":"%","category":"contact"}`,
	"POST /v1/consents":               `{"subject":{"email":"limits@example.com"},"purpose":"%","method":"web_form"}`,
	"POST /v1/consents/withdraw":      `{"subject":{"email":"nobody@example.com"},"purpose":"%"}`,
	"POST /v1/consents/confirm":       `{"token":"@"}`,
	"POST /v1/events":                 `{"specversion":"1.0","id":"%","source":"test","type":"data.accessed","data":{"purpose":"%"}}`,
	"GET /v1/consents/{id}":           "",
	"GET /v1/consents/{id}/receipt":   "",
	"GET /v1/purposes/{id}":           "",
	"POST /v1/purposes/{id}/minimise": `{"record":{}}`,
}

// about makes a call of a route that is about a purpose.
func (c *company) about(who access.Caller, route, purpose string) (code int, body string) {
	c.t.Helper()
	method, path, _ := strings.Cut(route, " ")
	id := purpose
	if strings.HasPrefix(path, "/v1/consents/{id}") {
		id = c.consented(purpose, consent.Given).ID
	}
	text := strings.ReplaceAll(calls[route], "%", purpose)
	if strings.Contains(text, "@\"") {
		text = strings.ReplaceAll(text, "@", c.consented(purpose, consent.Pending).Token)
	}
	w := c.ask(who, method, strings.Replace(path, "{id}", id, 1), text)
	code, body = w.Code, w.Body.String()
	if strings.HasSuffix(route, "/stream") && strings.Contains(body, `"code":"denied"`) {
		code = http.StatusForbidden
	}
	return code, body
}

func (c *company) consented(purpose string, status consent.Status) consent.Consent {
	c.t.Helper()
	version := map[string]string{"newsletter": "3"}[purpose]
	if version == "" {
		version = "1"
	}
	made, err := c.world.Consents.Record(c.t.Context(), consent.RecordInput{
		Subject: consent.Identities(map[string]string{"email": "limits@example.com"}), Purpose: purpose, Status: status, Method: "web_form", Actor: "test",
		Notice: consent.NoticeInput{ID: purpose, Version: version, Language: "en"},
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return made
}

// TestLimitedKeys asks every route with a key that is for one purpose, and with one that is for one system: where a call names
// the purpose, it is answered for that one and refused for others, with nothing done; where it names none, it is refused.
func TestLimitedKeys(t *testing.T) {
	c := newCompany(t)
	enters, again := api.Narrowing()
	for _, l := range []access.Limits{{Purposes: []string{"newsletter"}}, {Systems: []string{"mail"}}} {
		who := c.limited(l)
		for _, route := range api.Routes() {
			if !enters[route] {
				method, path, _ := strings.Cut(route, " ")
				if w := c.ask(who, method, strings.Replace(path, "{id}", "x", 1), "{}"); w.Code != http.StatusForbidden && !api.Alias(route) {
					t.Errorf("%v: %s: %d, and it names no purpose", l, route, w.Code)
				}
				continue
			}
			if !again[route] {
				continue
			}
			if _, ok := calls[route]; !ok {
				t.Errorf("%s: nothing tries it", route)
			}
			c.both(who, route)
		}
	}
}

// both asks for the purpose that the key is for, and for another one.
func (c *company) both(who access.Caller, route string) {
	c.t.Helper()
	if code, body := c.about(who, route, "newsletter"); code == http.StatusForbidden && !strings.HasSuffix(route, "/confirm") {
		c.t.Errorf("%v: %s for its purpose: %d %s", who.Limits(), route, code, body)
	}
	other := "measuring"
	if strings.HasSuffix(route, "/confirm") {
		other = "partners" // the one that is confirmed
	}
	code, body := c.about(who, route, other)
	if code != http.StatusForbidden || !strings.Contains(body, "It is for "+who.Limits().Words()) {
		c.t.Errorf("%v: %s for another: %d %s", who.Limits(), route, code, body)
	}
}

// TestLimitedBatches: of a batch with one question or event that the key is not for, none is answered, and it is named by its place.
func TestLimitedBatches(t *testing.T) {
	c := newCompany(t)
	who := c.limited(access.Limits{Purposes: []string{"newsletter"}})
	if _, body := c.about(who, "POST /v1/decisions/batch", "measuring"); !strings.Contains(body, `"where":"/decisions/1/purpose"`) || strings.Contains(body, `"allowed"`) {
		t.Errorf("a batch: %s", body)
	}
	size := c.world.Ledger.Size()
	one := func(id, purpose string) string {
		return `{"specversion":"1.0","id":"` + id + `","source":"test","type":"data.accessed","data":{"purpose":"` + purpose + `"}}`
	}
	r := c.askAs(who, "POST", "/v1/events", "["+one("1", "newsletter")+","+one("2", "measuring")+"]", "application/cloudevents-batch+json")
	if r.Code != http.StatusForbidden || !strings.Contains(r.Body.String(), `"where":"/1/data/purpose"`) || c.world.Ledger.Size() != size {
		t.Errorf("events: %d %s", r.Code, r.Body)
	}
	lines := strings.Split(c.ask(who, "POST", "/v1/decisions/stream", strings.ReplaceAll(calls["POST /v1/decisions"], "%", "measuring")+"\n"+strings.ReplaceAll(calls["POST /v1/decisions"], "%", "newsletter")).Body.String(), "\n")
	if len(lines) < 2 || !strings.Contains(lines[0], `"code":"denied"`) || !strings.Contains(lines[1], `"allowed"`) {
		t.Errorf("a stream: %q", lines)
	}
}

// TestLimitedKeysSee: lists give what the key is for; messages are acknowledged by who is for the system they are told for.
func TestLimitedKeysSee(t *testing.T) {
	c := newCompany(t)
	body := c.ask(c.limited(access.Limits{Purposes: []string{"newsletter"}}), "GET", "/v1/purposes", "").Body.String()
	if !strings.Contains(body, `"id":"newsletter"`) || strings.Contains(body, `"id":"measuring"`) {
		t.Errorf("purposes: %s", body)
	}
	for _, one := range []struct {
		l    access.Limits
		want int
	}{
		{access.Limits{Systems: []string{"mail"}}, 200}, {access.Limits{Systems: []string{"shop"}}, 403},
		{access.Limits{Purposes: []string{"newsletter"}}, 200}, {access.Limits{Purposes: []string{"measuring"}}, 403},
	} {
		all, err := c.world.Relay.List(t.Context(), event.Filter{Target: "mailpath", Limit: 1})
		if err != nil || len(all) == 0 {
			t.Fatal(all, err)
		}
		if w := c.ask(c.limited(one.l), "POST", "/v1/propagations/"+all[0].ID+"/ack", ""); w.Code != one.want {
			t.Errorf("%v: %d %s", one.l, w.Code, w.Body)
		}
	}
	token := c.consented("partners", consent.Pending).Token
	if w := c.ask(c.limited(access.Limits{Purposes: []string{"partners"}}), "POST", "/v1/consents/confirm", `{"token":"`+token+`"}`); w.Code != http.StatusCreated {
		t.Errorf("a confirmation: %d %s", w.Code, w.Body)
	}
}

// TestLimitedKeysOfOnePerson: a key that is for some reads what a person said of those and of nothing else, and withdraws all of
// those: what they said of others stands. What limits every purpose is shown, whose else is not.
func TestLimitedKeysOfOnePerson(t *testing.T) {
	c := newCompany(t)
	for _, purpose := range []string{"newsletter", "measuring"} {
		c.consented(purpose, consent.Given)
	}
	who := map[string]string{"email": "limits@example.com"}
	out, err := c.world.Consents.Withdraw(t.Context(), consent.WithdrawInput{Subject: consent.Identities(who), All: true, Actor: "test"})
	if err != nil || len(out.Consents) != 2 {
		t.Fatalf("%+v, %v", out, err)
	}
	theirs := c.limited(access.Limits{Purposes: []string{"newsletter"}})
	body := c.ask(theirs, "POST", "/v1/consents/history", `{"subject":{"email":"limits@example.com"}}`).Body.String()
	if strings.Count(body, `"kind":"consent.`) != 2 || strings.Contains(body, "measuring") || strings.Contains(body, out.Consents[1]) == strings.Contains(body, out.Consents[0]) {
		t.Errorf("a history: %s", body)
	}
	if whole := c.ask(caller(access.Service), "POST", "/v1/consents/history", `{"subject":{"email":"limits@example.com"}}`).Body.String(); strings.Count(whole, `"kind":"consent.`) != 3 {
		t.Errorf("the whole of it: %s", whole)
	}
	seen := `,"notice":{"id":"newsletter","version":"3","language":"en","seen_revision":` + strconv.FormatInt(out.Revision, 10) + `}`
	if w := c.ask(theirs, "POST", "/v1/consents", `{"subject":{"email":"limits@example.com"},"purpose":"newsletter","method":"web_form"`+seen+`}`); w.Code != http.StatusCreated {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	w := c.ask(c.limited(access.Limits{Purposes: []string{"measuring"}}), "POST", "/v1/consents/withdraw", `{"subject":{"email":"limits@example.com"},"all":true}`)
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"purposes":["measuring"]`) || strings.Contains(w.Body.String(), "newsletter") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if h := c.world.Consents.Find(consent.Identities(who)...); !c.world.Consents.Decide(h, "newsletter", "contact", false).Allowed {
		t.Error("it ended what it is not for")
	}
	w = c.ask(theirs, "POST", "/v1/consents/withdraw", `{"subject":{"email":"limits@example.com"},"all":true}`)
	if h := c.world.Consents.Find(consent.Identities(who)...); w.Code != http.StatusOK || c.world.Consents.Decide(h, "newsletter", "contact", false).Allowed {
		t.Errorf("it did not end what it is for: %d %s", w.Code, w.Body)
	}
}

// TestLimitedKeysOfCategories: categories are withdrawn of what a key is for: what others have them for stands.
func TestLimitedKeysOfCategories(t *testing.T) {
	c := newCompany(t)
	c.consented("newsletter", consent.Given)
	withdraw := func(its string) (code int, body string, stands bool) {
		w := c.ask(c.limited(access.Limits{Purposes: []string{its}}), "POST", "/v1/consents/withdraw", `{"subject":{"email":"limits@example.com"},"categories":["contact"]}`)
		h := c.world.Consents.Find(consent.Identities(map[string]string{"email": "limits@example.com"})...)
		return w.Code, w.Body.String(), c.world.Consents.Decide(h, "newsletter", "contact", false).Allowed
	}
	if code, body, stands := withdraw("measuring"); code != http.StatusUnprocessableEntity || !strings.Contains(body, "/categories/0") || !stands {
		t.Errorf("nothing it is for has them: %d %s, stands: %v", code, body, stands)
	}
	if code, body, stands := withdraw("partners"); code != http.StatusOK || !strings.Contains(body, `"purposes":["partners"]`) || !stands {
		t.Errorf("another has them too: %d %s, stands: %v", code, body, stands)
	}
	if code, body, stands := withdraw("newsletter"); code != http.StatusOK || !strings.Contains(body, `"purposes":["newsletter"]`) || stands {
		t.Errorf("what it is for: %d %s, stands: %v", code, body, stands)
	}
}

// TestLimitedKeysTellOfAll: an event that says no to all, by a key that is for some, says it to those; one that names others is refused.
func TestLimitedKeysTellOfAll(t *testing.T) {
	c := newCompany(t)
	for _, purpose := range []string{"newsletter", "measuring"} {
		c.consented(purpose, consent.Given)
	}
	who := c.limited(access.Limits{Purposes: []string{"newsletter"}})
	tell := func(id, data string) int {
		return c.askAs(who, "POST", "/v1/events", `{"specversion":"1.0","id":"`+id+`","source":"test","type":"consent.withdrawn","data":{"subject":{"email":"limits@example.com"},`+data+`}}`,
			"application/cloudevents+json").Code
	}
	stands := func(purpose string) bool {
		category := map[string]string{"newsletter": "contact", "measuring": "usage"}[purpose]
		return c.world.Consents.Decide(c.world.Consents.Find(consent.Identities(map[string]string{"email": "limits@example.com"})...), purpose, category, false).Allowed
	}
	for i, data := range []string{`"all":true,"within":["measuring"]`, `"all":true,"within":["newsletter","measuring"]`, `"purpose":"measuring"`} {
		if code := tell(strconv.Itoa(i), data); code != http.StatusForbidden || !stands("newsletter") {
			t.Errorf("%s: %d", data, code)
		}
	}
	if code := tell("all", `"all":true`); code != http.StatusOK || stands("newsletter") || !stands("measuring") {
		t.Errorf("%d, it is for: %v, it is not for: %v", code, stands("newsletter"), stands("measuring"))
	}
}

// TestLimitsAreDeclared: a key is made for purposes and systems that there are, in the role that asks by them; every fault is named.
func TestLimitsAreDeclared(t *testing.T) {
	c := newCompany(t)
	_, _, err := c.world.Keys.Create(t.Context(), access.KeyInput{Name: "x", Role: access.Developer, Limits: access.Limits{Purposes: []string{"omb_secret"}, Systems: []string{"nowhere"}}, Actor: "test",
		Among: access.Limits{Purposes: []string{"newsletter"}}})
	if fault.KindOf(err) != fault.Invalid || strings.Contains(err.Error(), "omb_secret") || strings.Count(err.Error(), "declared") != 2 || !strings.Contains(err.Error(), "role service") {
		t.Errorf("%v", err)
	}
}
