package consent_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/purpose"
	"github.com/ombudhq/ombud/subject"
)

func TestAYesIsAskedUntilItEnds(t *testing.T) {
	w := newWorld(t, letters())
	w.expect("letters", "contact", false, consent.UnknownPerson)
	c := w.record(yes())
	w.expect("letters", "contact", true, consent.Consented)
	v := w.decide("letters", "contact")
	if v.ConsentID() != c.ID || !v.ValidUntil().Equal(c.ValidUntil) || v.Revision < c.Revision || v.Basis != purpose.Consent {
		t.Errorf("%+v of %+v", v, c)
	}
	if want := time.Date(2027, 11, 21, 9, 0, 0, 0, time.UTC); !c.ValidUntil.Equal(want) {
		t.Errorf("valid until %v", c.ValidUntil)
	}
	w.clock.Set(c.ValidUntil.Add(-time.Second))
	w.expect("letters", "contact", true, consent.Consented)
	w.clock.Set(c.ValidUntil)
	w.expect("letters", "contact", false, consent.HasExpired)
	w.clock.Set(c.ValidUntil.AddDate(-1, 0, 0))
	w.expect("letters", "contact", false, consent.HasExpired) // a clock set back makes nothing valid again
}

func TestUnknownIsNo(t *testing.T) {
	w := newWorld(t, letters(), purpose.Purpose{ID: "orders", Basis: purpose.Contract, Categories: []string{"contact"}})
	w.record(yes())
	w.expect("nothing", "contact", false, consent.UnknownPurpose)
	w.expect("letters", "health", false, consent.UnknownCategory)
	w.expect("letters", "", false, consent.UnknownCategory)
	w.expect("orders", "contact", true, consent.BasisDeclared)
	if v := w.Decide(w.Find(), "letters", "contact", false); v.Allowed || v.Reason != consent.UnknownPerson {
		t.Errorf("without an identity: %+v", v)
	}
	w.declare()
	w.expect("letters", "contact", false, consent.UnknownPurpose)
	w.declare(letters())
	w.expect("letters", "contact", true, consent.Consented)
}

// TestRefusals: what C1 and Art. 4(11), 7 and 9 GDPR do not let pass as consent, each alone and all at once.
func TestRefusals(t *testing.T) {
	special := purpose.Purpose{ID: "health", Basis: purpose.Consent, Categories: []string{"health", "contact"}}
	twice := purpose.Purpose{ID: "twice", Basis: purpose.Consent, Categories: []string{"contact"}, DoubleOptIn: true}
	old := letters()
	old.Notices = append(old.Notices, purpose.Notice{ID: "letters", Version: "2", Language: "en", Superseded: true},
		purpose.Notice{ID: "letters", Version: "5", Language: "en"}, purpose.Notice{ID: "letters", Version: "5", Language: "no"})
	w := newWorld(t, old, special, twice, purpose.Purpose{ID: "tax", Basis: purpose.LegalObligation})
	for name, c := range map[string]struct {
		change func(*consent.RecordInput)
		where  string
	}{
		"nobody":              {func(in *consent.RecordInput) { in.Subject = nil }, "subject"},
		"an empty identity":   {func(in *consent.RecordInput) { in.Subject = []subject.Identity{{Kind: "email", Value: " "}} }, "subject"},
		"no purpose":          {func(in *consent.RecordInput) { in.Purpose = "" }, "purpose"},
		"an undeclared one":   {func(in *consent.RecordInput) { in.Purpose = "x" }, "purpose"},
		"another basis of it": {func(in *consent.RecordInput) { in.Purpose = "tax" }, "purpose"},
		"another basis":       {func(in *consent.RecordInput) { in.Basis = "contract" }, "basis"},
		"no notice version":   {func(in *consent.RecordInput) { in.Notice.Version = "" }, "notice/version"},
		"an unknown version":  {func(in *consent.RecordInput) { in.Notice.Version = "4" }, "notice"},
		"an old version":      {func(in *consent.RecordInput) { in.Notice.Version = "2" }, "notice/version"},
		"another language":    {func(in *consent.RecordInput) { in.Notice.Language = "no" }, "notice"},
		"no language of two":  {func(in *consent.RecordInput) { in.Notice.Version, in.Notice.Language = "5", "" }, "notice/language"},
		"no method":           {func(in *consent.RecordInput) { in.Method = "" }, "method"},
		"implied":             {func(in *consent.RecordInput) { in.Method = "implied" }, "method"},
		"pre-ticked":          {func(in *consent.RecordInput) { in.PreTicked = true }, "pre_ticked"},
		"bundled":             {func(in *consent.RecordInput) { in.Bundled = true }, "bundled"},
		"a foreign category":  {func(in *consent.RecordInput) { in.Categories = []string{"health"} }, "categories/0"},
		"a status of the end": {func(in *consent.RecordInput) { in.Status = "withdrawn" }, "status"},
		"special, not explicit": {func(in *consent.RecordInput) {
			in.Purpose, in.Categories = "health", []string{"health"}
		}, "method"},
		"special among others": {func(in *consent.RecordInput) { in.Purpose, in.Method = "health", "explicit" }, "categories"},
		"double opt-in, once":  {func(in *consent.RecordInput) { in.Purpose = "twice" }, "status"},
	} {
		t.Run(name, func(t *testing.T) {
			in := yes()
			c.change(&in)
			before := w.ledger.Size()
			_, err := w.Record(t.Context(), in)
			var f *fault.Error
			if !errors.As(err, &f) || f.Kind != fault.Invalid || !slices.ContainsFunc(f.Details, func(d fault.Detail) bool { return d.Where == c.where }) {
				t.Errorf("got %v", err)
			}
			if w.ledger.Size() != before {
				t.Error("something was recorded")
			}
		})
	}
	_, err := w.Record(t.Context(), consent.RecordInput{Method: "implied", PreTicked: true, Bundled: true, Basis: "contract", Status: "x"})
	var f *fault.Error
	if !errors.As(err, &f) || len(f.Details) != 7 {
		t.Errorf("not every fault is named: %v", err)
	}
	w.Place("Fjordly", []string{"us-ca"})
	in := yes()
	in.PreTicked = true
	w.record(in) // the law of California does not ask for a clear act
}

