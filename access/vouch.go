package access

import (
	"cmp"
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
func (a *Accounts) Vouch(ctx context.Context, name, password, code string) (Account, error) {
	rec, ok, err := a.known(ctx, name, password, code)
	if err == nil && !ok {
		err = errVouch()
	}
	if err != nil {
		return Account{}, err
	}
	return rec.account(a.clock.Now()), nil
}

// VouchHere is Vouch in the store in use. A try counts before it is looked at, with those of SignIn: fault.Busy when there were too
// many. One that is wrong leaves an entry. A code is good for as long as it is shown, and not only once.
func (a *Accounts) VouchHere(ctx context.Context, name, password, code string) (Account, error) {
	counted := "password " + string(a.nameToken(name))
	if err := a.tries.count(ctx, limit{what: counted, most: triesPerAccount}); err != nil {
		return Account{}, err
	}
	rec, ok, err := a.known(ctx, name, password, code)
	if err == nil && !ok {
		err = cmp.Or(a.refused(ctx, rec.ID, "password or code"), error(errVouch()))
	}
	if err != nil {
		return Account{}, err
	}
	a.tries.right(counted, "")
	return rec.account(a.clock.Now()), a.tries.flush(ctx) // the process may end with this command
}

func errVouch() *fault.Error {
	return fault.New(fault.Denied, "this name, password and code are no account's").Then("Password and second factor are those that this store knows.")
}

// known looks an account up by its name, and tells whether password and code are its.
func (a *Accounts) known(ctx context.Context, name, password, code string) (rec record, ok bool, err error) {
	err = a.db.Read(ctx, func(tx *db.Tx) error {
		rec = record{}
		return a.read(ctx, tx, "where name_token = $1", []any{a.nameToken(name)}, func(r *record) { rec = *r })
	})
	if err != nil {
		return rec, false, err
	}
	ok, err = a.hasher.check(ctx, rec.Password, clip(password))
	return rec, ok && rec.Enabled && rec.Factor != nil && stepOf(rec.Factor, digits(code), a.clock.Now(), rec.Step) != 0, err
}

// IsAccount tells whether an actor of the ledger is somebody's account, and not a program or whoever is at the machine.
func IsAccount(actor string) bool { return strings.HasPrefix(actor, accountMark) }

// vouchedSession is the session of those who have none that goes on.
const vouchedSession = "vouched"

// Vouched is the account as a caller, for whoever showed with Vouch or VouchHere that they are it. It has no session that goes on.
func Vouched(a Account) Caller {
	return Caller{Actor: accountMark + a.ID, Role: a.Role, Also: joinRoles(a.Roles[1:]), Session: vouchedSession}.Being(a.Attributes)
}
