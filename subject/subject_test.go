package subject_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/testkit/pgtest"
	"github.com/ombudhq/ombud/internal/testkit/storetest"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/subject"
	"github.com/ombudhq/ombud/vault"
)

type world struct {
	dir    string
	db     *db.DB
	vault  *vault.Vault
	ledger *ledger.Ledger
	clock  *clock.Fake
	holds  *subject.Holds
}

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

func newWorld(t *testing.T) *world { return newWorldIn(t, storetest.SQLite) }

// each runs a test on a new world with a store of each engine.
func each(t *testing.T, fn func(t *testing.T, w *world)) {
	storetest.Each(t, func(t *testing.T, engine string) { fn(t, newWorldIn(t, engine)) })
}

func newWorldIn(t *testing.T, engine string) *world {
	t.Helper()
	w := &world{dir: t.TempDir(), clock: clock.NewFake(time.Date(2026, 11, 21, 4, 0, 0, 0, time.UTC))}
	var err error
	if w.vault, err = vault.Open(vault.Config{Dir: filepath.Join(w.dir, "keys")}); err != nil {
		t.Fatal(err)
	}
	store := filepath.Join(w.dir, "ombud.db")
	if engine == storetest.Postgres {
		store = storetest.Address(t, engine)
	}
	if w.db, err = db.Open(t.Context(), db.Config{Path: store, Clock: w.clock}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.db.Close() }) // the test's own end; nothing is read afterwards
	if w.ledger, err = ledger.Open(t.Context(), ledger.Config{DB: w.db, Vault: w.vault, Clock: w.clock, Heads: []string{filepath.Join(w.dir, "heads")}}); err != nil {
		t.Fatal(err)
	}
	if w.holds, err = subject.OpenHolds(t.Context(), w.db, w.vault, w.ledger, w.clock); err != nil {
		t.Fatal(err)
	}
	return w
}

func TestParse(t *testing.T) {
	i, err := subject.Parse("email=ida+a=b@example.com")
	if err != nil || i.Kind != "email" || i.Value != "ida+a=b@example.com" {
		t.Errorf("got %s, %v", i.Kind, err)
	}
	for _, s := range []string{"", "email", "=x", "email=", "email=  "} {
		if _, err := subject.Parse(s); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q: %v", s, err)
		}
	}
	if s := i.String() + i.GoString(); strings.Contains(s, "ida") {
		t.Errorf("an identity prints: %s", s)
	}
	for value, want := range map[string]string{"": "····", "ida": "····", "ola4": "o····", " østby ": "ø····", "+4791234567": "+····"} {
		if got := (subject.Identity{Kind: "any", Value: value}).Hint(); got != want {
			t.Errorf("the hint at %q is %s", value, got)
		}
	}
}

func TestTokensJoinOnlyTheSame(t *testing.T) {
	v := newWorld(t).vault
	ida := subject.Token(v, "email", "Ida@Example.com")
	if got := subject.Token(v, "email", "  ida@example.COM\n"); got != ida || len(ida) != 64 {
		t.Errorf("spelling changes the token: %s, %s", ida, got)
	}
	for _, other := range [][2]string{{"phone", "ida@example.com"}, {"email", "i.da@example.com"}, {"email", "ida+x@example.com"}, {"email", "ida@examp\u0142e.com"}} {
		if subject.Token(v, other[0], other[1]) == ida {
			t.Errorf("%v joins", other)
		}
	}
	if got := subject.Tokens(v, []subject.Identity{{Kind: "email", Value: "b"}, {Kind: "email", Value: "B "}, {Kind: "email", Value: "a"}}); len(got) != 2 || got[0] > got[1] {
		t.Errorf("tokens are not sorted and distinct: %v", got)
	}
	if subject.Token(newWorld(t).vault, "email", "ida@example.com") == ida {
		t.Error("a token does not depend on the root key")
	}
}

