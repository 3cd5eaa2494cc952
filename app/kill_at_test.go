package app_test

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/ombudhq/ombud/app"
	"github.com/ombudhq/ombud/ledger"
)

// killAt tells the server to be killed where it ends itself: a point, and how often it gets there before.
const killAt = "OMBUD_APP_KILL_AT"

// armedFile is there while points count.
const armedFile = "armed"

func (k *killed) arm(dir string) {
	k.t.Helper()
	if err := os.WriteFile(filepath.Join(dir, armedFile), nil, 0o600); err != nil {
		k.t.Fatal(err)
	}
}

func disarm(t *testing.T, dir string) {
	t.Helper()
	if err := os.RemoveAll(filepath.Join(dir, armedFile)); err != nil {
		t.Fatal(err)
	}
}

// deathAt is a hook that kills its own process where the environment says, counting from when it is armed; nil where it says
// nothing.
func deathAt(dir string) func(string) {
	var at string
	var n int
	if _, err := fmt.Sscan(os.Getenv(killAt), &at, &n); err != nil {
		return nil
	}
	var left atomic.Int64
	left.Store(int64(n))
	return func(point string) {
		if point != at {
			return
		}
		if _, err := os.Stat(filepath.Join(dir, armedFile)); err == nil && left.Add(-1) == 0 {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL) // of ourselves: it cannot fail
			select {}
		}
	}
}

// client keeps what it was answered, whichever server answered it.
type client struct {
	*killed
	t       *testing.T
	cookie  string
	said    map[string][]int64 // revisions, by person
	last    map[string]string  // the last answered word of a person; "" while one is unanswered
	ids     map[string]string
	looked  map[string]int // pages of a person that were shown
	answers int
}

// try asks; an error is that the server is gone.
func (c *client) try(method, path, body string, to any) error {
	r, err := http.NewRequestWithContext(c.t.Context(), method, c.base+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Cookie", c.cookie)
	if strings.HasPrefix(path, "/v1/") {
		r.Header.Set("Authorization", "Bearer "+c.token)
		r.Header.Set("Content-Type", "application/json")
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode >= 300 {
		c.t.Fatalf("%s %s: %d %s", method, path, res.StatusCode, b)
	}
	c.answers++
	if s, ok := to.(*string); ok {
		*s = string(b)
		return nil
	}
	return json.Unmarshal(b, to)
}

// words says yes, then no, for a person, and looks at their page, until the server is gone.
func (c *client) words(person string) error {
	who := `{"subject":{"email":"` + person + `"},`
	var d, out struct {
		Subject  string
		Revision int64
	}
	if err := c.try("POST", "/v1/decisions", who+`"purpose":"letters","category":"contact"}`, &d); err != nil {
		return err
	}
	for _, w := range []struct{ word, path, body string }{
		{"yes", "/v1/consents", fmt.Sprintf(`"purpose":"letters","method":"api","notice":{"id":"letters","version":"3","seen_revision":%d}}`, d.Revision)},
		{"no", "/v1/consents/withdraw", `"all":true}`},
	} {
		c.last[person] = ""
		if err := c.try("POST", w.path, who+w.body, &out); err != nil {
			return err
		}
		c.last[person], c.ids[person] = w.word, out.Subject
		c.said[person] = append(c.said[person], out.Revision)
	}
	var page string
	if err := c.try("GET", "/people/"+c.ids[person], "", &page); err != nil {
		return err
	}
	if !strings.Contains(page, "Who they are") {
		c.t.Fatal("the page shows nothing of the person")
	}
	c.looked[person]++
	return nil
}

// check asks a server that was just started whether what was answered is there.
func (c *client) check() {
	c.t.Helper()
	for person, word := range c.last {
		var d struct {
			Allowed bool
			Reason  string
		}
		if err := c.try("POST", "/v1/decisions", `{"subject":{"email":"`+person+`"},"purpose":"letters","category":"contact"}`, &d); err != nil {
			c.t.Fatal(err)
		}
		if word == "no" && d.Allowed || word == "yes" && !d.Allowed {
			c.t.Errorf("%s said %s and was answered: %+v", person, word, d)
		}
	}
}

// TestKilledBetween kills the server exactly between its own commit and the suppression ledger, between both of these and memory,
// between that and the answer, and between the entry of a look and the page. What was answered is there after each start; every page that was
// shown has its entry; and outside stands every act that the store holds. (50 kills; 1,000 with OMBUD_SOAK.)
func TestKilledBetween(t *testing.T) {
	dir := t.TempDir()
	shop(t, dir)
	if err := os.WriteFile(filepath.Join(dir, "ombud.yaml"), []byte(shopConfig+letters), 0o600); err != nil {
		t.Fatal(err)
	}
	kills := 50
	if os.Getenv("OMBUD_SOAK") != "" {
		kills = 1000
	}
	r := rand.New(rand.NewPCG(11, 4))
	c := &client{t: t, said: map[string][]int64{}, last: map[string]string{}, ids: map[string]string{}, looked: map[string]int{}}
	for k := range kills {
		t.Setenv(killAt, fmt.Sprint([]string{"seen", "commit", "kept"}[k%3], " ", 1+r.IntN(9)))
		c.killed = startKilled(t, dir)
		_, h, _ := c.do("GET", "/?token="+c.token, "")
		c.cookie, _, _ = strings.Cut(h.Get("Set-Cookie"), ";")
		c.check()
		c.arm(dir)
		for c.words(fmt.Sprintf("p%d@example.com", r.IntN(20))) == nil {
		}
		_ = c.cmd.Wait() // it killed itself
		if !strings.Contains(c.cmd.ProcessState.String(), "killed") {
			t.Fatalf("the server ended by itself: %s", c.cmd.ProcessState)
		}
	}
	c.compare(open(t, config(dir)))
	t.Logf("%d kills, %d answers", kills, c.answers)
}

// compare looks into the store itself.
func (c *client) compare(a *app.App) {
	c.t.Helper()
	c.t.Cleanup(func() { _ = a.Close() })
	revisions, looks, withdrawn := map[int64]bool{}, map[string]int{}, int64(0)
	err := a.Ledger.Search(c.t.Context(), "local:ida", "test", ledger.Question{}, func(row ledger.Row) error {
		revisions[row.Revision] = true
		switch row.Kind {
		case ledger.KindLooked:
			looks[row.Subject]++
		case "consent.withdrawn":
			withdrawn++
		}
		return nil
	})
	if err != nil {
		c.t.Fatal(err)
	}
	shown := 0
	for person, n := range c.looked {
		shown += n
		if looks[c.ids[person]] < n {
			c.t.Errorf("%d pages of %s were shown, %d entries tell of it", n, person, looks[c.ids[person]])
		}
		for _, revision := range c.said[person] {
			if !revisions[revision] {
				c.t.Errorf("revision %d was answered and is lost", revision)
			}
		}
	}
	if shown == 0 || withdrawn == 0 || a.Ledger.Acts() != withdrawn {
		c.t.Errorf("%d pages were shown; %d withdrawals in the store, %d acts outside", shown, withdrawn, a.Ledger.Acts())
	}
}
