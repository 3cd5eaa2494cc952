package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/ombudhq/ombud/internal/fault"
)

func (s *server) addPeople(a huma.API) {
	huma.Register(a, operation("find-subject", http.MethodPost, "/subjects/find", "The id of a person, and the name of their key in the mirror; the identity stays out of every URL", 200), s.findSubject)
}

type findInput struct {
	Body struct {
		Subject map[string]string `json:"subject" doc:"One person: identity kind to value"`
	}
}

type findOutput struct {
	Body struct {
		Subject string `json:"subject"`
		Name    string `json:"substitute" doc:"The name that stands for them in the console"`
		Mirror  string `json:"mirror,omitempty" doc:"The name of the person's key in the mirror, after its prefix"`
	}
}

func (s *server) findSubject(_ context.Context, in *findInput) (*findOutput, error) {
	h := s.who(in.Body.Subject)
	if h.Person() == 0 {
		return nil, problem(fault.New(fault.NotFound, "nobody is known by this identity"))
	}
	out := &findOutput{}
	out.Body.Subject = s.Consents.Who(h.Person())
	out.Body.Name = s.Consents.Substitute(h.Person())
	out.Body.Mirror = s.MirrorToken(out.Body.Subject)
	return out, nil
}
