package request

import (
	"flag"
	"os"
	"testing"

	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/plan"
)

var update = flag.Bool("update", false, "write the drawings into docs/")

// TestLifecycleIsDrawn keeps docs/lifecycle.md equal to the table.
func TestLifecycleIsDrawn(t *testing.T) {
	const path = "../docs/lifecycle.md"
	want := "# The life of a request\n\nDrawn from `request.Lifecycle` by its test (`go test ./request -run Drawn -update`).\n\n```mermaid\n" + Diagram() + "```\n"
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is out of date; run: go test ./request -run Drawn -update", path)
	}
}

func TestNextRefusesWhatTheTableDoesNotList(t *testing.T) {
	for _, c := range []struct {
		kind plan.Kind
		from State
		on   Event
		to   State
	}{
		{plan.Erasure, "", Planned, Awaiting},
		{plan.Erasure, Awaiting, Approved, Running},
		{plan.Access, Awaiting, Started, Running},
		{plan.Erasure, Running, Drifted, Awaiting},
		{plan.Erasure, Complete, Released, Incomplete},
		{plan.Erasure, "", Started, ""},       // an erasure never starts without approval
		{plan.Erasure, Awaiting, Started, ""}, // nor is there a way around it
		{plan.Access, Complete, Released, ""},
		{plan.Erasure, Complete, Started, ""},
		{plan.Erasure, Refused, Planned, ""},
		{plan.Erasure, Running, Declined, ""},
	} {
		got, err := next(c.kind, c.from, c.on)
		if got != c.to || (c.to == "") != (fault.KindOf(err) == fault.Conflict && err != nil) {
			t.Errorf("%s %s on %s: got %q, %v; want %q", c.kind, c.from, c.on, got, err, c.to)
		}
	}
}

// TestEveryStateHasAWayOut: nothing waits for ever.
func TestEveryStateHasAWayOut(t *testing.T) {
	leaves := map[State]bool{}
	for _, l := range Lifecycle() {
		leaves[l.From] = true
	}
	for _, l := range Lifecycle() {
		if l.To.Open() && !leaves[l.To] {
			t.Errorf("%s has no way out", l.To)
		}
	}
}
