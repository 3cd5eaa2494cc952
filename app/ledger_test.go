package app_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/ledger"
)

type ledgerPage struct {
	Entries []ledger.Row
	Next    string
}

func pageOf(t *testing.T, body string) (p ledgerPage) {
	t.Helper()
	if err := json.Unmarshal([]byte(body), &p); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return p
}

// TestLedgerOverHTTP: who may read it reads pages, and finds a person by a body; that they did is an entry too.
func TestLedgerOverHTTP(t *testing.T) {
	dir := t.TempDir()
	shop(t, dir)
	_, auditor := newKey(t, dir, "auditor")
	_, service := newKey(t, dir, "service")
	for i := range 3 {
		if code, _, errs := command(t, dir, "", "hold", "add", "--subject", fmt.Sprintf("email=h%d@example.com", i), "--because", "x"); code != 0 {
			t.Fatal(errs)
		}
	}
	s := serve(t, dir)
	defer s.stop()
	code, _, body := s.as(service, "GET", "/ledger/entries", "")
	s.problem("a service", body, "denied", code, 403)
	code, _, body = s.as(service, "POST", "/ledger/search", "{}")
	s.problem("a service that searches", body, "denied", code, 403)

	var ids []int64
	for path := "/ledger/entries?kind=hold.added&limit=2"; path != ""; {
		code, _, body := s.as(auditor, "GET", path, "")
		s.want("a page", code, 200)
		p := pageOf(t, body)
		for _, r := range p.Entries {
			ids = append(ids, r.ID)
		}
		if path = ""; p.Next != "" {
			path = "/ledger/entries?kind=hold.added&limit=2&cursor=" + p.Next
		}
	}
	if fmt.Sprint(ids) != "[5 4 3]" {
		t.Errorf("%v", ids)
	}
	code, _, body = s.as(auditor, "POST", "/ledger/search", `{"subject":{"email":"H1@example.com"}}`)
	s.want("a search", code, 200)
	if p := pageOf(t, body); len(p.Entries) != 1 || p.Entries[0].ID != 4 || p.Next != "" {
		t.Errorf("%s", body)
	}
	code, _, _ = s.as(auditor, "GET", "/ledger/entries?subject=x", "")
	s.want("a person in a URL", code, 422)
	code, _, _ = s.as(auditor, "GET", "/ledger/entries?cursor=zz", "")
	s.want("another's cursor", code, 422)
	code, _, body = s.as(auditor, "POST", "/ledger/search", `{"actor":"nobody","from":"2026-01-01T00:00:00Z"}`)
	s.want("an actor", code, 200)
	if !strings.Contains(body, `"entries":[]`) {
		t.Errorf("%s", body)
	}
	s.readersAreEntries(auditor)
}

// readersAreEntries looks at what was written of those who read.
func (s *server) readersAreEntries(auditor string) {
	s.t.Helper()
	_, searched, _ := s.as(auditor, "POST", "/ledger/search", `{}`)
	code, _, body := s.as(auditor, "GET", "/ledger/entries?kind=ledger.read", "")
	s.want("the readers", code, 200)
	p := pageOf(s.t, body)
	if via := p.Entries[0].Via; via == nil || via.Role != "auditor" || via.Request != searched.Get("X-Request-Id") || len(via.Address) != 32 ||
		strings.Contains(body, "127.0.0.1") {
		s.t.Errorf("where it came from: %+v", via)
	}
	if e := p.Entries[0]; e.Operation != "ledger.read" || e.Resource != "ledger" {
		s.t.Errorf("what was done to what: %+v", e)
	}
	_, _, body = s.as(auditor, "POST", "/ledger/search", `{"operation":"ledger.read","resource":"ledger","kind":"ledger.read","limit":1}`)
	if got := pageOf(s.t, body); len(got.Entries) != 1 || got.Entries[0].Operation != "ledger.read" {
		s.t.Errorf("by operation: %s", body)
	}
	_, _, body = s.as(auditor, "POST", "/ledger/search", `{"operation":"request.approve"}`)
	if got := pageOf(s.t, body); len(got.Entries) != 0 {
		s.t.Errorf("by another operation: %s", body)
	}
	p.Entries = p.Entries[1:]
	if len(p.Entries) != 4 || !strings.HasPrefix(p.Entries[0].Actor, "auditor:key_") || strings.Contains(body, "nobody") ||
		string(p.Entries[0].Content) != `{"asked":["actor","from"],"how":"api"}` {
		s.t.Errorf("%s", body)
	}
}
