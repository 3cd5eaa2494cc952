package subject_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/subject"
	"github.com/ombudhq/ombud/vault"
)

// TestShredsAreFinished: what a commit noted is destroyed by the next start, where the process was killed before it was
// overwritten, or the keys were put back; what was undone is not.
func TestShredsAreFinished(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		s, err := subject.OpenShreds(ctx, w.db, w.vault, w.ledger, w.clock)
		if err != nil {
			t.Fatal(err)
		}
		var slots []vault.Slot
		for range 4 {
			slot, err := w.vault.NewSlot()
			if err != nil {
				t.Fatal(err)
			}
			slots = append(slots, slot)
		}
		refuse := errors.New("no")
		write := func(fn func(tx *db.Tx) error) error { return w.db.Write(ctx, fn) }
		if err := write(func(tx *db.Tx) error { return s.Add(ctx, tx, slots[0], 0) }); err != nil {
			t.Fatal(err)
		}
		if err := write(func(tx *db.Tx) error { return errors.Join(s.Add(ctx, tx, slots[1]), refuse) }); !errors.Is(err, refuse) {
			t.Fatal(err)
		}
		w.wantForgotten(t, slots, true, false, false, false)
		if err := write(func(tx *db.Tx) error { // killed before it was overwritten
			_, err := tx.Exec(ctx, "insert into shreds (slot, at, closed) values ($1, 0, 1)", int64(slots[2]))
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if err := s.Finish(ctx); err != nil {
			t.Fatal(err)
		}
		w.wantForgotten(t, slots, true, false, true, false)
		if n, err := s.Close(ctx); n != 2 || err != nil {
			t.Errorf("%d closed, %v", n, err)
		}
		if n, err := s.Close(ctx); n != 0 || err != nil {
			t.Errorf("%d closed again, %v", n, err)
		}
		w.wantForgotten(t, slots, true, false, true, false)
	})
}

// TestAShredCutShort: a disk that took half of the zeros leaves a key that is none, and the next start ends what was begun.
func TestAShredCutShort(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	s, err := subject.OpenShreds(ctx, w.db, w.vault, w.ledger, w.clock)
	if err != nil {
		t.Fatal(err)
	}
	slot, err := w.vault.NewSlot()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.db.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "insert into shreds (slot, at) values ($1, 0)", int64(slot))
		return err
	}); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(filepath.Join(w.dir, "keys", "slots"), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteAt(make([]byte, 32), int64(slot)*64)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.vault.Forgotten(slot); !errors.Is(err, vault.ErrDamaged) {
		t.Errorf("half a key: %v", err)
	}
	if err := s.Finish(ctx); err != nil {
		t.Fatal(err)
	}
	w.wantForgotten(t, []vault.Slot{slot}, true)
}

func (w *world) wantForgotten(t *testing.T, slots []vault.Slot, want ...bool) {
	t.Helper()
	for i, slot := range slots {
		if got, err := w.vault.Forgotten(slot); err != nil || got != want[i] {
			t.Errorf("key %d is forgotten: %v, %v", i, got, err)
		}
	}
}

// TestAPersonIsTheirSlot: numbers are slots, never given twice, also where the store is older than the keys or newer.
func TestAPersonIsTheirSlot(t *testing.T) {
	w := newWorld(t)
	p := openPeople(t, w)
	first := addPerson(t, w, p, subject.Identity{Kind: "email", Value: "a@example.com"})
	err := w.db.Write(t.Context(), func(tx *db.Tx) error { // a store of before there were keys, or a newer one
		_, err := tx.Exec(t.Context(), "insert into people (number, since) values (5000, 0)")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	p = openPeople(t, w)
	next := addPerson(t, w, p, subject.Identity{Kind: "email", Value: "b@example.com"})
	if next <= 5000 || first >= next {
		t.Errorf("numbers %d, then %d", first, next)
	}
	if _, err := w.vault.SealFor(5000, "l", nil, nil); err != nil {
		t.Errorf("who was there before has no key: %v", err)
	}
	if err := w.db.Write(t.Context(), func(tx *db.Tx) error { // an older store
		_, err := tx.Exec(t.Context(), "delete from people where number > 1")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if third := addPerson(t, w, openPeople(t, w), subject.Identity{Kind: "email", Value: "c@example.com"}); third <= next {
		t.Errorf("number %d was given again as %d", next, third)
	}
}
