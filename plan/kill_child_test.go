package plan_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ombudhq/ombud/internal/testkit/world"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/request"
)

// childEnv names the file with a job for a process that will be killed: this test binary again.
const childEnv = "OMBUD_TEST_CHILD"

// job is what the child does: open the program on the stores and run what was approved.
type job struct {
	Engine, Dir string
	DSNs        map[string]string
	Plan        *plan.Plan // for the engine alone; nil where Ref names a request
	Ref         string
	At          string // the point at which the child kills itself; none: it runs to its end
	Points      string // file for the names of all points passed
}

func (j job) options(hook func(string)) world.Options {
	return world.Options{Config: killConfig(j.Engine, j.DSNs), Dir: j.Dir, Hook: hook, Stepwise: true, Chunk: 3}
}

func killQuestion() plan.Question {
	return plan.Question{Request: "dsr_1", Kind: plan.Erasure, People: []plan.Person{world.Person("email=ida@example.com")}}
}

// do runs or goes on with the job in the program that is open.
func (j job) do(ctx context.Context, w *world.World) error {
	if j.Ref == "" {
		o, err := w.Engine.Run(ctx, killQuestion(), j.Plan, nil)
		if err == nil && !isComplete(o) {
			err = fmt.Errorf("the run is %s: remaining %+v gaps %+v", o.Status, o.Remaining, o.Gaps)
		}
		return err
	}
	r, err := w.Requests.Get(ctx, j.Ref)
	if err == nil && r.State == request.Awaiting {
		r, err = w.Requests.Run(ctx, request.RunInput{Ref: j.Ref, Approve: r.Hash, Actor: "test"})
	}
	if err == nil && r.State != request.Complete {
		err = fmt.Errorf("the request is %s: %+v", r.State, r.Outcome)
	}
	return err
}

// points counts the places where a crash may strike, and strikes at one of them.
type points struct {
	mu    sync.Mutex
	armed bool
	at    string
	seen  map[string]int
	names []string
}

func (p *points) hook(point string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.armed || strings.HasPrefix(point, "ask:") {
		return
	}
	p.seen[point]++
	name := fmt.Sprintf("%s %d", point, p.seen[point])
	p.names = append(p.names, name)
	if name == p.at {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL) // of ourselves: it cannot fail
		select {}
	}
}

func (p *points) arm() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.armed = true
}

// child is the whole process that will be killed; it answers its exit code.
func child() int {
	if err := obey(context.Background(), os.Getenv(childEnv)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func obey(ctx context.Context, path string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var j job
	if err := json.Unmarshal(b, &j); err != nil {
		return err
	}
	p := &points{at: j.At, seen: map[string]int{}}
	w, err := world.Open(ctx, j.options(p.hook))
	if err != nil {
		return err
	}
	fmt.Println("ready")
	p.arm()
	if err := errors.Join(j.do(ctx, w), w.Close()); err != nil {
		return err
	}
	if j.Points == "" {
		return nil
	}
	return os.WriteFile(j.Points, []byte(strings.Join(p.names, "\n")), 0o600)
}

// spawn runs a job in a child and reports whether it was killed before its end. After is when the
// child is killed from outside, counted from its run's beginning; 0 is never.
func spawn(t *testing.T, j job, after time.Duration) (killed bool) {
	t.Helper()
	b, err := json.Marshal(j)
	if err != nil {
		t.Fatal(err)
	}
	path := j.Dir + ".job"
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+path)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 1)); err == nil && after > 0 {
		defer time.AfterFunc(after, func() { _ = cmd.Process.Kill() }).Stop() // it may be over by then
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return false
	case errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL:
		return true
	}
	t.Fatalf("the child failed: %v\n%s", err, stderr.String())
	return false
}
