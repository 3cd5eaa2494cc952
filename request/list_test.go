package request_test

import (
	"slices"
	"testing"

	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/request"
)

// TestPagesHoldEveryRequestOnce: however many there are, and though one comes in between.
func TestPagesHoldEveryRequestOnce(t *testing.T) {
	w := newWorld(t)
	var want []string
	for range 5 {
		want = append([]string{w.plan(plan.Erasure, "email=ida@example.com").Ref}, want...)
	}
	if _, err := w.s.Refuse(t.Context(), want[1], "it is not her", "local:kari"); err != nil {
		t.Fatal(err)
	}
	var got []string
	for f := (request.Filter{Limit: 2}); ; {
		page, err := w.s.List(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, r := range page {
			got, f.After = append(got, r.Ref), r.ID
		}
		w.plan(plan.Access, "email=bo@example.com")
	}
	if !slices.Equal(got, want) {
		t.Errorf("pages hold %v, not %v", got, want)
	}
	waiting, err := w.s.List(t.Context(), request.Filter{Kind: plan.Erasure, Waiting: true})
	if err != nil || len(waiting) != 4 {
		t.Errorf("%d wait, %v", len(waiting), err)
	}
	counts, err := w.s.Counts(t.Context())
	if err != nil || counts[request.Refused] != 1 || counts[request.Awaiting] != 4+3 {
		t.Errorf("%v, %v", counts, err)
	}
	if _, err := w.s.List(t.Context(), request.Filter{After: "R-2026-0099"}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("behind one that is not there: %v", err)
	}
}
