package request_test

import (
	"slices"
	"testing"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/request"
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
