package cli

import (
	"context"
	"time"

	"github.com/ombudhq/ombud/internal/fault"
)

type accessElevateCmd struct {
	Because string        `required:"" help:"What the emergency is. It stands in the log, and in the alarm." placeholder:"TEXT"`
	For     time.Duration `help:"How long, up to 1h." default:"30m" placeholder:"TIME"`
	asAccount
}

func (*accessElevateCmd) writes() {}

func (c *accessElevateCmd) run(ctx context.Context, s *session) error {
	who, err := c.as(ctx, s)
	if err != nil {
		return err
	}
	one, err := s.Accounts.Elevate(ctx, who, c.Because, c.For)
	if err != nil {
		return err
	}
	return s.answer(one, func() {
		s.heading("The glass is broken until %s UTC.", moment(one.Until, ""))
		s.printf("\nAn alarm is raised: %s. Another person reviews it.\n", one.ID)
	})
}

type accessEndCmd struct {
	Alarm string `arg:"" optional:"" help:"Alarm of the elevation: alm_…; without it, the own one."`
	asAccount
}

func (*accessEndCmd) writes() {}

func (c *accessEndCmd) run(ctx context.Context, s *session) error {
	who, err := c.as(ctx, s)
	if err != nil {
		return err
	}
	if c.Alarm == "" {
		err = s.Accounts.EndOwnElevation(ctx, who)
	} else {
		err = s.Accounts.StopElevation(ctx, c.Alarm, who)
	}
	if err != nil {
		return err
	}
	return s.answer(map[string]string{"ended": "elevation"}, func() { s.heading("It is over.") })
}

type accessReviewCmd struct {
	Alarm string `arg:"" help:"Alarm to close: alm_…"`
	Found string `required:"" help:"What you found." placeholder:"TEXT"`
	asAccount
}

func (*accessReviewCmd) writes() {}

func (c *accessReviewCmd) run(ctx context.Context, s *session) error {
	who, err := c.as(ctx, s)
	if err != nil {
		return err
	}
	one, err := s.Accounts.Review(ctx, c.Alarm, c.Found, who)
	if err != nil {
		return err
	}
	return s.answer(one, func() { s.heading("%s is closed.", one.ID) })
}

type accessTokenCmd struct{ asAccount }

func (*accessTokenCmd) writes() {}

func (c *accessTokenCmd) run(ctx context.Context, s *session) error {
	if !s.Accounts.Any() {
		return fault.New(fault.Conflict, "there is no account to sign in to").Then("serve.token in the data directory is the bearer of who is at the machine.")
	}
	who, err := c.as(ctx, s)
	if err != nil {
		return err
	}
	token, err := s.Accounts.BearerOf(ctx, who)
	if err != nil {
		return err
	}
	return s.answer(map[string]string{"bearer": token}, func() {
		s.heading("%s", token)
		s.printf("\nSend it as Authorization: Bearer. It ends %d minutes after its last use, and after 12 hours.\n", int(s.Accounts.Idle().Minutes()))
	})
}
