package app_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// twoPlaces is a shop in the Union that mails from elsewhere.
const twoPlaces = `organization: {name: Shop, jurisdictions: [eu]}
systems:
  - {id: shop, connector: sqlite, dsn: shop.db, location: EU, people: [{table: customers, by: {email: email}}]}
  - {id: mail, connector: sqlite, dsn: shop.db, location: US, people: [{table: customers, by: {email: email}}]}
purposes:
  - {id: letters, basis: consent, categories: [contact], systems: [mail]}
  - {id: orders, basis: contract, because: "nothing is sent without it", categories: [contact], systems: [shop]}
  - {id: measuring, basis: consent, categories: [usage], systems: [shop]}
`

// placed is that shop, served.
func placed(t *testing.T, more string) (*server, string) {
	t.Helper()
	dir := t.TempDir()
	must(t, os.Mkdir(filepath.Join(dir, "policies"), 0o700))
	shop(t, dir)
	must(t, os.WriteFile(filepath.Join(dir, "ombud.yaml"), []byte(twoPlaces+more), 0o600))
	return serve(t, dir), dir
}

// TestPoliciesAskWhereAPurposeLies: a purpose that stands in a body is judged by the places of its own systems, wherever others
// lie: one question, a batch, a stream, a consent, an event.
func TestPoliciesAskWhereAPurposeLies(t *testing.T) {
	s, dir := placed(t, "access: {policies: policies}\n")
	defer s.stop()
	own := filepath.Join(dir, "policies", "own.cedar")
	must(t, os.WriteFile(own, []byte(`forbid (principal, action in [Action::"decision.ask", Action::"consent.write", Action::"event.post"], resource) when { resource.place like "*US*" };`), 0o600))
	_, key := newKey(t, dir, "service")
	question := func(purpose string) string {
		return `{"subject":{"email":"ida@example.com"},"purpose":"` + purpose + `","category":"contact"}`
	}
	for _, c := range []struct {
		path, body string
		want       int
		says       string
	}{
		{"/decisions", question("orders"), 200, `"allowed"`}, {"/decisions", question("letters"), 403, "denied"},
		{"/decisions", question("unknown"), 403, "denied"}, // it may lie anywhere
		{"/decisions/batch", `{"decisions":[` + question("orders") + `]}`, 200, `"allowed"`},
		{"/decisions/batch", `{"decisions":[` + question("orders") + `,` + question("letters") + `]}`, 403, "/decisions/1/purpose"},
		{"/decisions/stream", question("letters") + "\n" + question("orders"), 200, "\"status\":403"},
		{"/consents", `{"subject":{"email":"ida@example.com"},"purpose":"measuring","method":"web_form","notice":{"id":"n","version":"1"}}`, 201, "con_"},
		{"/consents", `{"subject":{"email":"ida@example.com"},"purpose":"letters","method":"web_form","notice":{"id":"n","version":"1"}}`, 403, "denied"},
		{"/consents/withdraw", `{"subject":{"email":"ida@example.com"},"all":true}`, 403, "denied"},
		{"/events", `{"specversion":"1.0","id":"1","source":"s","type":"data.accessed","data":{"purpose":"letters"}}`, 403, "/data/purpose"},
		{"/events", `{"specversion":"1.0","id":"1","source":"s","type":"data.accessed","data":{"purpose":"orders"}}`, 200, "recorded"},
	} {
		code, _, body := s.as(key, "POST", c.path, c.body)
		if code != c.want || !strings.Contains(body, c.says) {
			t.Errorf("%s %s: %d, want %d: %s", c.path, c.body, code, c.want, body)
		}
	}
	_, other := newKey(t, dir, "auditor")
	code, _, _ := s.as(other, "POST", "/decisions", "{")
	s.want("what a role may not is judged before the body", code, 403)
}

// TestKeysForSomePurposes: a key that is made for some purposes and systems on the command line is so after a start, asks for
// those alone, and is explained.
func TestKeysForSomePurposes(t *testing.T) {
	s, dir := placed(t, "")
	defer s.stop()
	code, out, errs := command(t, dir, "", "key", "create", "--name", "x", "--role", "service", "--purpose", "letters,none", "--system", "nowhere", "--json")
	if code != 2 || !strings.Contains(out+errs, "letters, measuring, orders") || !strings.Contains(out+errs, "mail") || strings.Contains(out+errs, "nowhere") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	id := typed(t, dir, "", 0, "id", "key", "create", "--name", "sender", "--role", "service", "--purpose", "letters")
	key := typed(t, dir, "", 0, "key", "key", "create", "--name", "shop", "--role", "service", "--system", "shop")
	for purpose, want := range map[string]int{"letters": 403, "orders": 200, "measuring": 200, "unknown": 403} {
		code, _, body := s.as(key, "POST", "/decisions", `{"subject":{"email":"ida@example.com"},"purpose":"`+purpose+`","category":"contact"}`)
		s.want(purpose, code, want)
		if want == 403 && !strings.Contains(body, "It is for systems shop.") {
			t.Errorf("%s", body)
		}
	}
	for _, c := range []struct {
		purpose, says string
		want          int
	}{{"", "for purposes letters", 0}, {"letters", "Yes: ", 0}, {"orders", "is for purposes letters only", 3}} {
		code, out, errs := command(t, dir, "", "access", "explain", "--who", id, "--action", "decision.ask", "--purpose", c.purpose)
		if code != c.want || !strings.Contains(out, c.says) {
			t.Errorf("%q: exit %d: %s%s", c.purpose, code, out, errs)
		}
	}
	if code, _, body := s.v1("GET", "/access/explain?who="+id+"&action=decision.ask&purpose=orders", ""); code != 200 || !strings.Contains(body, `"denies":"limits"`) {
		t.Errorf("%d %s", code, body)
	}
	if _, out, _ := command(t, dir, "", "key", "list"); !strings.Contains(out, "for systems shop") {
		t.Errorf("%s", out)
	}
}
