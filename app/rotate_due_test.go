package app

import (
	"testing"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/ledger"
)

// TestKeysAreMadeWhenTheyAreDue: a year after the last ones unless ombud.yaml says otherwise, with an entry. The backup of the keys
// there is goes on to open them, and no more are made by themselves until the next one.
func TestKeysAreMadeWhenTheyAreDue(t *testing.T) {
	h := newHistory(t, 1)
	ida, bo := h.people[0], h.people[1]
	idaN, boN := h.says(ida, "kanarifugl"), h.says(bo, "rødstrupe")
	idaID := h.a.People.ID(idaN)
	h.backUp()
	older := h.backUpKeys()
	version := func(said catalog.Keys) string {
		t.Helper()
		h.must(h.a.rotateDue(t.Context(), said))
		a, err := h.a.Vault.Ages(t.Context(), h.clock.Now())
		h.must(err)
		return a.Version
	}
	later := func(years, days int) { h.clock.Advance(h.clock.Now().AddDate(years, 0, days).Sub(h.clock.Now())) }
	told, err := h.erase(ida)
	h.must(err)
	told()
	h.minutes()
	later(1, -1)
	if v := version(catalog.Keys{}); v != "1" {
		t.Errorf("before they are due: version %s", v)
	}
	later(0, 2)
	if v := version(catalog.Keys{Rotate: "never"}); v != "1" {
		t.Errorf("never: version %s", v)
	}
	for range 2 {
		if v := version(catalog.Keys{}); v != "2" {
			t.Errorf("a year later: version %s", v)
		}
		later(1, 1) // there is no newer backup
	}
	rows, err := h.a.Ledger.Tail(t.Context(), 10, ledger.TailOptions{Kind: "vault.rotated"})
	h.must(err)
	if len(rows) != 1 || rows[0].Actor != "ombud" {
		t.Errorf("entries of rotations: %v", rows)
	}
	h.backUpKeys()
	if v := version(catalog.Keys{Rotate: "5 years"}); v != "2" {
		t.Errorf("five years: version %s", v)
	}
	if v := version(catalog.Keys{}); v != "3" {
		t.Errorf("after a backup: version %s", v)
	}
	h.close()
	h.restoredWith(older)
	h.open()
	h.knows("restored with the backup of before", h.a.People, h.a.Ledger, idaN, boN, idaID)
	h.close()
}
