package access

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
)

const farewellsSchema = `create table farewells (
	what bytea primary key,
	ends bigint not null
)`

const sessionOriginSchema = `alter table sessions add column origin bytea`

// Farewell is word of an identity provider that somebody signed out there: of one session there, or of all of a person.
type Farewell struct {
	Issuer  string
	Subject string        // who; "" where only the session is named
	Session string        // as the provider calls it; "" for all of the person
	ID      string        // of the message: each counts once
	Known   time.Duration // how long the same message could come again
}

// errFarewell says the same of every word that is not believed.
func errFarewell() error { return fault.New(fault.Denied, "this is no word of a sign-out") }

// Leave ends the sessions that a farewell is about: who was signed in is out when it returns. judge verifies what came; a
// try counts for the address before it is called, and is taken back when it was right. fault.Denied when it is not
// believed, or came before; fault.Busy after too many wrong ones.
func (a *Accounts) Leave(ctx context.Context, address string, judge func() (Farewell, error)) error {
	counted := "farewell " + address
	if err := a.tries.count(ctx, limit{what: counted, most: triesPerAddress}); err != nil {
		return err
	}
	f, err := judge()
	if err != nil {
		return err
	}
	if f.ID == "" || f.Issuer == "" || f.Subject == "" && f.Session == "" {
		return errFarewell()
	}
	err = a.db.Write(ctx, func(tx *db.Tx) error {
		if err := a.once(ctx, tx, f); err != nil {
			return err
		}
		return a.leave(ctx, tx, f)
	})
	if err == nil {
		a.tries.right("", counted)
	}
	return err
}

// once refuses a farewell that came before.
func (a *Accounts) once(ctx context.Context, tx *db.Tx, f Farewell) error {
	now, what := a.clock.Now(), a.vault.MAC("farewell", []byte(f.Issuer), []byte(f.ID))
	if _, err := tx.Exec(ctx, `delete from farewells where ends <= $1`, now.Unix()); err != nil {
		return fmt.Errorf("forgetting farewells: %w", err)
	}
	n, err := tx.Exec(ctx, `insert into farewells (what, ends) values ($1, $2) on conflict do nothing`, what[:], now.Add(f.Known).Unix())
	if err == nil && n == 0 {
		err = errFarewell()
	}
	return err
}

// leave ends what a farewell names, and whatever is half way for the same people.
func (a *Accounts) leave(ctx context.Context, tx *db.Tx, f Farewell) error {
	var of *record
	if f.Subject != "" {
		err := a.read(ctx, tx, "where name_token = $1", []any{a.vouchedToken(f.Issuer, f.Subject)}, func(r *record) { of = r })
		if err != nil || of == nil {
			return err
		}
	}
	for sum, s := range a.named(of, a.origin(f.Issuer, f.Session)) {
		r, err := a.find(ctx, tx, s.account)
		if err != nil {
			return err
		}
		r.Epoch++ // what is half way does not go on
		if err := errors.Join(a.write(ctx, tx, r), a.endIn(ctx, tx, sum, s, "oidc:"+r.Vouched.Provider, signedOutThere)); err != nil {
			return err
		}
	}
	return nil
}

const signedOutThere = "signed out at the identity provider"

// named are the sessions that began with one there, or all of an account where none is named; of an account, also those of
// which the provider did not say with which they began.
func (a *Accounts) named(of *record, origin []byte) map[digest]*session {
	a.mu.RLock()
	defer a.mu.RUnlock()
	out := map[digest]*session{}
	for sum, s := range a.sessions {
		switch {
		case !a.vouchers[s.account] || of != nil && s.account != of.ID:
		case bytes.Equal(s.origin, origin), of != nil && (origin == nil || s.origin == nil):
			out[sum] = s
		}
	}
	return out
}

// origin is how a session there is known here; nil when the provider gives it no name.
func (a *Accounts) origin(issuer, session string) []byte {
	if session == "" {
		return nil
	}
	sum := a.vault.MAC("session-origin", []byte(issuer), []byte(session))
	return slices.Clone(sum[:])
}
