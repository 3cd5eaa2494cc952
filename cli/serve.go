package cli

import (
	"context"
	"strings"
	"time"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/fault"
)

type serveCmd struct {
	Listen    string `help:"Where to listen. Loopback only, unless serve in ombud.yaml says who speaks TLS." default:"127.0.0.1:7443" placeholder:"HOST:PORT"`
	AcceptGap string `help:"File in which two people accept that the store, or what lies outside it, is not what was used last, and why." placeholder:"FILE"`

	SessionIdle       time.Duration `help:"After how long without a visit a session ends." default:"15m" placeholder:"TIME"`
	AdminName         string        `help:"Make this first account, a system_admin, when there is none." env:"OMBUD_ADMIN_NAME" placeholder:"N"`
	AdminPasswordFile string        `help:"File with its password." env:"OMBUD_ADMIN_PASSWORD_FILE" placeholder:"FILE"`
}

// runPlain needs the data directory and still never runs in another owner's process: a second serve is refused.
func (c *serveCmd) runPlain(ctx context.Context, s *session) error {
	if s.program.Serve == nil {
		return fault.New(fault.Unavailable, "this program cannot serve")
	}
	gap, err := s.readGap(c.AcceptGap)
	if err != nil {
		return err
	}
	if c.SessionIdle < time.Minute || c.SessionIdle > 12*time.Hour {
		return fault.New(fault.Invalid, "--session-idle is between 1m and 12h")
	}
	first, err := c.first(s)
	if err != nil {
		return err
	}
	place, ask := s.place(), (func(context.Context) ([]byte, error))(nil)
	if s.env.PassphraseFile == "" && s.env.terminal() {
		place.Passphrase, ask = nil, s.askPassphrase // beside vault unseal: it answers that it is sealed meanwhile
	}
	return s.program.Serve(ctx, place, ServeOptions{Listen: c.Listen, Ask: ask, Gap: gap, Actor: s.actor(), Log: s.env.Stderr, Idle: c.SessionIdle, Admin: first, Ready: s.served})
}

// first is the account that the environment asks for.
func (c *serveCmd) first(s *session) (access.NewAccount, error) {
	switch {
	case c.AdminName == "" && c.AdminPasswordFile == "":
		return access.NewAccount{}, nil
	case c.AdminName == "" || c.AdminPasswordFile == "":
		return access.NewAccount{}, fault.New(fault.Invalid, "--admin-name and --admin-password-file go together")
	}
	b, err := s.env.read(c.AdminPasswordFile)
	if err != nil {
		return access.NewAccount{}, err
	}
	password := strings.TrimRight(string(b), "\r\n")
	if password == "" {
		return access.NewAccount{}, fault.New(fault.Invalid, "the file of --admin-password-file is empty")
	}
	return access.NewAccount{Name: c.AdminName, Role: access.Admin, Password: password, By: s.caller()}, nil
}

// served tells where, when requests are answered.
func (s *session) served(url string) {
	_ = s.answer(map[string]string{"url": url}, func() {
		s.printf("Ombud serves at\n\n  %s\n\n", url)
		if strings.Contains(url, "token=") {
			s.printf("The address holds a secret: whoever opens it may do what you may. It is new at each start.\n")
		}
		s.printf("Stop with Ctrl-C.\n")
	})
}
