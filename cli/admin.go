package cli

import (
	"context"
	"strings"
	"time"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/fault"
)

// adminCmd is the accounts of people, for whoever is at the machine: the first one, and a way back in.
type adminCmd struct {
	Create    adminCreateCmd `cmd:"" help:"Make the first account; from then on people sign in, and accounts are made in the console."`
	SetupLink adminLinkCmd   `cmd:"" help:"Print a new setup link of an account that is not set up yet."`
	Reset     adminResetCmd  `cmd:"" help:"Take password and second factor from an account, end its sessions, and print a setup link."`
	List      adminListCmd   `cmd:"" help:"List accounts: who, which role, last sign-in."`
}

type adminCreateCmd struct {
	Name          string `required:"" help:"Name to sign in with." placeholder:"N"`
	Display       string `help:"Name to be shown as. Default: the same." placeholder:"NAME"`
	Role          string `required:"" help:"system_admin for the first account." placeholder:"R"`
	Email         string `help:"Address that codes may go to, where access.email_codes of ombud.yaml lets them." placeholder:"ADDRESS"`
	PasswordStdin bool   `help:"Take the password from standard input, and print no link."`
}

func (*adminCreateCmd) writes() {}

func (c *adminCreateCmd) inputs() []string {
	if c.PasswordStdin {
		return []string{"-"}
	}
	return nil
}

func (*adminCreateCmd) asks() []string { return []string{"Password of the new account"} }

// newAccount is an account as it is printed once, with its link.
type newAccount struct {
	access.Account
	Link  string `json:"setup_link,omitempty"`
	Valid string `json:"setup_link_until,omitempty"`
}

func (c *adminCreateCmd) run(ctx context.Context, s *session) error {
	in := access.NewAccount{Name: c.Name, Display: c.Display, Role: access.Role(c.Role), Email: c.Email, By: s.caller()}
	if c.PasswordStdin {
		in.Password = strings.TrimRight(string(s.env.Inputs["-"]), "\r\n")
		if in.Password == "" {
			return fault.New(fault.Invalid, "standard input holds no password")
		}
	}
	acc, link, err := s.Accounts.Create(ctx, in)
	if err != nil {
		return err
	}
	return s.showAccount(acc, link, "is made")
}

// showAccount prints an account, and the link that sets it up, this once.
func (s *session) showAccount(acc access.Account, link, what string) error {
	out := newAccount{Account: acc}
	if link != "" {
		out.Link = s.Address + "/setup?link=" + link
		out.Valid = acc.SetupUntil.Format(time.RFC3339)
	}
	return s.answer(out, func() {
		s.heading("The account %s %s, as %s.", acc.Name, what, acc.Role)
		if link == "" {
			s.printf("\nAt the first sign-in it asks to set up a second factor.\n")
			return
		}
		s.printf("\n  %s\n\nWhoever opens this link sets the password. It is shown this once, works once, and until %s UTC.\n", out.Link, moment(acc.SetupUntil, ""))
		if s.Serving {
			return
		}
		s.printf("Start ombud serve first; the link takes it to be at %s.\n", s.Address)
	})
}

type adminLinkCmd struct {
	Name string `help:"Whose; may be left out while there is one account." placeholder:"N"`
}

func (*adminLinkCmd) writes() {}

func (c *adminLinkCmd) run(ctx context.Context, s *session) error {
	name, err := s.onlyAccount(ctx, c.Name)
	if err != nil {
		return err
	}
	acc, link, err := s.Accounts.SetupLink(ctx, name, s.caller())
	if err != nil {
		return err
	}
	return s.showAccount(acc, link, "has a new setup link")
}

// onlyAccount is the name that was typed, or that of the only account.
func (s *session) onlyAccount(ctx context.Context, name string) (string, error) {
	if name != "" {
		return name, nil
	}
	all, err := s.Accounts.List(ctx)
	if err != nil {
		return "", err
	}
	if len(all) != 1 {
		return "", fault.New(fault.Invalid, "there are %d accounts: --name says which", len(all)).Then("ombud admin list shows them.")
	}
	return all[0].ID, nil
}

type adminResetCmd struct {
	Name string `required:"" help:"Whose." placeholder:"N"`
}

func (*adminResetCmd) writes() {}

func (c *adminResetCmd) run(ctx context.Context, s *session) error {
	acc, link, err := s.Accounts.Reset(ctx, c.Name, s.caller())
	if err != nil {
		return err
	}
	return s.showAccount(acc, link, "is reset, and its sessions are ended")
}

type adminListCmd struct{}

func (*adminListCmd) run(ctx context.Context, s *session) error {
	all, err := s.Accounts.List(ctx)
	if err != nil {
		return err
	}
	return s.answer(map[string]any{"accounts": all}, func() {
		if len(all) == 0 {
			s.heading("There is no account: whoever starts ombud serve, or has the address it prints, may do everything.")
			return
		}
		t := newTable("", "name", "role", "made", "last sign-in", "")
		for _, a := range all {
			t.row(a.ID, a.Name, a.Role, day(a.Created), moment(a.SignedIn, "never"), accountStanding(a))
		}
		t.print(s)
	})
}

func accountStanding(a access.Account) string {
	switch {
	case !a.Enabled:
		return "disabled"
	case a.SetupUntil != nil:
		return "setup link until " + moment(a.SetupUntil, "")
	case !a.Password:
		return "not set up"
	case !a.Factor:
		return "no second factor yet"
	}
	return ""
}

// caller is whoever types, at this machine.
func (s *session) caller() access.Caller { return access.Caller{Actor: s.actor(), Role: access.Local} }

// mayReadLog refuses the log on the command line once there is an account: it is for people who sign in.
func (s *session) mayReadLog() error {
	if s.Accounts == nil || !s.Accounts.Any() {
		return nil
	}
	if err := access.Allowed(access.Caller{Role: access.Machine}, access.LedgerRead); err != nil {
		return fault.New(fault.Denied, "who is at this machine does not read the log, once an account exists").Then("Sign in to the console with a role that does: auditor or data_protection_officer.")
	}
	return nil
}
