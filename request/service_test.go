package request_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/request"
)

func TestErasureFromPlanToReceipt(t *testing.T) {
	w := newWorld(t)
	r := w.plan(plan.Erasure, "email=ida@example.com")
	if r.State != request.Awaiting || r.Ref != "R-2026-0001" || len(r.ID) != 30 || r.Hash == "" || r.Due.Format("2006-01-02") != "2026-12-21" {
		t.Fatalf("the plan is %+v", r)
	}
	if w.count("shop", `select count(*) from customers`) != 2 || fault.KindOf(r.Err()) != fault.Waiting {
		t.Error("a plan touched a store, or does not wait")
	}
	done, err := w.run(r, "local:kari")
	if err != nil || done.State != request.Complete || done.Err() != nil {
		t.Fatalf("%v, %+v", err, done.Result())
	}
	if n := w.count("shop", `select (select count(*) from orders where customer_id = 1) + (select count(*) from messages where body like 'from ida%')`); n != 0 {
		t.Errorf("%d rows of hers are left", n)
	}
	if n := w.count("shop", `select count(*) from orders where customer_id = 2`); n != 1 {
		t.Error("somebody else's order is gone")
	}
	w.checkReceipt(t, done)
	if where := w.inData("ida@"); len(where) > 0 {
		t.Errorf("her address is still in %v", where)
	}
	if got, ok, err := w.s.Suppressions().Lookup(t.Context(), people("email=IDA@example.com")[0].Identities[0]); err != nil || !ok || got.Request != r.ID {
		t.Errorf("suppression: %+v, %v, %v", got, ok, err)
	}
	if done.Masked != "····" || len(done.Entries) != 3 {
		t.Errorf("masked %q, entries %v", done.Masked, done.Entries)
	}
	report, err := w.ledger.Verify(t.Context(), ledger.VerifyOptions{})
	if err != nil {
		t.Errorf("the ledger: %+v, %v", report, err)
	}
}

func (w *world) checkReceipt(t *testing.T, r *request.Request) {
	t.Helper()
	file, err := os.ReadFile(r.Receipt.File)
	w.must(err)
	st, err := os.Stat(r.Receipt.File)
	w.must(err)
	if st.Mode().Perm() != 0o600 {
		t.Errorf("the receipt's mode is %v", st.Mode())
	}
	raw, err := os.ReadFile(r.Receipt.Opening)
	w.must(err)
	opening, err := request.ParseOpening(raw)
	w.must(err)
	doc, err := request.VerifyReceipt(file, w.vault.PublicKey(), opening, people("email=Ida@Example.com")[0].Identities)
	if err != nil || doc.Status != plan.Complete || doc.Plan != r.Hash || doc.Entry.ID == 0 || len(doc.Proof) == 0 {
		t.Errorf("the receipt: %+v, %v", doc, err)
	}
	if !strings.Contains(string(file), `"evidence"`) {
		t.Error("the receipt carries no ledger proof")
	}
	if _, err := request.VerifyReceipt(file, w.vault.PublicKey(), opening, people("email=bo@example.com")[0].Identities); fault.KindOf(err) != fault.Integrity {
		t.Errorf("opened by somebody else: %v", err)
	}
}

func TestWrongHashChangesNothing(t *testing.T) {
	w := newWorld(t)
	r := w.plan(plan.Erasure, "email=ida@example.com")
	size := w.ledger.Size()
	for _, approve := range []string{"", "x", r.Hash[:8], r.Hash + "0"} {
		got, err := w.s.Run(t.Context(), request.RunInput{Ref: r.ID, Approve: approve, Actor: "local:kari"})
		want := fault.Denied
		if approve == "" {
			want = fault.Waiting
		}
		if fault.KindOf(err) != want || got.State != request.Awaiting || got.Hash != r.Hash {
			t.Errorf("%q: %v", approve, err)
		}
	}
	if w.ledger.Size() != size || w.count("shop", `select count(*) from customers`) != 2 {
		t.Error("something changed")
	}
	if _, err := w.run(r, "local:kari"); err != nil {
		t.Errorf("the plan did not stay open: %v", err)
	}
}

