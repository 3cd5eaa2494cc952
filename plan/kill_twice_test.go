package plan_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/testkit/world"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/request"
)

// TestTwoProgramsErasePersonAtOnce runs the same erasure from two data directories, which know
// nothing of each other, on the same stores at the same time.
func TestTwoProgramsErasePersonAtOnce(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine string) {
		s := newStage(t, engine, false)
		for range counts(3, 100) {
			s.again()
			s.sideBySide()
		}
	})
}

func (s *stage) sideBySide() {
	s.t.Helper()
	ctx := s.t.Context()
	first, second := s.open(), s.openOther()
	defer first.Close()
	defer second.Close()
	other, err := second.Engine.Plan(ctx, killQuestion())
	if err != nil {
		s.t.Fatal(err)
	}
	var wg sync.WaitGroup
	var outcomes [2]*plan.Outcome
	var errs [2]error
	wg.Go(func() { outcomes[0], errs[0] = first.Engine.Run(ctx, killQuestion(), s.Plan, nil) })
	wg.Go(func() { outcomes[1], errs[1] = second.Engine.Run(ctx, killQuestion(), other, nil) })
	wg.Wait()
	for i, w := range []*world.World{first, second} {
		var drift *plan.Drift
		if errs[i] != nil && !errors.As(errs[i], &drift) {
			s.t.Errorf("program %d: %v", i, errs[i])
		}
		if !isComplete(outcomes[i]) { // it said so, or asked again: now that both are over another run finishes
			s.finish(w)
		}
	}
	s.sameEnd("two at once")
	first.Verify(s.t, s.stores...)
}

// openOther is a second program on the same stores, with keys and a journal of its own.
func (s *stage) openOther() *world.World {
	s.t.Helper()
	j := s.job
	j.Dir = filepath.Join(s.root, "other")
	w, err := world.Open(s.t.Context(), j.options(nil))
	if err != nil {
		s.t.Fatal(err)
	}
	return w
}

// finish plans what a disturbed run left, and runs it. When the other program did all there was to
// do, this one cannot know by what rule a kept row still names the person: it says so and is not complete.
func (s *stage) finish(w *world.World) {
	s.t.Helper()
	ctx := s.t.Context()
	p, err := w.Engine.Plan(ctx, killQuestion())
	if err != nil {
		s.t.Fatal(err)
	}
	o, err := w.Engine.Run(ctx, killQuestion(), p, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	kept := func(r plan.Remaining) bool { return p.Matched == 0 && r.Code == "residue" && r.Dataset == "invoices" }
	if !isComplete(o) && (len(o.Remaining) == 0 || len(o.Gaps) > 0 || !allOf(o.Remaining, kept)) {
		s.t.Errorf("what was left: %+v", o)
	}
}

func allOf[V any](vs []V, is func(V) bool) bool {
	return !slices.ContainsFunc(vs, func(v V) bool { return !is(v) })
}

// TestTwoRequestsErasePersonAtOnce runs two requests for the same person through one program.
func TestTwoRequestsErasePersonAtOnce(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine string) {
		s := newStage(t, engine, true)
		for range counts(3, 100) {
			s.again()
			s.twoRequests()
		}
	})
}

func (s *stage) twoRequests() {
	s.t.Helper()
	ctx := s.t.Context()
	w := s.open()
	defer w.Close()
	other, err := w.Requests.Plan(ctx, request.PlanInput{Kind: plan.Erasure, People: killQuestion().People, Actor: "other"})
	if err != nil {
		s.t.Fatal(err)
	}
	var wg sync.WaitGroup
	complete := make(chan bool, 2)
	for _, ref := range []string{s.Ref, other.Ref} {
		wg.Go(func() { complete <- s.approveAndRun(ctx, w, ref) })
	}
	wg.Wait()
	if a, b := <-complete, <-complete; !a && !b {
		s.t.Error("neither request is complete")
	}
	s.sameEnd("two requests at once")
	w.Verify(s.t, s.stores...)
}

// approveAndRun reports whether the request is complete; the other answer it may give is that it asks again.
func (s *stage) approveAndRun(ctx context.Context, w *world.World, ref string) bool {
	r, err := w.Requests.Get(ctx, ref)
	if err == nil {
		r, err = w.Requests.Run(ctx, request.RunInput{Ref: ref, Approve: r.Hash, Actor: "test"})
	}
	if err != nil && fault.KindOf(err) != fault.Waiting && fault.KindOf(err) != fault.Conflict {
		s.t.Errorf("%s: %v", ref, err)
	}
	return r != nil && r.State == request.Complete
}
