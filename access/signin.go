package access

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
)

// Entry is what a step of signing in gives: the token of the session, for the cookie, and what comes next.
type Entry struct {
	Token string
	Stage Stage
}

// errSignIn says the same of an unknown name, a wrong password, an account that is disabled and one whose password is void;
// while there is one of those, it says so to everybody.
func (a *Accounts) errSignIn(ctx context.Context) error {
	locked, err := a.LockedOut(ctx)
	if err != nil {
		return err
	}
	e := fault.New(fault.Denied, "this name and this password do not open an account")
	next := fmt.Sprintf("Check both. After %d tries nothing is looked at for %d minutes.", triesPerAccount, int(triesWindow/time.Minute))
	if len(locked) > 0 {
		next += " Some passwords are void, as after a restore: if yours may be one, ask whoever keeps accounts here for a setup link."
	}
	return e.Then("%s", next)
}

func errHalfOver() error {
	return fault.New(fault.Denied, "too much time went by, or something changed").Then("Sign in again.")
}

// SignIn checks name and password. What it gives is half way in: the second factor comes next. A try counts before it is
// looked at, for the name and for the address it comes from; fault.Busy when either was tried too often, or too many sign
// in at once. An unknown name costs the same time and gives the same answer as a wrong password.
func (a *Accounts) SignIn(ctx context.Context, name, password, address string) (Entry, error) {
	ofName, ofAddress := "password "+string(a.nameToken(name)), "address "+address
	if err := a.tries.count(ctx, limit{what: ofName, most: triesPerAccount}, limit{what: ofAddress, most: triesPerAddress}); err != nil {
		return Entry{}, err
	}
	var rec record
	err := a.db.Read(ctx, func(tx *db.Tx) error {
		rec = record{}
		return a.read(ctx, tx, "where name_token = $1", []any{a.nameToken(name)}, func(r *record) { rec = *r })
	})
	if err != nil {
		return Entry{}, err
	}
	ok, err := a.hasher.check(ctx, rec.Password, clip(password))
	if err != nil {
		return Entry{}, err
	}
	if !ok || !rec.Enabled {
		if err := a.refused(ctx, rec.ID, "password"); err != nil {
			return Entry{}, err
		}
		return Entry{}, a.errSignIn(ctx)
	}
	a.tries.right(ofName, ofAddress)
	token, err := a.beginHalf(&rec, nil)
	if err != nil {
		return Entry{}, err
	}
	return Entry{token, stageAfterPassword(&rec)}, nil
}

// clip bounds what is hashed; nothing longer is anybody's password.
func clip(password string) string { return password[:min(len(password), longestPassword+1)] }

// refused leaves an entry about a try that was looked at and wrong. account is "" for a name that is nobody's.
func (a *Accounts) refused(ctx context.Context, account, what string) error {
	return a.db.Write(ctx, func(tx *db.Tx) error { return a.noteRefused(tx, account, what) })
}

func (a *Accounts) noteRefused(tx *db.Tx, account, what string) error {
	return a.note(tx, "session.refused", "denied", "", map[string]any{"account": account, "wrong": what})
}

// Code checks the second factor of somebody half way: a code of their app, each good once, a recovery code, or one that was
// sent by e-mail. It signs
// them in with a new token. A try counts before it is looked at.
func (a *Accounts) Code(ctx context.Context, who Caller, given string) (Entry, error) {
	from, s := a.sessionOf(who)
	if s == nil || s.stage != AskCode {
		return Entry{}, errHalfOver()
	}
	counted := "code " + s.account
	if err := a.tries.count(ctx, limit{what: counted, most: triesPerAccount}); err != nil {
		return Entry{}, err
	}
	byMail := a.takeMailed(s, given)
	var token string
	var wrong bool
	var weak *record // whose code by e-mail, or for want of it, was right and is not enough
	err := a.db.Write(ctx, func(tx *db.Tx) error {
		token, wrong, weak = "", false, nil
		r, err := a.current(ctx, tx, s)
		if err != nil {
			return err
		}
		how := a.factorOf(r, given)
		if how == "" && byMail && a.mayMail(who, s, r) {
			how = withMail
		}
		if how == "" {
			wrong = true
			return a.noteRefused(tx, r.ID, "code")
		}
		if how == withRecovery {
			if err := a.keep(tx, r, changeSpent); err != nil {
				return err
			}
		}
		if r.ByMail && !permitsMail(who, r) {
			weak = r
			return a.write(ctx, tx, r)
		}
		r.SignedIn = a.clock.Now().Unix()
		if err := a.write(ctx, tx, r); err != nil {
			return err
		}
		token, err = a.begin(ctx, tx, r, from, how)
		return err
	})
	switch {
	case err != nil:
		return Entry{}, err
	case wrong && a.wasMailed(s):
		return Entry{}, errMailed()
	case wrong:
		return Entry{}, fault.New(fault.Denied, "this code is not right, or was used already").Then("Wait for the next one, and look that the clock of your phone is right.")
	}
	a.tries.right(counted, "")
	if weak != nil {
		token, err = a.beginAt(weak, AskSetup, nil)
		return Entry{token, AskSetup}, err
	}
	return Entry{token, SignedIn}, nil
}