// TestALateYesNeverWins: after a withdrawal only a notice that was shown later counts, whatever the clock says.
func TestALateYesNeverWins(t *testing.T) {
	w := newWorld(t, letters())
	early := w.record(yes()).Revision
	no := w.withdraw(consent.WithdrawInput{Subject: ida, Purpose: "letters"})
	if no.Ended != 1 || len(no.Consents) != 1 {
		t.Errorf("%+v", no)
	}
	w.expect("letters", "contact", false, consent.WasWithdrawn)
	refused := func(seen *int64, want fault.Kind) {
		t.Helper()
		in := yes()
		in.Notice.SeenRevision = seen
		if _, err := w.Record(t.Context(), in); fault.KindOf(err) != want {
			t.Errorf("got %v", err)
		}
		w.expect("letters", "contact", false, consent.WasWithdrawn)
	}
	future := w.ledger.Head() + 100
	refused(nil, fault.Invalid)
	refused(&early, fault.Conflict)
	refused(&future, fault.Invalid)
	w.restart()
	refused(nil, fault.Invalid)
	refused(&early, fault.Conflict)
	in := yes()
	in.Notice.SeenRevision = &no.Revision
	w.record(in)
	w.expect("letters", "contact", true, consent.Consented)
	late := yes()
	late.Notice.SeenRevision = &early
	if _, err := w.Record(t.Context(), late); fault.KindOf(err) != fault.Conflict {
		t.Errorf("a notice from before the withdrawal was taken: %v", err)
	}
}

func TestAWithdrawalOfSomebodyUnknownHolds(t *testing.T) {
	w := newWorld(t, letters())
	if no := w.withdraw(consent.WithdrawInput{Subject: ida, All: true}); no.Ended != 0 || len(no.Purposes) != 1 {
		t.Errorf("%+v", no)
	}
	if _, err := w.Record(t.Context(), yes()); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a queued yes was taken: %v", err)
	}
	if no := w.withdraw(consent.WithdrawInput{Subject: ida, All: true}); no.Ended != 0 {
		t.Errorf("the second one ended %d", no.Ended)
	}
}

