package access

import (
	"context"
	"strings"
	"time"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
)

// Own gives the account of somebody who is signed in, or half way.
func (a *Accounts) Own(ctx context.Context, who Caller) (Account, error) {
	_, s := a.sessionOf(who)
	if s == nil {
		return Account{}, errHalfOver()
	}
	return a.Get(ctx, s.account)
}

// prove checks the password of somebody who is signed in, before they change what lets them in. A try counts before it is
// looked at, together with those of signing in.
func (a *Accounts) prove(ctx context.Context, who Caller, password string) (digest, *session, error) {
	from, s := a.sessionOf(who)
	if s == nil || s.stage != SignedIn {
		return digest{}, nil, errHalfOver()
	}
	var r *record
	err := a.db.Read(ctx, func(tx *db.Tx) (err error) {
		r, err = a.current(ctx, tx, s)
		return err
	})
	if err != nil {
		return digest{}, nil, err
	}
	if r.Vouched != nil {
		return from, s, a.fresh(s)
	}
	counted := "password " + string(a.nameToken(r.Name))
	if err := a.tries.count(ctx, limit{what: counted, most: triesPerAccount}); err != nil {
		return digest{}, nil, err
	}
	ok, err := a.hasher.check(ctx, r.Password, clip(password))
	if err != nil {
		return digest{}, nil, err
	}
	if !ok {
		if err := a.refused(ctx, r.ID, "password"); err != nil {
			return digest{}, nil, err
		}
		return digest{}, nil, fault.New(fault.Denied, "this is not your present password; nothing was changed").Then("Check it and send it again.")
	}
	a.tries.right(counted, "")
	return from, s, nil
}

// fresh lets a session stand for a password, where a provider just vouched for it.
func (a *Accounts) fresh(s *session) error {
	if a.clock.Now().Unix() < s.began+int64(halfWay/time.Second) {
		return nil
	}
	return fault.New(fault.Denied, "you signed in more than %d minutes ago; nothing was changed", int(halfWay/time.Minute)).Then("Sign out, sign in again and do it then.")
}

// ChangePassword gives the own account another password. All its sessions end; the one it was done in goes on under the
// token this gives.
func (a *Accounts) ChangePassword(ctx context.Context, who Caller, present, next string) (Entry, error) {
	acc, err := a.Own(ctx, who)
	if err != nil {
		return Entry{}, err
	}
	if acc.Provider != "" {
		return Entry{}, fault.New(fault.Conflict, "this account has no password: it signs in with %s", acc.Provider)
	}
	if err := checkPassword(next, acc.Name); err != nil {
		return Entry{}, err
	}
	from, s, err := a.prove(ctx, who, present)
	if err != nil {
		return Entry{}, err
	}
	phc, err := a.hasher.hash(ctx, next)
	if err != nil {
		return Entry{}, err
	}
	return a.renew(ctx, from, s, changePassword, func(r *record) error {
		r.Password = phc
		return nil
	})
}

// renew changes the own account and goes on in a new session.
func (a *Accounts) renew(ctx context.Context, from digest, s *session, what string, change func(*record) error) (Entry, error) {
	var token string
	err := a.db.Write(ctx, func(tx *db.Tx) error {
		token = ""
		r, err := a.current(ctx, tx, s)
		if err != nil {
			return err
		}
		if err := change(r); err != nil {
			return err
		}
		if err := a.changed(ctx, tx, r, r.actor(), what, nil); err != nil {
			return err
		}
		token, err = a.begin(ctx, tx, r, from, what)
		return err
	})
	return Entry{token, SignedIn}, err
}

// Enrolment is the second factor that a session sets up; false when it sets up none.
func (a *Accounts) Enrolment(ctx context.Context, who Caller) (Enrolment, bool) {
	secret := a.pending(who)
	if secret == nil {
		return Enrolment{}, false
	}
	acc, err := a.Own(ctx, who)
	if err != nil {
		return Enrolment{}, false
	}
	return enrolment(secret, acc.Name), true
}

func (a *Accounts) pending(who Caller) []byte {
	_, s := a.sessionOf(who)
	if s == nil {
		return nil
	}
	a.mu.RLock()
	defer a.mu.RUnlock()
	return s.factor
}

// BeginFactor begins to set up another second factor. The present one stands until ConfirmFactor.
func (a *Accounts) BeginFactor(ctx context.Context, who Caller, password string) error {
	_, s, err := a.prove(ctx, who, password)
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	s.factor = newFactor()
	return nil
}

// ConfirmFactor takes the factor that a session sets up into use, when a code shows that the app has it. It gives new
// recovery codes, this once; earlier ones end, and so do the account's sessions. Who was half way in is signed in.
func (a *Accounts) ConfirmFactor(ctx context.Context, who Caller, given string) (Entry, []string, error) {
	from, s := a.sessionOf(who)
	secret := a.pending(who)
	if s == nil || secret == nil {
		return Entry{}, nil, errHalfOver()
	}
	if err := a.tries.count(ctx, limit{what: "enrol " + s.id, most: triesPerAccount}); err != nil {
		return Entry{}, nil, err
	}
	n := stepOf(secret, digits(given), a.clock.Now(), 0)
	if n == 0 {
		return Entry{}, nil, fault.New(fault.Denied, "this is not the code of the secret above").Then("Wait for the next one, and look that the clock of your phone is right.")
	}
	shown, kept := a.newCodes(s.account)
	what := changeFactor
	if s.stage == AskSetup {
		what = changeFirstFactor
	}
	entry, err := a.renew(ctx, from, s, what, func(r *record) error {
		r.Factor, r.Step, r.Codes, r.SignedIn, r.ByMail = secret, n, kept, a.clock.Now().Unix(), false
		return nil
	})
	return entry, shown, err
}

// NewCodes gives new recovery codes, this once; earlier ones end, and so do the account's other sessions.
func (a *Accounts) NewCodes(ctx context.Context, who Caller, password string) (Entry, []string, error) {
	from, s, err := a.prove(ctx, who, password)
	if err != nil {
		return Entry{}, nil, err
	}
	shown, kept := a.newCodes(s.account)
	entry, err := a.renew(ctx, from, s, changeCodes, func(r *record) error {
		r.Codes = kept
		return nil
	})
	return entry, shown, err
}

// fold is a name as it is compared.
func fold(name string) string { return strings.ToLower(strings.TrimSpace(name)) }
