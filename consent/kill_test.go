package consent_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/subject"
)

// killDir tells the test binary that it is the process to be killed.
const killDir = "OMBUD_CONSENT_KILL_DIR"

// told is what the killed process had answered by the time it died.
type told struct {
	person   string
	act      string
	revision int64
}

// TestNothingAnsweredIsLost kills a process right behind its answers, again and again over one directory. After each
// kill: a withdrawal that was answered is a no, a yes that was answered stands, in each history the acts stand in
// their order, and the ledger is whole.
func TestNothingAnsweredIsLost(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "killed")
	r := rand.New(rand.NewPCG(1, 2))
	for n := range counts(50, 1000) {
		answers := killOne(t, dir, n, 1+r.IntN(120))
		w := reopen(t, dir)
		for _, a := range answers {
			w.holds(a)
		}
		if n%10 == 0 {
			if report, err := w.ledger.Verify(t.Context(), ledger.VerifyOptions{}); err != nil {
				t.Fatalf("%+v, %v", report, err)
			}
			if err := w.SaveSnapshot(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.db.Close(); err != nil || t.Failed() {
			t.Fatalf("kill %d: %v", n, err)
		}
	}
}

func reopen(t *testing.T, dir string) *world {
	t.Helper()
	w := &world{t: t, dir: dir, where: []string{"eu"}, clock: clock.NewFake(time.Date(2026, 11, 21, 9, 0, 30, 0, time.UTC))}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	w.open()
	w.declare(letters())
	return w
}

// killOne starts a process, reads so many answers, kills it, and gives all answers that had left it.
func killOne(t *testing.T, dir string, n, after int) []told {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run", "^TestKilled$")
	cmd.Env = append(os.Environ(), killDir+"="+dir, fmt.Sprintf("OMBUD_CONSENT_KILL_N=%d", n))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var answers []told
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		var a told
		if _, err := fmt.Sscanf(lines.Text(), "told %s %s %d", &a.person, &a.act, &a.revision); err != nil {
			t.Errorf("the process said %q", lines.Text())
		}
		if answers = append(answers, a); len(answers) == after {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err == nil {
		t.Fatal("the process ended by itself")
	}
	return answers
}

// holds checks one answer against what a new process knows.
func (w *world) holds(a told) {
	w.t.Helper()
	h := w.Find(subject.Identity{Kind: "email", Value: a.person})
	v := w.Decide(h, "letters", "contact", false)
	if a.act == "no" && v.Allowed {
		w.t.Errorf("%s withdrew at %d, was answered, and is asked: %+v", a.person, a.revision, v)
	}
	events, err := w.History(w.t.Context(), h)
	if err != nil {
		w.t.Error(err)
		return
	}
	found := false
	for i, e := range events {
		found = found || e.Revision == a.revision
		if i > 0 && e.Revision <= events[i-1].Revision {
			w.t.Errorf("the acts of %s are out of order", a.person)
		}
	}
	if !found {
		w.t.Errorf("%s: %s at %d was answered and is lost", a.person, a.act, a.revision)
	}
}

// TestKilled is the process to be killed: clients say yes, then no, for one new person after another, and tell each
// answer after it came. It does not end by itself.
func TestKilled(t *testing.T) {
	dir := os.Getenv(killDir)
	if dir == "" {
		t.Skip("run by TestNothingAnsweredIsLost")
	}
	w := reopen(t, dir)
	var mu sync.Mutex
	tell := func(person, act string, revision int64) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(os.Stdout, "told %s %s %d\n", person, act, revision)
	}
	var clients sync.WaitGroup
	for id := range 8 {
		clients.Go(func() {
			for i := 0; ; i++ {
				person := fmt.Sprintf("p%s-%d-%d@example.com", os.Getenv("OMBUD_CONSENT_KILL_N"), id, i)
				who := []subject.Identity{{Kind: "email", Value: person}}
				in := yes()
				in.Subject = who
				c, err := w.Record(t.Context(), in)
				if err != nil {
					return
				}
				tell(person, "yes", c.Revision)
				no, err := w.Withdraw(t.Context(), consent.WithdrawInput{Subject: who, All: true})
				if err != nil {
					return
				}
				tell(person, "no", no.Revision)
			}
		})
	}
	clients.Wait()
}
