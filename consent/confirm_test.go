package consent_test

import (
	"testing"

	"github.com/ombudhq/ombud/consent"
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
