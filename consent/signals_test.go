package consent_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/internal/fault"
)

const (
	tcString  = "CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA"
	gppString = "DBACNYA~CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA~1YNN" // of the specification
)

// TestSignalsMustBeReadable: they are kept as they came, told in short, and refused, without being shown, when nobody can
// read them.
func TestSignalsMustBeReadable(t *testing.T) {
	w := newWorld(t, letters())
	in := yes()
	in.TCF, in.GPP = tcString, gppString
	c := w.record(in)
	got, err := w.Get(t.Context(), c.ID)
	if err != nil || got.TCF != tcString || got.GPP != gppString || !strings.Contains(got.Signals, "TCF of 2022-04-20") || !strings.Contains(got.Signals, "GPP with tcfeuv2, uspv1; opted out of sale: no") {
		t.Errorf("%v: %q", err, got.Signals)
	}
	in.TCF, in.GPP = tcString[:20], "DBAC~secret"
	_, err = w.Record(t.Context(), in)
	var f *fault.Error
	if !errors.As(err, &f) || len(f.Details) != 2 || f.Details[0].Where != "tcf" || f.Details[1].Where != "gpp" || strings.Contains(err.Error(), "secret") {
		t.Errorf("%v", err)
	}
}

// TestOneConsent: what became of it, whatever came later.
func TestOneConsent(t *testing.T) {
	twice := letters()
	twice.ID, twice.DoubleOptIn, twice.Categories = "twice", true, []string{"contact"}
	w := newWorld(t, letters(), twice)
	status := func(id string, want consent.Status, renewedBy string) {
		t.Helper()
		got, err := w.Get(t.Context(), id)
		if err != nil || got.Status != want || got.ConsentID != id || got.RenewedBy != renewedBy {
			t.Errorf("%s, renewed by %q, %v; want %s", got.Status, got.RenewedBy, err, want)
		}
	}
	first := w.record(yes())
	status(first.ID, consent.Given, "")
	second := w.record(yes())
	status(first.ID, consent.Given, second.ID)
	w.withdraw(consent.WithdrawInput{Subject: ida, Categories: []string{"usage"}})
	status(second.ID, consent.Given, "")
	w.withdraw(consent.WithdrawInput{Subject: ida, Purpose: "letters"})
	status(second.ID, consent.Withdrawn, "")
	asked := yes()
	asked.Purpose, asked.Status = "twice", consent.Pending
	pending := w.record(asked)
	status(pending.ID, consent.Pending, "")
	confirmed, err := w.Confirm(t.Context(), pending.Token, "test")
	if err != nil {
		t.Fatal(err)
	}
	status(pending.ID, consent.Given, confirmed.ID)
	w.clock.Advance(366 * 24 * 3600e9)
	status(confirmed.ID, consent.Expired, "")
	for _, id := range []string{"", "con_x", "con_00000000000000000000000001", "con_00000000000000000100000001"} {
		if _, err := w.Get(t.Context(), id); fault.KindOf(err) != fault.NotFound {
			t.Errorf("%q: %v", id, err)
		}
	}
}
