package consent_test

import (
	"testing"

	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/subject"
)

// TestWhatCannotBeReadIsNobody: what a reader of JSON put in place of bytes it could not read joins no two people.
func TestWhatCannotBeReadIsNobody(t *testing.T) {
	w := newWorld(t, letters())
	for _, value := range []string{"a\ufffd@example.com", "a\xff@example.com"} {
		who := []subject.Identity{{Kind: "email", Value: value}}
		in := yes()
		in.Subject = who
		_, given := w.Record(t.Context(), in)
		_, withdrawn := w.Withdraw(t.Context(), consent.WithdrawInput{Subject: who, All: true})
		_, _, restricted := w.AddFact(t.Context(), who, subject.FactInput{Kind: subject.Restriction, Type: "legal_claims"})
		for what, err := range map[string]error{"a yes": given, "a no": withdrawn, "a restriction": restricted} {
			if fault.KindOf(err) != fault.Invalid {
				t.Errorf("%s of %q: %v", what, value, err)
			}
		}
	}
}
