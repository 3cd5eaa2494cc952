package access

import (
	"context"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
)

// changed keeps a changed account, here and among what survives the loss of the store, ends its sessions, and appends the act's entry. more goes into the entry.
func (a *Accounts) changed(ctx context.Context, tx *db.Tx, r *record, actor, what string, more map[string]any) error {
	r.Epoch++
	if err := a.keep(tx, r, what); err != nil {
		return err
	}
	if err := a.write(ctx, tx, r); err != nil {
		return err
	}
	if err := a.endAll(ctx, tx, r.ID); err != nil {
		return err
	}
	content := map[string]any{"account": r.ID, "change": what}
	maps.Copy(content, more)
	if kind := alarming[what]; kind != "" {
		if err := a.alarm(ctx, tx, content, kind, r.ID, actor); err != nil {
			return err
		}
	}
	return a.note(tx, AccountChanged, "done", actor, content)
}

// manage is an act of one person on the account of another. Nobody does it to themself: a role would be a rank of one's
// own making.
func (a *Accounts) manage(ctx context.Context, ref string, by Caller, act func(tx *db.Tx, r *record) error) (Account, error) {
	if err := Allowed(by, AccountManage); err != nil {
		return Account{}, err
	}
	var out Account
	err := a.db.Write(ctx, func(tx *db.Tx) error {
		r, err := a.find(ctx, tx, ref)
		if err != nil {
			return err
		}
		if r.actor() == by.Actor {
			return fault.New(fault.Denied, "nobody changes the role or the standing of their own account").Then("Ask another %s.", Admin)
		}
		if err := act(tx, r); err != nil {
			return err
		}
		out = r.account(a.clock.Now())
		return nil
	})
	return out, err
}

// SetRoles gives an account other roles and ends its sessions; the first one names the account. What a role is kept from, no
// other role gives: the policies see to that. fault.Denied for the own one, for the last admin, and for whoever is not signed
// in; fault.Conflict when it has these roles already.
func (a *Accounts) SetRoles(ctx context.Context, ref string, roles []Role, by Caller) (Account, error) {
	if faults := checkRoles(roles); len(faults) > 0 {
		return Account{}, fault.New(fault.Invalid, "these roles cannot be given").With(faults...)
	}
	return a.manage(ctx, ref, by, func(tx *db.Tx, r *record) error {
		if by.Role == Local {
			return fault.New(fault.Denied, "roles are given by somebody who is signed in").Then("Sign in as a %s and open Accounts.", Admin)
		}
		if r.Vouched != nil {
			return errVouched(r)
		}
		from := r.roles()
		if slices.Equal(from, roles) {
			return fault.New(fault.Conflict, "this account has the role %s already", listOf(roles))
		}
		if !slices.Contains(roles, Admin) {
			if err := a.notLast(ctx, tx, r); err != nil {
				return err
			}
		}
		r.Role, r.Also = roles[0], slices.Clone(roles[1:])
		return a.changed(ctx, tx, r, by.Actor, changeRole, map[string]any{"from": listOf(from), "to": listOf(roles)})
	})
}

// checkRoles names what is wrong with the roles of a person.
func checkRoles(roles []Role) (faults []fault.Detail) {
	seen := map[Role]bool{}
	for _, r := range roles {
		switch {
		case !slices.Contains(forPeople, r):
			faults = append(faults, fault.Detail{Where: "role", Message: "a person's role is " + roleList(forPeople)})
		case seen[r]:
			faults = append(faults, fault.Detail{Where: "role", Message: "the role " + string(r) + " is named twice"})
		}
		seen[r] = true
	}
	if len(roles) == 0 {
		faults = append(faults, fault.Detail{Where: "role", Message: "an account has at least one role"})
	}
	return faults
}

// SetAttributes says what policies may ask of an account beside its roles, and ends its sessions.
func (a *Accounts) SetAttributes(ctx context.Context, ref string, to Attributes, by Caller) (Account, error) {
	if faults := to.check(); len(faults) > 0 {
		return Account{}, fault.New(fault.Invalid, "this cannot be said of an account").With(faults...)
	}
	return a.manage(ctx, ref, by, func(tx *db.Tx, r *record) error {
		r.Attributes = to
		return a.changed(ctx, tx, r, by.Actor, changeAttributes, nil)
	})
}

