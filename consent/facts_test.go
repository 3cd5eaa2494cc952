package consent_test

import (
	"testing"
	"time"

	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/purpose"
	"github.com/ombudhq/ombud/subject"
)

func interest(id string, uses ...string) purpose.Purpose {
	return purpose.Purpose{ID: id, Basis: purpose.LegitimateInterests, Categories: []string{"contact"}, Uses: uses,
		LIA: &purpose.LIA{Assessed: "2026-01-01", Outcome: "proceed", Review: "2027-01-01"}}
}

func (w *world) add(in subject.FactInput) subject.Fact {
	w.t.Helper()
	_, f, err := w.AddFact(w.t.Context(), ida, in)
	if err != nil {
		w.t.Fatal(err)
	}
	return f
}

func TestLegitimateInterestsNeedAnAssessment(t *testing.T) {
	bare := interest("bare")
	bare.LIA = nil
	w := newWorld(t, interest("advice"), bare)
	w.expect("advice", "contact", true, consent.BasisDeclared)
	w.expect("bare", "contact", false, consent.NoAssessment)
	if v := w.decide("advice", "contact"); v.ValidUntil().Format(time.DateOnly) != "2027-01-01" {
		t.Errorf("valid until %v", v.ValidUntil())
	}
	w.clock.Set(time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC))
	w.expect("advice", "contact", false, consent.NoAssessment)
}

// TestObjections: each type stops what it is about and nothing else.
func TestObjections(t *testing.T) {
	task := purpose.Purpose{ID: "task", Basis: purpose.PublicTask, Categories: []string{"contact"}}
	ads := interest("ads", purpose.DirectMarketing)
	selling := purpose.Purpose{ID: "selling", Basis: purpose.Contract, Categories: []string{"contact"}, Uses: []string{purpose.Sale}}
	study := interest("study", "research")
	all := []string{"advice", "ads", "task", "selling", "study"}
	for _, c := range []struct {
		name  string
		in    subject.FactInput
		stops []string
	}{
		{"direct marketing", subject.FactInput{Type: "direct_marketing"}, []string{"ads"}},
		{"legitimate interests", subject.FactInput{Type: "legitimate_interests"}, []string{"advice", "ads", "study"}},
		{"public task", subject.FactInput{Type: "public_task"}, []string{"task"}},
		{"research", subject.FactInput{Type: "research"}, []string{"study"}},
		{"opt-out", subject.FactInput{Type: "opt_out"}, []string{"selling"}},
		{"a purpose by name", subject.FactInput{Type: "legitimate_interests", Purposes: []string{"advice"}}, []string{"advice"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, interest("advice"), ads, task, selling, study)
			c.in.Kind = subject.Objection
			f := w.add(c.in)
			check := func(stops []string) {
				t.Helper()
				for _, p := range all {
					allowed, why := true, consent.BasisDeclared
					for _, s := range stops {
						if s == p {
							allowed, why = false, consent.HasObjected
						}
					}
					w.expect(p, "contact", allowed, why)
				}
			}
			check(c.stops)
			w.restart()
			check(c.stops)
			if _, err := w.EndFact(t.Context(), f.ID, "test"); err != nil {
				t.Fatal(err)
			}
			check(nil)
		})
	}
}

// TestRestriction: only what is allowed by name, legal claims, and what the person says yes to afterwards goes on.
func TestRestriction(t *testing.T) {
	w := newWorld(t, letters(), interest("advice"), interest("claims", purpose.LegalClaims), purpose.Purpose{ID: "store", Basis: purpose.Contract, Categories: []string{"contact"}})
	w.record(yes())
	w.add(subject.FactInput{Kind: subject.Restriction, Type: "accuracy_dispute", Allowed: []string{"store"}, Until: w.clock.Now().AddDate(0, 1, 0)})
	w.expect("letters", "contact", false, consent.IsRestricted)
	w.expect("advice", "contact", false, consent.IsRestricted)
	w.expect("claims", "contact", true, consent.BasisDeclared)
	w.expect("store", "contact", true, consent.BasisDeclared)
	w.restart()
	w.expect("letters", "contact", false, consent.IsRestricted)
	w.record(yes())
	w.expect("letters", "contact", true, consent.Consented)
	w.expect("advice", "contact", false, consent.IsRestricted)
	w.clock.Advance(32 * 24 * time.Hour)
	w.expect("advice", "contact", true, consent.BasisDeclared)
}

func TestFactsNameEveryFault(t *testing.T) {
	w := newWorld(t, letters())
	for _, in := range []subject.FactInput{
		{}, {Kind: "x"}, {Kind: subject.Objection, Type: "accuracy_dispute"}, {Kind: subject.Objection, Type: "research", Allowed: []string{"letters"}},
		{Kind: subject.Restriction, Type: "legal_claims", Until: w.clock.Now()}, {Kind: subject.Objection, Type: "research", Purposes: []string{"x"}},
	} {
		if _, _, err := w.AddFact(t.Context(), ida, in); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%+v: %v", in, err)
		}
	}
	if _, err := w.EndFact(t.Context(), "fact_x", "test"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("got %v", err)
	}
}

// TestSignal: Global Privacy Control stops sale and sharing where law binds to it, whatever the person said before.
func TestSignal(t *testing.T) {
	share := letters()
	share.Uses = []string{purpose.Sharing}
	w := newWorld(t, share)
	w.record(yes())
	ask := func() consent.Verdict { return w.Decide(w.Find(ida...), "letters", "contact", true) }
	if v := ask(); !v.Allowed {
		t.Errorf("in the Union: %+v", v)
	}
	w.Place("Fjordly", []string{"eu", "us-ca"})
	if v := ask(); v.Allowed || v.Reason != consent.OptedOut {
		t.Errorf("in California: %+v", v)
	}
	w.expect("letters", "contact", true, consent.Consented)
}

// TestAClockSetBack makes nothing allowed that was not: an objection, a restriction and an opt-out hold, what expired stays so,
// and what lapsed cannot be confirmed.
func TestAClockSetBack(t *testing.T) {
	short := letters()
	short.ID, short.Expires = "short", "1 day"
	w := newWorld(t, interest("advice"), letters(), short)
	in := yes()
	in.Status = consent.Pending
	c := w.record(in)
	in.Purpose, in.Status = "short", consent.Given
	w.record(in)
	w.clock.Advance(8 * 24 * time.Hour)
	w.expect("short", "contact", false, consent.HasExpired)
	w.expect("letters", "contact", false, consent.NotGiven)
	w.add(subject.FactInput{Kind: subject.Objection, Type: "legitimate_interests"})
	w.expect("advice", "contact", false, consent.HasObjected)
	w.clock.Advance(-8 * 24 * time.Hour)
	w.expect("advice", "contact", false, consent.HasObjected)
	w.expect("short", "contact", false, consent.HasExpired)
	if _, err := w.Confirm(t.Context(), c.Token, "test"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("what lapsed was confirmed: %v", err)
	}
	w.record(yes())
	w.add(subject.FactInput{Kind: subject.Restriction, Type: "legal_claims"})
	w.clock.Advance(-time.Hour)
	w.expect("letters", "contact", false, consent.IsRestricted)
}
