package plan_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/internal/testkit/world"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/request"
)

// TestRequestKilledAtEveryCommit runs the whole request, from its approval to its receipt, and kills
// at own commits. The program starts again, and the request is closed as if nothing had happened.
func TestRequestKilledAtEveryCommit(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine string) {
		s := newStage(t, engine, true)
		s.points = ownCommits(s.points, soaking())
		s.strike(0, 1)
	})
}

// ownCommits are the commits of the own store; by default the first and last ones, where a request
// changes its state, and every fifth between, which the engine's own test has all of.
func ownCommits(points []string, all bool) (out []string) {
	var own []string
	for _, p := range points {
		if strings.HasPrefix(p, "commit ") {
			own = append(own, p)
		}
	}
	for i, p := range own {
		if all || i < 5 || i >= len(own)-8 || i%5 == 0 {
			out = append(out, p)
		}
	}
	return out
}

// closedOnce: the request is closed as if nothing had happened, its person suppressed once.
func (s *stage) closedOnce(w *world.World, why string) {
	s.t.Helper()
	ctx := s.t.Context()
	r, err := w.Requests.Get(ctx, s.Ref)
	if err != nil {
		s.t.Fatal(err)
	}
	if r.State != request.Complete || r.Receipt == nil {
		s.t.Errorf("%s: %s, receipt %+v", why, r.State, r.Receipt)
	}
	if _, err := os.Stat(filepath.Join(s.Dir, "receipts", r.Ref+".receipt.json")); err != nil {
		s.t.Errorf("%s: no receipt: %v", why, err)
	}
	if of, err := w.Requests.Suppressions().Of(ctx, r.ID); err != nil || len(of) != 1 {
		s.t.Errorf("%s: %d suppressions: %v", why, len(of), err)
	}
	for _, kind := range []string{"request.approved", "request.completed"} {
		if told, err := w.Ledger.Tail(ctx, 100, ledger.TailOptions{Kind: kind}); err != nil || len(told) != 1 {
			s.t.Errorf("%s: the ledger tells %d times of %s: %v", why, len(told), kind, err)
		}
	}
}
