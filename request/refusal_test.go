package request_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/subject"
	"github.com/ombudhq/ombud/vault"
)

// TestRefusalsAreForgotten: why a request was refused dies with the person, in every backup, unless a hold keeps rows of
// theirs; reasons about others stay.
func TestRefusalsAreForgotten(t *testing.T) {
	w := newWorld(t)
	refused := func(who string) vault.Slot {
		r := w.plan(plan.Access, who)
		if _, err := w.s.Refuse(t.Context(), r.Ref, "nobody knows "+who, "local:kari"); err != nil {
			t.Fatal(err)
		}
		var body string
		err := w.db.Read(t.Context(), func(tx *db.Tx) error {
			return tx.QueryRow(t.Context(), "select body from requests where id = $1", r.ID).Scan(&body)
		})
		var b struct{ Reason []byte }
		if err := errors.Join(err, json.Unmarshal([]byte(body), &b)); err != nil || vault.SlotOf(b.Reason) == 0 {
			t.Fatalf("the reason has no key of its own: %v", err)
		}
		return vault.SlotOf(b.Reason)
	}
	gone := func(slot vault.Slot) bool {
		forgotten, err := w.vault.Forgotten(slot)
		if err != nil {
			t.Fatal(err)
		}
		return forgotten
	}
	ida, bo := refused("email=ida@example.com"), refused("email=bo@example.com")
	held, err := w.holds.Add(t.Context(), subject.HoldInput{Subjects: people("email=ida@example.com")[0].Identities, System: "shop", Dataset: "orders",
		Because: "Nordmann against Fjordly", Actor: "local:kari"})
	w.must(err)
	if w.erase("email=ida@example.com"); gone(ida) {
		t.Error("a reason is gone while a hold stands")
	}
	w.must(w.holds.ReleaseID(t.Context(), held[0].ID, "local:kari"))
	if w.erase("email=ida@example.com"); !gone(ida) || gone(bo) {
		t.Errorf("of her %v, of somebody else %v", gone(ida), gone(bo))
	}
}
