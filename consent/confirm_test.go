package consent_test

import (
	"testing"
	"time"

	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/purpose"
	"github.com/ombudhq/ombud/subject"
)

// TestConfirmedIsWhatWasShown: what a purpose took on between the two yeses of a double opt-in is not covered, and a notice that
// made the older ones void makes the first yes void.
func TestConfirmedIsWhatWasShown(t *testing.T) {
	w := newWorld(t, letters())
	in := yes()
	in.Status = consent.Pending
	first, second := w.record(in), w.record(in)
	wider := letters()
	wider.Categories = append(wider.Categories, "location")
	w.declare(wider)
	if _, err := w.Confirm(t.Context(), first.Token, "test"); err != nil {
		t.Fatal(err)
	}
	stands := func() {
		t.Helper()
		w.expect("letters", "contact", true, consent.Consented)
		w.expect("letters", "location", false, consent.NotCovered)
	}
	stands()
	w.restart()
	stands()
	wider.Notices, wider.Reconsent = append(wider.Notices, purpose.Notice{ID: "letters", Version: "4", Language: "en"}), "4"
	w.declare(wider)
	if _, err := w.Confirm(t.Context(), second.Token, "test"); fault.KindOf(err) != fault.Conflict {
		t.Errorf("a yes to a notice that no longer counts was confirmed: %v", err)
	}
	w.expect("letters", "contact", false, consent.Outdated)
	in.Notice.Version = "4"
	third := w.record(in)
	w.declare(purpose.Purpose{ID: "letters", Basis: purpose.Contract, Categories: []string{"contact"}})
	if _, err := w.Confirm(t.Context(), third.Token, "test"); fault.KindOf(err) != fault.Conflict {
		t.Errorf("a yes was confirmed to what leans on no consent: %v", err)
	}
}

// TestWhoWasErasedConfirms: who was erased comes back by a double opt-in as by a single yes: once it is confirmed.
func TestWhoWasErasedConfirms(t *testing.T) {
	w := newWorld(t, letters())
	w.record(yes())
	w.erase(subject.Erasure{})
	head := w.ledger.Head()
	in := yes()
	in.Status, in.Notice.SeenRevision = consent.Pending, &head
	c := w.record(in)
	w.expect("letters", "contact", false, consent.WasErased)
	if _, err := w.Confirm(t.Context(), c.Token, "test"); err != nil {
		t.Fatal(err)
	}
	w.expect("letters", "contact", true, consent.Consented)
	w.restart()
	w.expect("letters", "contact", true, consent.Consented)
}

// TestPendingLapses: what nobody confirmed in time waits for nobody, is shown as over, and is dropped; it comes to the same
// whether the index was rebuilt since. Of who is forgotten nothing waits either.
func TestPendingLapses(t *testing.T) {
	w := newWorld(t, letters())
	in, other := yes(), yes()
	in.Status, other.Status = consent.Pending, consent.Pending
	other.Subject = []subject.Identity{{Kind: "email", Value: "other@example.com"}}
	c := w.record(in)
	waiting := func() (n int) {
		t.Helper()
		if err := w.db.Read(t.Context(), func(tx *db.Tx) error {
			return tx.QueryRow(t.Context(), "select count(*) from consent_pending").Scan(&n)
		}); err != nil {
			t.Fatal(err)
		}
		return n
	}
	is := func(status consent.Status, reason consent.Reason) {
		t.Helper()
		w.expect("letters", "contact", false, reason)
		got, err := w.Get(t.Context(), c.ID)
		at, err2 := w.StateAt(t.Context(), w.Find(ida...), w.clock.Now())
		if err != nil || err2 != nil || got.Status != status || len(at) != 1 || at[0].Status != status {
			t.Errorf("%s, %+v; want %s: %v, %v", got.Status, at, status, err, err2)
		}
	}
	w.clock.Advance(7*24*time.Hour - time.Minute)
	w.record(other)
	is(consent.Pending, consent.IsPending)
	w.clock.Advance(2 * time.Minute)
	is(consent.Expired, consent.NotGiven)
	w.restart()
	is(consent.Expired, consent.NotGiven)
	if err := w.Expire(t.Context()); err != nil || waiting() != 1 {
		t.Errorf("%d wait, %v", waiting(), err)
	}
	is(consent.Expired, consent.NotGiven)
	w.restart()
	is(consent.Expired, consent.NotGiven)
	if v := w.Decide(w.Find(other.Subject...), "letters", "contact", false); v.Reason != consent.IsPending {
		t.Errorf("the other: %s", v.Reason)
	}
	w.record(in)
	w.erase(subject.Erasure{})
	if n := waiting(); n != 1 {
		t.Errorf("%d wait after the person was forgotten", n)
	}
}
