package consent

import (
	"time"

	"github.com/ombudhq/ombud/purpose"
)

// Answer is a verdict as it is given out.
type Answer struct {
	Allowed    bool           `json:"allowed"`
	Basis      *purpose.Basis `json:"basis" doc:"The basis that carries it, or would have to; null when the purpose is unknown"`
	ConsentID  *string        `json:"consent_id" doc:"The consent that carries it"`
	Reason     Reason         `json:"reason" doc:"One word that never changes meaning"`
	ValidUntil *time.Time     `json:"valid_until" doc:"When a yes ends by itself; null when it does not"`
	Revision   int64          `json:"revision" doc:"The answer holds at this revision"`
	Subject    string         `json:"subject,omitempty" doc:"The person, where known: what GET /v1/changes names"`
}

// Answer gives a verdict out.
func (s *Service) Answer(v Verdict) Answer {
	a := Answer{Allowed: v.Allowed, Reason: v.Reason, Revision: v.Revision, Subject: s.Who(v.Person)}
	if v.Basis != "" {
		a.Basis = &v.Basis
	}
	if id := v.ConsentID(); id != "" {
		a.ConsentID = &id
	}
	if until := v.ValidUntil(); !until.IsZero() {
		a.ValidUntil = &until
	}
	return a
}

var sentences = map[Reason]string{
	Consented: "the person said yes, and it stands", BasisDeclared: "the purpose has another basis, and nothing speaks against it",
	KeptException: "the person was erased, and this purpose keeps what it must", HoldException: "the person was erased, and a hold keeps this for legal claims",
	UnknownPurpose: "no such purpose is declared", UnknownCategory: "the purpose does not name this category",
	UnknownPerson: "nobody known by this ever said yes", NotGiven: "the person never said yes to this", WasWithdrawn: "the person withdrew",
	HasExpired: "the consent has expired", IsPending: "the person has not confirmed yet", NotCovered: "the consent does not cover this category",
	Outdated: "the notice has changed since the consent", NoAssessment: "no assessment of the legitimate interests is valid",
	HasObjected: "the person objected", IsRestricted: "processing is restricted", OptedOut: "the browser sends an opt-out signal",
	WasErased: "the person was erased", UnknownID: "this id was never given out", TwoPeople: "these identities belong to two people", NotLogged: "the decision could not be logged, as it must be",
}

// Sentence says a reason to a person.
func (r Reason) Sentence() string {
	if s, ok := sentences[r]; ok {
		return s
	}
	return string(r)
}
