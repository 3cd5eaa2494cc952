package app_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDecisionsInTheLog: the newest are in memory, for whom may read them; ombud.yaml says which go into the ledger.
func TestDecisionsInTheLog(t *testing.T) {
	s, dir := consenting(t)
	defer s.stop()
	s.decide("")
	code, _, body := s.v1("GET", "/decisions/log?limit=1", "")
	s.want("the newest", code, 200)
	for _, want := range []string{`"purpose":"letters"`, `"reason":"unknown-person"`, `"by":"local:ida"`} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in %s", want, body)
		}
	}
	_, service := newKey(t, dir, "service")
	code, _, _ = s.as(service, "GET", "/decisions/log", "")
	s.want("a service that reads what others asked", code, 403)
	if err := os.WriteFile(filepath.Join(dir, "ombud.yaml"), []byte(shopConfig+letters+"decisions: {log: full}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, _ = s.v1("GET", "/purposes", "")
	s.want("the new configuration", code, 200)
	s.decide("")
	code, _, _ = s.v1("POST", "/decisions/batch", `{"decisions":[`+strings.Replace(asks, "%s", "", 1)+`,`+strings.Replace(asks, "%s", "", 1)+`]}`)
	s.want("a batch", code, 200)
	_, out, _ := command(t, dir, "", "audit", "tail", "--kind", "decision.made", "--json")
	if n := strings.Count(out, `"kind": "decision.made"`); n != 3 || strings.Contains(out, "ida@") {
		t.Errorf("%d entries: %s", n, out)
	}
}