func (at Attributes) check() (faults []fault.Detail) {
	if at.Clearance < 0 || at.Clearance > 3 {
		faults = append(faults, fault.Detail{Where: "clearance", Message: "a clearance is 0, 1, 2 or 3"})
	}
	for where, text := range map[string]string{"department": at.Department, "place": at.Place, "jurisdiction": at.Jurisdiction} {
		if len(text) > 64 || strings.ContainsFunc(text, unicode.IsControl) {
			faults = append(faults, fault.Detail{Where: where, Message: "at most 64 characters, and no control characters"})
		}
	}
	return faults
}

// notLast refuses to take the last admin who is enabled.
func (a *Accounts) notLast(ctx context.Context, tx *db.Tx, r *record) error {
	others := 0
	err := a.readAll(ctx, tx, func(o *record) {
		if o.ID != r.ID && o.Enabled && o.has(Admin) {
			others++
		}
	})
	if err == nil && r.has(Admin) && r.Enabled && others == 0 {
		err = fault.New(fault.Denied, "this is the last %s; without one nobody could manage accounts", Admin).Then("Make another one first.")
	}
	return err
}

// Disable closes an account and ends its sessions: who was signed in is out when it returns. fault.Denied for the own one
// and for the last admin.
func (a *Accounts) Disable(ctx context.Context, ref string, by Caller) (Account, error) {
	return a.manage(ctx, ref, by, func(tx *db.Tx, r *record) error {
		if !r.Enabled {
			return fault.New(fault.Conflict, "this account is disabled already")
		}
		if err := a.notLast(ctx, tx, r); err != nil {
			return err
		}
		r.Enabled = false
		return a.changed(ctx, tx, r, by.Actor, "disabled", nil)
	})
}

// Enable opens an account again.
func (a *Accounts) Enable(ctx context.Context, ref string, by Caller) (Account, error) {
	return a.manage(ctx, ref, by, func(tx *db.Tx, r *record) error {
		if r.Enabled {
			return fault.New(fault.Conflict, "this account is enabled already")
		}
		r.Enabled = true
		return a.changed(ctx, tx, r, by.Actor, "enabled", nil)
	})
}

// EndSessions ends every session of another account.
func (a *Accounts) EndSessions(ctx context.Context, ref string, by Caller) (Account, error) {
	return a.manage(ctx, ref, by, func(tx *db.Tx, r *record) error {
		return a.changed(ctx, tx, r, by.Actor, "sessions ended", nil)
	})
}

// SetupLink gives the secret of a new setup link, for an account that was not set up yet; an earlier link ends.
// fault.Conflict for one that has a password: Reset is for those.
func (a *Accounts) SetupLink(ctx context.Context, ref string, by Caller) (acc Account, link string, err error) {
	acc, err = a.manage(ctx, ref, by, func(tx *db.Tx, r *record) error {
		if r.Vouched != nil {
			return errVouched(r)
		}
		if r.Password != "" {
			return fault.New(fault.Conflict, "this account is set up").Then("To let somebody in again who is locked out, reset it.")
		}
		link = a.giveLink(r)
		return a.changed(ctx, tx, r, by.Actor, changeLink, nil)
	})
	return acc, link, err
}

// Reset takes password, second factor and recovery codes from an account, ends its sessions, and gives the secret of a
// setup link: none for an account that an identity provider vouches for, which sets up its second factor when it comes next.
func (a *Accounts) Reset(ctx context.Context, ref string, by Caller) (acc Account, link string, err error) {
	acc, err = a.manage(ctx, ref, by, func(tx *db.Tx, r *record) error {
		if r.Vouched == nil {
			link = a.giveLink(r)
		}
		r.void()
		return a.changed(ctx, tx, r, by.Actor, changeReset, nil)
	})
	if err != nil {
		return Account{}, "", err
	}
	a.tries.forgive("password "+string(a.nameToken(acc.Name)), "code "+acc.ID)
	return acc, link, nil
}

func errVouched(r *record) error {
	return fault.New(fault.Conflict, "this account signs in with %s, which says its role", r.Vouched.Provider).Then("Change it there. It can be disabled here.")
}
