package app_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/ombudhq/ombud/internal/testkit/wait"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/request"
	"github.com/ombudhq/ombud/subject"
)

const shopConfig = `organization: {name: Fjordly AS, jurisdictions: [eu]}
systems:
  - id: shop
    connector: sqlite
    dsn: shop.db
    people: [{table: customers, by: {email: email}}]
`

// shop puts a small company into a folder.
func shop(t *testing.T, dir string) *sql.DB {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "ombud.yaml"), []byte(shopConfig), 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "shop.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	_, err = db.Exec(`CREATE TABLE customers (id INTEGER PRIMARY KEY, email TEXT UNIQUE);
		CREATE TABLE addresses (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers(id), street TEXT);
		INSERT INTO customers VALUES (1, 'ida@example.com'), (2, 'jon@example.com');
		INSERT INTO addresses VALUES (1, 1, 'Storgata 1'), (2, 2, 'Elvegata 2');`)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

type restRequest struct {
	Request, Ref, Status, Hash, About string
	Result                            struct{ Status string }
}

func decode(t *testing.T, body string) (r restRequest) {
	t.Helper()
	if err := json.Unmarshal([]byte(body), &r); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return r
}

// TestRest answers one person over HTTP, from the request to the receipt.
func TestRest(t *testing.T) {
	dir := t.TempDir()
	db := shop(t, dir)
	s := serve(t, dir)
	defer s.stop()

	code, h, body := s.v1("POST", "/requests", `{"kind":"erasure","subject":{"email":"IDA@example.com"}}`)
	s.want("taking it in", code, 201)
	r := decode(t, body)
	if r.Status != "awaiting_approval" || r.Hash == "" || h.Get("Location") != "/v1/requests/"+r.Request {
		t.Fatalf("%+v at %s", r, h.Get("Location"))
	}
	if strings.Contains(strings.ToLower(body), "ida@") {
		t.Error("the answer repeats an identity")
	}
	tag := h.Get("ETag")

	code, _, _ = s.v1("POST", "/requests/"+r.Request+"/approve", `{"hash":"0123456789abcdef"}`)
	s.want("a wrong hash", code, 403)
	code, _, _ = s.v1("POST", "/requests/"+r.Request+"/approve", `{"hash":"`+r.Hash+`"}`, "If-Match", `"old"`)
	s.want("an old ETag", code, 412)
	code, _, _ = s.v1("POST", "/requests/"+r.Request+"/approve", `{"hash":"`+r.Hash+`"}`, "If-Match", tag)
	s.want("approving", code, 202)
	r = s.finished(r.Ref)
	if r.Status != "complete" || r.Result.Status != "complete" {
		t.Fatalf("%+v", r)
	}
	var left int
	if err := db.QueryRow(`SELECT count(*) FROM addresses`).Scan(&left); err != nil || left != 1 {
		t.Errorf("%d addresses are left, %v", left, err)
	}
	for code = 503; code == 503; { // it is filed a moment after the request is complete
		code, h, body = s.v1("GET", "/requests/"+r.Ref+"/receipt", "")
	}
	s.want("the receipt", code, 200)
	if !strings.Contains(body, "signature") || !strings.HasPrefix(h.Get("Content-Disposition"), "attachment") {
		t.Errorf("the receipt is not one: %s", body)
	}
	code, _, _ = s.v1("GET", "/requests/"+r.Ref+"/package", "")
	s.want("a package of an erasure", code, 404)
	code, _, _ = s.v1("POST", "/requests/"+r.Ref+"/refuse", `{"because":"late"}`)
	s.want("refusing what is over", code, 409)
}

// finished asks until the run is over.
func (s *server) finished(ref string) (r restRequest) {
	s.t.Helper()
	wait.Until(s.t, "the run ends", func() bool {
		code, _, body := s.v1("GET", "/requests/"+ref, "")
		s.want("asking", code, 200)
		r = decode(s.t, body)
		return r.Status != "running" && r.Status != "awaiting_approval"
	})
	return r
}

// TestRestRefuses what it does not know, all at once, and repeats nothing of it.
func TestRestRefuses(t *testing.T) {
	dir := t.TempDir()
	shop(t, dir)
	s := serve(t, dir)
	defer s.stop()
	code, h, body := s.v1("POST", "/requests", `{"kind":"nonsense","subject":{"email":"secret@example.com"},"extra":"secret@example.com"}`)
	s.want("two faults", code, 422)
	var p struct {
		Status int
		Errors []struct{ Where, Message string }
	}
	if err := json.Unmarshal([]byte(body), &p); err != nil || p.Status != 422 || len(p.Errors) != 2 || h.Get("Content-Type") != "application/problem+json" {
		t.Errorf("%+v, %v", p, err)
	}
	if strings.Contains(body, "secret") {
		t.Error("the answer repeats what was sent")
	}
	for path, want := range map[string]int{"/requests/dsr_nobody": 404, "/nothing": 404, "/requests?cursor=x": 422, "/requests?limit=9999": 422,
		"/requests?email=a@b.c": 422, "/data-map": 200, "/ledger/checkpoint": 200, "/openapi.json": 200} {
		code, _, _ := s.v1("GET", path, "")
		s.want(path, code, want)
	}
	code, _, _ = s.v1("POST", "/requests", `{"kind":"access"}`)
	s.want("nobody", code, 422)
}

func TestRestPages(t *testing.T) {
	dir := t.TempDir()
	shop(t, dir)
	s := serve(t, dir)
	defer s.stop()
	for range 5 {
		code, _, _ := s.v1("POST", "/requests", `{"kind":"access","subject":{"email":"jon@example.com"}}`)
		s.want("taking one in", code, 201)
	}
	seen, next := map[string]bool{}, ""
	for range 3 {
		_, _, body := s.v1("GET", "/requests?limit=2&cursor="+next, "")
		var page struct {
			Requests []restRequest
			Next     string
		}
		if err := json.Unmarshal([]byte(body), &page); err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Requests {
			seen[r.Ref] = true
		}
		next = page.Next
	}
	if len(seen) != 5 || next != "" {
		t.Errorf("%d requests on three pages, next %q", len(seen), next)
	}
}

// TestServeRecovers what another process began and did not end.
func TestServeRecovers(t *testing.T) {
	dir := t.TempDir()
	shop(t, dir)
	ctx, interrupt := context.WithCancel(t.Context())
	c := config(dir)
	armed := false
	c.Hook = func(string) {
		if armed {
			interrupt()
		}
	}
	a := open(t, c)
	r, err := a.Requests.Plan(ctx, request.PlanInput{Kind: plan.Erasure, Actor: "local:ida",
		People: []plan.Person{{Identities: []subject.Identity{{Kind: "email", Value: "ida@example.com"}}}}})
	if err != nil {
		t.Fatal(err)
	}
	armed = true
	if _, err := a.Requests.Run(ctx, request.RunInput{Ref: r.ID, Approve: r.Hash, Actor: "local:ida"}); err == nil {
		t.Fatal("the run was not interrupted")
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	s := serve(t, dir)
	defer s.stop()
	if got := s.finished(r.Ref); got.Status != "complete" {
		t.Errorf("%+v", got)
	}
	for code := 503; code != 200; { // ready once everything has been gone on with
		code, _, _ = s.do("GET", "/readyz", "")
	}
}