// current reads the account of a session as it is in this transaction, and refuses when it has changed since.
func (a *Accounts) current(ctx context.Context, tx *db.Tx, s *session) (*record, error) {
	r, err := a.find(ctx, tx, s.account)
	if err == nil && (!r.Enabled || r.Epoch != s.epoch) {
		err = errHalfOver()
	}
	return r, err
}

const withRecovery = "recovery code"

// factorOf says which factor a code is, "" for none, and marks it used.
func (a *Accounts) factorOf(r *record, given string) string {
	if n := stepOf(r.Factor, digits(given), a.clock.Now(), r.Step); r.Factor != nil && n > 0 {
		r.Step = n
		return "app"
	}
	if a.spend(r, given) {
		return withRecovery
	}
	return ""
}

// giveLink gives an account a new setup link; an earlier one ends.
func (a *Accounts) giveLink(r *record) (link string) {
	link = newToken()
	sum := hash(link)
	r.Setup, r.SetupUntil = sum[:], a.clock.Now().Add(setupValid).Unix()
	return link
}

// SetupOf tells whose setup link this is, and does not spend it; fault.NotFound when it was spent or is too old.
func (a *Accounts) SetupOf(ctx context.Context, link string) (out Account, err error) {
	err = a.db.Read(ctx, func(tx *db.Tx) error {
		r, err := a.bySetup(ctx, tx, link)
		if err == nil {
			out = r.account(a.clock.Now())
		}
		return err
	})
	return out, err
}

func (a *Accounts) bySetup(ctx context.Context, tx *db.Tx, link string) (*record, error) {
	var found *record
	sum := hash(link)
	err := a.read(ctx, tx, "where setup = $1", []any{sum[:]}, func(r *record) { found = r })
	if err == nil && (found == nil || !found.Enabled || !bytes.Equal(found.Setup, sum[:]) || a.clock.Now().Unix() >= found.SetupUntil) {
		err = fault.New(fault.NotFound, "this link was used already, or is older than %d hours", int(setupValid/time.Hour)).
			Then("Ask for a new one: ombud admin setup-link makes it, or the page Accounts.")
	}
	return found, err
}

// Setup spends a setup link: the account gets this password, its sessions end, and whoever set it is half way in.
func (a *Accounts) Setup(ctx context.Context, link, password string) (Entry, error) {
	acc, err := a.SetupOf(ctx, link) // before a hash is made: that costs
	if err != nil {
		return Entry{}, err
	}
	if err := checkPassword(password, acc.Name); err != nil {
		return Entry{}, err
	}
	phc, err := a.hasher.hash(ctx, password)
	if err != nil {
		return Entry{}, err
	}
	var after record
	err = a.db.Write(ctx, func(tx *db.Tx) error {
		r, err := a.bySetup(ctx, tx, link)
		if err != nil {
			return err
		}
		r.Password, r.Setup, r.SetupUntil = phc, nil, 0
		after = *r
		return a.changed(ctx, tx, &after, r.actor(), changePassword, nil)
	})
	if err != nil {
		return Entry{}, err
	}
	token, err := a.beginHalf(&after, nil)
	return Entry{token, stageAfterPassword(&after)}, err
}

func stageAfterPassword(r *record) Stage {
	if r.Factor == nil && len(r.Passkeys) == 0 && !r.ByMail {
		return AskSetup
	}
	return AskCode
}

// FormToken is what the forms of a session carry: no other session, and no other site, knows it, and it tells nobody the
// token of the session.
func (a *Accounts) FormToken(c Caller) string {
	sum := a.vault.MAC("form", []byte(c.Session))
	return hex.EncodeToString(sum[:])
}
