package request_test

import (
	"slices"
	"testing"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/request"
	"github.com/ombudhq/ombud/subject"
)

func TestStoreDownIsIncompleteAndRetried(t *testing.T) {
	w := newWorld(t)
	w.down("mail")
	r, err := w.run(w.plan(plan.Erasure, "email=ida@example.com"), "local:kari")
	if err != nil || r.State != request.Incomplete || fault.KindOf(r.Err()) != fault.Waiting {
		t.Fatalf("%v, %+v", err, r)
	}
	named := false
	for _, m := range append(r.Outcome.Gaps, r.Outcome.Remaining...) {
		named = named || m.System == "mail"
	}
	if !named || r.Who == "" || r.Masked == "····" {
		t.Errorf("not named: %+v; who %q, masked %q", r.Outcome, r.Who, r.Masked)
	}
	w.up("mail")
	again, err := w.s.Retry(t.Context(), request.RunInput{Ref: r.Ref, Actor: "local:kari"})
	if fault.KindOf(err) == fault.Waiting && again.State == request.Awaiting {
		again, err = w.run(again, "local:kari") // the store's rows are new to the plan
	}
	if err != nil || again.State != request.Complete {
		t.Fatalf("after the store is back: %v, %+v", err, again.Outcome)
	}
	if w.count("mail", `select count(*) from letters`) != 1 || again.Receipt.ID == r.Receipt.ID {
		t.Error("the second run did not erase, or gave no receipt of its own")
	}
}

// TestWhatIsReadIsReached: whoever reads that a run is over may retry at once, however long it takes to file its receipt.
func TestWhatIsReadIsReached(t *testing.T) {
	w := newWorld(t)
	w.down("mail")
	r := w.plan(plan.Erasure, "email=ida@example.com")
	read := map[request.State]int{}
	w.between = func() {
		now, err := w.state(r.ID)
		if read[now]++; err != nil || w.s.Reached(r.ID) != (now == request.Incomplete) {
			t.Errorf("%s, %v, and reached is %v", now, err, w.s.Reached(r.ID))
		}
	}
	_, err := w.run(r, "local:kari")
	w.between = nil
	if err != nil || read[request.Running] == 0 || read[request.Incomplete] == 0 {
		t.Errorf("%v, read %v", err, read)
	}
}

// state reads what the store says of a request.
func (w *world) state(id string) (s request.State, err error) {
	err = w.db.Read(w.t.Context(), func(tx *db.Tx) error {
		return tx.QueryRow(w.t.Context(), "select state from requests where id = $1", id).Scan(&s)
	})
	return s, err
}

// TestRetryPlansWhatMustStay: a trigger wrote the person into a log that is kept. Nothing of it may be done, but that it
// stays, and why, is for a person to approve: else the request would be incomplete for ever.
func TestRetryPlansWhatMustStay(t *testing.T) {
	w := newWorld(t, func(c *catalog.Config) {
		shop := &c.Systems[0]
		shop.Links = append(shop.Links, catalog.Link{From: "trail.customer_id", To: "customers.id", As: catalog.Own})
		shop.Tables = append(shop.Tables, catalog.TableRule{Table: "trail", Erase: catalog.Keep, Because: "security"}, catalog.TableRule{Table: "orders", Erase: catalog.Keep, Because: "tax"})
	})
	w.exec("shop", `create table trail (id integer primary key, customer_id integer, email text);
		create trigger tell after update on customers begin insert into trail (customer_id, email) values (old.id, old.email); end;`)
	r, err := w.run(w.plan(plan.Erasure, "email=ida@example.com"), "local:kari")
	if err != nil || r.State != request.Incomplete {
		t.Fatalf("%v, %+v", err, r)
	}
	again, err := w.s.Retry(t.Context(), request.RunInput{Ref: r.Ref, Actor: "local:kari"})
	if fault.KindOf(err) != fault.Waiting || again.State != request.Awaiting {
		t.Fatalf("the rest is not planned: %v, %s", err, again.State)
	}
	if again.Plan.Matched != 0 || again.Plan.Nobody() {
		t.Errorf("no customer has the address any more, and a row was found: %d, %v", again.Plan.Matched, again.Plan.Nobody())
	}
	if again, err = w.run(again, "local:kari"); err != nil || again.State != request.Complete {
		t.Fatalf("%v, %+v", err, again.Outcome)
	}
	if again.Outcome.Nobody() {
		t.Error("somebody was found")
	}
	if !slices.ContainsFunc(again.Outcome.Kept, func(k plan.Kept) bool { return k.Dataset == "trail" && k.Because == "security" && k.Rows == 1 }) {
		t.Errorf("kept: %+v", again.Outcome.Kept)
	}
}