// TestOnlyTheNamedPartEnds withdraws by category, purpose and all.
func TestOnlyTheNamedPartEnds(t *testing.T) {
	advice := purpose.Purpose{ID: "advice", Basis: purpose.Consent, Categories: []string{"usage"}}
	w := newWorld(t, letters(), advice)
	give := func() {
		t.Helper()
		head := w.ledger.Head()
		in := yes()
		in.Notice.SeenRevision = &head
		w.record(in)
		in.Purpose = "advice"
		w.record(in)
	}
	give()
	no := w.withdraw(consent.WithdrawInput{Subject: ida, Categories: []string{"usage"}})
	if no.Ended != 2 || !slices.Equal(no.Narrowed, []string{"letters"}) || !slices.Equal(no.Purposes, []string{"advice"}) {
		t.Errorf("%+v", no)
	}
	check := func() {
		t.Helper()
		w.expect("letters", "contact", true, consent.Consented)
		w.expect("letters", "usage", false, consent.NotCovered)
		w.expect("advice", "usage", false, consent.WasWithdrawn)
	}
	check()
	w.restart()
	check()
	give()
	w.expect("letters", "usage", true, consent.Consented)
	w.withdraw(consent.WithdrawInput{Subject: ida, Purpose: "advice"})
	w.expect("letters", "usage", true, consent.Consented)
	w.expect("advice", "usage", false, consent.WasWithdrawn)
	if no := w.withdraw(consent.WithdrawInput{Subject: ida, All: true}); no.Ended != 1 {
		t.Errorf("%+v", no)
	}
	w.expect("letters", "contact", false, consent.WasWithdrawn)
}

func TestWithdrawNamesEveryFault(t *testing.T) {
	w := newWorld(t, letters())
	for _, in := range []consent.WithdrawInput{
		{}, {Subject: ida}, {Subject: ida, All: true, Purpose: "letters"}, {Subject: ida, Purpose: "x"}, {Subject: ida, Categories: []string{"x"}},
	} {
		if _, err := w.Withdraw(t.Context(), in); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%+v: %v", in, err)
		}
	}
}

func TestAPartCoversOnlyItself(t *testing.T) {
	w := newWorld(t, letters())
	in := yes()
	in.Categories = []string{"contact"}
	w.record(in)
	w.expect("letters", "contact", true, consent.Consented)
	w.expect("letters", "usage", false, consent.NotCovered)
}

// TestConsentsDoNotGrow: a category that came later, and a notice after which older consents do not count.
func TestConsentsDoNotGrow(t *testing.T) {
	w := newWorld(t, letters())
	w.record(yes())
	more := letters()
	more.Categories = append(more.Categories, "location")
	w.declare(more)
	w.expect("letters", "contact", true, consent.Consented)
	w.expect("letters", "location", false, consent.NotCovered)
	w.record(yes())
	w.expect("letters", "location", true, consent.Consented)
	more.Reconsent = "3"
	w.declare(more)
	w.expect("letters", "contact", false, consent.Outdated)
	w.record(yes())
	w.expect("letters", "contact", true, consent.Consented)
	more.Notices, more.Reconsent = append(more.Notices, purpose.Notice{ID: "letters", Version: "4", Language: "en"}), "4"
	w.declare(more)
	if _, err := w.Record(t.Context(), yes()); fault.KindOf(err) != fault.Invalid { // though nobody marked version 3 as superseded
		t.Errorf("a yes to a notice that no longer counts: %v", err)
	}
	w.expect("letters", "contact", false, consent.Outdated)
}

func TestDoubleOptIn(t *testing.T) {
	twice := letters()
	twice.DoubleOptIn = true
	w := newWorld(t, twice)
	in := yes()
	in.Status = consent.Pending
	c := w.record(in)
	w.expect("letters", "contact", false, consent.IsPending)
	if _, err := w.Confirm(t.Context(), "cnf_guess", "test"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a guess was taken: %v", err)
	}
	w.restart()
	w.expect("letters", "contact", false, consent.IsPending)
	given, err := w.Confirm(t.Context(), c.Token, "test")
	if err != nil || given.Status != consent.Given {
		t.Fatalf("%+v, %v", given, err)
	}
	w.expect("letters", "contact", true, consent.Consented)
	if _, err := w.Confirm(t.Context(), c.Token, "test"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a token counted twice: %v", err)
	}
	c = w.record(in)
	w.expect("letters", "contact", true, consent.Consented) // the first yes stands while the second waits
	w.withdraw(consent.WithdrawInput{Subject: ida, All: true})
	if _, err := w.Confirm(t.Context(), c.Token, "test"); fault.KindOf(err) != fault.Conflict {
		t.Errorf("a confirmation after the withdrawal was taken: %v", err)
	}
	head := w.ledger.Head()
	in.Notice.SeenRevision = &head
	c = w.record(in)
	w.clock.Advance(8 * 24 * time.Hour)
	if _, err := w.Confirm(t.Context(), c.Token, "test"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a lapsed one was taken: %v", err)
	}
}