func TestDriftAsksAgain(t *testing.T) {
	w := newWorld(t)
	r := w.plan(plan.Erasure, "email=ida@example.com")
	w.exec("shop", `insert into orders values (13, 1, '1.00')`)
	again, err := w.run(r, "local:kari")
	if fault.KindOf(err) != fault.Waiting || again.State != request.Awaiting || again.Hash == r.Hash || !strings.Contains(err.Error(), again.Hash) {
		t.Fatalf("%v, %+v", err, again)
	}
	if w.count("shop", `select count(*) from orders where customer_id = 1`) != 3 {
		t.Error("something was touched")
	}
	if _, err := w.run(r, "local:kari"); fault.KindOf(err) != fault.Denied {
		t.Errorf("the old hash: %v", err)
	}
	if done, err := w.run(again, "local:kari"); err != nil || done.State != request.Complete {
		t.Errorf("the new hash: %v", err)
	}
}

func TestFourEyes(t *testing.T) {
	w := newWorld(t, func(c *catalog.Config) { c.Approval.Erasure = 2 })
	r := w.plan(plan.Erasure, "email=ida@example.com")
	if got, err := w.run(r, "local:kari"); fault.KindOf(err) != fault.Waiting || got.State != request.Awaiting || len(got.Approvals) != 1 {
		t.Fatalf("the first: %v", err)
	}
	if _, err := w.run(r, "local:kari"); fault.KindOf(err) != fault.Denied {
		t.Errorf("the same again: %v", err)
	}
	got, err := w.run(r, "local:ola")
	if err != nil || got.State != request.Complete || len(got.Approvals) != 2 {
		t.Errorf("the second: %v", err)
	}
}

func TestBlockingQuestionsStopApproval(t *testing.T) {
	w := newWorld(t, func(c *catalog.Config) {
		c.Systems[0].Tables = append(c.Systems[0].Tables, catalog.TableRule{Table: "orders", Erase: catalog.Keep, Because: "?", Mark: catalog.Mark{Proposed: true, ID: "g1"}})
	})
	r := w.plan(plan.Erasure, "email=ida@example.com")
	if len(r.Plan.Blocking) == 0 {
		t.Fatal("nothing blocks")
	}
	got, err := w.run(r, "local:kari")
	if fault.KindOf(err) != fault.Waiting || got.State != request.Awaiting || len(got.Approvals) != 0 || !strings.Contains(err.Error(), r.Plan.Blocking[0]) {
		t.Errorf("got %v", err)
	}
}

// TestErasedBeforeIsComplete: who is not there, or no longer, is answered with matched 0.
func TestErasedBeforeIsComplete(t *testing.T) {
	w := newWorld(t)
	w.erase("email=ida@example.com")
	for _, who := range []string{"email=ida@example.com", "email=nobody@example.com"} {
		if r := w.erase(who); r.Outcome.Matched != 0 {
			t.Errorf("%s: matched %d", who, r.Outcome.Matched)
		}
	}
	w.down("mail")
	r, err := w.run(w.plan(plan.Erasure, "email=nobody@example.com"), "local:kari")
	if err != nil || r.State != request.Incomplete {
		t.Errorf("with a store down: %v, %+v", err, r.State)
	}
}

func (w *world) down(store string) {
	w.t.Helper()
	w.must(w.catalog.Close())
	w.must(os.Rename(filepath.Join(w.dir, store+".db"), filepath.Join(w.dir, store+".away")))
}

func (w *world) up(store string) {
	w.t.Helper()
	w.must(os.Rename(filepath.Join(w.dir, store+".away"), filepath.Join(w.dir, store+".db")))
}

func TestVerifyErasure(t *testing.T) {
	w := newWorld(t)
	r := w.erase("email=ida@example.com")
	for _, who := range [][]plan.Person{nil, people("email=ida@example.com")} {
		if out, err := w.s.VerifyErasure(t.Context(), r.Ref, who, "test"); err != nil || out.Status != plan.Complete {
			t.Errorf("%d people: %+v, %v", len(who), out, err)
		}
	}
	if _, err := w.s.VerifyErasure(t.Context(), r.Ref, people("email=bo@example.com"), "test"); fault.KindOf(err) != fault.Invalid {
		t.Errorf("somebody else: %v", err)
	}
	w.exec("mail", `insert into letters values ('IDA@example.com', '2026-11-21')`)
	for _, who := range [][]plan.Person{nil, people("email=ida@example.com")} {
		if out, err := w.s.VerifyErasure(t.Context(), r.Ref, who, "test"); err != nil || out.Status != plan.Incomplete || len(out.Remaining) == 0 {
			t.Errorf("after she came back, %d people: %+v, %v", len(who), out, err)
		}
	}
}

