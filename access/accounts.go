package access

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/id"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/vault"
)

const accountsSchema = `create table accounts (
	id text primary key,
	name_token bytea not null unique,
	role text not null,
	enabled bigint not null,
	epoch bigint not null,
	created bigint not null,
	signed_in bigint not null,
	setup bytea unique,
	setup_until bigint not null,
	sealed bytea not null
)`

const sessionsSchema = `create table sessions (
	id text primary key,
	account text not null,
	hash bytea not null unique,
	began bigint not null,
	seen bigint not null
)`

// accountMark begins the actor of an account in the ledger; its id follows. Names change and are personal, ids are not.
const accountMark = "account:"

// setupValid is how long a setup link opens.
const setupValid = 24 * time.Hour

// Account is a person who may sign in, as others may see them.
type Account struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`    // to sign in with
	Display    string     `json:"display"` // to be shown as
	Role       Role       `json:"role"`
	Roles      []Role     `json:"roles"` // all of them, Role first
	Attributes Attributes `json:"attributes,omitzero"`
	Enabled    bool       `json:"enabled"`
	Created    time.Time  `json:"created"`
	SignedIn   *time.Time `json:"signed_in,omitempty"`
	Password   bool       `json:"password"`                 // has one
	Factor     bool       `json:"factor"`                   // has a second factor
	Email      string     `json:"email,omitempty"`          // where codes go
	ByMail     bool       `json:"codes_by_email,omitempty"` // its second factor: it has no other
	App        bool       `json:"app"`                      // that is an app, beside passkeys or without
	Codes      int        `json:"recovery_codes"`           // that are left
	SetupUntil *time.Time `json:"setup_until,omitempty"`    // a setup link opens until then
	Passkeys   []Passkey  `json:"passkeys,omitempty"`
	Provider   string     `json:"provider,omitempty"` // that vouches for it, and says its role
}

// record is an account as it is kept. What is in private is sealed.
type record struct {
	ID         string
	Role       Role
	Enabled    bool
	Epoch      int64 // rises with every change that ends sessions
	Created    int64
	SignedIn   int64
	Setup      []byte // hash of the setup link, nil without one
	SetupUntil int64
	private
}

type private struct {
	Name     string    `json:"name"`
	Display  string    `json:"display"`
	Password string    `json:"password,omitempty"` // argon2id
	Factor   []byte    `json:"factor,omitempty"`
	Step     int64     `json:"step,omitempty"` // of the last code that was used
	Codes    [][]byte  `json:"codes,omitempty"`
	Passkeys []passkey `json:"passkeys,omitempty"`
	Vouched  *vouched  `json:"vouched,omitempty"` // by an identity provider, instead of a password
	Also     []Role    `json:"also,omitempty"`    // roles beside the first
	Email    string    `json:"email,omitempty"`
	ByMail   bool      `json:"by_mail,omitempty"` // codes go there: the last resort
	Attributes
}

// roles are all of an account's, the first one first.
func (r *record) roles() []Role { return append([]Role{r.Role}, r.Also...) }

func (r *record) has(role Role) bool { return slices.Contains(r.roles(), role) }

func (r *record) actor() string { return accountMark + r.ID }

func (r *record) account(now time.Time) Account {
	a := Account{
		ID: r.ID, Name: r.Name, Display: r.Display, Role: r.Role, Roles: r.roles(), Attributes: r.Attributes, Enabled: r.Enabled, Created: time.Unix(r.Created, 0).UTC(),
		SignedIn: timeOf(r.SignedIn), Password: r.Password != "", Factor: r.Factor != nil || len(r.Passkeys) > 0, App: r.Factor != nil, Codes: len(r.Codes), Email: r.Email, ByMail: r.ByMail,
	}
	for _, p := range r.Passkeys {
		a.Passkeys = append(a.Passkeys, p.show())
	}
	if r.Vouched != nil {
		a.Provider = r.Vouched.Provider
	}
	if r.Setup != nil && now.Unix() < r.SetupUntil {
		a.SetupUntil = timeOf(r.SetupUntil)
	}
	return a
}

// Accounts are the people of an installation and their sessions. They are safe for concurrent use.
type Accounts struct {
	db     *db.DB
	vault  *vault.Vault
	ledger *ledger.Ledger
	clock  clock.Clock
	hasher *hasher
	tries  *tries

	mu       sync.RWMutex
	idle     time.Duration
	names    map[string]string // by id: how an account is shown
	vouchers map[string]bool   // accounts that a provider vouches for
	spent    map[string]int64  // challenges of passkeys that were answered, until they end
	sessions map[digest]*session
	elevated map[string]int64 // by id: until when

	downloads Downloads
	mailer    Mailer // of codes by e-mail; nil where none go out
	alarms    int    // that nobody has looked at
}

// OpenAccounts reads who may sign in, and the sessions that go on.
func OpenAccounts(ctx context.Context, d *db.DB, v *vault.Vault, l *ledger.Ledger, c clock.Clock) (*Accounts, error) {
	if err := d.Migrate(ctx, "accounts", accountsSchema, sessionsSchema, alarmsSchema, farewellsSchema, sessionOriginSchema); err != nil {
		return nil, err
	}
	a := &Accounts{
		db: d, vault: v, ledger: l, clock: c, hasher: newHasher(), idle: defaultIdle,
		names: map[string]string{}, vouchers: map[string]bool{}, spent: map[string]int64{}, sessions: map[digest]*session{}, elevated: map[string]int64{},
	}
	var err error
	if a.tries, err = openTries(ctx, d, v, c); err != nil {
		return nil, err
	}
	err = d.Read(ctx, func(tx *db.Tx) error {
		people := map[string]*record{}
		err := a.readAll(ctx, tx, func(r *record) { a.names[r.ID], a.vouchers[r.ID], people[r.ID] = r.Display, r.Vouched != nil, r })
		if err != nil {
			return err
		}
		return errors.Join(a.readSessions(ctx, tx, people), a.readStanding(ctx, tx))
	})
	return a, err
}

// Any tells whether there is an account: from the first one on, people sign in.
func (a *Accounts) Any() bool {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return len(a.names) > 0
}

// NameOf is how the actor of a ledger entry is shown; false when it is no account's.
func (a *Accounts) NameOf(actor string) (string, bool) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	name, ok := a.names[strings.TrimPrefix(actor, accountMark)]
	return name, ok && strings.HasPrefix(actor, accountMark)
}

// List gives all accounts, oldest first.
func (a *Accounts) List(ctx context.Context) ([]Account, error) {
	out := []Account{}
	err := a.db.Read(ctx, func(tx *db.Tx) error {
		out = out[:0]
		return a.readAll(ctx, tx, func(r *record) { out = append(out, r.account(a.clock.Now())) })
	})
	return out, err
}

// Get gives one account by its id or its sign-in name; fault.NotFound when there is none.
func (a *Accounts) Get(ctx context.Context, ref string) (out Account, err error) {
	err = a.db.Read(ctx, func(tx *db.Tx) error {
		r, err := a.find(ctx, tx, ref)
		if err == nil {
			out = r.account(a.clock.Now())
		}
		return err
	})
	return out, err
}

// find reads an account by id or name.
func (a *Accounts) find(ctx context.Context, tx *db.Tx, ref string) (*record, error) {
	var found *record
	token := a.nameToken(ref)
	err := a.read(ctx, tx, `where id = $1 or name_token = $2`, []any{ref, token}, func(r *record) { found = r })
	if err == nil && found == nil {
		err = fault.New(fault.NotFound, "there is no such account").Then("ombud admin list, or the page Accounts, shows them.")
	}
	return found, err
}

// tokenOf is what an account is found by when it signs in.
func (a *Accounts) tokenOf(r *record) []byte {
	if r.Vouched != nil {
		return a.vouchedToken(r.Vouched.Issuer, r.Vouched.Subject)
	}
	return a.nameToken(r.Name)
}

// nameToken finds a name without storing it; case does not count.
func (a *Accounts) nameToken(name string) []byte {
	sum := a.vault.MAC("account-name", []byte(fold(name)))
	return sum[:]
}

func (a *Accounts) readAll(ctx context.Context, tx *db.Tx, each func(*record)) error {
	return a.read(ctx, tx, "order by id", nil, each)
}

func (a *Accounts) read(ctx context.Context, tx *db.Tx, rest string, args []any, each func(*record)) error {
	rows, err := tx.Query(ctx, `select id, role, enabled, epoch, created, signed_in, setup, setup_until, sealed from accounts `+rest, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var r record
		var enabled int64
		var sealed []byte
		if err := rows.Scan(&r.ID, &r.Role, &enabled, &r.Epoch, &r.Created, &r.SignedIn, &r.Setup, &r.SetupUntil, &sealed); err != nil {
			return fmt.Errorf("reading an account: %w", err)
		}
		r.Enabled = enabled == 1
		open, err := a.vault.Open(accountLabel, r.bound(), sealed)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(open, &r.private); err != nil {
			return fmt.Errorf("reading an account: %w", err)
		}
		each(&r)
	}
	return rows.Err()
}

const accountLabel = "account"

// bound is what a sealed part cannot be moved away from: its row, with the role and standing it was written with.
func (r *record) bound() []byte {
	return fmt.Appendf(nil, "%s/%s/%t/%d/%x/%d", r.ID, r.Role, r.Enabled, r.Epoch, r.Setup, r.SetupUntil)
}

// write keeps an account as it is now.
func (a *Accounts) write(ctx context.Context, tx *db.Tx, r *record) error {
	open, err := json.Marshal(r.private)
	if err != nil {
		return fmt.Errorf("keeping an account: %w", err)
	}
	enabled := 0
	if r.Enabled {
		enabled = 1
	}
	var setup any
	if r.Setup != nil {
		setup = r.Setup
	}
	_, err = tx.Exec(ctx, `insert into accounts (id, name_token, role, enabled, epoch, created, signed_in, setup, setup_until, sealed)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		on conflict (id) do update set role = excluded.role, enabled = excluded.enabled, epoch = excluded.epoch, signed_in = excluded.signed_in,
		setup = excluded.setup, setup_until = excluded.setup_until, sealed = excluded.sealed`,
		r.ID, a.tokenOf(r), string(r.Role), enabled, r.Epoch, r.Created, r.SignedIn, setup, r.SetupUntil, a.vault.Seal(accountLabel, r.bound(), open))
	return err
}

// NewAccount says who an account is for.
type NewAccount struct {
	Name    string
	Display string // "" is the name
	Role    Role
	Also    []Role // further roles
	Email   string // where codes may go, "" nowhere
	Attributes
	Password string // or its argon2id hash; "" gives a setup link instead
	By       Caller
}

func (in *NewAccount) check() error {
	var faults []fault.Detail
	bad := func(r rune) bool { return r <= ' ' || r > '~' || r == '/' || r == ':' }
	if in.Name == "" || len(in.Name) > 64 || strings.ContainsFunc(in.Name, bad) || strings.HasPrefix(in.Name, "acc_") {
		faults = append(faults, fault.Detail{Where: "name", Message: "a sign-in name has 1 to 64 letters, digits or signs like . - _ @, and no spaces"})
	}
	if utf8.RuneCountInString(in.Display) > 100 || strings.ContainsFunc(in.Display, unicode.IsControl) {
		faults = append(faults, fault.Detail{Where: "display", Message: "a shown name has at most 100 characters and no control characters"})
	}
	faults = append(faults, checkRoles(append([]Role{in.Role}, in.Also...))...)
	faults = append(faults, in.Attributes.check()...)
	faults = append(faults, checkEmail(in.Email)...)
	if in.Password != "" {
		var f *fault.Error
		if errors.As(checkGiven(in.Password, in.Name), &f) {
			faults = append(faults, f.Details...)
		}
	}
	if len(faults) > 0 {
		return fault.New(fault.Invalid, "this account cannot be made").With(faults...)
	}
	return nil
}

// Create makes an account. Without a password it gives the secret of a setup link, this once. The first account must be
// able to make the others, and whoever is at the machine can make that one only (fault.Denied). Bad input is
// fault.Invalid and names every fault; a name that is taken is fault.Conflict.
func (a *Accounts) Create(ctx context.Context, in NewAccount) (made Account, link string, err error) {
	in.Name, in.Display, in.Email = fold(in.Name), strings.TrimSpace(in.Display), strings.TrimSpace(in.Email)
	if in.Display == "" {
		in.Display = in.Name
	}
	if err := Allowed(in.By, AccountManage); err != nil {
		return Account{}, "", err
	}
	if err := in.check(); err != nil {
		return Account{}, "", err
	}
	now := a.clock.Now()
	r := &record{ID: id.New("acc_", now), Role: in.Role, Enabled: true, Epoch: 1, Created: now.Unix(), private: private{Name: in.Name, Display: in.Display, Also: in.Also, Email: in.Email, Attributes: in.Attributes}}
	if in.Password == "" {
		link = a.giveLink(r)
	} else if r.Password, err = a.hasher.given(ctx, in.Password); err != nil {
		return Account{}, "", err
	}
	err = a.db.Write(ctx, func(tx *db.Tx) error {
		first, err := a.mayCreate(ctx, tx, r, in.By)
		if err != nil {
			return err
		}
		if err := a.write(ctx, tx, r); err != nil {
			return err
		}
		tx.OnCommit(func() { a.rename(r) })
		content := map[string]any{"account": r.ID, "role": r.Role, "roles": r.roles()}
		if !first {
			if err := a.alarm(ctx, tx, content, AlarmAccount, r.ID, in.By.Actor); err != nil {
				return err
			}
		}
		return a.note(tx, "account.created", "done", in.By.Actor, content)
	})
	if err != nil {
		return Account{}, "", err
	}
	return r.account(now), link, nil
}

// mayCreate looks at the others, in the transaction that adds one; first tells that there are none.
func (a *Accounts) mayCreate(ctx context.Context, tx *db.Tx, r *record, by Caller) (first bool, err error) {
	var others, same int64
	if err := tx.QueryRow(ctx, `select count(*), coalesce(sum(case when name_token = $1 then 1 else 0 end), 0) from accounts`, a.nameToken(r.Name)).Scan(&others, &same); err != nil {
		return false, err
	}
	switch {
	case others > 0 && by.Role == Local:
		return false, fault.New(fault.Denied, "accounts and roles are given by somebody who is signed in, once an account exists").
			Then("Sign in as a %s and open Accounts. ombud admin reset lets somebody in again who is locked out.", Admin)
	case others == 0 && !r.has(Admin):
		return false, fault.New(fault.Invalid, "this account cannot be made").With(fault.Detail{Where: "role", Message: "the first account is a system_admin: it makes the others"})
	case same > 0:
		return false, fault.New(fault.Conflict, "an account with this sign-in name exists").Then("Choose another name.")
	}
	return others == 0, nil
}

func (a *Accounts) rename(r *record) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.names[r.ID], a.vouchers[r.ID] = r.Display, r.Vouched != nil
}

// note appends the act's one entry.
func (a *Accounts) note(tx *db.Tx, kind, result, actor string, content map[string]any) error {
	_, err := a.ledger.Append(tx, ledger.Entry{Kind: kind, Result: result, Actor: actor, Content: content})
	return err
}
