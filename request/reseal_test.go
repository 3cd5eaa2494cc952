package request_test

import (
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/plan"
)

// TestResealKeysBeforeSlots: an open request, and its journal, of when keys were sealed under the root key and lay in no slot, open
// after that root key was rotated and retired.
func TestResealKeysBeforeSlots(t *testing.T) {
	w := newWorld(t)
	r := w.plan(plan.Erasure, "email=ida@example.com")
	slotted := w.plan(plan.Access, "email=bo@example.com")
	same := w.keys(slotted.ID)[0]
	w.must(w.db.Write(t.Context(), func(tx *db.Tx) error { return w.withoutSlot(tx, r.ID) }))
	if _, err := w.vault.RotateRoot(t.Context(), time.Now(), w.s.Reseal); err != nil {
		t.Fatal(err)
	}
	if n, err := w.vault.RetireRoots(t.Context(), time.Now(), w.s.Reseal); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	keys := w.keys(r.ID)
	if len(keys) != 3 {
		t.Fatalf("%d keys", len(keys))
	}
	for i, stored := range keys {
		if k, err := w.vault.OpenKey(stored); err != nil {
			t.Errorf("key %d: %v", i, err)
		} else {
			k.Destroy()
		}
	}
	if again, err := w.s.Get(t.Context(), r.ID); err != nil || again.Masked != r.Masked || !strings.HasPrefix(r.Masked, "email i") {
		t.Errorf("%q, was %q, %v", again.Masked, r.Masked, err)
	}
	if string(w.keys(slotted.ID)[0]) != string(same) {
		t.Error("a key in a slot was written again")
	}
}

// withoutSlot gives a request, and two runs of it, a key as it was before there were slots.
func (w *world) withoutSlot(tx *db.Tx, id string) error {
	var stored, sealed []byte
	ctx := w.t.Context()
	if err := tx.QueryRow(ctx, "select key, identities from requests where id = $1", id).Scan(&stored, &sealed); err != nil {
		return err
	}
	now, err := w.vault.OpenKey(stored)
	if err != nil {
		return err
	}
	plain, err := now.Open([]byte(id), sealed)
	if err != nil {
		return err
	}
	raw := make([]byte, 32)
	rand.Read(raw)
	before := w.vault.Seal("key", nil, raw)
	key, err := w.vault.OpenKey(before)
	if err != nil {
		return err
	}
	if sealed, err = key.Seal([]byte(id), plain); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "update requests set key = $2, identities = $3 where id = $1", id, before, sealed)
	for gen := range 2 {
		_, e := tx.Exec(ctx, "insert into plan_runs (request, gen, hash, sealed_key) values ($1, $2, '', $3)", id, gen, before)
		err = errors.Join(err, e)
	}
	return err
}
