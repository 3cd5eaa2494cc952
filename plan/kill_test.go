package plan_test

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ombudhq/ombud/internal/testkit/world"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/request"
)

// stage is one company that begins again and again: every crash meets the same rows, keys and approval.
type stage struct {
	job
	t      *testing.T
	root   string // of all files: data directory, heads, SQLite stores
	fresh  files
	stores []*world.Store
	before cells // as loaded
	want   cells // as an erasure that nothing interrupts leaves it
	points []string
	took   time.Duration
}

// newStage loads the company, plans the erasure, and lets a child run it to its end, to learn the
// points and the end. Byrequest goes through the request service instead of the engine alone.
func newStage(t *testing.T, engine string, byRequest bool) *stage {
	t.Helper()
	root := filepath.Join(quickDir(t), "stage")
	s := &stage{t: t, root: root, job: job{Engine: engine, Dir: filepath.Join(root, "data"), DSNs: map[string]string{}}}
	for _, system := range []string{"shop", "desk"} {
		s.addStore(system)
	}
	s.before = s.dump()
	s.approve(byRequest)
	s.closeFiles()
	s.fresh = keep(t, root)
	s.learn()
	return s
}

// quickDir is in memory where the system has that: what a killed process wrote is there all the
// same, and thousands of commits need not wait for a disk.
func quickDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "ombud-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func (s *stage) addStore(system string) {
	s.t.Helper()
	var st *world.Store
	if s.Engine == "sqlite" {
		st = &world.Store{System: system, Engine: s.Engine, DSN: filepath.Join(s.root, system+".db")}
		if err := os.MkdirAll(s.root, 0o700); err != nil {
			s.t.Fatal(err)
		}
		if err := st.Open(); err != nil {
			s.t.Fatal(err)
		}
		s.t.Cleanup(func() { st.DB.Close() })
	} else {
		st = world.NewStore(s.t, s.Engine, system)
	}
	st.Exec(s.t, killSchema(s.Engine, system)...)
	if s.Engine == "sqlite" {
		st.Exec(s.t, killRows(system)...)
	} else {
		reload(s.t, st)
	}
	s.stores, s.DSNs[system] = append(s.stores, st), st.DSN
}

// approve makes the plan that every run is of.
func (s *stage) approve(byRequest bool) {
	s.t.Helper()
	w := s.open()
	defer w.Close()
	ctx := s.t.Context()
	if !byRequest {
		p, err := w.Engine.Plan(ctx, killQuestion())
		if err != nil {
			s.t.Fatal(err)
		}
		s.Plan = p
		return
	}
	r, err := w.Requests.Plan(ctx, request.PlanInput{Kind: plan.Erasure, People: killQuestion().People, Actor: "test"})
	if err != nil {
		s.t.Fatal(err)
	}
	s.Ref = r.Ref
}

func (s *stage) open() *world.World {
	s.t.Helper()
	w, err := world.Open(s.t.Context(), s.options(nil))
	if err != nil {
		s.t.Fatal(err)
	}
	w.Canary("ida@example.com", "Ida Nordmann")
	return w
}

// learn is the run that nothing interrupts.
func (s *stage) learn() {
	s.t.Helper()
	j := s.job
	j.Points = s.root + ".points"
	s.again()
	began := time.Now()
	if spawn(s.t, j, 0) {
		s.t.Fatal("killed by somebody else")
	}
	s.took = time.Since(began)
	b, err := os.ReadFile(j.Points)
	if err != nil {
		s.t.Fatal(err)
	}
	s.points = strings.Split(string(b), "\n")
	s.want = s.dump()
	if len(differs(s.before, s.before, s.want)) == 0 {
		s.t.Fatal("the erasure changed nothing")
	}
}

// again puts everything back to where the plan was approved.
func (s *stage) again() {
	s.t.Helper()
	s.closeFiles()
	s.fresh.restore(s.t, s.root)
	for _, st := range s.stores {
		if s.Engine != "sqlite" {
			reload(s.t, st)
		}
	}
}

// closeFiles lets go of SQLite's files, so that they can be replaced.
func (s *stage) closeFiles() {
	for _, st := range s.stores {
		if s.Engine == "sqlite" {
			st.DB.Close()
		}
	}
}

func (s *stage) dump() cells {
	s.t.Helper()
	out := cells{}
	for _, st := range s.stores {
		if s.Engine == "sqlite" {
			if err := st.Open(); err != nil {
				s.t.Fatal(err)
			}
		}
		out.dump(s.t, st)
	}
	return out
}

// resume goes on after a crash and holds the end against the one that nothing interrupted.
func (s *stage) resume(why string) {
	s.t.Helper()
	w := s.open()
	defer w.Close()
	if err := s.do(context.Background(), w); err != nil {
		s.t.Errorf("%s: %v", why, err)
	}
	s.sameEnd(why)
	if _, err := w.Catalog.Refresh(s.t.Context()); err != nil { // a request that was over before the crash reads no store
		s.t.Error(err)
	}
	w.Verify(s.t, s.stores...)
	if s.Ref != "" {
		s.closedOnce(w, why)
	}
}

func (s *stage) sameEnd(why string) {
	s.t.Helper()
	for i, d := range differs(s.before, s.want, s.dump()) {
		if i == 8 {
			s.t.Fatalf("%s: and more", why)
		}
		s.t.Errorf("%s: %s", why, d)
	}
}

// strike kills a child at every so many points from the first one given, and resumes.
func (s *stage) strike(first, every int) {
	s.t.Helper()
	tried, struck := 0, 0
	for i := first; i < len(s.points); i += every {
		s.again()
		j := s.job
		j.At = s.points[i]
		tried++
		if spawn(s.t, j, 0) {
			struck++
		}
		s.resume("killed at " + j.At)
	}
	s.t.Logf("killed at %d of %d points, %d in all", struck, tried, len(s.points))
	if struck < tried*9/10 { // stores run side by side: two own commits may become one
		s.t.Errorf("only %d of %d points were reached", struck, tried)
	}
}

// inHalves kills at every point on SQLite, at each fifth on servers, on two stages side by side: what
// takes time is waiting for disks.
func inHalves(t *testing.T, engine string, least int, byRequest bool) {
	apart := 1
	if engine != "sqlite" && !soaking() {
		apart = 5
	}
	for half := range 2 {
		t.Run([]string{"odd", "even"}[half], func(t *testing.T) {
			t.Parallel()
			s := newStage(t, engine, byRequest)
			if len(s.points) < least {
				t.Errorf("%d points, want at least %d", len(s.points), least)
			}
			s.strike(half*apart, 2*apart)
		})
	}
}

func TestKilledAtEveryPoint(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine string) { inHalves(t, engine, 200, false) })
}

func TestKilledAtRandom(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine string) {
		s := newStage(t, engine, false)
		killed := 0
		for range counts(10, 1000) {
			after := 1 + rand.N(s.took)
			s.again()
			if spawn(t, s.job, after) {
				killed++
			}
			s.resume("killed after " + after.String())
		}
		t.Logf("%d killed before their end", killed)
	})
}