// TestReasonsGoWithTheirHolds: why a hold stood is kept as long as it stands.
func TestReasonsGoWithTheirHolds(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		for _, who := range []string{"a@example.com", "b@example.com"} {
			if _, err := w.holds.Add(ctx, subject.HoldInput{Subjects: []subject.Identity{{Kind: "email", Value: who}}, Because: "the case of " + who, Actor: "test"}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := w.holds.Release(ctx, subject.HoldInput{Subjects: []subject.Identity{{Kind: "email", Value: "a@example.com"}}, Actor: "test"}); err != nil {
			t.Fatal(err)
		}
		kept, slots := 0, map[int64]bool{}
		err := w.db.Read(ctx, func(tx *db.Tx) error {
			if err := tx.QueryRow(ctx, "select count(*) from holds where length(because) > 0").Scan(&kept); err != nil {
				return err
			}
			rows, err := tx.Query(ctx, "select slot from shreds")
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				var slot int64
				if err := rows.Scan(&slot); err != nil {
					return err
				}
				slots[slot] = true
			}
			return rows.Err()
		})
		for slot := range slots {
			if gone, err := w.vault.Forgotten(vault.Slot(slot)); err != nil || !gone {
				t.Errorf("the key of a reason still opens it in every backup: %v", err)
			}
		}
		if len(slots) != 1 {
			t.Errorf("%d keys of reasons were destroyed", len(slots))
		}
		if list, e := w.holds.List(ctx); err != nil || e != nil || kept != 1 || len(list) != 1 || list[0].Because != "the case of b@example.com" {
			t.Errorf("%d reasons, %+v, %v, %v", kept, list, err, e)
		}
	})
}

func TestHoldsStandUntilReleased(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		ida, bo := subject.Identity{Kind: "email", Value: "ida@example.com"}, subject.Identity{Kind: "email", Value: "bo@example.com"}
		all, err := w.holds.Add(ctx, subject.HoldInput{Subjects: []subject.Identity{ida}, Because: "Nordmann against Fjordly", Actor: "local:kari"})
		if err != nil || len(all) != 1 || !strings.HasPrefix(all[0].ID, "hold_") || len(all[0].ID) != 31 {
			t.Fatalf("%+v, %v", all, err)
		}
		if _, err := w.holds.Add(ctx, subject.HoldInput{Subjects: []subject.Identity{ida, bo}, System: "shop", Dataset: "orders", Because: "audit", Actor: "local:kari"}); err != nil {
			t.Fatal(err)
		}
		list, err := w.holds.List(ctx)
		if err != nil || len(list) != 3 {
			t.Fatalf("%+v, %v", list, err)
		}
		for _, h := range list {
			if h.ID == all[0].ID && (h.Because != "Nordmann against Fjordly" || h.Token != subject.Token(w.vault, "email", ida.Value) || !h.Since.Equal(w.clock.Now())) {
				t.Errorf("a hold came back as %+v", h)
			}
		}
		ended, err := w.holds.Release(ctx, subject.HoldInput{Subjects: []subject.Identity{ida}, System: "shop", Dataset: "orders", Actor: "local:kari"})
		if err != nil || len(ended) != 1 || ended[0].Dataset != "orders" {
			t.Fatalf("released %+v, %v", ended, err)
		}
		if ended, err = w.holds.Release(ctx, subject.HoldInput{Subjects: []subject.Identity{ida}, Actor: "local:kari"}); err != nil || len(ended) != 1 || ended[0].ID != all[0].ID {
			t.Fatalf("released %+v, %v", ended, err)
		}
		if err := w.holds.ReleaseID(ctx, all[0].ID, "local:kari"); fault.KindOf(err) != fault.NotFound {
			t.Errorf("a second release: %v", err)
		}
		if got := w.ledger.Size(); got != 4 {
			t.Errorf("%d ledger entries for 4 commands", got)
		}
		for _, word := range []string{"Nordmann", "example.com"} {
			if inFiles(t, w, word) {
				t.Errorf("%q lies in the store in clear", word)
			}
		}
	})
}