// TestNothingLeadsToThePerson: no identity, address or token lies readable in any file.
func TestNothingLeadsToThePerson(t *testing.T) {
	w := newWorld(t, letters())
	in := yes()
	in.Status, in.IP, in.UserAgent = consent.Pending, "203.0.113.77", "canary-agent"
	c := w.record(in)
	if err := w.SaveSnapshot(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.ledger.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(w.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		for _, word := range []string{"ida@", "203.0.113", "canary-agent", c.Token} {
			if strings.Contains(string(b), word) {
				t.Errorf("%s holds %q", filepath.Base(path), word)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) erase(e subject.Erasure) {
	w.t.Helper()
	err := w.db.Write(w.t.Context(), func(tx *db.Tx) error {
		at, err := w.ledger.Append(tx, ledger.Entry{Kind: "request.completed", Result: "complete"})
		if err != nil {
			return err
		}
		e.Revision = at.Revision
		return w.erased.Suppress(w.t.Context(), tx, "dsr_1", ida, e)
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func TestTheErasedAreDeniedButForWhatTheLawKeeps(t *testing.T) {
	w := newWorld(t, letters(), purpose.Purpose{ID: "tax", Basis: purpose.LegalObligation, Categories: []string{"contact"}},
		purpose.Purpose{ID: "orders", Basis: purpose.Contract, Categories: []string{"contact"}},
		purpose.Purpose{ID: "claims", Basis: purpose.LegitimateInterests, Categories: []string{"contact"}, Uses: []string{purpose.LegalClaims}})
	id := w.record(yes()).Subject
	w.erase(subject.Erasure{Allowed: []string{"tax", "letters"}})
	check := func() {
		t.Helper()
		w.expect("letters", "contact", false, consent.WasErased)
		w.expect("orders", "contact", false, consent.WasErased)
		w.expect("claims", "contact", false, consent.WasErased)
		w.expect("tax", "contact", true, consent.KeptException)
		h, ok := w.FindID(id)
		if v := w.Decide(h, "orders", "contact", false); !ok || v.Reason != consent.WasErased {
			t.Errorf("by id: %+v", v)
		}
	}
	check()
	w.restart()
	check()
	w.erase(subject.Erasure{Held: true})
	w.expect("tax", "contact", false, consent.WasErased)
	w.expect("claims", "contact", true, consent.HoldException)
	if _, err := w.Record(t.Context(), yes()); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a late yes brought somebody back: %v", err)
	}
	head := w.ledger.Head()
	in := yes()
	in.Notice.SeenRevision = &head
	if again := w.record(in); again.Subject == id {
		t.Error("who comes back is taken for who was erased")
	}
	w.expect("letters", "contact", true, consent.Consented)
	w.restart()
	w.expect("letters", "contact", true, consent.Consented)
}

// TestASecondNoCountsToo: a no to what a narrowed consent no longer covers ends nothing, and a yes of before it is late.
func TestASecondNoCountsToo(t *testing.T) {
	w := newWorld(t, letters())
	w.record(yes())
	usage := consent.WithdrawInput{Subject: ida, Categories: []string{"usage"}}
	between := w.withdraw(usage).Revision
	if no := w.withdraw(usage); no.Ended != 0 {
		t.Errorf("%+v", no)
	}
	late := yes()
	late.Notice.SeenRevision = &between
	if _, err := w.Record(t.Context(), late); fault.KindOf(err) != fault.Conflict {
		t.Errorf("a yes from between two withdrawals was taken: %v", err)
	}
	w.expect("letters", "usage", false, consent.NotCovered)
	w.expect("letters", "contact", true, consent.Consented)
}

// TestWhoCanBeNobodyIsDenied: an id that was never given out, and identities of two people, whatever the basis.
func TestWhoCanBeNobodyIsDenied(t *testing.T) {
	w := newWorld(t, letters(), purpose.Purpose{ID: "orders", Basis: purpose.Contract, Categories: []string{"contact"}})
	w.record(yes())
	ola := []subject.Identity{{Kind: "email", Value: "ola@example.com"}}
	in := yes()
	in.Subject = ola
	w.record(in)
	forged, ok := w.FindID("sub_00000000000000000000000001")
	if v := w.Decide(forged, "orders", "contact", false); ok || v.Allowed || v.Reason != consent.UnknownID {
		t.Errorf("%+v", v)
	}
	if v := w.Decide(w.Find(ida[0], ola[0]), "orders", "contact", false); v.Allowed || v.Reason != consent.TwoPeople {
		t.Errorf("%+v", v)
	}
}
