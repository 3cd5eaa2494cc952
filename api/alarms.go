package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/ombudhq/ombud/access"
)

func (s *server) addAlarms(a huma.API) {
	huma.Register(a, operation("list-alarms", http.MethodGet, "/alarms", "What waits for a review by another person: elevations, accounts, roles, setup links", 200), s.alarms)
	huma.Register(a, operation("explain-access", http.MethodGet, "/access/explain", "May they do this, and which policy says so?", 200), s.explain)
	huma.Register(a, operation("list-roles", http.MethodGet, "/access/roles", "What each role may do", 200), s.roles)
}

type alarmsInput struct {
	All bool `query:"all" doc:"Reviewed ones too"`
}

type alarmsOutput struct {
	Body struct {
		Alarms []access.Alarm `json:"alarms"`
	}
}

func (s *server) alarms(ctx context.Context, in *alarmsInput) (*alarmsOutput, error) {
	out := &alarmsOutput{}
	var err error
	out.Body.Alarms, err = s.Accounts.Alarms(ctx, access.From(ctx), in.All)
	return out, problem(err)
}

type explainInput struct {
	Who       string `query:"who" required:"true" maxLength:"64" doc:"An account or an API key by its id, or a role" pattern:"^((acc|key)_[0-9A-Za-z]+|[a-z]+|[a-z]+_[a-z_]+)$"`
	Action    string `query:"action" required:"true" maxLength:"64" doc:"Such as package.read"`
	Purpose   string `query:"purpose" maxLength:"63" doc:"For which it is asked: an API key may be for some"`
	Justified bool   `query:"justified" doc:"As if there were a written justification"`
	Elevated  bool   `query:"elevated" doc:"As if the glass were broken"`
}

type explainOutput struct{ Body access.Explanation }

func (s *server) explain(ctx context.Context, in *explainInput) (*explainOutput, error) {
	e, err := s.Accounts.Explain(ctx, access.From(ctx).Policies(), access.Asked{Who: in.Who, Action: access.Permission(in.Action), Purpose: in.Purpose, Systems: s.systemsOf(in.Purpose), Justified: in.Justified, Elevated: in.Elevated})
	return &explainOutput{e}, problem(err)
}

type rolesOutput struct {
	Body struct {
		Roles []access.RoleReach `json:"roles"`
	}
}

func (s *server) roles(ctx context.Context, _ *struct{}) (*rolesOutput, error) {
	out := &rolesOutput{}
	out.Body.Roles = access.From(ctx).Policies().Roles()
	return out, nil
}
