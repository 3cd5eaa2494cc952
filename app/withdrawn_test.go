package app_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/internal/testkit/wait"
)

const mailings = `    tables:
      mailings: {purpose: letters}
      customers: {categories: {likes: marketing}}
purposes:
  - id: letters
    basis: consent
    categories: [contact, marketing]
    notices: [{id: letters, version: "3", language: en, text: "Send me trips and offers"}]
  - {id: orders, basis: contract, categories: [contact, location]}
  - {id: survey, basis: consent, categories: [marketing], on_withdrawal: keep}
`

// mailing is a shop that writes letters by consent.
func mailing(t *testing.T) (*server, *sql.DB, string) {
	t.Helper()
	dir := t.TempDir()
	db := shop(t, dir)
	_, err := db.Exec(`ALTER TABLE customers ADD COLUMN likes TEXT;
		UPDATE customers SET likes = 'tents';
		CREATE TABLE mailings (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers(id), opened INTEGER);
		INSERT INTO mailings VALUES (1, 1, 1), (2, 2, 0);`)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "ombud.yaml"), []byte(shopConfig+mailings), 0o600); err != nil {
		t.Fatal(err)
	}
	return serve(t, dir), db, dir
}

// erasures waits until there are so many, and gives the newest.
func (s *server) erasures(n int) (newest restRequest) {
	s.t.Helper()
	wait.Until(s.t, fmt.Sprint("erasures: ", n), func() bool {
		code, _, body := s.v1("GET", "/requests?kind=erasure", "")
		s.want("listing", code, 200)
		var list struct{ Requests []restRequest }
		if err := json.Unmarshal([]byte(body), &list); err != nil || len(list.Requests) > n {
			s.t.Fatalf("%v: %s", err, body)
		}
		if len(list.Requests) < n {
			return false
		}
		newest = list.Requests[0]
		return true
	})
	return newest
}

func (s *server) says(purpose, word string) {
	s.t.Helper()
	yes := strings.Replace(strings.Replace(saysYes, "%s", "", 1), `"letters","categories":["contact"]`, `"`+purpose+`","categories":["marketing"]`, 1)
	if purpose == "letters" {
		yes = strings.Replace(strings.Replace(saysYes, "%s", "", 1), `["contact"]`, `["contact","marketing"]`, 1)
	}
	path, body, want := "/consents", yes, 201
	if word == "no" {
		path, body, want = "/consents/withdraw", `{"subject":{"email":"ida@example.com"},"purpose":"`+purpose+`"}`, 200
	}
	code, _, answer := s.v1("POST", path, body)
	if code != want {
		s.t.Fatalf("saying %s to %s: %d %s", word, purpose, code, answer)
	}
}

// TestWithdrawalOpensAnErasure: of what nothing else carries, once, for a person to approve; all else stays cell by cell.
func TestWithdrawalOpensAnErasure(t *testing.T) {
	s, db, _ := mailing(t)
	defer s.stop()
	s.says("survey", "yes")
	s.says("survey", "no") // its data may be kept
	s.says("letters", "yes")
	s.says("letters", "no")
	s.says("letters", "no") // again: nothing ends, nothing follows
	r := s.erasures(1)
	if r.Status != "awaiting_approval" {
		t.Errorf("%+v", r)
	}
	code, _, body := s.v1("GET", "/requests/"+r.Request+"/plan", "")
	s.want("the plan", code, 200)
	if !strings.Contains(body, `"purposes":["letters"]`) || !strings.Contains(body, "needed for orders (contract)") {
		t.Errorf("%s", body)
	}
	code, _, body = s.v1("POST", "/requests/"+r.Request+"/approve", `{"hash":"`+r.Hash+`"}`)
	s.want("approving", code, 202)
	if r = s.finished(r.Ref); r.Status != "complete" {
		t.Errorf("%+v %s", r, body)
	}
	for query, want := range map[string]string{
		"SELECT group_concat(id || email || coalesce(likes, '-'), ' ') FROM customers":       "1ida@example.com- 2jon@example.comtents",
		"SELECT group_concat(id || '/' || customer_id || '/' || street, ' ') FROM addresses": "1/1/Storgata 1 2/2/Elvegata 2",
		"SELECT group_concat(id || '/' || customer_id || '/' || opened, ' ') FROM mailings":  "2/2/0",
	} {
		var got string
		if err := db.QueryRow(query).Scan(&got); err != nil || got != want {
			t.Errorf("%s: %v %q, want %q", query, err, got, want)
		}
	}
	if d := s.decide(""); d.Reason != "withdrawn" { // she is no erased person
		t.Errorf("%+v", d)
	}
}

