package api

import (
	"context"
	"time"

	"github.com/ombudhq/ombud/consent"
)

// Asked is a decision as it is remembered: nothing of it names a person but their id.
type Asked struct {
	At       time.Time `json:"at"`
	By       string    `json:"by,omitempty" doc:"Who asked"`
	Purpose  string    `json:"purpose"`
	Category string    `json:"category"`
	consent.Answer
}

type decisionLogInput struct {
	Limit int `query:"limit" minimum:"1" maximum:"10000" default:"100"`
}

type decisionLogOutput struct {
	Body struct {
		Decisions []Asked `json:"decisions" doc:"Newest first; the memory holds 10,000, and ends with the process"`
	}
}

func (s *server) decisionLog(_ context.Context, in *decisionLogInput) (*decisionLogOutput, error) {
	out := &decisionLogOutput{}
	out.Body.Decisions = []Asked{}
	for _, a := range s.Consents.Remembered(in.Limit) {
		out.Body.Decisions = append(out.Body.Decisions, Asked{a.At, a.By, a.Purpose, a.Category, s.Consents.Answer(a.Verdict)})
	}
	return out, nil
}
