package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/subject"
)

func (s *server) addResolutions(a huma.API) {
	huma.Register(a, operation("list-resolutions", http.MethodGet, "/resolutions", "Who wanted to know whom a pseudonym stands for, why, and what came of it", 200), s.resolutions)
	huma.Register(a, operation("ask-resolution", http.MethodPost, "/resolutions", "Ask who a pseudonym is; another person approves it", 201), s.askResolution)
	huma.Register(a, operation("approve-resolution", http.MethodPost, "/resolutions/{id}/approve", "Approve that whoever asked is shown who it is", 200), s.approveResolution)
	huma.Register(a, operation("reveal-resolution", http.MethodPost, "/resolutions/{id}/reveal", "Who the pseudonym is, once, to who asked", 200), s.revealResolution)
}

type resolutionsOutput struct {
	Body struct {
		Resolutions []subject.Resolution `json:"resolutions"`
	}
}

func (s *server) resolutions(ctx context.Context, _ *struct{}) (*resolutionsOutput, error) {
	all, err := s.Pseudonyms.Resolutions(ctx, access.From(ctx))
	if err != nil {
		return nil, problem(err)
	}
	out := &resolutionsOutput{}
	out.Body.Resolutions = append([]subject.Resolution{}, all...)
	return out, nil
}

type askInput struct {
	Body struct {
		Pseudonym string `json:"pseudonym" maxLength:"64" doc:"psn_…"`
		Because   string `json:"because,omitempty" maxLength:"1000" doc:"Why; what the header Justification says when absent"`
	}
}

type resolutionOutput struct{ Body subject.Resolution }

func (s *server) askResolution(ctx context.Context, in *askInput) (*resolutionOutput, error) {
	who, because := access.From(ctx), in.Body.Because
	if because == "" {
		because = who.Call().Justification
	}
	r, err := s.Pseudonyms.Ask(ctx, who, in.Body.Pseudonym, because)
	if err != nil {
		return nil, problem(err)
	}
	return &resolutionOutput{r}, nil
}

// ResolutionNamed is one named in a path.
type ResolutionNamed struct {
	ID string `path:"id" maxLength:"30" pattern:"^res_[0-9a-z]{26}$"`
}

func (s *server) approveResolution(ctx context.Context, in *ResolutionNamed) (*resolutionOutput, error) {
	r, err := s.Pseudonyms.Approve(ctx, access.From(ctx), in.ID)
	if err != nil {
		return nil, problem(err)
	}
	return &resolutionOutput{r}, nil
}

type revealOutput struct {
	Body struct {
		Subject map[string][]string `json:"subject" doc:"Identity kind to values"`
	}
}

func (s *server) revealResolution(ctx context.Context, in *ResolutionNamed) (*revealOutput, error) {
	ids, err := s.Pseudonyms.Reveal(ctx, access.From(ctx), in.ID)
	if err != nil {
		return nil, problem(err)
	}
	out := &revealOutput{}
	out.Body.Subject = map[string][]string{}
	for _, i := range ids {
		out.Body.Subject[i.Kind] = append(out.Body.Subject[i.Kind], i.Value)
	}
	return out, nil
}
