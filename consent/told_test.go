package consent_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/purpose"
	"github.com/ombudhq/ombud/subject"
)

// told is what services are told of the newest entry; nil for nothing.
func (w *world) told() *consent.Telling {
	w.t.Helper()
	rows, err := w.ledger.Since(w.t.Context(), w.ledger.Size()-1, 1)
	if err != nil {
		w.t.Fatal(err)
	}
	t, err := w.Told(rows[0])
	if err != nil {
		w.t.Fatal(err)
	}
	return t
}

// TestServicesAreToldWhatAnObjectionStops: its type, the purposes it is about, and their systems; nobody, where it is about none.
func TestServicesAreToldWhatAnObjectionStops(t *testing.T) {
	ads := purpose.Purpose{ID: "ads", Basis: purpose.Contract, Categories: []string{"usage"}, Uses: []string{purpose.Sale}, Systems: []string{"ads"}}
	orders := purpose.Purpose{ID: "orders", Basis: purpose.Contract, Categories: []string{"contact"}, Systems: []string{"shop"}}
	w := newWorld(t, ads, orders)
	f := w.add(subject.FactInput{Kind: subject.Objection, Type: "opt_out"})
	got := w.told()
	if got == nil || got.Event != "objection.added" || got.Type != "opt_out" || !slices.Equal(got.Purposes, []string{"ads"}) || !slices.Equal(got.Categories, []string{"usage"}) ||
		got.Concerns([]string{"shop"}) || !got.At.Equal(f.Since) {
		t.Errorf("of the objection is told %+v", got)
	}
	w.clock.Advance(time.Hour)
	if _, err := w.EndFact(t.Context(), f.ID, "test"); err != nil {
		t.Fatal(err)
	}
	if got := w.told(); got == nil || got.Event != "objection.ended" || !slices.Equal(got.Purposes, []string{"ads"}) || got.At.Sub(f.Since) < time.Hour {
		t.Errorf("of its end is told %+v", got)
	}
	w.add(subject.FactInput{Kind: subject.Objection, Type: "research"})
	if got := w.told(); got != nil {
		t.Errorf("it is about nothing, and services are told %+v", got)
	}
	until := w.clock.Now().Add(time.Hour).Truncate(time.Second)
	w.add(subject.FactInput{Kind: subject.Restriction, Type: "legal_claims", Allowed: []string{"ads"}, Until: until})
	if got := w.told(); got == nil || got.Event != "restriction.added" || !slices.Equal(got.Purposes, []string{"orders"}) || got.Type != "legal_claims" || !got.Until.Equal(until) {
		t.Errorf("of the restriction is told %+v", got)
	}
}

// TestNothingToWithdraw: a no to a purpose that does not lean on consent is refused, for it would change nothing; unless a consent
// stands that it leaned on before.
func TestNothingToWithdraw(t *testing.T) {
	w := newWorld(t, letters())
	w.record(yes())
	contract := letters()
	contract.Basis = purpose.Contract
	w.declare(contract)
	no := consent.WithdrawInput{Subject: ida, Purpose: "letters"}
	if got := w.withdraw(no); got.Ended != 1 {
		t.Errorf("%+v", got)
	}
	var f *fault.Error
	if _, err := w.Withdraw(t.Context(), no); !errors.As(err, &f) || f.Kind != fault.Invalid || !strings.Contains(f.Details[0].Message, "contract") {
		t.Errorf("got %v", f)
	}
}

// TestANarrowedConsentSaysWhatIsLeft, and one that waits until when.
func TestANarrowedConsentSaysWhatIsLeft(t *testing.T) {
	w := newWorld(t, letters())
	c := w.record(yes())
	look := func(status consent.Status, left ...string) {
		t.Helper()
		if got, err := w.Get(t.Context(), c.ID); err != nil || got.Status != status || !slices.Equal(got.Left, left) {
			t.Errorf("%+v, %v", got, err)
		}
	}
	look(consent.Given)
	w.withdraw(consent.WithdrawInput{Subject: ida, Categories: []string{"usage"}})
	look(consent.Given, "contact")
	w.withdraw(consent.WithdrawInput{Subject: ida, All: true})
	look(consent.Withdrawn)
	in := yes()
	head := w.ledger.Head()
	in.Status, in.Notice.SeenRevision = consent.Pending, &head
	p := w.record(in)
	if p.ConfirmBy.Sub(p.Recorded) != 7*24*time.Hour || p.Recorded.Nanosecond()%1e6 != 0 {
		t.Errorf("%+v", p)
	}
	if c, err := w.Confirm(t.Context(), p.Token, "test"); err != nil || !c.ConfirmBy.IsZero() {
		t.Errorf("%+v, %v", c, err)
	}
}

// TestAnActMayNameThePersonByID: as answers and events do; the act is about that person, and never makes another one.
func TestAnActMayNameThePersonByID(t *testing.T) {
	w := newWorld(t, letters(), purpose.Purpose{ID: "orders", Basis: purpose.Contract, Categories: []string{"contact"}})
	c := w.record(yes())
	byID := []subject.Identity{{Kind: "id", Value: c.Subject}}
	if got := w.withdraw(consent.WithdrawInput{Subject: byID, Purpose: "letters"}); got.Subject != c.Subject || got.Ended != 1 {
		t.Errorf("%+v", got)
	}
	w.expect("letters", "contact", false, consent.WasWithdrawn)
	in, head := yes(), w.ledger.Head()
	in.Subject, in.Notice.SeenRevision = byID, &head
	if got := w.record(in); got.Subject != c.Subject {
		t.Errorf("%+v", got)
	}
	w.expect("letters", "contact", true, consent.Consented)
	if who, _, err := w.AddFact(t.Context(), byID, subject.FactInput{Kind: subject.Restriction, Type: "legal_claims", Actor: "test"}); err != nil || who != c.Subject {
		t.Errorf("%s, %v", who, err)
	}
	w.expect("orders", "contact", false, consent.IsRestricted)
	size := w.ledger.Size()
	for _, who := range [][]subject.Identity{{{Kind: "id", Value: "sub_nobody"}}, append(slices.Clone(byID), ida...)} {
		_, a := w.Withdraw(t.Context(), consent.WithdrawInput{Subject: who, All: true})
		in.Subject = who
		_, b := w.Record(t.Context(), in)
		_, _, c := w.AddFact(t.Context(), who, subject.FactInput{Kind: subject.Objection, Type: "opt_out"})
		for _, err := range []error{a, b, c} {
			if fault.KindOf(err) != fault.Invalid {
				t.Errorf("%v: %v", who, err)
			}
		}
	}
	if w.ledger.Size() != size {
		t.Error("what was refused left something")
	}
}

func TestMetadataHasBounds(t *testing.T) {
	w := newWorld(t, letters())
	in := yes()
	in.Metadata = map[string]string{"form": strings.Repeat("x", 17<<10)}
	if _, err := w.Record(t.Context(), in); fault.KindOf(err) != fault.Invalid {
		t.Errorf("got %v", err)
	}
}
