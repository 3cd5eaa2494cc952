package app_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestHeadsComeWithAnswers: who acts gets the newest signed head, and it finds what was changed although everything we keep was
// rolled back. Who only asks gets none, and neither does who is refused.
func TestHeadsComeWithAnswers(t *testing.T) {
	dir := t.TempDir()
	shop(t, dir)
	if err := os.WriteFile(config(dir).ConfigPath, []byte(shopConfig+letters), 0o600); err != nil {
		t.Fatal(err)
	}
	_, key := newKey(t, dir, "service")
	old := filepath.Join(t.TempDir(), "old")
	if err := exec.Command("cp", "-a", dir, old).Run(); err != nil {
		t.Fatal(err)
	}
	s := serve(t, dir)
	yes := func(who int, more ...string) (string, int) {
		t.Helper()
		body := fmt.Sprintf(`{"subject":{"email":"n%d@example.com"},"purpose":"letters","categories":["contact"],"method":"web_form","notice":{"id":"letters","version":"3","language":"en"}}`, who)
		code, h, _ := s.as(key, "POST", "/consents", body, more...)
		return h.Get("Ombud-Checkpoint"), code
	}
	for i := range 5 {
		if _, code := yes(i); code != http.StatusCreated {
			t.Fatal(code)
		}
	}
	code, _, _ := s.v1("GET", "/ledger/checkpoint", "")
	s.want("a checkpoint", code, 200)
	head, _ := yes(5, "Idempotency-Key", "one")
	kept := filepath.Join(dir, "kept")
	b, err := base64.StdEncoding.DecodeString(head)
	if err != nil || len(b) == 0 {
		t.Fatalf("%q: %v", head, err)
	}
	if err := os.WriteFile(kept, b, 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, _ = s.v1("GET", "/ledger/checkpoint", "")
	s.want("a newer checkpoint", code, 200)
	if again, _ := yes(5, "Idempotency-Key", "one"); again == head || again == "" {
		t.Errorf("with the answer of before comes %q", again)
	}
	for path, body := range map[string]string{"/decisions": fmt.Sprintf(asks, ""), "/consents/history": `{"subject":{"email":"n1@example.com"}}`,
		"/consents": `{"subject":{"email":"n1@example.com"},"purpose":"nothing"}`} {
		if _, h, _ := s.as(key, "POST", path, body); h.Get("Ombud-Checkpoint") != "" {
			t.Errorf("%s brings a head", path)
		}
	}
	if _, h, _ := s.v1("GET", "/purposes", ""); h.Get("Ombud-Checkpoint") != "" {
		t.Error("a look brings a head")
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if code, out, errs := command(t, dir, "", "audit", "verify", "--checkpoint", kept); code != 0 {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	if code, out, _ := command(t, old, "", "audit", "verify", "--checkpoint", kept); code != 5 {
		t.Errorf("store and heads rolled back: exit %d: %s", code, out)
	}
}
