package cli

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/fault"
)

// keyCmd is the keys of programs.
type keyCmd struct {
	Create keyCreateCmd `cmd:"" help:"Make an API key; it is printed this once."`
	List   keyListCmd   `cmd:"" help:"List API keys: whose, since when, last used; never the keys themselves."`
	Revoke keyRevokeCmd `cmd:"" help:"End an API key at once."`
}

type keyCreateCmd struct {
	Name    string   `required:"" help:"What it is for; everybody sees it." placeholder:"N"`
	Role    string   `required:"" help:"service: decisions, consents, events. developer: data map, purposes. auditor: receipts, ledger." placeholder:"ROLE"`
	Scope   []string `help:"Of what the role may, only this: a permission such as decision.ask, repeated or with commas. ombud access roles lists them." placeholder:"PERMISSION"`
	Purpose []string `help:"Only for this purpose, repeated or with commas; a key of the role service." placeholder:"P"`
	System  []string `help:"Only for purposes that are used in this system, repeated or with commas; a key of the role service." placeholder:"ID"`
	Expires string   `help:"How long it is valid: 90d, 12h, or never. Default 365d." default:"365d" placeholder:"TIME"`
	As      string   `help:"Account that reads the log, and so may make a key that does, once there are accounts; standard input holds two lines: its password, and the code of its second factor." placeholder:"N"`
}

func (*keyCreateCmd) writes() {}

func (c *keyCreateCmd) inputs() []string { return c.reader().inputs() }
func (c *keyCreateCmd) asks() []string   { return c.reader().asks() }

// reader is the account that vouches for a key.
func (c *keyCreateCmd) reader() *asAccount { return &asAccount{Name: c.As} }

// by is who makes the key. Whoever holds one of an auditor reads the log with it, so that is made by who reads it too.
func (c *keyCreateCmd) by(ctx context.Context, s *session) (string, error) {
	if c.As == "" {
		if c.Role == string(access.Auditor) && s.Accounts != nil && s.Accounts.Any() {
			return "", fault.New(fault.Denied, "who is at this machine does not read the log, once an account exists").
				Then("--as N, an account that does: auditor or data_protection_officer; its password and code are asked for.")
		}
		return s.actor(), nil
	}
	who, err := c.reader().vouched(ctx, s)
	if err != nil {
		return "", err
	}
	return who.Actor, access.Allowed(who, access.LedgerRead)
}

// newKey is a key as it is printed once.
type newKey struct {
	Secret string `json:"key"`
	access.Key
}

func (c *keyCreateCmd) run(ctx context.Context, s *session) error {
	valid, err := validity(c.Expires)
	if err != nil {
		return err
	}
	by, err := c.by(ctx, s)
	if err != nil {
		return err
	}
	in := access.KeyInput{Name: c.Name, Role: access.Role(c.Role), For: valid, Actor: by, Limits: access.Limits{Purposes: c.Purpose, Systems: c.System}, Among: s.declared()}
	for _, p := range c.Scope {
		in.Scope = append(in.Scope, access.Permission(p))
	}
	k, secret, err := s.Keys.Create(ctx, in)
	if err != nil {
		return err
	}
	return s.answer(newKey{secret, k}, func() {
		s.heading("%s", secret)
		s.printf("\nThis is the key, shown this once. Send it as Authorization: Bearer.\n")
		s.printf("  id       %s\n  role     %s\n  expires  %s\n", k.ID, keyFor(k), moment(k.Expires, "never"))
	})
}

// declared are the purposes and systems that a key can be for.
func (s *session) declared() (out access.Limits) {
	for _, rule := range s.Purposes.Now().All() {
		out.Purposes = append(out.Purposes, rule.ID)
	}
	for _, one := range s.Catalog.Config().Systems {
		out.Systems = append(out.Systems, one.ID)
	}
	return out
}

// keyFor is the role of a key, and what of it alone it is for.
func keyFor(k access.Key) string {
	out := string(k.Role)
	for i, p := range k.Scope {
		out += []string{", only ", ", "}[min(i, 1)] + string(p)
	}
	if !k.Limits.None() {
		out += ", for " + k.Words()
	}
	return out
}

// longest validity, in days: beyond it "never" is more honest.
const longest = 3650

// validity reads 90d, 12h or never, which is 0.
func validity(text string) (time.Duration, error) {
	if text == "never" {
		return 0, nil
	}
	for unit, d := range map[string]time.Duration{"d": 24 * time.Hour, "h": time.Hour} {
		digits, ok := strings.CutSuffix(text, unit)
		n, err := strconv.ParseUint(digits, 10, 32)
		if ok && err == nil && n > 0 && n <= uint64(longest*24*time.Hour/d) {
			return time.Duration(n) * d, nil
		}
	}
	return 0, fault.New(fault.Invalid, "--expires is a number of days or hours, at most %dd, or never", longest).Then("For example 90d or 12h.")
}

type keyListCmd struct{}

func (*keyListCmd) run(ctx context.Context, s *session) error {
	keys, err := s.Keys.List(ctx)
	if err != nil {
		return err
	}
	return s.answer(map[string]any{"keys": keys}, func() {
		if len(keys) == 0 {
			s.heading("There is no API key.")
			return
		}
		t := newTable("", "name", "role", "begins", "made", "expires", "last used", "")
		for _, k := range keys {
			t.row(k.ID, k.Name, keyFor(k), k.Prefix, day(k.Created), moment(k.Expires, "never"), moment(k.LastUsed, "never"), s.standing(k))
		}
		t.print(s)
	})
}

// standing says why a key lets nobody in, "" when it does.
func (s *session) standing(k access.Key) string {
	switch {
	case k.Revoked != nil:
		return "revoked " + moment(k.Revoked, "")
	case k.Expires != nil && !k.Expires.After(s.program.Clock.Now()):
		return "expired"
	}
	return ""
}

func moment(t *time.Time, none string) string {
	if t == nil {
		return none
	}
	return t.Format("2006-01-02 15:04")
}

type keyRevokeCmd struct {
	Key string `arg:"" name:"id" help:"Key to end, by its id: key_…"`
}

func (*keyRevokeCmd) writes() {}

func (c *keyRevokeCmd) run(ctx context.Context, s *session) error {
	k, err := s.Keys.Revoke(ctx, c.Key, s.actor())
	if err != nil {
		return err
	}
	return s.answer(k, func() { s.heading("%s is revoked: nobody gets in with it any more.", k.ID) })
}
