package app

import (
	"context"
	"fmt"
	"net/mail"
	"time"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/internal/dial"
	"github.com/ombudhq/ombud/internal/notify"
)

// mailCodes says how codes go out by e-mail, as the newest configuration has it. Where that cannot be used, none do.
func (a *App) mailCodes(cfg *catalog.Config) {
	m, err := a.mailer(cfg)
	if err != nil {
		a.cfg.Log.Error("mail of ombud.yaml cannot be used; no code goes out by e-mail", "error", err)
	}
	a.Accounts.SetMailer(m)
}

func (a *App) mailer(cfg *catalog.Config) (access.Mailer, error) {
	c := cfg.Mail
	if !c.On() || !cfg.Access.EmailCodes {
		return nil, nil
	}
	password, err := catalog.Expand("mail.password", c.Password)
	if err != nil {
		return nil, err
	}
	from, err := mail.ParseAddress(c.From)
	if err != nil {
		return nil, err
	}
	m := notify.NewMailer(notify.MailConfig{Host: c.Host, Port: c.Port, TLS: c.Security == "tls", From: *from, User: c.User, Password: password, Clock: a.cfg.Clock,
		Way: dial.Way{Private: c.Allow == "private", Peer: dial.Peer{CA: cfg.File(c.TLS.CA), Cert: cfg.File(c.TLS.Cert), Key: cfg.File(c.TLS.Key), Pins: c.TLS.Pins}}})
	return func(ctx context.Context, to, code string, until time.Time) error {
		return m.Send(ctx, to, "Your code to sign in to Ombud", codeText(code, until))
	}, nil
}

func codeText(code string, until time.Time) string {
	return fmt.Sprintf(`%s is your code to sign in to Ombud.

It is good once, until %s UTC, on the page that asked for it. Nobody here will
ever ask you for it.

If you do not sign in just now, somebody has your password: change it, and tell
whoever keeps accounts.
`, code, until.UTC().Format("15:04"))
}