// TestVerifyClaimsNoMoreThanTheRun: where the run left open whether it reached everything, looking again cannot say that it did.
func TestVerifyClaimsNoMoreThanTheRun(t *testing.T) {
	w := newWorld(t)
	w.exec("mail", `create table notes (id integer primary key, body text)`)
	w.exec("mail", `insert into notes values (1, 'Ida called')`)
	r := w.plan(plan.Erasure, "email=ida@example.com")
	r, err := w.run(r, "local:kari")
	if err != nil || r.State != request.Incomplete || len(r.Outcome.Gaps) == 0 {
		t.Fatalf("%v, %+v", err, r.Outcome)
	}
	for _, who := range [][]plan.Person{nil, people("email=ida@example.com")} {
		out, err := w.s.VerifyErasure(t.Context(), r.Ref, who, "test")
		if err != nil || out.Status != plan.Incomplete || len(out.Remaining) > 0 || len(out.Gaps) != len(r.Outcome.Gaps) {
			t.Errorf("%d people: %+v, %v", len(who), out, err)
		}
	}
}

func TestRefuse(t *testing.T) {
	w := newWorld(t)
	r := w.plan(plan.Erasure, "email=ida@example.com")
	if _, err := w.s.Refuse(t.Context(), r.Ref, "", "local:kari"); fault.KindOf(err) != fault.Invalid {
		t.Errorf("without a reason: %v", err)
	}
	got, err := w.s.Refuse(t.Context(), r.Ref, "Ida cannot be identified", "local:kari")
	if err != nil || got.State != request.Refused || got.Masked != "····" {
		t.Fatalf("%v, %+v", err, got)
	}
	if _, err := w.run(r, "local:kari"); fault.KindOf(err) != fault.Conflict {
		t.Errorf("run after refusal: %v", err)
	}
	if where := w.inData("cannot be identified"); len(where) > 0 {
		t.Errorf("the reason lies in clear in %v", where)
	}
}