// TestWithdrawalIsFollowedOnce: whatever was under way when the program ended.
func TestWithdrawalIsFollowedOnce(t *testing.T) {
	s, _, dir := mailing(t)
	s.says("letters", "yes")
	s.says("letters", "no")
	if err := s.stop(); err != nil { // before or after it was planned
		t.Fatal(err)
	}
	s = serve(t, dir)
	first := s.erasures(1)
	own, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "ombud-data", "ombud.db")+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	settled(t, own)
	s.says("survey", "yes") // the loop comes round again
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	var left int
	var revision int64
	if err := own.QueryRow("SELECT (SELECT count(*) FROM consent_owed), (SELECT substr(cause, 12) FROM request_causes)").Scan(&left, &revision); err != nil || left != 0 {
		t.Fatalf("%v: %d left", err, left)
	}
	// Killed between the request and the note that it is there: it is followed again.
	if _, err := own.Exec("INSERT INTO consent_owed (revision, person) VALUES (?, 1)", revision); err != nil {
		t.Fatal(err)
	}
	s = serve(t, dir)
	defer s.stop()
	settled(t, own)
	if again := s.erasures(1); again.Request != first.Request {
		t.Errorf("%+v, then %+v", first, again)
	}
}

// settled waits until nothing is owed any more.
func settled(t *testing.T, own *sql.DB) {
	t.Helper()
	wait.Until(t, "it is followed", func() bool {
		var left int
		if err := own.QueryRow("SELECT count(*) FROM consent_owed").Scan(&left); err != nil {
			t.Fatal(err)
		}
		return left == 0
	})
}

// TestWithdrawalOnTheCommandLineIsFollowed: at once, without a server, and the answer names the request; once.
func TestWithdrawalOnTheCommandLineIsFollowed(t *testing.T) {
	s, _, dir := mailing(t)
	s.says("letters", "yes")
	s.says("survey", "yes")
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	withdraw := func(who, purpose string) (out struct {
		Ended   int
		Erasure *struct{ Request, Ref, Hash, Status string }
	}) {
		t.Helper()
		code, text, errs := command(t, dir, "", "consent", "withdraw", "--subject", "email="+who+"@example.com", "--purpose", purpose, "--json")
		if err := json.Unmarshal([]byte(text), &out); code != 0 || err != nil {
			t.Fatalf("exit %d, %v: %s%s", code, err, text, errs)
		}
		return out
	}
	if out := withdraw("ida", "survey"); out.Ended != 1 || out.Erasure != nil {
		t.Errorf("its data may be kept: %+v", out)
	}
	first := withdraw("ida", "letters")
	if first.Erasure == nil || first.Erasure.Status != "awaiting_approval" {
		t.Fatalf("%+v", first)
	}
	if again := withdraw("ida", "letters"); again.Ended != 0 || again.Erasure != nil {
		t.Errorf("nothing ended: %+v", again)
	}
	s = serve(t, dir)
	defer s.stop()
	if r := s.erasures(1); r.Request != first.Erasure.Request {
		t.Errorf("%+v, not %+v", r, first)
	}
	if code, _, errs := command(t, dir, "", "consent", "record", "--subject", "email=jon@example.com", "--purpose", "letters", "--method", "web_form", "--notice", "letters@3/en"); code != 0 {
		t.Fatal(errs)
	}
	second := withdraw("jon", "letters") // through the server, which follows withdrawals too
	if second.Erasure == nil || second.Erasure.Request == first.Erasure.Request {
		t.Fatalf("%+v after %+v", second, first)
	}
	if r := s.erasures(2); r.Request != second.Erasure.Request {
		t.Errorf("%+v, not %+v", r, second)
	}
}

// TestPartsOverHTTP: an erasure of part of the data over the API; what makes no sense is refused with every fault.
func TestPartsOverHTTP(t *testing.T) {
	s, _, _ := mailing(t)
	defer s.stop()
	for body, want := range map[string][]string{
		`"kind":"erasure","categories":["contacts","money"]`: {"contacts", "money"},
		`"kind":"access","categories":["contact"]`:           {"only an erasure"},
		`"kind":"erasure","purposes":["letter"]`:             {"no purpose"},
	} {
		code, _, answer := s.v1("POST", "/requests", `{"subject":{"email":"ida@example.com"},`+body+`}`)
		for _, w := range want {
			if code != 422 || !strings.Contains(answer, w) || strings.Contains(answer, "ida@") {
				t.Errorf("%s: %d %s", body, code, answer)
			}
		}
	}
	s.says("letters", "yes")
	code, _, answer := s.v1("POST", "/requests", `{"subject":{"email":"ida@example.com"},"kind":"erasure","purposes":["letters"]}`)
	s.want("asking", code, 201)
	if !strings.Contains(answer, `"limit":{"purposes":["letters"]}`) || !strings.Contains(answer, "needed for letters (consent)") {
		t.Errorf("a consent that stands is a ground: %s", answer)
	}
}
