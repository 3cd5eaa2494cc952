package request

import (
	"slices"
	"testing"

	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/subject"
)

// TestDeferredByWhatKept: a request waits for the holds that kept rows, and not for one whose id begins like theirs or that a
// rule's reason speaks of.
func TestDeferredByWhatKept(t *testing.T) {
	e := ending{
		holds: []subject.Hold{{ID: "hld_1"}, {ID: "hld_12"}, {ID: "hld_2"}},
		outcome: &plan.Outcome{Kept: []plan.Kept{
			{Dataset: "orders", Because: "a hold stands on it: hld_12", Hold: "hld_12"},
			{Dataset: "invoices", Because: "as hld_2 was"},
		}},
	}
	if got := deferredBy(e); !slices.Equal(got, []string{"hld_12"}) {
		t.Errorf("it waits for %q", got)
	}
}
