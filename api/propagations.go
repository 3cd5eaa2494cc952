package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/event"
	"github.com/ombudhq/ombud/internal/fault"
)

func (s *server) addPropagations(a huma.API) {
	huma.Register(a, operation("list-propagations", http.MethodGet, "/propagations", "What services were told, newest first", 200), s.propagations)
	huma.Register(a, operation("get-propagation", http.MethodGet, "/propagations/{id}", "One thing a service was told", 200), s.propagation)
	huma.Register(a, operation("ack-propagation", http.MethodPost, "/propagations/{id}/ack", "The service has acted on it", 200), s.ack)
	huma.Register(a, operation("replay-propagation", http.MethodPost, "/propagations/{id}/replay", "Send a dead message again", 202), s.replayOne)
	huma.Register(a, operation("list-targets", http.MethodGet, "/targets", "How things stand with each service", 200), s.targets)
	huma.Register(a, operation("replay-target", http.MethodPost, "/targets/{id}/replay", "Send everything again that is dead of a service", 202), s.replayAll)
	huma.Register(a, operation("enable-target", http.MethodPost, "/targets/{id}/enable", "Let a disabled service have messages again", 200), s.enable)
}

type propagationsInput struct {
	Target string `query:"target" maxLength:"63"`
	State  string `query:"state" enum:"pending,received,acted,dead"`
	Late   bool   `query:"late" doc:"Only those past their deadline and not acted on"`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"50"`
	Cursor string `query:"cursor" maxLength:"30" doc:"next of the page before"`
}

type propagationsOutput struct {
	Body struct {
		Propagations []event.Propagation `json:"propagations"`
		Next         string              `json:"next,omitempty"`
	}
}

func (s *server) propagations(ctx context.Context, in *propagationsInput) (*propagationsOutput, error) {
	list, err := s.Relay.List(ctx, event.Filter{Target: in.Target, State: event.State(in.State), Late: in.Late, Before: in.Cursor, Limit: in.Limit})
	if err != nil {
		return nil, problem(err)
	}
	out := &propagationsOutput{}
	out.Body.Propagations = list
	if len(list) == in.Limit {
		out.Body.Next = list[len(list)-1].ID
	}
	return out, nil
}

// PropagationNamed is one named in a path.
type PropagationNamed struct {
	ID string `path:"id" maxLength:"30" pattern:"^prp_[0-9a-z]{26}$"`
}

type propagationOutput struct{ Body event.Propagation }

func (s *server) propagation(ctx context.Context, in *PropagationNamed) (*propagationOutput, error) {
	p, err := s.Relay.Get(ctx, in.ID)
	if err != nil {
		return nil, problem(err)
	}
	return &propagationOutput{p}, nil
}

func (s *server) ack(ctx context.Context, in *PropagationNamed) (*propagationOutput, error) {
	p, err := s.Relay.Get(ctx, in.ID)
	if err == nil {
		err = s.reachesTarget(access.From(ctx), p.Target)
	}
	if err == nil {
		p, err = s.Relay.Ack(ctx, in.ID)
	}
	if err != nil {
		return nil, problem(err)
	}
	return &propagationOutput{p}, nil
}

func (s *server) replayOne(ctx context.Context, in *PropagationNamed) (*propagationOutput, error) {
	if err := s.Relay.Replay(ctx, in.ID); err != nil {
		return nil, problem(err)
	}
	return s.propagation(ctx, in)
}

type targetsOutput struct {
	Body struct {
		Targets []event.Status `json:"targets"`
	}
}

func (s *server) targets(ctx context.Context, _ *struct{}) (*targetsOutput, error) {
	list, err := s.Relay.Status(ctx)
	if err != nil {
		return nil, problem(err)
	}
	out := &targetsOutput{}
	out.Body.Targets = list
	if list == nil {
		out.Body.Targets = []event.Status{}
	}
	return out, nil
}

// TargetNamed is a service named in a path.
type TargetNamed struct {
	ID string `path:"id" maxLength:"63" pattern:"^[A-Za-z0-9][A-Za-z0-9_-]*$"`
}

type replayedOutput struct {
	Body struct {
		Replayed int64 `json:"replayed"`
	}
}

func (s *server) replayAll(ctx context.Context, in *TargetNamed) (*replayedOutput, error) {
	n, err := s.Relay.ReplayAll(ctx, in.ID)
	if err != nil {
		return nil, problem(err)
	}
	out := &replayedOutput{}
	out.Body.Replayed = n
	return out, nil
}

type targetOutput struct{ Body event.Status }

func (s *server) enable(ctx context.Context, in *TargetNamed) (*targetOutput, error) {
	if err := s.Relay.Enable(ctx, in.ID); err != nil {
		return nil, problem(err)
	}
	list, err := s.Relay.Status(ctx)
	for _, t := range list {
		if t.Target == in.ID {
			return &targetOutput{t}, nil
		}
	}
	if err == nil {
		err = fault.New(fault.NotFound, "no such service is configured")
	}
	return nil, problem(err)
}
