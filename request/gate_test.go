package request

import (
	"context"
	"testing"

	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/testkit/wait"
	"github.com/ombudhq/ombud/plan"
)

// enters reports whether a run may begin at once, without waiting for a clock: wait registers before it blocks.
func enters(g *gate, kind plan.Kind, tokens ...string) (func(), bool) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for range 64 { // select takes either ready branch
		if leave, err := g.wait(ctx, kind, tokens); err == nil {
			return leave, true
		}
	}
	return nil, false
}

func TestGate(t *testing.T) {
	var g gate
	leaveIda, ok := enters(&g, plan.Erasure, "ida", "ida2")
	if !ok {
		t.Fatal("an empty gate let nobody in")
	}
	if _, ok := enters(&g, plan.Erasure, "ida2"); ok {
		t.Error("two erasures of one person at once")
	}
	if _, ok := enters(&g, plan.Access, "bo"); ok {
		t.Error("an access beside an erasure: its package could be half erased")
	}
	leaveBo, ok := enters(&g, plan.Erasure, "bo")
	if !ok {
		t.Error("erasures of two people do not run beside each other")
	}
	leaveIda()
	leaveBo()
	leaveIda, ok = enters(&g, plan.Access, "ida")
	if !ok {
		t.Error("an access is kept out by nobody")
	}
	leaveIda()
	if len(g.inside)+len(g.waiting) != 0 {
		t.Errorf("the gate is not empty: %d inside, %d waiting", len(g.inside), len(g.waiting))
	}
}

// TestGateIsFair: who came first goes first, also past a clash.
func TestGateIsFair(t *testing.T) {
	var g gate
	leave, err := g.wait(t.Context(), plan.Access, []string{"a"})
	if err != nil {
		t.Fatal(err)
	}
	entered := make(chan func())
	go func() {
		l, err := g.wait(t.Context(), plan.Erasure, []string{"b"})
		if err != nil {
			t.Error(err)
		}
		entered <- l
	}()
	wait.Until(t, "the erasure waits", func() bool {
		g.mu.Lock()
		defer g.mu.Unlock()
		return len(g.waiting) == 1
	})
	if _, ok := enters(&g, plan.Access, "c"); ok {
		t.Error("a later access overtook a waiting erasure")
	}
	leave()
	(<-entered)()
}

func TestDeskGivesARequestOnce(t *testing.T) {
	d := desk{}
	release, err := d.claim("dsr_1", "R-2026-0001")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.claim("dsr_1", "R-2026-0001"); fault.KindOf(err) != fault.Conflict {
		t.Errorf("a second claim gave %v", err)
	}
	d.report("dsr_1", plan.Progress{Phase: "act"})
	if p := d.progress("dsr_1"); p == nil || p.Phase != "act" {
		t.Errorf("progress is %v", p)
	}
	release()
	if _, err := d.claim("dsr_1", "R-2026-0001"); err != nil {
		t.Error(err)
	}
}

// TestWhoSeesTheEndIsNext: a run that has come to what the store says is waited for; one that goes on is not.
func TestWhoSeesTheEndIsNext(t *testing.T) {
	d := desk{}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	release, err := d.next(gone, "dsr_1", "R-2026-0001") // nobody has it
	if err != nil {
		t.Fatal(err)
	}
	for state, want := range map[State]fault.Kind{Running: fault.Conflict, Incomplete: fault.Unavailable, Awaiting: fault.Unavailable} {
		d.reaches("dsr_1", state)
		if _, err := d.next(gone, "dsr_1", "R-2026-0001"); fault.KindOf(err) != want {
			t.Errorf("while it is %s, who does not wait gets %v", state, err)
		}
	}
	d.reaches("dsr_1", Complete)
	then := make(chan error)
	go func() {
		_, err := d.next(t.Context(), "dsr_1", "R-2026-0001")
		then <- err
	}()
	release()
	if err := <-then; err != nil {
		t.Error(err)
	}
}
