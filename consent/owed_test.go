package consent_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/purpose"
	"github.com/ombudhq/ombud/subject"
)

func (w *world) owed() ([]consent.Owed, error) {
	w.t.Helper()
	return w.Owed(w.t.Context(), 0, 100)
}

// TestAnUnreadableWithdrawalHoldsUpNoOther: what it left is not settled and told as an error, what the others left is known.
func TestAnUnreadableWithdrawalHoldsUpNoOther(t *testing.T) {
	w := newWorld(t, letters())
	var revisions []int64
	for _, who := range []string{"bo", "ida", "jon"} {
		in := yes()
		in.Subject = []subject.Identity{{Kind: "email", Value: who + "@example.com"}}
		w.record(in)
		revisions = append(revisions, w.withdraw(consent.WithdrawInput{Subject: in.Subject, Purpose: "letters"}).Revision)
	}
	damage := func(set string) {
		t.Helper()
		err := w.db.Write(t.Context(), func(tx *db.Tx) error {
			_, err := tx.Exec(context.Background(), "update ledger_entries set payload = "+set+" where revision = $1", revisions[1])
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	damage("(select payload from ledger_entries where id = 1)")
	owed, err := w.owed()
	if err == nil || len(owed) != 2 || owed[0].Revision != revisions[0] || owed[1].Revision != revisions[2] {
		t.Fatalf("%+v, %v", owed, err)
	}
	if next, err := w.Owed(t.Context(), revisions[0], 1); err == nil || len(next) != 1 || next[0].Revision != revisions[2] {
		t.Errorf("behind the damaged one: %+v, %v", next, err)
	}
	for i, who := range []string{"bo", "jon"} {
		if !slices.Equal(owed[i].Purposes, []string{"letters"}) || owed[i].Identities[0].Value != who+"@example.com" {
			t.Errorf("%+v", owed[i])
		}
		if err := w.Settle(t.Context(), owed[i].Revision); err != nil {
			t.Fatal(err)
		}
	}
	if owed, err := w.owed(); err == nil || len(owed) != 0 {
		t.Errorf("the damaged one is settled, or silent: %+v, %v", owed, err)
	}
	var left int
	err = w.db.Read(t.Context(), func(tx *db.Tx) error {
		return tx.QueryRow(t.Context(), "select count(*) from consent_owed").Scan(&left)
	})
	if err != nil || left != 1 {
		t.Errorf("%d are left, %v", left, err)
	}
}

// TestWhatIsOwedIsObeyed: what is to be erased after a withdrawal is weighed against what goes on nevertheless, so it is owed
// once decisions obey the withdrawal, and not while they say yes still.
func TestWhatIsOwedIsObeyed(t *testing.T) {
	w := newWorld(t, letters())
	w.record(yes())
	w.between = func() {
		if owed, err := w.owed(); err != nil || len(owed) > 0 && w.decide("letters", "contact").Allowed {
			t.Errorf("%+v, %v, and the decision is yes", owed, err)
		}
	}
	w.withdraw(consent.WithdrawInput{Subject: ida, Purpose: "letters"})
	w.between = nil
	if owed, err := w.owed(); err != nil || len(owed) != 1 {
		t.Errorf("%+v, %v", owed, err)
	}
}

// TestWhatExpiredIsOwed: as after a withdrawal, and a sweep that was cut off and tells again names the same cause.
func TestWhatExpiredIsOwed(t *testing.T) {
	kept := purpose.Purpose{ID: "survey", Basis: purpose.Consent, Categories: []string{"usage"}, OnWithdrawal: purpose.KeepData,
		Notices: []purpose.Notice{{ID: "letters", Version: "3", Language: "en", Text: "Ask me"}}}
	w := newWorld(t, letters(), kept)
	c := w.record(yes())
	other := yes()
	other.Purpose = "survey"
	w.record(other)
	if owed, err := w.owed(); err != nil || len(owed) != 0 {
		t.Fatalf("while it stands: %+v, %v", owed, err)
	}
	w.clock.Set(c.ValidUntil.Add(time.Hour))
	causes := map[string]int{}
	for range 2 {
		if err := w.Expire(t.Context()); err != nil {
			t.Fatal(err)
		}
		owed, err := w.owed()
		if err != nil || len(owed) != 2 {
			t.Fatalf("%+v, %v", owed, err)
		}
		for _, o := range owed {
			causes[o.Cause]++
			if !consent.ByItself(o.Cause) || strings.Contains(o.Cause, c.ID) != slices.Equal(o.Purposes, []string{"letters"}) {
				t.Errorf("%+v", o)
			}
			if err := w.Settle(t.Context(), o.Revision); err != nil {
				t.Fatal(err)
			}
		}
		err = w.db.Write(t.Context(), func(tx *db.Tx) error {
			_, err := tx.Exec(t.Context(), "delete from consent_sweep")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(causes) != 2 || causes["expiry "+c.ID] != 2 {
		t.Errorf("%v", causes)
	}
}

// TestWhatWasRenewedIsNotOwed: a consent that was given again before its end leaves nothing.
func TestWhatWasRenewedIsNotOwed(t *testing.T) {
	w := newWorld(t, letters())
	c := w.record(yes())
	w.clock.Set(c.ValidUntil.Add(-time.Hour))
	w.record(yes())
	w.clock.Set(c.ValidUntil.Add(time.Hour))
	if err := w.Expire(t.Context()); err != nil {
		t.Fatal(err)
	}
	if owed, err := w.owed(); err != nil || len(owed) != 0 {
		t.Errorf("%+v, %v", owed, err)
	}
}

// A file of years opens no erasure for every no in it, unless somebody asks for that; a no that is said to us does.
func TestHistoryOwesNothingUnlessAsked(t *testing.T) {
	file := strings.Join([]string{
		`{"event":"given","subject":{"email":"ida@example.com"},"purpose":"letters","method":"web_form","notice":{"id":"letters","version":"3"},"at":"2026-10-01T10:00:00Z"}`,
		`{"event":"withdrawn","subject":{"email":"ida@example.com"},"purpose":"letters","at":"2026-10-02T10:00:00Z"}`,
	}, "\n")
	for name, in := range map[string]consent.ImportInput{
		"history": {Source: "old system", Actor: "test"},
		"asked":   {Source: "old system", Actor: "test", Erase: true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, letters())
			got, err := w.Import(t.Context(), strings.NewReader(file), in)
			if err != nil || got.Recorded != 2 || got.Ended != 1 {
				t.Fatalf("import: %+v, %v", got, err)
			}
			owed, err := w.Owed(t.Context(), 0, 10)
			if err != nil || (len(owed) == 1) != in.Erase {
				t.Errorf("owed %+v, %v", owed, err)
			}
		})
	}
}

// TestOwedOfAnOlderStore: what was owed in a store of a version before is owed still; the table has no index beside it.
func TestOwedOfAnOlderStore(t *testing.T) {
	w := newWorld(t, letters())
	w.record(yes())
	revision := w.withdraw(consent.WithdrawInput{Subject: ida, Purpose: "letters"}).Revision
	err := w.db.Write(t.Context(), func(tx *db.Tx) (err error) {
		for _, text := range []string{"drop table consent_owed", consent.OwedSchema, fmt.Sprintf("insert into consent_owed values (%d, 1)", revision),
			"delete from schema_steps where feature = 'consent' and step >= 5"} {
			if err == nil {
				_, err = tx.Exec(t.Context(), text)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	w.restart()
	if owed, err := w.owed(); err != nil || len(owed) != 1 || owed[0].Revision != revision {
		t.Errorf("%+v, %v", owed, err)
	}
	indexes := 0
	err = w.db.Read(t.Context(), func(tx *db.Tx) error {
		return tx.QueryRow(t.Context(), "select count(*) from sqlite_master where type = 'index' and tbl_name = 'consent_owed'").Scan(&indexes)
	})
	if err != nil || indexes != 0 {
		t.Errorf("%d indexes, %v", indexes, err)
	}
}