func TestHoldInputIsChecked(t *testing.T) {
	w, ida := newWorld(t), []subject.Identity{{Kind: "email", Value: "x"}}
	for name, in := range map[string]subject.HoldInput{
		"nobody": {Because: "x"}, "no reason": {Subjects: ida}, "dataset alone": {Subjects: ida, Because: "x", Dataset: "orders"},
	} {
		if _, err := w.holds.Add(t.Context(), in); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestReleaseIsOneTransaction: what must happen with a release happens with it, or neither does.
func TestReleaseIsOneTransaction(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ida := []subject.Identity{{Kind: "email", Value: "x"}}
		if _, err := w.holds.Add(t.Context(), subject.HoldInput{Subjects: ida, Because: "x"}); err != nil {
			t.Fatal(err)
		}
		refuse := errors.New("no")
		w.holds.OnRelease(func(context.Context, *db.Tx, []subject.Hold) error { return refuse })
		if _, err := w.holds.Release(t.Context(), subject.HoldInput{Subjects: ida}); !errors.Is(err, refuse) {
			t.Errorf("got %v", err)
		}
		if list, err := w.holds.List(t.Context()); err != nil || len(list) != 1 || w.ledger.Size() != 1 {
			t.Errorf("%d holds, %d entries, %v", len(list), w.ledger.Size(), err)
		}
	})
}

func TestSuppressions(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		s, err := subject.OpenSuppressions(t.Context(), w.db, w.vault, w.ledger, w.clock)
		if err != nil {
			t.Fatal(err)
		}
		ida := subject.Identity{Kind: "email", Value: "ida@example.com"}
		suppress := func(request string) {
			t.Helper()
			if err := w.db.Write(t.Context(), func(tx *db.Tx) error {
				return s.Suppress(t.Context(), tx, request, []subject.Identity{ida, ida}, subject.Erasure{Revision: 7, Allowed: []string{"tax"}})
			}); err != nil {
				t.Fatal(err)
			}
		}
		if _, ok, err := s.Lookup(t.Context(), ida); ok || err != nil {
			t.Errorf("found before it was there (%v)", err)
		}
		suppress("dsr_1")
		w.clock.Advance(time.Hour)
		suppress("dsr_2")
		got, ok, err := s.Lookup(t.Context(), subject.Identity{Kind: "email", Value: "IDA@example.com "})
		if err != nil || !ok || got.Request != "dsr_1" || got.Kind != "email" {
			t.Errorf("%+v, %v, %v", got, ok, err)
		}
		if e, ok := s.Erased(ida); !ok || e.Revision != 7 || len(e.Allowed) != 1 {
			t.Errorf("in memory it is %+v, %v", e, ok)
		}
		if _, ok, _ := s.Lookup(t.Context(), subject.Identity{Kind: "phone", Value: ida.Value}); ok {
			t.Error("another kind is found too")
		}
		of, err := s.Of(t.Context(), "dsr_2")
		if err != nil || len(of) != 1 {
			t.Errorf("%+v, %v", of, err)
		}
		if inFiles(t, w, "ida@") {
			t.Error("the identity lies in the store")
		}
	})
}

func TestCovers(t *testing.T) {
	for _, c := range []struct {
		h    subject.Hold
		want bool
	}{
		{subject.Hold{}, true},
		{subject.Hold{System: "shop"}, true},
		{subject.Hold{System: "shop", Dataset: "orders"}, true},
		{subject.Hold{System: "shop", Dataset: "reviews"}, false},
		{subject.Hold{System: "crm"}, false},
	} {
		if got := c.h.Covers("shop", "orders"); got != c.want {
			t.Errorf("%+v: %v", c.h, got)
		}
	}
}

func inFiles(t *testing.T, w *world, word string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(w.dir, "ombud.db*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(b), word) {
			return true
		}
	}
	return false
}