// TestVerifyBesideShells: the number of a customer whose orders the law keeps goes on leading to what is left of the row, which
// is no reason to say that the erasure does not hold. An address that comes back is one, also when it is not the one given.
func TestVerifyBesideShells(t *testing.T) {
	w := newWorld(t, func(c *catalog.Config) {
		c.Systems[0].Tables = append(c.Systems[0].Tables, catalog.TableRule{Table: "orders", Erase: catalog.Keep, Because: "tax"})
	})
	w.down("mail")
	r, err := w.run(w.plan(plan.Erasure, "email=ida@example.com", "customer=1"), "local:kari")
	w.must(err)
	w.up("mail")
	planned, err := w.s.Retry(t.Context(), request.RunInput{Ref: r.Ref, Actor: "local:kari"})
	if fault.KindOf(err) != fault.Waiting {
		t.Fatal(err)
	}
	again, err := w.run(planned, "local:kari")
	if err != nil || again.State != request.Complete {
		t.Fatalf("%v, %+v", err, again.Outcome)
	}
	holds := func(want plan.Status, people []plan.Person) {
		if out, err := w.s.VerifyErasure(t.Context(), r.Ref, people, "test"); err != nil || out.Status != want {
			t.Errorf("%+v: %+v, %v", people, out, err)
		}
	}
	all := [][]plan.Person{nil, people("email=ida@example.com", "customer=1"), people("email=ida@example.com"), people("customer=1")}
	for _, p := range all {
		holds(plan.Complete, p)
	}
	w.exec("mail", `insert into letters values ('IDA@example.com', '2026-11-21')`)
	for _, p := range all {
		holds(plan.Incomplete, p)
	}
}

func TestHoldDefersAndReleaseAsksAgain(t *testing.T) {
	w := newWorld(t)
	ida := people("email=ida@example.com")[0].Identities
	in := subject.HoldInput{Subjects: ida, System: "shop", Dataset: "orders", Because: "Nordmann against Fjordly", Actor: "local:kari"}
	if _, err := w.holds.Add(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	r := w.erase("email=ida@example.com")
	if w.count("shop", `select count(*) from orders where customer_id = 1`) != 2 || len(r.Outcome.Kept) == 0 || r.Masked == "····" {
		t.Fatalf("the hold did not hold: %+v, masked %q", r.Outcome, r.Masked)
	}
	if where := w.inData("nordmann against"); len(where) > 0 {
		t.Errorf("the reason lies in clear in %v", where)
	}
	if _, err := w.holds.Release(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	if got := w.get(r.Ref); got.State != request.Incomplete || fault.KindOf(got.Err()) != fault.Waiting {
		t.Fatalf("after the release it is %s", got.State)
	}
	again, err := w.s.Retry(t.Context(), request.RunInput{Ref: r.Ref, Actor: "local:kari"})
	if fault.KindOf(err) != fault.Waiting || again.State != request.Awaiting {
		t.Fatalf("retry: %v, %s", err, again.State)
	}
}

// TestAClosedJournalSaysWhatWasDone: the journal of a request that waits for a hold says all that was done, so that its next run knows.
func TestAClosedJournalSaysWhatWasDone(t *testing.T) {
	w := newWorld(t, func(c *catalog.Config) { c.Systems = c.Systems[:1] })
	in := subject.HoldInput{Subjects: people("email=ida@example.com")[0].Identities, System: "shop", Dataset: "orders", Because: "a claim", Actor: "local:kari"}
	_, err := w.holds.Add(t.Context(), in)
	w.must(err)
	w.erase("email=ida@example.com")
	var chunks, waiting int
	w.must(w.db.Read(t.Context(), func(tx *db.Tx) error {
		return tx.QueryRow(t.Context(), `select count(*), sum(case done when 0 then 1 else 0 end) from plan_chunks`).Scan(&chunks, &waiting)
	}))
	if chunks == 0 || waiting != 0 {
		t.Errorf("%d of %d chunks wait", waiting, chunks)
	}
}
