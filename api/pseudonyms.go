package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/subject"
)

func (s *server) addPseudonyms(a huma.API) {
	huma.Register(a, operation("make-pseudonym", http.MethodPost, "/pseudonyms", "The pseudonym of a person in a context: the one that stands, or a new one, random, with an end", 200), s.makePseudonym)
	huma.Register(a, operation("make-token", http.MethodPost, "/pseudonyms/tokens", "A keyed token that stands for an e-mail or IP address itself in a context", 200), s.makeToken)
}

type pseudonymInput struct {
	Body struct {
		Subject map[string]string `json:"subject" doc:"One person who is known: identity kind to value"`
		Context string            `json:"context" maxLength:"64" doc:"Where it stands for the person, such as analytics"`
		Seconds int64             `json:"seconds,omitempty" minimum:"60" maximum:"315360000" doc:"How long a new one stands; a year when absent"`
	}
}

type pseudonymOutput struct{ Body subject.Pseudonym }

func (s *server) makePseudonym(ctx context.Context, in *pseudonymInput) (*pseudonymOutput, error) {
	out, err := s.Pseudonyms.Make(ctx, subject.PseudonymInput{
		Subject: consent.Identities(in.Body.Subject), Context: in.Body.Context, For: time.Duration(in.Body.Seconds) * time.Second, Actor: access.From(ctx).Actor,
	})
	if err != nil {
		return nil, problem(err)
	}
	return &pseudonymOutput{out}, nil
}

type tokenInput struct {
	Body struct {
		Context string `json:"context" maxLength:"64"`
		Kind    string `json:"kind" doc:"email or ip; the token of an IP address changes each month"`
		Value   string `json:"value" maxLength:"320"`
	}
}

type tokenOutput struct {
	Body struct {
		Token string `json:"token" doc:"For an e-mail address, an address at pseudonym.invalid, which leads nowhere"`
	}
}

func (s *server) makeToken(_ context.Context, in *tokenInput) (*tokenOutput, error) {
	token, err := s.Pseudonyms.Token(in.Body.Context, in.Body.Kind, in.Body.Value)
	if err != nil {
		return nil, problem(err)
	}
	out := &tokenOutput{}
	out.Body.Token = token
	return out, nil
}
