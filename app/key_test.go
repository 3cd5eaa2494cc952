package app_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// newKey makes an API key on the command line, whoever owns the directory.
func newKey(t *testing.T, dir, role string) (id, key string) {
	t.Helper()
	code, out, errs := command(t, dir, "", "key", "create", "--name", "checkout", "--role", role, "--json")
	var k struct{ ID, Key string }
	if err := json.Unmarshal([]byte(out), &k); code != 0 || err != nil || k.Key == "" {
		t.Fatalf("exit %d, %v: %s", code, err, errs)
	}
	return k.ID, k.Key
}

// as asks the API with an API key.
func (s *server) as(key, method, path, body string, headers ...string) (int, http.Header, string) {
	return s.do(method, "/v1"+path, body, append(headers, "Authorization", "Bearer "+key, "Content-Type", "application/json")...)
}

// TestKeysOpenTheAPI from when they are made until they are revoked, in either order with serve, as far as their role goes.
func TestKeysOpenTheAPI(t *testing.T) {
	dir := t.TempDir()
	shop(t, dir)
	_, before := newKey(t, dir, "service")
	s := serve(t, dir)
	_, auditor := newKey(t, dir, "auditor")
	id, during := newKey(t, dir, "service")
	for _, key := range []string{before, during} {
		code, _, _ := s.as(key, "GET", "/openapi.json", "")
		s.want("the description", code, 200)
		code, _, _ = s.as(key, "GET", "/nothing", "")
		s.want("nothing", code, 404)
		for _, path := range []string{"/requests", "/requests/R-2026-0001", "/requests/R-2026-0001/plan", "/requests/R-2026-0001/receipt",
			"/requests/R-2026-0001/package", "/data-map", "/ledger/checkpoint"} {
			code, _, body := s.as(key, "GET", path, "")
			s.problem(path, body, "denied", code, 403)
			if !strings.Contains(body, "the role service has no permission") {
				t.Errorf("%s: %s", path, body)
			}
		}
	}
	code, _, _ := s.as(auditor, "GET", "/ledger/checkpoint", "")
	s.want("an auditor's program takes the checkpoint away", code, 200)
	code, _, _ = s.as(auditor, "GET", "/requests", "")
	s.want("and sees no request", code, 403)
	code, _, _ = s.do("GET", "/?token="+during, "")
	s.want("a key opens no page", code, 401)

	if code, _, errs := command(t, dir, "", "key", "revoke", id); code != 0 {
		t.Fatal(errs)
	}
	code, _, body := s.as(during, "GET", "/openapi.json", "")
	s.problem("a revoked key", body, "unauthenticated", code, 401)
	if strings.Contains(body, "omb_") {
		t.Error("an error repeats a key")
	}
	_, out, _ := command(t, dir, "", "key", "list")
	if !strings.Contains(out, "revoked 20") || strings.Contains(out, before[10:]) {
		t.Errorf("the list: %s", out)
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if _, out, _ = command(t, dir, "", "key", "list", "--json"); strings.Count(out, `"last_used"`) != 3 {
		t.Errorf("the last uses at the end of the process: %s", out)
	}
	s = serve(t, dir)
	defer s.stop()
	code, _, _ = s.as(before, "GET", "/openapi.json", "")
	s.want("after a start", code, 200)
	code, _, _ = s.as(during, "GET", "/openapi.json", "")
	s.want("a revoked one after a start", code, 401)
}

// problem checks a refusal: its status, and the code that programs go by.
func (s *server) problem(what, body, code string, got, want int) {
	s.t.Helper()
	var p struct {
		Title, Code, Detail string
		Status              int
	}
	err := json.Unmarshal([]byte(body), &p)
	if err != nil || got != want || p.Status != want || p.Code != code || p.Title != http.StatusText(want) || p.Detail == "" {
		s.t.Errorf("%s: %d, want %d %s; %v: %s", what, got, want, code, err, body)
	}
}

// TestFrontRefusesWithACode: programs can tell every refusal by its code.
func TestFrontRefusesWithACode(t *testing.T) {
	dir := t.TempDir()
	shop(t, dir)
	s := serve(t, dir)
	defer s.stop()
	code, h, body := s.do("GET", "/v1/requests", "")
	s.problem("nobody", body, "unauthenticated", code, 401)
	if h.Get("Content-Type") != "application/problem+json" || !strings.HasPrefix(h.Get("WWW-Authenticate"), "Bearer") {
		t.Errorf("%v", h)
	}
	for _, given := range []string{"", "Bearer", "Bearer ", "Basic " + s.token, s.token, "Bearer  " + s.token, "Bearer " + s.token + "x", "Bearer omb_" + strings.Repeat("A", 43)} {
		code, _, body = s.do("GET", "/v1/requests", "", "Authorization", given)
		s.problem("a guess", body, "unauthenticated", code, 401)
	}
	code, _, _ = s.do("GET", "/v1/requests", "", "Authorization", "bearer "+s.token)
	s.want("the scheme in another case", code, 200)
	code, _, body = s.v1("GET", "/requests", "", "Host", "evil.example")
	s.problem("another host", body, "invalid", code, 421)
	code, _, body = s.v1("POST", "/requests", "{}", "Origin", "http://evil.example")
	s.problem("another site", body, "denied", code, 403)
	const ask = `{"kind":"access","subject":{"email":"ida@example.com"}}`
	code, _, _ = s.v1("POST", "/requests", ask, "Idempotency-Key", "k1")
	s.want("the first", code, 201)
	code, _, body = s.v1("POST", "/requests", ask+" ", "Idempotency-Key", "k1")
	s.problem("the key for something else", body, "conflict", code, 409)
	code, _, body = s.v1("POST", "/requests", strings.Repeat(" ", 9<<20), "Idempotency-Key", "k2")
	s.problem("a body too large", body, "invalid", code, 413)

	_, key := newKey(t, dir, "service")
	code, _, body = s.as(key, "POST", "/requests", ask, "Idempotency-Key", "k1")
	s.problem("the answer of another caller", body, "denied", code, 403)
	_, out, _ := command(t, dir, "", "audit", "tail", "--kind", "request.planned", "--json")
	if strings.Count(out, `"actor": "local:ida"`) != 1 {
		t.Errorf("who planned: %s", out)
	}
}

// TestJudgedBeforeTheBody: the answer comes while the body is still under way.
func TestJudgedBeforeTheBody(t *testing.T) {
	dir := t.TempDir()
	s := serve(t, dir)
	defer s.stop()
	_, key := newKey(t, dir, "service")
	for bearer, want := range map[string]int{"omb_guess": 401, key: 403} {
		c, err := net.Dial("tcp", strings.TrimPrefix(s.base, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(c, "POST /v1/requests HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nIdempotency-Key: k\r\nContent-Length: 100000\r\n\r\n{", c.RemoteAddr(), bearer)
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatalf("no answer before the body: %v", err)
		}
		res.Body.Close()
		s.want("a body that does not come", res.StatusCode, want)
	}
}

// TestScopedKey: a key that is for decisions asks, and does nothing else that its role may.
func TestScopedKey(t *testing.T) {
	s, dir := consenting(t)
	defer s.stop()
	key := typed(t, dir, "", 0, "key", "key", "create", "--name", "checkout", "--role", "service", "--scope", "decision.ask,purpose.read")
	for path, want := range map[string]int{"POST /decisions": 200, "GET /purposes": 200, "POST /consents": 403, "POST /consents/history": 403, "POST /pseudonyms": 403, "GET /requests": 403} {
		method, path, _ := strings.Cut(path, " ")
		body := ""
		if method == "POST" {
			body = strings.Replace(asks, "%s", "", 1)
		}
		if code, _, out := s.as(key, method, path, body); code != want || strings.Contains(out, key) {
			t.Errorf("%s %s: %d, want %d: %s", method, path, code, want, out)
		}
	}
	typed(t, dir, "", 2, "", "key", "create", "--name", "x", "--role", "service", "--scope", "request.approve")
}
