package app_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/ombudhq/ombud/internal/testkit/redistest"
	"github.com/ombudhq/ombud/internal/testkit/wait"
)

// TestMirror: a yes stands in Redis under a name that says nothing, and a no takes it away; a dead Redis delays no answer.
func TestMirror(t *testing.T) {
	store := redistest.New(t).Start()
	t.Setenv("MIRROR", store.Address())
	dir := t.TempDir()
	shop(t, dir)
	if err := os.WriteFile(filepath.Join(dir, "ombud.yaml"), []byte(shopConfig+letters+"mirror: {redis: \"${MIRROR}\"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := serve(t, dir)
	defer s.stop()
	c := redis.NewClient(&redis.Options{Network: "unix", Addr: strings.TrimPrefix(store.Address(), "unix://"), DisableIdentity: true})
	defer c.Close()
	code, _, _ := s.v1("POST", "/consents", strings.Replace(saysYes, "%s", "", 1))
	s.want("saying yes", code, 201)
	_, _, body := s.v1("POST", "/subjects/find", `{"subject":{"email":"ida@example.com"}}`)
	var found struct{ Subject, Mirror string }
	if err := json.Unmarshal([]byte(body), &found); err != nil || found.Mirror == "" {
		t.Fatalf("%v: %s", err, body)
	}
	key := "ombud:consent:" + found.Mirror
	until := func(what string, ok func(string) bool) {
		t.Helper()
		wait.Until(t, what, func() bool { return ok(c.Get(t.Context(), key).Val()) })
	}
	until("a yes", func(v string) bool { return strings.Contains(v, `"letters"`) && strings.Contains(v, `"orders":""`) })
	code, _, _ = s.v1("POST", "/consents/withdraw", `{"subject":{"email":"ida@example.com"},"all":true}`)
	s.want("saying no", code, 200)
	until("a no", func(v string) bool { return !strings.Contains(v, `"letters"`) })
	store.Kill()
	if d := s.decide(""); d.Allowed || d.Reason != "withdrawn" {
		t.Errorf("%+v", d)
	}
}
