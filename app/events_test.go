package app_test

import (
	"strings"
	"testing"
)

const told = `{"specversion":"1.0","id":"e1","source":"//shop/checkout","type":"consent.given","time":"2026-11-20T09:00:00Z","traceparent":"x",
	"data":{"subject":{"email":"ida@example.com"},"purpose":"letters","method":"web_form","notice":{"id":"letters","version":"3"}}}`

// TestEventsActOnce: what a service tells is recorded, told again it is not, and what is refused is told with its reasons.
func TestEventsActOnce(t *testing.T) {
	s, dir := consenting(t)
	defer s.stop()
	_, key := newKey(t, dir, "service")
	post := func(kind, body string) (int, string) {
		t.Helper()
		code, _, out := s.do("POST", "/v1/events", body, "Authorization", "Bearer "+key, "Content-Type", kind)
		if strings.Contains(out, "ida@") {
			t.Errorf("an identity in %s", out)
		}
		return code, out
	}
	one, many := "application/cloudevents+json; charset=utf-8", "application/cloudevents-batch+json"
	code, body := post(one, told)
	if code != 200 || !strings.Contains(body, `"recorded"`) {
		t.Fatalf("%d: %s", code, body)
	}
	if d := s.decide(""); !d.Allowed {
		t.Errorf("%+v", d)
	}
	code, body = post("application/json", told)
	if code != 200 || !strings.Contains(body, `"repeated"`) {
		t.Errorf("%d: %s", code, body)
	}
	no := strings.NewReplacer("consent.given", "consent.withdrawn", `"e1"`, `"e2"`, `,"method":"web_form","notice":{"id":"letters","version":"3"}`, "").Replace(told)
	late := strings.Replace(told, `"e1"`, `"e3"`, 1)
	code, body = post(many, "["+told+","+no+","+late+"]")
	if code != 200 || strings.Count(body, `"repeated"`) != 1 || strings.Count(body, `"recorded"`) != 1 || strings.Count(body, `"refused"`) != 1 {
		t.Errorf("%d: %s", code, body)
	}
	if d := s.decide(""); d.Allowed || d.Reason != "withdrawn" {
		t.Errorf("a repeated yes won: %+v", d)
	}
	code, body = post(one, late)
	s.want("one that cannot be recorded", code, 422)
	if !strings.Contains(body, "seen_revision") {
		t.Error(body)
	}
	_, out, _ := command(t, dir, "", "audit", "tail", "--json")
	if strings.Count(out, `"kind": "consent.`) != 2 || strings.Count(out, `"source": "//shop/checkout"`) != 2 {
		t.Errorf("the entries: %s", out)
	}
}

// TestEventsThatAreNone: every fault of a batch in one problem, and nothing acts.
func TestEventsThatAreNone(t *testing.T) {
	s, _ := consenting(t)
	defer s.stop()
	bad := `{"specversion":"0.3","type":"consent.expired","datacontenttype":"text/plain","data":{"subject":{"email":"ida@example.com"},"who":1}}`
	code, _, body := s.do("POST", "/v1/events", "["+told+","+bad+",7]", "Authorization", "Bearer "+s.token, "Content-Type", "application/cloudevents-batch+json")
	s.problem("a batch with faults", body, "invalid", code, 422)
	for _, want := range []string{`"/1/specversion"`, `"/1/id"`, `"/1/type"`, `"/1/datacontenttype"`, `"/1/data"`, `"/2"`} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in %s", want, body)
		}
	}
	if d := s.decide(""); d.Allowed {
		t.Error("a batch with faults acted")
	}
	code, _, body = s.do("POST", "/v1/events", "[]", "Authorization", "Bearer "+s.token, "Content-Type", "application/cloudevents-batch+json")
	s.problem("nothing", body, "invalid", code, 422)
	code, _, body = s.do("POST", "/v1/events", told, "Authorization", "Bearer "+s.token, "Content-Type", "text/plain")
	s.problem("another media type", body, "invalid", code, 415)
	code, _, _ = s.v1("POST", "/events", strings.Replace(told, `"purpose"`, `"event":"withdrawn","purpose"`, 1))
	s.want("two minds", code, 422)
}

// TestAccessesAreNoted: what a service did with data stands in the ledger once, with what its purpose did not need.
func TestAccessesAreNoted(t *testing.T) {
	s, _ := consenting(t)
	defer s.stop()
	code, _, _ := s.v1("POST", "/consents", strings.Replace(saysYes, "%s", "", 1))
	s.want("saying yes", code, 201)
	who := s.decide("").Subject
	event := func(id, data string) string {
		return `{"specversion":"1.0","id":"` + id + `","source":"/services/shop","type":"data.accessed","data":` + data + `}`
	}
	for _, want := range []string{"recorded", "repeated"} {
		code, _, body := s.v1("POST", "/events", event("1", `{"subject":"`+who+`","purpose":"nothing","fields":["email"]}`))
		if code != 200 || !strings.Contains(body, `"`+want+`"`) {
			t.Errorf("%s: %d %s", want, code, body)
		}
	}
	for _, data := range []string{`{"subject":"sub_x","purpose":"letters"}`, `{}`, `{"purpose":"letters","email":"ida@example.com"}`} {
		if code, _, body := s.v1("POST", "/events", event("2", data)); code != 422 || strings.Contains(body, "ida@") {
			t.Errorf("%s: %d %s", data, code, body)
		}
	}
}
