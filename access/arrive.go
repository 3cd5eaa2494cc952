package access

import (
	"context"
	"slices"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/id"
)

// Arrival is somebody for whom an identity provider vouches, at this moment.
type Arrival struct {
	Provider string // as ombud.yaml calls it
	Issuer   string
	Subject  string // who they are there, for good
	Display  string
	Session  string // of theirs there; "" where it has no name
	Roles    []Role // that they have here, the first one first; none lets nobody in
	Strong   bool   // a second factor was asked there
	Address  string // where they come from
}

// vouched says who vouches for an account. Such an account has no password: it goes in as its provider says.
type vouched struct {
	Provider string `json:"provider"`
	Issuer   string `json:"issuer"`
	Subject  string `json:"subject"`
}

// vouchedToken finds an account by who vouches for whom.
func (a *Accounts) vouchedToken(issuer, subject string) []byte {
	sum := a.vault.MAC("account-vouched", []byte(issuer), []byte(subject))
	return sum[:]
}

// Arrive lets somebody in who was vouched for: who comes for the first time gets an account with the roles that were found.
// Others than the last time end the sessions there are; no role ends them, and lets nobody in. Without a second
// factor there, ours is asked. account is the id of who came. fault.Denied where there is no entry.
func (a *Accounts) Arrive(ctx context.Context, in Arrival) (e Entry, account string, err error) {
	if len(in.Roles) > 0 && len(checkRoles(in.Roles)) > 0 || in.Subject == "" {
		return Entry{}, "", fault.New(fault.Denied, "this is no role of a person")
	}
	if !a.Any() {
		return Entry{}, "", fault.New(fault.Denied, "the first account is made on the machine itself").Then("ombud admin create makes it.")
	}
	if err := a.tries.count(ctx, limit{what: "address " + in.Address, most: triesPerAddress}); err != nil {
		return Entry{}, "", err
	}
	var after record
	var token string
	err = a.db.Write(ctx, func(tx *db.Tx) error {
		after, token = record{}, ""
		r, err := a.arrived(ctx, tx, in)
		if err != nil || r == nil {
			return err
		}
		if after = *r; !in.Strong {
			return nil
		}
		after.SignedIn = a.clock.Now().Unix()
		if err := a.write(ctx, tx, &after); err != nil {
			return err
		}
		token, err = a.beginAs(ctx, tx, &after, digest{}, a.origin(in.Issuer, in.Session), "identity provider")
		return err
	})
	if err != nil {
		return Entry{}, "", err
	}
	if after.ID == "" {
		return Entry{}, "", fault.New(fault.Denied, "you are known there, and have no role here").Then("Ask whoever keeps accounts here which group has one.")
	}
	a.tries.right("", "address "+in.Address)
	if in.Strong {
		return Entry{token, SignedIn}, after.ID, nil
	}
	token, err = a.beginHalf(&after, a.origin(in.Issuer, in.Session))
	return Entry{token, stageAfterPassword(&after)}, after.ID, err
}

// arrived finds or makes the account of somebody; nil when there is no entry for them, which it notes.
func (a *Accounts) arrived(ctx context.Context, tx *db.Tx, in Arrival) (*record, error) {
	var r *record
	err := a.read(ctx, tx, "where name_token = $1", []any{a.vouchedToken(in.Issuer, in.Subject)}, func(found *record) { r = found })
	if err != nil {
		return nil, err
	}
	if r == nil && len(in.Roles) == 0 || r != nil && !r.Enabled {
		account := ""
		if r != nil {
			account = r.ID
		}
		return nil, a.noteRefused(tx, account, "role")
	}
	if r != nil {
		if err := a.revise(ctx, tx, r, in.Roles); err != nil || len(in.Roles) == 0 {
			return nil, err
		}
		return r, nil
	}
	now := a.clock.Now()
	r = &record{ID: id.New("acc_", now), Role: in.Roles[0], Enabled: true, Epoch: 1, Created: now.Unix(), private: private{
		Name: in.Provider + ": " + in.Display, Display: in.Display, Also: slices.Clone(in.Roles[1:]), Vouched: &vouched{in.Provider, in.Issuer, in.Subject}}}
	if err := a.write(ctx, tx, r); err != nil {
		return nil, err
	}
	tx.OnCommit(func() { a.rename(r) })
	return r, a.note(tx, "account.created", "done", "oidc:"+in.Provider, map[string]any{"account": r.ID, "role": r.Role, "roles": r.roles()})
}

// revise gives an account the roles that its provider says, and ends its sessions when those are others, or none.
func (a *Accounts) revise(ctx context.Context, tx *db.Tx, r *record, roles []Role) error {
	switch {
	case slices.Equal(roles, r.roles()):
		return nil
	case len(roles) == 0:
		return a.changed(ctx, tx, r, "oidc:"+r.Vouched.Provider, "no role any more", nil)
	}
	from := r.roles()
	r.Role, r.Also = roles[0], slices.Clone(roles[1:])
	return a.changed(ctx, tx, r, "oidc:"+r.Vouched.Provider, changeRole, map[string]any{"from": listOf(from), "to": listOf(roles)})
}

// Revise takes in which roles a provider says somebody has who is signed in. Others than before, or none, end their
// sessions before it returns.
func (a *Accounts) Revise(ctx context.Context, account string, roles []Role) error {
	return a.ofVouched(ctx, account, func(tx *db.Tx, r *record) error { return a.revise(ctx, tx, r, roles) })
}

// Unvouched ends the sessions of an account that its provider does not confirm.
func (a *Accounts) Unvouched(ctx context.Context, account, because string) error {
	return a.ofVouched(ctx, account, func(tx *db.Tx, r *record) error {
		return a.changed(ctx, tx, r, "ombud", "sessions ended", map[string]any{"because": because})
	})
}

func (a *Accounts) ofVouched(ctx context.Context, account string, act func(*db.Tx, *record) error) error {
	return a.db.Write(ctx, func(tx *db.Tx) error {
		r, err := a.find(ctx, tx, account)
		if err != nil || r.Vouched == nil {
			return err
		}
		return act(tx, r)
	})
}

// Vouched are the accounts that are signed in because a provider vouched for them.
func (a *Accounts) Vouched() []string {
	a.mu.RLock()
	defer a.mu.RUnlock()
	var out []string
	now := a.clock.Now().Unix()
	for _, s := range a.sessions {
		if s.stage == SignedIn && a.vouchers[s.account] && s.alive(now, a.idle) && !slices.Contains(out, s.account) {
			out = append(out, s.account)
		}
	}
	return out
}
