package app_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/ledger"
)

// keyed asks with an Idempotency-Key; an error is that the server is gone.
func (k *killed) keyed(path, body, key string) (code int, replayed bool, text string, err error) {
	k.t.Helper()
	r, err := http.NewRequestWithContext(k.t.Context(), http.MethodPost, k.base+"/v1"+path, strings.NewReader(body))
	if err != nil {
		k.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+k.token)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", key)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, false, "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return res.StatusCode, res.Header.Get("Idempotent-Replayed") == "true", string(b), err
}

// TestAskedAgainAfterAKill kills the server between an act and its answer, or behind the memory of it, and asks again with
// the same key: the act is done once, and answered from then on with the same words.
func TestAskedAgainAfterAKill(t *testing.T) {
	dir := t.TempDir()
	shop(t, dir)
	if err := os.WriteFile(filepath.Join(dir, "ombud.yaml"), []byte(shopConfig+letters), 0o600); err != nil {
		t.Fatal(err)
	}
	acts := []struct{ path, rest, kind string }{
		{"/consents", `"purpose":"letters","method":"api","notice":{"id":"letters","version":"3"}}`, "consent.given"},
		{"/consents", `"purpose":"letters","method":"api","status":"pending","notice":{"id":"letters","version":"3"}}`, "consent.pending"},
		{"/consents/withdraw", `"all":true}`, "consent.withdrawn"},
		{"/restrictions", `"kind":"restriction","type":"accuracy_dispute"}`, "restriction.added"},
		{"/requests", `"kind":"access"}`, "request.planned"},
	}
	tries, replays := map[string]int{}, map[string]int{}
	for i, a := range acts {
		for n := 0; n < 2 || n < 12 && replays[a.kind] == 0; n++ { // the server has commits of its own, which may come first
			tries[a.kind]++
			t.Setenv(killAt, fmt.Sprint("commit ", n%3+1))
			k := startKilled(t, dir)
			k.arm(dir)
			key, body := fmt.Sprint(i, n), fmt.Sprintf(`{"subject":{"email":"p%d-%d@example.com"},`, i, n)+a.rest
			if _, _, _, err := k.keyed(a.path, body, key); err == nil {
				k.kill()
			} else {
				_ = k.cmd.Wait() // it killed itself
			}
			replays[a.kind] += askedAgain(t, dir, a.path, body, key)
		}
	}
	app := open(t, config(dir))
	t.Cleanup(func() { _ = app.Close() })
	done := map[string]int{}
	err := app.Ledger.Search(t.Context(), "local:ida", "test", ledger.Question{}, func(row ledger.Row) error {
		done[row.Kind]++
		return nil
	})
	for _, a := range acts {
		if err != nil || done[a.kind] != tries[a.kind] || replays[a.kind] == 0 {
			t.Errorf("%s: asked for %d times, done %d times, %d times before it was asked for again: %v", a.kind, tries[a.kind], done[a.kind], replays[a.kind], err)
		}
	}
}

// askedAgain asks twice, and tells whether the first of the two found the act done.
func askedAgain(t *testing.T, dir, path, body, key string) int {
	t.Helper()
	k := startKilled(t, dir)
	defer k.kill()
	code, before, text, err := k.keyed(path, body, key)
	if err != nil || code >= 300 {
		t.Fatalf("%s again: %d %s %v", path, code, text, err)
	}
	code, replayed, same, err := k.keyed(path, body, key)
	if err != nil || code >= 300 || !replayed || same != text {
		t.Errorf("%s a third time: %d, replayed %v, %v: %s\n%s", path, code, replayed, err, text, same)
	}
	if before {
		return 1
	}
	return 0
}
