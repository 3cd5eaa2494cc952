package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/ombudhq/ombud/access"
)

func (s *server) addElevations(a huma.API) {
	huma.Register(a, operation("take-elevation", http.MethodPost, "/elevations", "Break the glass: what an emergency opens, for a while; another person reviews it", 201), s.elevate)
	huma.Register(a, operation("end-elevation", http.MethodPost, "/elevations/end", "End the own elevation before its time", 204), s.endElevation)
	huma.Register(a, operation("stop-elevation", http.MethodPost, "/alarms/{id}/end", "End the elevation of another that raised this alarm", 204), s.stopElevation)
	huma.Register(a, operation("review-alarm", http.MethodPost, "/alarms/{id}/review", "Close an alarm with what was found; never the own one", 200), s.reviewAlarm)
}

type elevateInput struct {
	Body struct {
		Because string `json:"because" maxLength:"1000" doc:"What the emergency is"`
		Seconds int64  `json:"seconds,omitempty" minimum:"60" maximum:"3600" doc:"How long it goes on; half an hour when absent"`
	}
}

type alarmOutput struct{ Body access.Alarm }

func (s *server) elevate(ctx context.Context, in *elevateInput) (*alarmOutput, error) {
	one, err := s.Accounts.Elevate(ctx, access.From(ctx), in.Body.Because, time.Duration(in.Body.Seconds)*time.Second)
	if err != nil {
		return nil, problem(err)
	}
	return &alarmOutput{one}, nil
}

func (s *server) endElevation(ctx context.Context, _ *struct{}) (*struct{}, error) {
	return nil, problem(s.Accounts.EndOwnElevation(ctx, access.From(ctx)))
}

// AlarmNamed is an alarm named in a path.
type AlarmNamed struct {
	ID string `path:"id" maxLength:"30" pattern:"^alm_[0-9a-z]{26}$"`
}

func (s *server) stopElevation(ctx context.Context, in *AlarmNamed) (*struct{}, error) {
	return nil, problem(s.Accounts.StopElevation(ctx, in.ID, access.From(ctx)))
}

type reviewInput struct {
	AlarmNamed
	Body struct {
		Found string `json:"found" maxLength:"1000" doc:"What you found"`
	}
}

func (s *server) reviewAlarm(ctx context.Context, in *reviewInput) (*alarmOutput, error) {
	one, err := s.Accounts.Review(ctx, in.ID, in.Body.Found, access.From(ctx))
	if err != nil {
		return nil, problem(err)
	}
	return &alarmOutput{one}, nil
}
