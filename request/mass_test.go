package request_test

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"testing"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/ledger"
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
	machine := mass(plan.Erasure)
	for _, actor := range []string{"local:kari", "service:key_1"} { // whoever is at the machine may be one of the two already
		if got, err := w.run(machine, actor); fault.KindOf(err) != fault.Denied || len(got.Approvals) != 0 {
			t.Errorf("by %s: %v", actor, err)
		}
		in := request.RunInput{Ref: machine.Ref, Approve: machine.Hash, Actor: actor}
		if err := w.s.MayRun(t.Context(), in); fault.KindOf(err) != fault.Denied {
			t.Errorf("asked before: %v", err)
		}
	}
	in := request.PlanInput{Kind: plan.Access, People: several, Actor: "account:one"}
	if got, err := w.s.RunNow(t.Context(), in, filepath.Join(t.TempDir(), "all.zip"), nil); err != nil || got.State != request.Awaiting {
		t.Errorf("planned and run at once: %v", err)
	}
}

// TestApprovalsBeforeTheFirstAccount: what somebody at the machine approved is none of two, once there are accounts.
func TestApprovalsBeforeTheFirstAccount(t *testing.T) {
	w := newWorld(t, func(c *catalog.Config) { c.Approval.Erasure = 2 })
	r := w.plan(plan.Erasure, "email=ida@example.com")
	if _, err := w.run(r, "local:kari"); fault.KindOf(err) != fault.Waiting {
		t.Fatal(err)
	}
	w.staffed = true
	if got, err := w.run(r, "account:one"); fault.KindOf(err) != fault.Waiting || got.State != request.Awaiting {
		t.Errorf("one account: %v, %s", err, got.State)
	}
	got, err := w.run(r, "account:two")
	if err != nil || got.State != request.Complete {
		t.Fatalf("two accounts: %v, %s", err, got.State)
	}
	w.executed(got, "account:two", "local:kari", "account:one", "account:two")
}

// executed demands that the program stands as who executed, and people as who began it and approved.
func (w *world) executed(r *request.Request, begun string, approved ...string) {
	w.t.Helper()
	rows, err := w.ledger.Tail(w.t.Context(), 1, ledger.TailOptions{Kind: "request.completed"})
	w.must(err)
	var c struct {
		By       string   `json:"begun_by"`
		Approved []string `json:"approved_by"`
	}
	w.must(json.Unmarshal(rows[0].Content, &c))
	if rows[0].ID != r.Entries[len(r.Entries)-1] || rows[0].Actor != "ombud" || c.By != begun || !slices.Equal(c.Approved, approved) {
		w.t.Errorf("entry %d by %s, begun by %s, approved by %v", rows[0].ID, rows[0].Actor, c.By, c.Approved)
	}
}
