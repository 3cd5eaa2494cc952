package access

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"fmt"
	"math/big"
	"net/mail"
	"strings"
	"time"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
)

// A code by e-mail is the last resort for a second factor: for an account that has neither app nor passkey, where ombud.yaml
// allows it, and where the policies permit FactorEmail. Where they do not any more, the code still shows who
// somebody is, and they set up another factor before they are in.
const (
	mailDigits      = 8
	mailValid       = 10 * time.Minute
	mailsPerAccount = 3   // in a window of guesses
	mailsPerHour    = 200 // of all accounts
)

const withMail = "e-mail"

// Mailer sends a code to an address. Its errors name no address.
type Mailer func(ctx context.Context, to, code string, until time.Time) error

// mailed is a code that was sent to somebody half way.
type mailed struct {
	mac   []byte // nil once it was used
	until int64
}

// SetMailer says how codes go out by e-mail; nil when they do not.
func (a *Accounts) SetMailer(m Mailer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.mailer = m
}

// ByMail is how it stands with a code by e-mail for somebody half way.
type ByMail struct {
	Offered bool   // one can be sent
	Chosen  bool   // it is the account's second factor
	Sent    bool   // one was sent that is good
	Weak    bool   // one was right, and is not enough for the account's roles
	To      string // as it may be shown: k…@example.com
}

// ByMail tells whether somebody half way can have a code by e-mail.
func (a *Accounts) ByMail(ctx context.Context, who Caller) (out ByMail, err error) {
	_, s := a.sessionOf(who)
	if s == nil || s.stage == SignedIn {
		return out, nil
	}
	err = a.db.Read(ctx, func(tx *db.Tx) error {
		r, err := a.current(ctx, tx, s)
		if err == nil {
			out = ByMail{Offered: a.mayMail(who, s, r), Chosen: r.ByMail, Weak: s.shown, To: veiled(r.Email)}
		}
		return err
	})
	a.mu.RLock()
	defer a.mu.RUnlock()
	out.Sent = s.mailed.good(a.clock.Now())
	return out, err
}

// good tells whether a code can still be given. Accounts.mu must be held.
func (m *mailed) good(now time.Time) bool { return m != nil && m.mac != nil && now.Unix() < m.until }

// mayMail tells whether a code can be sent to an account: to choose it while the policies permit it, and once it was chosen.
func (a *Accounts) mayMail(who Caller, s *session, r *record) bool {
	a.mu.RLock()
	configured := a.mailer != nil
	a.mu.RUnlock()
	if !configured || r.Email == "" || r.Factor != nil || len(r.Passkeys) > 0 || r.Vouched != nil {
		return false
	}
	return s.stage == AskCode && r.ByMail || s.stage == AskSetup && !s.shown && !r.ByMail && permitsMail(who, r)
}

// permitsMail asks the policies whether a code by e-mail is enough for every role of an account.
func permitsMail(who Caller, r *record) bool {
	as := Caller{Actor: r.actor(), Role: r.Role, Also: joinRoles(r.Also), Session: "half way", rules: who.rules, call: who.call, person: &r.Attributes}
	return Allowed(as, FactorEmail) == nil
}

// SendCode sends a code to somebody half way; an earlier one ends. fault.Denied where none can be sent, fault.Busy when too
// many were, fault.Unavailable when it could not be sent. The entry of it comes first.
func (a *Accounts) SendCode(ctx context.Context, who Caller) error {
	_, s := a.sessionOf(who)
	if s == nil || s.stage == SignedIn {
		return errHalfOver()
	}
	limits := []limit{{what: "mails " + s.account, most: mailsPerAccount}, {what: "mails", most: mailsPerHour, window: time.Hour}}
	if err := a.tries.count(ctx, limits...); err != nil {
		return err
	}
	var to string
	err := a.db.Write(ctx, func(tx *db.Tx) error {
		r, err := a.current(ctx, tx, s)
		if err != nil {
			return err
		}
		if !a.mayMail(who, s, r) {
			return fault.New(fault.Denied, "no code is sent to this account by e-mail").Then("Use your app or a passkey, or ask whoever keeps accounts here.")
		}
		to = r.Email
		return a.note(tx, "session.code-sent", "ok", r.actor(), map[string]any{"account": r.ID, "with": withMail})
	})
	if err != nil {
		return err
	}
	n, err := rand.Int(rand.Reader, big.NewInt(100_000_000))
	if err != nil {
		return fmt.Errorf("making a code: %w", err)
	}
	code, until := fmt.Sprintf("%0*d", mailDigits, n), a.clock.Now().Add(mailValid)
	a.mu.Lock()
	send := a.mailer
	s.mailed = &mailed{a.recoveryMAC(s.id, code), until.Unix()}
	a.mu.Unlock()
	return send(ctx, to, code, until)
}

