package cli

import (
	"context"
	"strings"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/fault"
)

// accessCmd is who may do what.
type accessCmd struct {
	Explain accessExplainCmd `cmd:"" help:"May they do this, and which policy says so? Exit 0 for yes, 3 for no."`
	Roles   accessRolesCmd   `cmd:"" help:"List what each role may do."`
	Alarms  accessAlarmsCmd  `cmd:"" help:"List what waits for a review by another person: elevations, accounts, roles, links. Exit 1 when something does."`
	Elevate accessElevateCmd `cmd:"" help:"Break the glass as an account, for a while; another person reviews it."`
	End     accessEndCmd     `cmd:"" help:"End an elevation before its time: the own one, or by its alarm that of another."`
	Review  accessReviewCmd  `cmd:"" help:"Close an alarm with what was found; never the own one."`
	Token   accessTokenCmd   `cmd:"" help:"Sign in as an account, and print a bearer for the API that ends as a session does."`
}

type accessExplainCmd struct {
	Who       string `required:"" help:"An account, by its name or id, an API key by its id, or a role." placeholder:"WHO"`
	Action    string `required:"" help:"What they want to do, such as package.read." placeholder:"A"`
	Resource  string `help:"Which one it is about, by its id." placeholder:"ID"`
	Purpose   string `help:"For which purpose: an API key may be for some." placeholder:"P"`
	Justified bool   `help:"As if they had written down why."`
	Elevated  bool   `help:"As if they had broken the glass."`
}

func (c *accessExplainCmd) run(ctx context.Context, s *session) error {
	var systems []string
	if rule, ok := s.Purposes.Now().Rule(c.Purpose); ok {
		systems = rule.Systems
	}
	e, err := s.Accounts.Explain(ctx, s.Policies, access.Asked{
		Who: c.Who, Action: access.Permission(c.Action), Resource: c.Resource, Purpose: c.Purpose, Systems: systems, Justified: c.Justified, Elevated: c.Elevated,
	})
	if err != nil {
		return err
	}
	err = s.answer(e, func() {
		s.heading("%s", e.Sentence())
		for _, p := range e.Because {
			s.printf("\n%s, %s:%d\n", p.ID, p.File, p.Line)
			if p.Says != "" {
				s.printf("  %s\n", p.Says)
			}
			s.printf("\n    %s\n", strings.ReplaceAll(p.Text, "\n", "\n    "))
		}
	})
	if err == nil && !e.Allowed {
		return Exit(fault.ExitCode(fault.New(fault.Denied, "")))
	}
	return err
}

type accessRolesCmd struct{}

func (*accessRolesCmd) run(_ context.Context, s *session) error {
	roles := s.Policies.Roles()
	return s.answer(map[string]any{"roles": roles}, func() {
		for i, r := range roles {
			if i > 0 {
				s.printf("\n")
			}
			s.printf("%s, for %s. %s\n", r.Role, r.For, r.Says)
			if len(r.May) > 0 {
				s.printf("  may   %s\n", words(r.May))
			}
			for _, m := range r.MayWith {
				s.printf("  with %s: %s\n", m.Wants, m.Action)
			}
			for _, p := range r.Forbids {
				s.printf("  never %s\n", p.Says)
			}
		}
	})
}

type accessAlarmsCmd struct {
	All bool `help:"Reviewed ones too."`
}

func (c *accessAlarmsCmd) run(ctx context.Context, s *session) error {
	by := s.caller()
	if s.Accounts.Any() {
		by.Role = access.Machine
	}
	all, err := s.Accounts.Alarms(ctx, by, c.All)
	if err != nil {
		return err
	}
	open := 0
	err = s.answer(map[string]any{"alarms": all}, func() {
		if len(all) == 0 {
			s.heading("Nothing waits for a review.")
			return
		}
		t := newTable("", "what", "account", "by", "since", "until", "reviewed")
		for _, one := range all {
			t.row(one.ID, one.Kind, one.Account, one.Actor, moment(&one.Began, ""), moment(one.Until, ""), moment(one.Reviewed, "open"))
		}
		t.print(s)
	})
	for _, one := range all {
		if one.Reviewed == nil {
			open++
		}
	}
	if err == nil && open > 0 {
		return Exit(1)
	}
	return err
}

func words(all []access.Permission) string {
	out := make([]string, len(all))
	for i, p := range all {
		out[i] = string(p)
	}
	return strings.Join(out, ", ")
}
