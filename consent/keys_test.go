package consent_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/subject"
)

// TestAllKeysOfAWithdrawal: what is kept of a withdrawal outside the store holds every key that leads to the person, whichever of
// their identities it names, also after a restart and where another one was bound a moment before, in the same commit.
func TestAllKeysOfAWithdrawal(t *testing.T) {
	w := newWorld(t, letters())
	dice := rand.New(rand.NewPCG(7, 7))
	some := func(person int) []subject.Identity {
		all := identitiesOf(person)
		dice.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		return all[:1+dice.IntN(len(all))]
	}
	for turn := range 60 {
		in, who := yes(), turn%people
		in.Subject = some(who)
		in.Notice.SeenRevision = new(w.ledger.Head())
		if _, err := w.Record(t.Context(), in); err != nil && fault.KindOf(err) != fault.Conflict {
			t.Fatal(err)
		}
		if turn%3 == 0 {
			if _, err := w.Withdraw(t.Context(), consent.WithdrawInput{Subject: some(who), Purpose: "letters", Actor: "test"}); err != nil && fault.KindOf(err) != fault.Conflict {
				t.Fatal(err)
			}
		}
		if turn%10 == 9 {
			if err := w.SaveSnapshot(t.Context()); err != nil {
				t.Fatal(err)
			}
			w.restart()
		}
		for person := range people {
			w.compareKeys(some(person))
			w.compareKeys(some(person), subject.Identity{Kind: "card", Value: fmt.Sprint(person)})
		}
	}
}

// TestKeysOfAnEndThatEndsNothing: the end of a restriction that an older store never had ends nothing there, and whoever it was
// about is known by their keys at once, in memory as in the store.
func TestKeysOfAnEndThatEndsNothing(t *testing.T) {
	w := newWorld(t, letters())
	body, err := json.Marshal(map[string]any{"keys": []subject.Key{w.people.Key(ida[0])}, "fact": map[string]any{"id": "never-here"}})
	if err != nil {
		t.Fatal(err)
	}
	err = w.db.Write(t.Context(), func(tx *db.Tx) error {
		return w.AgainFact(t.Context(), tx, ledger.Act{Kind: subject.RestrictionEnded, Body: body})
	})
	if err != nil {
		t.Fatal(err)
	}
	if w.Find(ida...).Person() == 0 {
		t.Error("the store knows the person, and memory does not")
	}
	w.compareKeys(ida)
}

const people = 12

// identitiesOf are one to four.
func identitiesOf(person int) (all []subject.Identity) {
	for _, kind := range []string{"email", "customer", "phone", "login"}[:1+person%4] {
		all = append(all, subject.Identity{Kind: kind, Value: fmt.Sprintf("%d@example.com", person)})
	}
	return all
}

// compareKeys compares the keys of a person of whom some identities are named with those in the store, after more are bound.
func (w *world) compareKeys(named []subject.Identity, more ...subject.Identity) {
	w.t.Helper()
	n := w.Find(named...).Person()
	if n == 0 {
		return
	}
	refused := errors.New("refused")
	err := w.db.Write(w.t.Context(), func(tx *db.Tx) error {
		if len(more) > 0 {
			if _, err := w.people.Bind(w.t.Context(), tx, n, more); err != nil {
				return err
			}
		}
		got, err := w.KeysOf(w.t.Context(), tx, n, named)
		var want []subject.Key
		err = errors.Join(err, w.people.Keys(w.t.Context(), tx, n, func(b subject.Bound) { want = append(want, b.Key) }))
		for _, keys := range [][]subject.Key{got, want} {
			slices.SortFunc(keys, func(a, b subject.Key) int { return bytes.Compare(a[:], b[:]) })
		}
		if !slices.Equal(got, want) {
			w.t.Errorf("%v named: %d keys, want %d", named, len(got), len(want))
		}
		return errors.Join(err, refused)
	})
	if !errors.Is(err, refused) {
		w.t.Fatal(err)
	}
}
