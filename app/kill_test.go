package app_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/ombudhq/ombud/app"
	"github.com/ombudhq/ombud/cli"
	"github.com/ombudhq/ombud/internal/testkit/wait"
)

// servedDir tells the test binary that it is the server to be killed.
const servedDir = "OMBUD_APP_KILL_DIR"

// inbox is a service that is told of changes: what it heard first, per person, in the order it heard it.
type inbox struct {
	t     *testing.T
	mu    sync.Mutex
	seen  map[string]bool
	heard map[string][]int64 // revisions by person
}

func (in *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var e struct {
		ID   string
		Data struct {
			Subject  string
			Revision int64
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&e); err != nil {
		in.t.Error(err)
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	if !in.seen[e.ID] {
		in.seen[e.ID] = true
		in.heard[e.Data.Subject] = append(in.heard[e.Data.Subject], e.Data.Revision)
	}
}

func (in *inbox) has(person string, revision int64) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, r := range in.heard[person] {
		if r == revision {
			return true
		}
	}
	return false
}

// TestNoEventIsLost kills the server under its clients, again and again: what was answered is heard by the service, at
// least once, and of each person in its order.
func TestNoEventIsLost(t *testing.T) {
	in := &inbox{t: t, seen: map[string]bool{}, heard: map[string][]int64{}}
	hooks := httptest.NewServer(in)
	defer hooks.Close()
	dir := t.TempDir()
	shop(t, dir)
	config := shopConfig + letters + "targets: [{id: crm, url: \"" + hooks.URL + "\", secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw, allow: private}]\n"
	if err := os.WriteFile(filepath.Join(dir, "ombud.yaml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	kills := 50
	if os.Getenv("OMBUD_SOAK") != "" {
		kills = 1000
	}
	r := rand.New(rand.NewPCG(3, 4))
	answered := map[string][]int64{}
	for n := range kills {
		s := startKilled(t, dir)
		for range 1 + r.IntN(12) {
			s.yesAndNo(fmt.Sprintf("p%d@example.com", r.IntN(30)), answered)
		}
		if n < kills-1 {
			s.kill()
			continue
		}
		for person, revisions := range answered {
			for _, revision := range revisions {
				wait.Until(t, fmt.Sprintf("%s: revision %d was answered and is heard", person, revision), func() bool { return in.has(person, revision) })
			}
		}
		s.kill()
	}
	for person, revisions := range in.heard {
		for i := range revisions[1:] {
			if revisions[i+1] < revisions[i] {
				t.Errorf("%s: heard out of order: %v", person, revisions)
			}
		}
	}
}

// killed is a server in a process of its own.
type killed struct {
	*server
	cmd *exec.Cmd
}

func startKilled(t *testing.T, dir string) *killed {
	t.Helper()
	disarm(t, dir)
	cmd := exec.Command(os.Args[0], "-test.run", "^TestServedToBeKilled$")
	cmd.Env = append(os.Environ(), servedDir+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if base, token, found := strings.Cut(lines.Text(), "/?token="); found {
			return &killed{&server{t: t, base: base, token: token}, cmd}
		}
	}
	t.Fatalf("the server did not start: %v", cmd.Wait())
	return nil
}

func (k *killed) kill() {
	k.t.Helper()
	if err := k.cmd.Process.Kill(); err != nil {
		k.t.Fatal(err)
	}
	_ = k.cmd.Wait() // it was killed
}

// yesAndNo says yes with the revision of now, then no, and keeps what was answered.
func (k *killed) yesAndNo(person string, answered map[string][]int64) {
	k.t.Helper()
	who := `{"subject":{"email":"` + person + `"},`
	var d, yes, no struct {
		Subject  string
		Revision int64
	}
	ask := func(path, body string, to any) {
		k.t.Helper()
		code, _, text := k.v1("POST", path, body)
		if code >= 300 || json.Unmarshal([]byte(text), to) != nil {
			k.t.Fatalf("%s: %d %s", path, code, text)
		}
	}
	ask("/decisions", who+`"purpose":"letters","category":"contact"}`, &d)
	ask("/consents", who+fmt.Sprintf(`"purpose":"letters","method":"api","notice":{"id":"letters","version":"3","seen_revision":%d}}`, d.Revision), &yes)
	answered[yes.Subject] = append(answered[yes.Subject], yes.Revision)
	ask("/consents/withdraw", who+`"all":true}`, &no)
	answered[no.Subject] = append(answered[no.Subject], no.Revision)
}

// TestServedToBeKilled is the server to be killed. It does not end by itself.
func TestServedToBeKilled(t *testing.T) {
	dir := os.Getenv(servedDir)
	if dir == "" {
		t.Skip("run by TestNoEventIsLost and TestKilledBetween")
	}
	p := app.Program(app.Options{Version: "test", Hook: deathAt(dir)})
	place := cli.Place{Data: filepath.Join(dir, "ombud-data"), Config: filepath.Join(dir, "ombud.yaml"), Command: "ombud serve"}
	err := p.Serve(t.Context(), place, cli.ServeOptions{Listen: "127.0.0.1:0", Actor: "local:ida", Log: os.Stderr, Ready: func(u string) { fmt.Println(u) }})
	t.Fatal(err)
}
