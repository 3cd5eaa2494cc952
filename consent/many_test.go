package consent_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/consent/internal/index"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/purpose"
)

// numbered are purposes by consent, each in a system of its own.
func numbered(n int) []purpose.Purpose {
	var out []purpose.Purpose
	for i := range n {
		p := letters()
		p.ID, p.Systems = fmt.Sprintf("p%04d", i), []string{fmt.Sprint("s", i)}
		out = append(out, p)
	}
	return out
}

func yesTo(id string) consent.RecordInput {
	in := yes()
	in.Purpose = id
	return in
}

// TestManyPurposes: what holds for the first 64 purposes holds for those behind them, also after a start, from the snapshot
// and from the ledger: decisions, changes, services told, a no to all.
func TestManyPurposes(t *testing.T) {
	w := newWorld(t, numbered(200)...)
	w.expect("p0150", "contact", false, consent.UnknownPerson)
	given := []string{"p0003", "p0063", "p0064", "p0150"}
	for _, id := range given {
		c := w.record(yesTo(id))
		list, _ := w.Follow(c.Revision).Next()
		if len(list) != 1 || !slices.Equal(list[0].Purposes, []string{id}) {
			t.Errorf("changes of %s: %+v", id, list)
		}
		rows, err := w.ledger.Since(t.Context(), w.ledger.Size()-1, 1)
		if err != nil || rows[0].Revision != c.Revision {
			t.Fatal(rows, err)
		}
		told, err := w.Told(rows[0])
		if err != nil || !told.Concerns([]string{"s" + fmt.Sprint(placeOf(id))}) || told.Concerns([]string{"s7"}) {
			t.Errorf("of %s is told %+v, %v", id, told, err)
		}
	}
	stands := func(allowed bool, why, other consent.Reason) {
		t.Helper()
		for _, id := range given {
			w.expect(id, "contact", allowed, why)
		}
		w.expect("p0151", "contact", false, other)
	}
	stands(true, consent.Consented, consent.NotGiven)
	w.restart()
	stands(true, consent.Consented, consent.NotGiven)
	if err := w.SaveSnapshot(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.restart()
	stands(true, consent.Consented, consent.NotGiven)
	if list := w.EndingBefore(w.clock.Now().AddDate(2, 0, 0)); len(list) != len(given) {
		t.Errorf("%d end by themselves: %+v", len(list), list)
	}
	if by, people := w.Overviews(); people != 1 || by["p0150"].Yes != 1 || by["p0151"].Yes != 0 {
		t.Errorf("%d people, %+v", people, by["p0150"])
	}
	no := w.withdraw(consent.WithdrawInput{Subject: ida, All: true})
	stands(false, consent.WasWithdrawn, consent.WasWithdrawn)
	var heard []string
	for list, _ := w.Follow(no.Revision).Next(); len(list) > 0; list = list[1:] {
		heard = append(heard, list[0].Purposes...)
	}
	if no.Ended != len(given) || len(heard) != 200 {
		t.Errorf("%d ended, %d purposes heard of", no.Ended, len(heard))
	}
}

func placeOf(id string) (n int) {
	fmt.Sscanf(id, "p%d", &n)
	return n
}

// TestTooManyPurposes: behind the last place for consents, other bases go on, and a yes is refused with the number.
func TestTooManyPurposes(t *testing.T) {
	all := numbered(index.Ranks + 1)
	all = append(all, purpose.Purpose{ID: "orders", Basis: purpose.Contract, Categories: []string{"contact"}})
	w := newWorld(t, all...)
	w.record(yesTo(all[index.Ranks-1].ID))
	w.expect(all[index.Ranks-1].ID, "contact", true, consent.Consented)
	_, err := w.Record(t.Context(), yesTo(all[index.Ranks].ID))
	if fault.KindOf(err) != fault.Invalid {
		t.Errorf("got %v", err)
	}
	w.expect("orders", "contact", true, consent.BasisDeclared)
}