// takeMailed tells whether this is the code that was sent, which is used by that.
func (a *Accounts) takeMailed(s *session, given string) bool {
	mac := a.recoveryMAC(s.id, digits(given))
	a.mu.Lock()
	defer a.mu.Unlock()
	if !s.mailed.good(a.clock.Now()) || !hmac.Equal(s.mailed.mac, mac) {
		return false
	}
	s.mailed.mac = nil
	return true
}

// ChooseMail makes codes by e-mail the second factor of somebody who has none, by the one that was sent, and signs them in. It
// gives recovery codes, this once: they are as good as a code by e-mail, and as weak. A try counts before it is looked at.
func (a *Accounts) ChooseMail(ctx context.Context, who Caller, given string) (Entry, []string, error) {
	from, s := a.sessionOf(who)
	if s == nil || s.stage != AskSetup {
		return Entry{}, nil, errHalfOver()
	}
	counted := "code " + s.account
	if err := a.tries.count(ctx, limit{what: counted, most: triesPerAccount}); err != nil {
		return Entry{}, nil, err
	}
	if !a.takeMailed(s, given) {
		if err := a.refused(ctx, s.account, "code"); err != nil {
			return Entry{}, nil, err
		}
		return Entry{}, nil, errMailed()
	}
	shown, kept := a.newCodes(s.account)
	e, err := a.renew(ctx, from, s, changeMail, func(r *record) error {
		if !a.mayMail(who, s, r) {
			return errHalfOver()
		}
		r.ByMail, r.Codes, r.SignedIn = true, kept, a.clock.Now().Unix()
		return nil
	})
	if err != nil {
		return e, nil, err
	}
	a.tries.right(counted, "")
	return e, shown, nil
}

// wasMailed tells whether a code was sent in this session.
func (a *Accounts) wasMailed(s *session) bool {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return s.mailed != nil
}

func errMailed() error {
	return fault.New(fault.Denied, "this is not the code that was sent last, or it is older than %d minutes", int(mailValid/time.Minute)).
		Then("Look into the newest e-mail, or have another one sent.")
}

// SetEmail says where codes for an account go, "" nowhere, and ends its sessions. It is an alarm, for whoever reads what is
// sent there may be that person.
func (a *Accounts) SetEmail(ctx context.Context, ref, email string, by Caller) (Account, error) {
	email = strings.TrimSpace(email)
	if faults := checkEmail(email); len(faults) > 0 {
		return Account{}, fault.New(fault.Invalid, "this address cannot be taken").With(faults...)
	}
	return a.manage(ctx, ref, by, func(tx *db.Tx, r *record) error {
		if r.Vouched != nil {
			return errVouched(r)
		}
		r.Email = email
		return a.changed(ctx, tx, r, by.Actor, changeEmail, nil)
	})
}

// checkEmail names what is wrong with an address; "" is none.
func checkEmail(email string) []fault.Detail {
	if email == "" {
		return nil
	}
	if one, err := mail.ParseAddress(email); err != nil || one.Address != email || len(email) > 254 || strings.ContainsAny(email, " \"<>\r\n") {
		return []fault.Detail{{Where: "email", Message: "one address, such as name@example.com, without a name before it"}}
	}
	return nil
}

// veiled is an address as it may be shown to somebody half way.
func veiled(email string) string {
	name, host, ok := strings.Cut(email, "@")
	if !ok {
		return ""
	}
	return string([]rune(name)[:1]) + "…@" + host
}
