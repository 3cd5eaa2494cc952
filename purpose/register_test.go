package purpose_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/purpose"
	"github.com/ombudhq/ombud/vault"
)

type world struct {
	db     *db.DB
	ledger *ledger.Ledger
}

func newWorld(t *testing.T) *world {
	t.Helper()
	dir := t.TempDir()
	c := clock.NewFake(time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC))
	v, err := vault.Open(vault.Config{Dir: filepath.Join(dir, "keys")})
	if err != nil {
		t.Fatal(err)
	}
	d, err := db.Open(t.Context(), db.Config{Path: filepath.Join(dir, "ombud.db"), Clock: c})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	l, err := ledger.Open(t.Context(), ledger.Config{DB: d, Vault: v, Clock: c, Heads: []string{filepath.Join(dir, "heads")}})
	if err != nil {
		t.Fatal(err)
	}
	return &world{d, l}
}

func (w *world) open(t *testing.T) *purpose.Register {
	t.Helper()
	r, err := purpose.Open(t.Context(), w.db, w.ledger)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func sync(t *testing.T, r *purpose.Register, file ...purpose.Purpose) {
	t.Helper()
	if err := r.Sync(t.Context(), "test", file); err != nil {
		t.Fatal(err)
	}
}

func letters(categories ...string) purpose.Purpose {
	return purpose.Purpose{ID: "letters", Basis: purpose.Consent, Categories: categories}
}

// TestConsentsDoNotGrow: a category that a purpose takes on later is covered only by consents from then on.
func TestConsentsDoNotGrow(t *testing.T) {
	w := newWorld(t)
	r := w.open(t)
	sync(t, r, letters("contact"))
	sync(t, r, letters("contact", "location"))
	rule, ok := r.Now().Rule("letters")
	if want := map[string]int64{"contact": 0, "location": 2}; !ok || !cmp.Equal(want, rule.Since) {
		t.Fatal(cmp.Diff(want, rule.Since))
	}
	sync(t, r, letters("location"))
	sync(t, r, letters("contact", "location"))
	if rule, _ = r.Now().Rule("letters"); rule.Since["contact"] != 4 || rule.Since["location"] != 2 {
		t.Errorf("a category that came back is covered from %v", rule.Since)
	}
}

func TestReconsentCountsFromItsChange(t *testing.T) {
	w := newWorld(t)
	r := w.open(t)
	p := letters("contact")
	sync(t, r, p)
	p.Notices, p.Reconsent = []purpose.Notice{{ID: "n", Version: "2"}}, "2"
	sync(t, r, p)
	p.Name = "Letters"
	sync(t, r, p)
	if rule, _ := r.Now().Rule("letters"); rule.After != 2 {
		t.Errorf("consents count from %d", rule.After)
	}
}

// TestPlacesStay: what was retired comes back to its own place and history, and nothing else ever gets it.
func TestPlacesStay(t *testing.T) {
	w := newWorld(t)
	r := w.open(t)
	other := purpose.Purpose{ID: "other", Basis: purpose.Contract}
	sync(t, r, letters("contact"))
	sync(t, r, other)
	if _, ok := r.Now().Rule("letters"); ok {
		t.Error("a purpose that ombud.yaml no longer names is still declared")
	}
	sync(t, r, other)
	sync(t, r, letters("contact"), other)
	again := w.open(t)
	rule, ok := again.Now().Rule("letters")
	if !ok || rule.Rank != 0 || again.Now().Ranked(1).ID != "other" {
		t.Errorf("%+v", rule)
	}
	sync(t, again, letters("contact"), other)
	if n := w.ledger.Size(); n != 3 {
		t.Errorf("%d entries for three changes", n)
	}
}

func TestPutNamesEveryFaultAndLeavesTheFileAlone(t *testing.T) {
	w := newWorld(t)
	r := w.open(t)
	sync(t, r, letters("contact"))
	if err := r.Put(t.Context(), "test", letters()); fault.KindOf(err) != fault.Conflict {
		t.Errorf("got %v", err)
	}
	err := r.Put(t.Context(), "test", purpose.Purpose{ID: "no good", Basis: "implied", Categories: []string{"x"}, Expires: "soon", OnWithdrawal: "perhaps",
		LIA: &purpose.LIA{}, Fields: []purpose.Field{{}}, Notices: []purpose.Notice{{}}, Reconsent: "2"})
	var f *fault.Error
	if f, _ = err.(*fault.Error); f == nil || f.Kind != fault.Invalid || len(f.Details) != 12 {
		t.Errorf("got %v", err)
	}
	if err := r.Put(t.Context(), "test", purpose.Purpose{ID: "more", Basis: "legitimate_interest"}); err != nil {
		t.Fatal(err)
	}
	if rule, ok := w.open(t).Now().Rule("more"); !ok || rule.Basis != purpose.LegitimateInterests || rule.Source != purpose.ByAPI {
		t.Errorf("%+v", rule)
	}
	sync(t, r, letters("contact"))
	if _, ok := r.Now().Rule("more"); !ok {
		t.Error("reading ombud.yaml retired what the API made")
	}
}

func TestEnds(t *testing.T) {
	for _, c := range []struct{ expires, given, want string }{
		{"", "2026-11-21", "2027-11-21"},
		{"1 month", "2027-01-31", "2027-02-28"},
		{"12 months", "2028-02-29", "2029-02-28"},
		{"2 years", "2026-11-21", "2028-11-21"},
		{"30 days", "2026-02-27", "2026-03-29"},
		{"never", "2026-11-21", "0001-01-01"},
	} {
		given, _ := time.Parse(time.DateOnly, c.given)
		got, err := (&purpose.Purpose{Expires: c.expires}).Ends(given)
		if err != nil || got.Format(time.DateOnly) != c.want {
			t.Errorf("%s after %s: %v, %v", c.expires, c.given, got, err)
		}
	}
	if _, err := (&purpose.Purpose{Expires: "soon"}).Ends(time.Time{}); err == nil {
		t.Error("a period that is none was taken")
	}
}

func TestAssessed(t *testing.T) {
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	good := purpose.LIA{Assessed: "2026-01-01", Outcome: "proceed", Review: "2026-11-22"}
	for name, c := range map[string]struct {
		change func(*purpose.LIA)
		want   bool
	}{
		"valid":            {func(*purpose.LIA) {}, true},
		"with safeguards":  {func(l *purpose.LIA) { l.Outcome = "proceed_with_safeguards" }, true},
		"says no":          {func(l *purpose.LIA) { l.Outcome = "do_not_proceed" }, false},
		"due for review":   {func(l *purpose.LIA) { l.Review = "2026-11-21" }, false},
		"not yet assessed": {func(l *purpose.LIA) { l.Assessed = "2026-12-01" }, false},
		"no review":        {func(l *purpose.LIA) { l.Review = "" }, false},
	} {
		l := good
		c.change(&l)
		if got := (&purpose.Purpose{LIA: &l}).Assessed(now); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if (&purpose.Purpose{}).Assessed(now) {
		t.Error("no assessment is one")
	}
}

func TestMinimise(t *testing.T) {
	w := newWorld(t)
	r := w.open(t)
	p := letters("contact")
	p.Fields = []purpose.Field{{Name: "email", Because: "to write to"}}
	sync(t, r, p)
	record := map[string]any{"email": "a@example.com", "phone": "1"}
	if passed, stripped := r.Now().Minimise("letters", record); len(passed) != 1 || len(stripped) != 1 {
		t.Errorf("%v, %v", passed, stripped)
	}
	if passed, stripped := r.Now().Minimise("unknown", record); len(passed) != 0 || len(stripped) != 2 {
		t.Errorf("an unknown purpose saw %v, %v", passed, stripped)
	}
}
