package consent_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/subject"
)

// TestStartsFromTheCopy: where the snapshot file is lost, its copy in the store answers, with what came after it; a copy
// that is damaged, or of another ledger, is not believed.
func TestStartsFromTheCopy(t *testing.T) {
	w := newWorld(t, letters())
	w.record(yes())
	if err := w.SaveSnapshot(t.Context()); err != nil {
		t.Fatal(err)
	}
	change := func(text string, args ...any) {
		t.Helper()
		err := w.db.Write(t.Context(), func(tx *db.Tx) error {
			_, err := tx.Exec(t.Context(), text, args...)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	lose := func() {
		t.Helper()
		if err := os.Remove(filepath.Join(w.dir, "decisions")); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	other := yes()
	other.Subject = []subject.Identity{{Kind: "email", Value: "new@example.com"}}
	w.record(other) // after the copy, with an identity that it does not hold
	given := w.ledger.Size() - 1
	lose()
	var payload []byte
	err := w.db.Read(t.Context(), func(tx *db.Tx) error {
		return tx.QueryRow(t.Context(), "select payload from ledger_entries where id = $1", given).Scan(&payload)
	})
	if err != nil {
		t.Fatal(err)
	}
	change("update ledger_entries set payload = $1 where id = $2", []byte("damaged"), given)
	w.restart() // would fail if that entry were read
	w.expect("letters", "contact", true, consent.Consented)
	if v := w.Decide(w.Find(other.Subject...), "letters", "contact", false); !v.Allowed {
		t.Errorf("what came after the copy: %+v", v)
	}
	change("update ledger_entries set payload = $1 where id = $2", payload, given)

	w.withdraw(consent.WithdrawInput{Subject: ida, Purpose: "letters"})
	lose()
	w.restart()
	w.expect("letters", "contact", false, consent.WasWithdrawn)

	change("update consent_copy set piece = $1", []byte("damaged"))
	w.restart()
	w.expect("letters", "contact", false, consent.WasWithdrawn)
	if err := w.SaveSnapshot(t.Context()); err != nil { // makes a copy of now
		t.Fatal(err)
	}
	change("update consent_copy set revision = revision + 1")
	lose()
	w.restart()
	w.expect("letters", "contact", false, consent.WasWithdrawn)
}
