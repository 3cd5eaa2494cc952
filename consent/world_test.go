package consent_test

import (
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/consent/internal/index"
	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/purpose"
	"github.com/ombudhq/ombud/subject"
	"github.com/ombudhq/ombud/vault"
)

// world is a service on real files.
type world struct {
	*consent.Service
	t        testing.TB
	dir      string
	where    []string
	clock    *clock.Fake
	db       *db.DB
	vault    *vault.Vault
	ledger   *ledger.Ledger
	people   *subject.People
	erased   *subject.Suppressions
	register *purpose.Register
	between  func() // of a commit that the store has and what it tells memory; nil does nothing

	kept   map[[2]string]consent.Question // of sameKept
	keptOf *consent.Service
}

var ida = []subject.Identity{{Kind: "email", Value: "ida@example.com"}}

func newWorld(t testing.TB, purposes ...purpose.Purpose) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), where: []string{"eu"}, clock: clock.NewFake(time.Date(2026, 11, 21, 9, 0, 30, 0, time.UTC))}
	w.open()
	t.Cleanup(func() { w.db.Close() })
	w.declare(purposes...)
	return w
}

func (w *world) open() {
	w.t.Helper()
	ctx := w.t.Context()
	must := func(err error) {
		w.t.Helper()
		if err != nil {
			w.t.Fatal(err)
		}
	}
	var err error
	w.vault, err = vault.Open(vault.Config{Dir: filepath.Join(w.dir, "keys")})
	must(err)
	w.db, err = db.Open(ctx, db.Config{Path: filepath.Join(w.dir, "ombud.db"), Clock: w.clock, Hook: w.reached})
	must(err)
	w.ledger, err = ledger.Open(ctx, ledger.Config{DB: w.db, Vault: w.vault, Clock: w.clock, Heads: []string{filepath.Join(w.dir, "heads")}})
	must(err)
	w.people, err = subject.OpenPeople(ctx, w.db, w.vault, w.clock)
	must(err)
	facts, err := subject.OpenFacts(ctx, w.db, w.vault, w.ledger, w.clock, w.people)
	must(err)
	w.erased, err = subject.OpenSuppressions(ctx, w.db, w.vault, w.ledger, w.clock)
	must(err)
	w.register, err = purpose.Open(ctx, w.db, w.ledger)
	must(err)
	w.Service, err = consent.Open(ctx, consent.Config{
		DB: w.db, Vault: w.vault, Ledger: w.ledger, Clock: w.clock, People: w.people, Facts: facts, Suppressions: w.erased, Purposes: w.register,
		Snapshot: filepath.Join(w.dir, "decisions"), CopyEvery: 1, Organization: "Fjordly AS", Jurisdictions: w.where, Log: slog.New(slog.DiscardHandler),
	})
	must(err)
}

// reached is called by the writer of the store.
func (w *world) reached(point string) {
	if point == "commit" && w.between != nil {
		w.between()
	}
}

// restart closes and opens again, as after a stop.
func (w *world) restart() {
	w.t.Helper()
	if err := w.db.Close(); err != nil {
		w.t.Fatal(err)
	}
	w.open()
}

func (w *world) declare(purposes ...purpose.Purpose) {
	w.t.Helper()
	if err := w.register.Sync(w.t.Context(), "test", purposes); err != nil {
		w.t.Fatal(err)
	}
	w.PurposesChanged()
}

func letters() purpose.Purpose {
	return purpose.Purpose{ID: "letters", Basis: purpose.Consent, Categories: []string{"contact", "usage"},
		Notices: []purpose.Notice{{ID: "letters", Version: "3", Language: "en", Text: "Send me trips and offers"}}}
}

func yes() consent.RecordInput {
	return consent.RecordInput{Subject: ida, Purpose: "letters", Method: "web_form", Actor: "test",
		Notice: consent.NoticeInput{ID: "letters", Version: "3", Language: "en"}}
}

func (w *world) record(in consent.RecordInput) consent.Consent {
	w.t.Helper()
	c, err := w.Record(w.t.Context(), in)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func (w *world) withdraw(in consent.WithdrawInput) consent.Withdrawal {
	w.t.Helper()
	out, err := w.Withdraw(w.t.Context(), in)
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

func (w *world) decide(purposeID, category string) consent.Verdict {
	w.t.Helper()
	at := w.Now()
	v := w.DecideAt(at, w.Find(ida...), purposeID, category, false)
	w.sameKept(at, ida[0], purposeID, category, v)
	return v
}

// sameKept asks again by a question that was looked up when the same was first asked, before all that changed since, about
// a person who is looked up among many.
func (w *world) sameKept(at index.Minute, who subject.Identity, purposeID, category string, want consent.Verdict) {
	w.t.Helper()
	ids := slices.Repeat([]subject.Identity{{Kind: "email", Value: "nobody@example.com"}, {}, who}, 50)
	handles := make([]consent.Handle, len(ids))
	w.FindAll(ids, handles)
	h := handles[len(handles)-1]
	if nobody := handles[len(handles)-3].Person(); nobody != 0 {
		w.t.Errorf("nobody is person %d", nobody)
	}
	key := [2]string{purposeID, category}
	if w.kept == nil || w.keptOf != w.Service {
		w.kept, w.keptOf = map[[2]string]consent.Question{}, w.Service
	}
	q, ok := w.kept[key]
	if !ok {
		q = w.Question(purposeID, category)
		w.kept[key] = q
	}
	if got := q.Decide(at, &h); got != want {
		w.t.Errorf("a question kept for %s answers %+v, want %+v", purposeID, got, want)
	}
}

// expect asks and compares.
func (w *world) expect(purposeID, category string, allowed bool, why consent.Reason) {
	w.t.Helper()
	if v := w.decide(purposeID, category); v.Allowed != allowed || v.Reason != why {
		w.t.Errorf("%s for %s: %v, %s; want %v, %s", category, purposeID, v.Allowed, v.Reason, allowed, why)
	}
}
