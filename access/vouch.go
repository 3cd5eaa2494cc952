package access

import (
	"context"
	"strings"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
)

// Vouchers counts the accounts that Vouch can know: enabled, with password and second factor.
func (a *Accounts) Vouchers(ctx context.Context) (n int, err error) {
	err = a.db.Read(ctx, func(tx *db.Tx) error {
		n = 0
		return a.readAll(ctx, tx, func(r *record) {
			if r.Enabled && r.Password != "" && r.Factor != nil {
				n++
			}
		})
	})
	return n, err
}

// Vouch tells whose name, password and code of the second factor these are, and writes nothing: it works on a store that
// may not be used yet. fault.Denied when they are nobody's.
func (a *Accounts) Vouch(ctx context.Context, name, password, code string) (out Account, err error) {
	var rec record
	err = a.db.Read(ctx, func(tx *db.Tx) error {
		rec = record{}
		return a.read(ctx, tx, "where name_token = $1", []any{a.nameToken(name)}, func(r *record) { rec = *r })
	})
	if err != nil {
		return Account{}, err
	}
	ok, err := a.hasher.check(ctx, rec.Password, clip(password))
	if err != nil {
		return Account{}, err
	}
	now := a.clock.Now()
	if !ok || !rec.Enabled || rec.Factor == nil || stepOf(rec.Factor, digits(code), now, rec.Step) == 0 {
		return Account{}, fault.New(fault.Denied, "this name, password and code are no account's").Then("Password and second factor are those that this store knows.")
	}
	return rec.account(now), nil
}

// IsAccount tells whether an actor of the ledger is somebody's account, and not a program or whoever is at the machine.
func IsAccount(actor string) bool { return strings.HasPrefix(actor, accountMark) }

// vouchedSession is the session of those who have none that goes on.
const vouchedSession = "vouched"

// Vouched is the account as a caller, for whoever showed with Vouch that they are it. It has no session that goes on.
func Vouched(a Account) Caller {
	return Caller{Actor: accountMark + a.ID, Role: a.Role, Also: joinRoles(a.Roles[1:]), Session: vouchedSession}.Being(a.Attributes)
}
