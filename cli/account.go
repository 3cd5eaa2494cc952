package cli

import (
	"context"
	"strings"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/fault"
)

// asAccount says who somebody at the machine is, once there are accounts.
type asAccount struct {
	Name string `help:"Account to act as, once there are accounts; standard input holds two lines: its password, and the code of its second factor." placeholder:"N"`
}

func (c *asAccount) inputs() []string {
	if c.Name == "" {
		return nil
	}
	return []string{"-"}
}

func (c *asAccount) asks() []string {
	if c.Name == "" {
		return nil
	}
	return credentials
}

// credentials of an account, as standard input holds them.
var credentials = []string{"Password", "Code of the second factor"}

// as is the account, or who is at the machine while there is none: then nobody else could be asked.
func (c *asAccount) as(ctx context.Context, s *session) (access.Caller, error) {
	if !s.Accounts.Any() {
		return s.caller(), nil
	}
	if c.Name == "" {
		return access.Caller{}, fault.New(fault.Denied, "this is for those who sign in, once an account exists").Then("--name N, with password and code on standard input.")
	}
	return c.vouched(ctx, s)
}

// vouched is the account that was named, by the password and the code on standard input.
func (c *asAccount) vouched(ctx context.Context, s *session) (access.Caller, error) {
	lines := strings.Split(strings.TrimRight(string(s.env.Inputs["-"]), "\r\n"), "\n")
	if len(lines) != 2 {
		return access.Caller{}, fault.New(fault.Invalid, "standard input holds two lines: the password, and the code of the second factor")
	}
	acc, err := s.Accounts.VouchHere(ctx, c.Name, strings.TrimRight(lines[0], "\r"), strings.TrimRight(lines[1], "\r"))
	if err != nil {
		return access.Caller{}, err
	}
	who := access.Vouched(acc).Under(s.Policies)
	_, who.Elevated = s.Accounts.ElevatedUntil(who)
	return who, nil
}

// approver is who approves a plan: an account that is named and may, else who is at the machine.
func (c *asAccount) approver(ctx context.Context, s *session) (string, error) {
	if c.Name == "" {
		return s.actor(), nil
	}
	who, err := c.vouched(ctx, s)
	if err != nil {
		return "", err
	}
	return who.Actor, access.Allowed(who, access.RequestApprove)
}
