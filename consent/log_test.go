package consent_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/purpose"
	"github.com/ombudhq/ombud/subject"
)

// decisions are those that the ledger holds.
func (w *world) decisions() (out []ledger.Row) {
	w.t.Helper()
	out, err := w.ledger.Tail(w.t.Context(), 1000, ledger.TailOptions{Kind: "decision.made"})
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// TestDecisionsAreLogged: all of them, before they are answered; some, soon; or none.
func TestDecisionsAreLogged(t *testing.T) {
	w := newWorld(t, letters())
	c := w.record(yes())
	ask := func(n int) (consent.Verdict, error) {
		a := w.Asker("service:x")
		var v consent.Verdict
		for range n {
			v = a.Ask(w.Find(ida...), "letters", "contact", false)
		}
		return v, a.Done(t.Context())
	}
	if v, err := ask(3); err != nil || !v.Allowed || len(w.decisions()) != 0 {
		t.Errorf("%+v, %v", v, err)
	}
	w.Log(consent.Logging{All: true})
	if _, err := ask(2); err != nil || len(w.decisions()) != 2 {
		t.Errorf("%d, %v", len(w.decisions()), err)
	}
	row := w.decisions()[0]
	var content struct{ Purpose, Category, Reason, Consent string }
	if err := json.Unmarshal(row.Content, &content); err != nil || row.Actor != "service:x" || row.Subject != c.Subject ||
		content.Purpose != "letters" || content.Category != "contact" || content.Reason != "consent" || content.Consent != c.ID {
		t.Errorf("%v: %+v %s", err, row, row.Content)
	}
	w.Log(consent.Logging{Sample: 1})
	if _, err := ask(3); err != nil {
		t.Error(err)
	}
	w.Drain(t.Context())
	if n := len(w.decisions()); n != 5 {
		t.Errorf("%d", n)
	}
	w.Log(consent.Logging{Sample: 1e-9})
	if _, err := ask(100); err != nil {
		t.Error(err)
	}
	w.Drain(t.Context())
	if n := len(w.decisions()); n != 5 {
		t.Errorf("a sample of nearly nothing is %d", n-5)
	}
	if got := w.Remembered(1000); len(got) != 108 || got[0].By != "service:x" {
		t.Errorf("%d are remembered", len(got))
	}
	w.Log(consent.Logging{All: true})
	w.db.Close()
	v, err := ask(1)
	if no := v.Unlogged(); err == nil || no.Allowed || no.Reason != consent.NotLogged || no.ConsentID() != "" {
		t.Errorf("what cannot be logged: %+v, %v", no, err)
	}
}

// TestASignalOptsTheKnownPersonOut: once, and for questions without the signal too, until they say yes in spite of it.
func TestASignalOptsTheKnownPersonOut(t *testing.T) {
	selling := purpose.Purpose{ID: "selling", Basis: purpose.Contract, Categories: []string{"contact"}, Uses: []string{purpose.Sale}}
	sharing := purpose.Purpose{ID: "sharing", Basis: purpose.Consent, Categories: []string{"contact"}, Uses: []string{purpose.Sharing}}
	w := newWorld(t, letters(), selling, sharing)
	w.Place("Fjordly", []string{"us-ca"})
	w.record(yes())
	signal := func(who []subject.Identity, purposeID string) {
		a := w.Asker("test")
		a.Ask(w.Find(who...), purposeID, "contact", true)
	}
	facts := func() (n int) {
		t.Helper()
		events, err := w.History(t.Context(), w.Find(ida...))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			if e.Kind == "objection.added" && e.Type == "opt_out" && e.Reason == "Global Privacy Control" {
				n++
			}
		}
		return n
	}
	signal(ida, "letters")
	w.Drain(t.Context())
	w.expect("selling", "contact", true, consent.BasisDeclared)
	for range 5 {
		signal(ida, "selling")
	}
	signal([]subject.Identity{{Kind: "email", Value: "nobody@example.com"}}, "selling")
	w.Drain(t.Context())
	signal(ida, "sharing")
	w.Drain(t.Context())
	w.expect("selling", "contact", false, consent.HasObjected)
	w.expect("letters", "contact", true, consent.Consented)
	if n := facts(); n != 1 {
		t.Errorf("%d objections", n)
	}
	w.restart()
	w.Place("Fjordly", []string{"us-ca"})
	w.expect("selling", "contact", false, consent.HasObjected)
	in := yes()
	in.Purpose, in.Notice = "sharing", consent.NoticeInput{ID: "x", Version: "1"}
	w.record(in)
	w.expect("sharing", "contact", true, consent.Consented)
}

// TestWhatIsPutOffIsBounded: too much is dropped and told, and the rest is done at the end.
func TestWhatIsPutOffIsBounded(t *testing.T) {
	w := newWorld(t, letters())
	w.Log(consent.Logging{Sample: 1})
	for range 2000 {
		a := w.Asker("test")
		a.Ask(w.Find(ida...), "letters", "contact", false)
		if err := a.Done(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	w.Run(ctx)
	rows, err := w.ledger.Tail(t.Context(), 5000, ledger.TailOptions{Kind: "decision.made"})
	if err != nil || len(rows) != 1024 {
		t.Errorf("%d entries, %v", len(rows), err)
	}
}
