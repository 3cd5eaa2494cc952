package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/request"
)

func (s *server) addPlans(a huma.API) {
	huma.Register(a, operation("get-plan", http.MethodGet, "/requests/{id}/plan", "Read the plan", 200), s.readPlan)
	huma.Register(a, operation("plan-again", http.MethodPost, "/requests/{id}/plan", "Plan an open request again; approvals of the old plan are void", 200), s.planAgain)
	huma.Register(a, operation("approve-request", http.MethodPost, "/requests/{id}/approve", "Approve the plan by its hash and run exactly it", 202), s.approve)
	huma.Register(a, operation("retry-request", http.MethodPost, "/requests/{id}/retry", "Try again what remains", 202), s.retry)
	huma.Register(a, operation("refuse-request", http.MethodPost, "/requests/{id}/refuse", "Say no, with the ground", 200), s.refuse)
}

type planOutput struct{ Body *plan.Plan }

func (s *server) readPlan(ctx context.Context, in *Named) (*planOutput, error) {
	r, err := s.Requests.Get(ctx, in.ID)
	if err != nil {
		return nil, problem(err)
	}
	if r.Plan == nil {
		return nil, problem(fault.New(fault.NotFound, "%s has no plan", r.Ref))
	}
	return &planOutput{r.Plan}, nil
}

type planAgainInput struct {
	Matching
	Body *People `required:"false"`
}

func (s *server) planAgain(ctx context.Context, in *planAgainInput) (*planOutput, error) {
	if _, err := s.current(ctx, in.Matching); err != nil {
		return nil, err
	}
	again := request.PlanInput{Request: in.ID, Actor: access.From(ctx).Actor}
	if in.Body != nil {
		people, err := in.Body.list()
		if err != nil {
			return nil, problem(err)
		}
		again.People, again.SamePerson = people, in.Body.SamePerson
	}
	r, err := s.Requests.Plan(ctx, again)
	if err != nil {
		return nil, problem(err)
	}
	return &planOutput{r.Plan}, nil
}

type approveInput struct {
	Matching
	Body struct {
		Hash string `json:"hash" minLength:"8" maxLength:"128" doc:"Hash of the plan that was read"`
	}
}

// approve answers before the run is over: what can be refused is refused now, the rest shows in the request.
func (s *server) approve(ctx context.Context, in *approveInput) (*oneRequest, error) {
	r, err := s.current(ctx, in.Matching)
	if err != nil {
		return nil, err
	}
	run := request.RunInput{Ref: r.ID, Approve: in.Body.Hash, Actor: access.From(ctx).Actor}
	if err := s.Requests.MayRun(ctx, run); err != nil {
		return nil, problem(err)
	}
	s.begin(ctx, func(ctx context.Context) error {
		_, err := s.Requests.Run(ctx, run)
		return err
	})
	return s.accepted(ctx, in.ID)
}

type retryInput struct{ Matching }

func (s *server) retry(ctx context.Context, in *retryInput) (*oneRequest, error) {
	r, err := s.current(ctx, in.Matching)
	if err != nil {
		return nil, err
	}
	run := request.RunInput{Ref: r.ID, Actor: access.From(ctx).Actor}
	if r.State != request.Incomplete && r.State != request.Failed {
		if r, err = s.Requests.Retry(ctx, run); err != nil {
			return nil, problem(err)
		}
		return oneOf(r), nil
	}
	s.begin(ctx, func(ctx context.Context) error {
		_, err := s.Requests.Retry(ctx, run)
		return err
	})
	return s.accepted(ctx, in.ID)
}

// begin runs what outlives the call. An outcome that waits for a person is no failure: the request tells it.
func (s *server) begin(call context.Context, run func(context.Context) error) {
	s.Go(func(ctx context.Context) {
		if err := run(ledger.Carried(ctx, call)); err != nil && fault.KindOf(err) != fault.Waiting {
			s.Failed(err)
		}
	})
}

func (s *server) accepted(ctx context.Context, id string) (*oneRequest, error) {
	r, err := s.Requests.Get(ctx, id)
	if err != nil {
		return nil, problem(err)
	}
	out := oneOf(r)
	out.Location = "/v1/requests/" + r.ID
	return out, nil
}

type refuseInput struct {
	Matching
	Body struct {
		Because string `json:"because" minLength:"1" maxLength:"4000" doc:"The ground, as the person will read it"`
	}
}

func (s *server) refuse(ctx context.Context, in *refuseInput) (*oneRequest, error) {
	if _, err := s.current(ctx, in.Matching); err != nil {
		return nil, err
	}
	r, err := s.Requests.Refuse(ctx, in.ID, in.Body.Because, access.From(ctx).Actor)
	if err != nil {
		return nil, problem(err)
	}
	return oneOf(r), nil
}
