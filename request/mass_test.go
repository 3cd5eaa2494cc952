package request_test

import (
	"path/filepath"
	"testing"

	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/request"
)

// TestMassTakesTwo: from the first account on, what is about several persons takes two people, access and erasure alike.
func TestMassTakesTwo(t *testing.T) {
	w := newWorld(t)
	several := append(people("email=ida@example.com"), people("email=bo@example.com")...)
	mass := func(kind plan.Kind) *request.Request {
		t.Helper()
		r, err := w.s.Plan(t.Context(), request.PlanInput{Kind: kind, People: several, Actor: "account:one"})
		w.must(err)
		return r
	}
	if got, err := w.run(mass(plan.Access), "local:kari"); err != nil || got.State != request.Complete {
		t.Fatalf("without accounts one is enough: %v", err)
	}
	w.staffed = true
	if got, err := w.run(w.plan(plan.Access, "email=ida@example.com"), "account:one"); err != nil || got.State != request.Complete {
		t.Errorf("of one person: %v", err)
	}
	for _, kind := range []plan.Kind{plan.Access, plan.Erasure} {
		r := mass(kind)
		for _, want := range []fault.Kind{fault.Waiting, fault.Denied} {
			if got, err := w.run(r, "account:one"); fault.KindOf(err) != want || got.State != request.Awaiting || len(got.Approvals) != 1 {
				t.Errorf("%s by one: %v, %s", kind, err, got.State)
			}
		}
		if _, err := w.s.Run(t.Context(), request.RunInput{Ref: r.Ref, Actor: "account:two"}); fault.KindOf(err) != fault.Waiting {
			t.Errorf("%s without its hash: %v", kind, err)
		}
		if got, err := w.run(r, "account:two"); err != nil || got.State != request.Complete || len(got.Approvals) != 2 {
			t.Errorf("%s by two: %v", kind, err)
		}
	}
	in := request.PlanInput{Kind: plan.Access, People: several, Actor: "account:one"}
	if got, err := w.s.RunNow(t.Context(), in, filepath.Join(t.TempDir(), "all.zip"), nil); err != nil || got.State != request.Awaiting {
		t.Errorf("planned and run at once: %v", err)
	}
}
