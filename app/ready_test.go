package app_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestNotReadyWhileAnActIsNotKept: a withdrawal that cannot be kept outside is answered with 503, decisions say no, /readyz
// says why, and all of it ends by itself when the place is mended.
func TestNotReadyWhileAnActIsNotKept(t *testing.T) {
	dir := t.TempDir()
	shop(t, dir)
	if err := os.WriteFile(filepath.Join(dir, "ombud.yaml"), []byte(shopConfig+letters), 0o600); err != nil {
		t.Fatal(err)
	}
	s := serve(t, dir)
	defer s.stop()
	const no = `{"subject":{"email":"ida@example.com"},"all":true}`
	yes := strings.Replace(saysYes, "%s", "", 1)
	other := strings.NewReplacer("ida@", "eva@")
	for _, text := range []string{other.Replace(yes), yes} {
		code, _, _ := s.v1("POST", "/consents", text)
		s.want("saying yes", code, 201)
	}
	code, _, _ := s.v1("POST", "/consents/withdraw", other.Replace(no))
	s.want("saying no", code, 200)
	s.ready(200, "ok")
	heads := filepath.Join(dir, "ombud-data.heads")
	move := func(from, to string) {
		t.Helper()
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	move(heads, heads+".away")
	if err := os.WriteFile(heads, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		code, _, body := s.v1("POST", "/consents/withdraw", no)
		if s.want("a withdrawal that cannot be kept", code, 503); strings.Contains(body, "ida@") || strings.Contains(body, dir) {
			t.Errorf("it says %s", body)
		}
	}
	code, _, body := s.v1("POST", "/decisions", `{"subject":{"email":"ida@example.com"},"purpose":"letters","category":"contact"}`)
	if s.want("a decision meanwhile", code, 200); !strings.Contains(body, `"allowed":false`) {
		t.Errorf("it says %s", body)
	}
	s.ready(503, "outside")
	if err := os.Remove(heads); err != nil {
		t.Fatal(err)
	}
	move(heads+".away", heads)
	s.ready(200, "ok") // nobody wrote meanwhile
	code, _, _ = s.v1("POST", "/consents/withdraw", no)
	s.want("the withdrawal again", code, 200)
}

// ready waits until /readyz says so.
func (s *server) ready(want int, says string) {
	s.t.Helper()
	for end := time.Now().Add(30 * time.Second); ; {
		code, _, body := s.do("GET", "/readyz", "")
		if code == want && strings.Contains(body, says) {
			return
		}
		if time.Now().After(end) {
			s.t.Fatalf("/readyz says %d %s", code, body)
		}
	}
}