// TestTwoRunsAtOnce: of one request one runs and the other is told; of one person one waits for the other.
func TestTwoRunsAtOnce(t *testing.T) {
	w := newWorld(t)
	r := w.plan(plan.Erasure, "email=ida@example.com")
	inside, go_ := make(chan struct{}), make(chan struct{})
	var once sync.Once
	w.hook = func(string) { once.Do(func() { close(inside); <-go_ }) }
	first := make(chan error, 1)
	go func() {
		_, err := w.run(r, "local:kari")
		first <- err
	}()
	<-inside
	if _, err := w.run(r, "local:ola"); fault.KindOf(err) != fault.Conflict || !strings.Contains(err.Error(), r.Ref) {
		t.Errorf("a second run: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	out := filepath.Join(w.dir, "out.zip")
	_, err := w.s.RunNow(ctx, request.PlanInput{Kind: plan.Access, People: people("email=bo@example.com")}, out, nil)
	if err == nil {
		t.Error("an access ran beside an erasure")
	}
	close(go_)
	if err := <-first; err != nil {
		t.Error(err)
	}
	if got := w.get(r.Ref); got.State != request.Complete {
		t.Errorf("the request is %s", got.State)
	}
}

// TestInterruptedErasureGoesOn: after an end at any point of a run, Recover completes it.
func TestInterruptedErasureGoesOn(t *testing.T) {
	var points atomic.Int64 // stores are acted on at the same time
	{
		w := newWorld(t)
		w.hook = func(string) { points.Add(1) }
		w.erase("email=ida@example.com")
	}
	if points.Load() < 5 {
		t.Fatalf("only %d points", points.Load())
	}
	for stop := range points.Load() {
		w := newWorld(t)
		r := w.plan(plan.Erasure, "email=ida@example.com")
		ctx, cancel := context.WithCancel(t.Context())
		var n atomic.Int64
		w.hook = func(string) {
			if n.Add(1) == stop+1 {
				cancel()
			}
		}
		_, err := w.s.Run(ctx, request.RunInput{Ref: r.Ref, Approve: r.Hash, Actor: "local:kari"})
		state := w.get(r.Ref).State
		if err == nil && state != request.Complete || err != nil && state != request.Running {
			t.Fatalf("stopped at %d: %v, state %s", stop, err, state)
		}
		w.restart()
		w.must(w.s.Recover(t.Context()))
		got := w.get(r.Ref)
		if got.State != request.Complete || w.count("shop", `select count(*) from orders where customer_id = 1`) != 0 {
			t.Fatalf("stopped at %d: %s after recovery, %+v", stop, got.State, got.Outcome)
		}
		w.checkReceipt(t, got)
		cancel()
	}
}

func TestLostReceiptsAreWrittenAgain(t *testing.T) {
	w := newWorld(t)
	r := w.erase("email=ida@example.com")
	before, err := os.ReadFile(r.Receipt.File)
	w.must(err)
	w.must(os.RemoveAll(filepath.Join(w.dir, "data", "receipts")))
	w.restart()
	w.must(w.s.Recover(t.Context()))
	after, err := os.ReadFile(r.Receipt.File)
	if err != nil || string(after) != string(before) {
		t.Errorf("%v; the same: %v", err, string(after) == string(before))
	}
	w.checkReceipt(t, w.get(r.Ref))
}

// TestSeveralPeopleInOneRequest: each is erased and suppressed, and the receipt opens for all of them only.
func TestSeveralPeopleInOneRequest(t *testing.T) {
	w := newWorld(t)
	both := append(people("email=ida@example.com"), people("email=bo@example.com", "customer=2")...)
	r, err := w.s.Plan(t.Context(), request.PlanInput{Kind: plan.Erasure, People: both, Actor: "local:kari"})
	w.must(err)
	if r.People != 2 || r.Masked != "email i····, and 1 more" {
		t.Errorf("%d people, masked %q", r.People, r.Masked)
	}
	done, err := w.run(r, "local:kari")
	if err != nil || done.State != request.Complete {
		t.Fatalf("%v, %+v", err, done.Outcome)
	}
	if n := w.count("shop", `select count(*) from customers where email like '%@example.com'`); n != 0 {
		t.Errorf("%d people are left", n)
	}
	if of, err := w.s.Suppressions().Of(t.Context(), r.ID); err != nil || len(of) != 3 {
		t.Errorf("%d suppressions, %v", len(of), err)
	}
}

func TestReferencesCountWithinTheirYear(t *testing.T) {
	w := newWorld(t)
	var refs []string
	for range 2 {
		refs = append(refs, w.plan(plan.Erasure, "email=ida@example.com").Ref)
	}
	w.clock.Advance(60 * 24 * 3600e9)
	refs = append(refs, w.plan(plan.Access, "email=ida@example.com").Ref)
	if got := strings.Join(refs, " "); got != "R-2026-0001 R-2026-0002 R-2027-0001" {
		t.Errorf("got %s", got)
	}
	all, err := w.s.List(t.Context(), request.Filter{})
	if err != nil || len(all) != 3 || all[0].Ref != "R-2027-0001" {
		t.Errorf("%d listed, %v", len(all), err)
	}
	some, err := w.s.List(t.Context(), request.Filter{Kind: plan.Erasure, State: []request.State{request.Awaiting}, Limit: 1})
	if err != nil || len(some) != 1 || some[0].Ref != "R-2026-0002" || w.get(some[0].ID).Ref != some[0].Ref {
		t.Errorf("%+v, %v", some, err)
	}
	for _, ref := range []string{"", "R-2026-0009", "dsr_x", "R-2026-0001x%"} {
		if r, err := w.s.Get(t.Context(), ref); fault.KindOf(err) != fault.NotFound {
			t.Errorf("%q: %+v, %v", ref, r, err)
		}
	}
}

// TestPlanAgainVoidsApprovals: an answer to a merge review, or a second look, needs approval anew.
func TestPlanAgainVoidsApprovals(t *testing.T) {
	w := newWorld(t, func(c *catalog.Config) { c.Approval.Erasure = 2 })
	r := w.plan(plan.Erasure, "email=ida@example.com")
	if _, err := w.run(r, "local:kari"); fault.KindOf(err) != fault.Waiting {
		t.Fatal(err)
	}
	again, err := w.s.Plan(t.Context(), request.PlanInput{Request: r.Ref, People: people("email=bo@example.com"), Actor: "local:kari"})
	if err != nil || again.ID != r.ID || again.Hash == r.Hash || len(again.Approvals) != 0 || again.Masked != "email b····" {
		t.Errorf("%v, %+v", err, again)
	}
	if _, err := w.run(r, "local:ola"); fault.KindOf(err) != fault.Denied {
		t.Errorf("the old hash: %v", err)
	}
}

func TestPlanInputIsChecked(t *testing.T) {
	w := newWorld(t)
	for name, in := range map[string]request.PlanInput{
		"no kind":     {People: people("email=x")},
		"nobody":      {Kind: plan.Access},
		"no identity": {Kind: plan.Access, People: []plan.Person{{}}},
		"no value":    {Kind: plan.Access, People: people("email= ")},
	} {
		if _, err := w.s.Plan(t.Context(), in); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := w.s.RunNow(t.Context(), in, "", nil); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s, at once: %v", name, err)
		}
	}
	if all, err := w.s.List(t.Context(), request.Filter{}); err != nil || len(all) != 0 {
		t.Errorf("%d requests, %v", len(all), err)
	}
}
