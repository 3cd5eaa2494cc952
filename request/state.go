package request

import (
	"fmt"
	"strings"

	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/plan"
)

// State of a request.
type State string

const (
	Awaiting   State = "awaiting_approval" // a plan is there; a person reads and approves it, or starts an access
	Running    State = "running"           // Ombud acts, also after a kill: Recover goes on
	Complete   State = "complete"          // proven by looking again
	Incomplete State = "incomplete"        // what remains is named; Retry goes on
	Failed     State = "failed"            // nothing could be said; Retry goes on
	Refused    State = "refused"           // a person said no, with a reason
)

// Event moves a request from one state to the next.
type Event string

const (
	Planned   Event = "planned"   // a plan was made, for a new request or again
	Approved  Event = "approved"  // the last approval an erasure needs
	Started   Event = "started"   // an access begins, or a retry
	Drifted   Event = "drifted"   // the data moved; the new plan waits
	Proven    Event = "proven"    // the outcome is complete
	Remaining Event = "remaining" // the outcome names what is left
	Broke     Event = "broke"     // the run ended without an outcome
	Declined  Event = "declined"  // a person refused
	Released  Event = "released"  // a hold that deferred part of it ended
)

// Transition is one line of the lifecycle.
type Transition struct {
	From State // "" for a new request
	On   Event
	To   State
	Only plan.Kind // "" for every kind
}

// Lifecycle is every transition there is; what it does not list is refused.
func Lifecycle() []Transition {
	return []Transition{
		{"", Planned, Awaiting, ""},
		{"", Started, Running, plan.Access},
		{Awaiting, Planned, Awaiting, ""},
		{Awaiting, Approved, Running, plan.Erasure},
		{Awaiting, Started, Running, plan.Access},
		{Awaiting, Declined, Refused, ""},
		{Running, Drifted, Awaiting, plan.Erasure},
		{Running, Proven, Complete, ""},
		{Running, Remaining, Incomplete, ""},
		{Running, Broke, Failed, ""},
		{Incomplete, Started, Running, ""},
		{Incomplete, Planned, Awaiting, ""},
		{Incomplete, Declined, Refused, ""},
		{Failed, Started, Running, ""},
		{Failed, Planned, Awaiting, ""},
		{Failed, Declined, Refused, ""},
		{Complete, Released, Incomplete, plan.Erasure},
	}
}

// next is the state an event leads to; a fault.Conflict where the lifecycle has no such line.
func next(kind plan.Kind, from State, on Event) (State, error) {
	for _, t := range Lifecycle() {
		if t.From == from && t.On == on && (t.Only == "" || t.Only == kind) {
			return t.To, nil
		}
	}
	return "", fault.New(fault.Conflict, "this request is %s; it cannot be %s", from.words(), on).
		Then("ombud dsr show says what it waits for.")
}

func (s State) words() string {
	if s == "" {
		return "new"
	}
	return strings.ReplaceAll(string(s), "_", " ")
}

// Open reports whether something is still to be done by somebody.
func (s State) Open() bool { return s != Complete && s != Refused }

// Diagram draws the lifecycle as Mermaid, for the documentation.
func Diagram() string {
	var b strings.Builder
	b.WriteString("stateDiagram-v2\n")
	for _, t := range Lifecycle() {
		from := string(t.From)
		if from == "" {
			from = "[*]"
		}
		label := string(t.On)
		if t.Only != "" {
			label += " (" + string(t.Only) + ")"
		}
		fmt.Fprintf(&b, "    %s --> %s: %s\n", from, t.To, label)
	}
	b.WriteString("    complete --> [*]\n    refused --> [*]\n")
	return b.String()
}
