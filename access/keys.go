package access

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/id"
	"github.com/ombudhq/ombud/ledger"
)

// mark begins every key, so that scanners for secrets find one that lies about.
const mark = "omb_"

const keysSchema = `create table api_keys (
	id text primary key,
	hash bytea not null unique,
	prefix text not null,
	name text not null,
	role text not null,
	created bigint not null,
	created_by text not null,
	expires bigint,
	last_used bigint,
	revoked bigint
)`

// keysScope narrows a key to some of what its role may: permissions with a space between them; none is all of the role's.
const keysScope = `alter table api_keys add column scope text not null default ''`

// keysLimits narrow it to some purposes and to some systems: ids with a space between them.
const (
	keysPurposes = `alter table api_keys add column purposes text not null default ''`
	keysSystems  = `alter table api_keys add column systems text not null default ''`
)

// Key is an API key as it may be shown: without the key.
type Key struct {
	ID    string       `json:"id"`
	Name  string       `json:"name"`
	Role  Role         `json:"role"`
	Scope []Permission `json:"scope,omitempty"` // what of its role it is for; all where nothing is said
	Limits
	Prefix    string     `json:"prefix"` // how the key begins
	Created   time.Time  `json:"created"`
	CreatedBy string     `json:"created_by"`
	Expires   *time.Time `json:"expires,omitempty"`
	LastUsed  *time.Time `json:"last_used,omitempty"` // to the second while this process lives, to the minute after a kill
	Revoked   *time.Time `json:"revoked,omitempty"`
}

// Keys are the API keys of an installation. They are safe for concurrent use.
type Keys struct {
	db     *db.DB
	ledger *ledger.Ledger
	clock  clock.Clock

	table atomic.Pointer[map[digest]*admitted]
	mu    sync.Mutex // of those who replace the table
	names sync.Map   // of all keys there ever were, by how the ledger names who comes with one
}

// OpenKeys reads the keys in force.
func OpenKeys(ctx context.Context, d *db.DB, l *ledger.Ledger, c clock.Clock) (*Keys, error) {
	if err := d.Migrate(ctx, "api-keys", keysSchema, keysScope, keysPurposes, keysSystems); err != nil {
		return nil, err
	}
	k := &Keys{db: d, ledger: l, clock: c}
	table := map[digest]*admitted{}
	err := d.Read(ctx, func(tx *db.Tx) error {
		return readKeys(ctx, tx, func(key Key, sum digest) {
			k.names.Store(key.caller().Actor, key.Name)
			if key.Revoked == nil {
				table[sum] = newAdmitted(key.caller(), orZero(key.Expires), orZero(key.LastUsed))
			}
		})
	})
	if err != nil {
		return nil, err
	}
	k.table.Store(&table)
	return k, nil
}

// caller is who comes with the key.
func (k Key) caller() Caller {
	c := Caller{Actor: string(k.Role) + ":" + k.ID, Role: k.Role, Key: k.ID, Scope: joinScope(k.Scope)}
	if !k.Limits.None() {
		c.limits = &k.Limits
	}
	return c
}

// KeyInput says what a key is for.
type KeyInput struct {
	Name  string
	Role  Role
	Scope []Permission // of what the role may, what the key is for; none is all
	Limits
	Among Limits        // what is declared: the limits are of these
	For   time.Duration // 0 does not expire
	Actor string
}

func (in KeyInput) check() error {
	var faults []fault.Detail
	if strings.TrimSpace(in.Name) == "" || utf8.RuneCountInString(in.Name) > 100 || strings.ContainsFunc(in.Name, unicode.IsControl) {
		faults = append(faults, fault.Detail{Where: "name", Message: "a name has 1 to 100 characters and no control characters"})
	}
	if strings.Contains(in.Name, mark) {
		faults = append(faults, fault.Detail{Where: "name", Message: "a name is shown to everybody: it holds no key"})
	}
	if !slices.Contains(forKeys, in.Role) {
		faults = append(faults, fault.Detail{Where: "role", Message: "a key has the role service, developer or auditor; other roles are for people"})
	}
	faults = append(faults, in.checkScope()...)
	faults = append(faults, in.checkLimits()...)
	if in.For < 0 {
		faults = append(faults, fault.Detail{Where: "expires", Message: "it would have expired already"})
	}
	if len(faults) > 0 {
		return fault.New(fault.Invalid, "this key cannot be made").With(faults...)
	}
	return nil
}

// Create makes a key. The secret is given this once and kept nowhere; it lets in when Create returns. Bad input is
// fault.Invalid and names every fault.
func (k *Keys) Create(ctx context.Context, in KeyInput) (made Key, secret string, err error) {
	if err := in.check(); err != nil {
		return Key{}, "", err
	}
	now := k.clock.Now().Truncate(time.Second)
	secret = newSecret()
	made = Key{ID: id.New("key_", k.clock.Now()), Name: in.Name, Role: in.Role, Scope: in.Scope, Limits: in.Limits, Prefix: prefixOf(secret), Created: now, CreatedBy: in.Actor}
	if in.For > 0 {
		until := now.Add(in.For)
		made.Expires = &until
	}
	sum := hash(secret)
	err = k.db.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, `insert into api_keys (id, hash, prefix, name, role, created, created_by, expires, scope, purposes, systems) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
			made.ID, sum[:], made.Prefix, made.Name, string(made.Role), now.Unix(), made.CreatedBy, seconds(made.Expires), joinScope(made.Scope),
			strings.Join(made.Purposes, " "), strings.Join(made.Systems, " "))
		if err != nil {
			return err
		}
		tx.OnCommit(func() {
			k.names.Store(made.caller().Actor, made.Name)
			k.replace(func(t map[digest]*admitted) { t[sum] = newAdmitted(made.caller(), orZero(made.Expires), time.Time{}) })
		})
		return k.record(tx, "key.created", in.Actor, made)
	})
	if err != nil {
		return Key{}, "", err
	}
	return made, secret, nil
}

func newSecret() string {
	var b [32]byte
	rand.Read(b[:]) // never fails: it ends the process instead
	return mark + base64.RawURLEncoding.EncodeToString(b[:])
}

// Revoke ends a key: when it returns, nobody gets in with it any more. fault.NotFound when there is none of this id,
// fault.Conflict when it was revoked before.
func (k *Keys) Revoke(ctx context.Context, id, actor string) (Key, error) {
	now := k.clock.Now().Truncate(time.Second)
	var ended Key
	err := k.db.Write(ctx, func(tx *db.Tx) error {
		var sum digest
		found := false
		err := readKeys(ctx, tx, func(key Key, s digest) {
			if key.ID == id {
				ended, sum, found = key, s, true
			}
		})
		switch {
		case err != nil:
			return err
		case !found: // what was given is not repeated: it may be a key
			return errNoKey()
		case ended.Revoked != nil:
			return fault.New(fault.Conflict, "%s was revoked before", ended.ID)
		}
		if a := (*k.table.Load())[sum]; a != nil {
			ended.LastUsed = timeOf(a.used.Load()) // nobody will write it later
		}
		if _, err := tx.Exec(ctx, `update api_keys set revoked = $2, last_used = $3 where id = $1`, id, now.Unix(), seconds(ended.LastUsed)); err != nil {
			return err
		}
		if err := k.ledger.Keep(tx, KeyRevoked, keyAct{id, now.Unix()}); err != nil {
			return err
		}
		ended.Revoked = &now
		tx.OnCommit(func() { k.replace(func(t map[digest]*admitted) { delete(t, sum) }) })
		return k.record(tx, KeyRevoked, actor, ended)
	})
	if err != nil {
		return Key{}, err
	}
	return ended, nil
}

func errNoKey() error {
	return fault.New(fault.NotFound, "there is no such key").Then("Name it by its id, key_…; ombud key list shows them.")
}

// record appends the act's one entry.
func (k *Keys) record(tx *db.Tx, kind, actor string, key Key) error {
	content := map[string]any{"key": key.ID, "name": key.Name, "role": key.Role, "prefix": key.Prefix}
	if len(key.Scope) > 0 {
		content["scope"] = key.Scope
	}
	if len(key.Purposes) > 0 {
		content["purposes"] = key.Purposes
	}
	if len(key.Systems) > 0 {
		content["systems"] = key.Systems
	}
	if key.Expires != nil {
		content["expires"] = key.Expires
	}
	_, err := k.ledger.Append(tx, ledger.Entry{Kind: kind, Result: "done", Actor: actor, Content: content})
	return err
}

// List gives all keys, revoked and expired ones too, oldest first.
func (k *Keys) List(ctx context.Context) ([]Key, error) {
	out := []Key{}
	err := k.db.Read(ctx, func(tx *db.Tx) error {
		out = out[:0]
		return readKeys(ctx, tx, func(key Key, sum digest) {
			if a := (*k.table.Load())[sum]; a != nil {
				key.LastUsed = timeOf(a.used.Load())
			}
			out = append(out, key)
		})
	})
	return out, err
}

// NameOf is the name of the key that an actor of the ledger came with, also of one that is revoked; false for anybody else.
func (k *Keys) NameOf(actor string) (string, bool) {
	name, ok := k.names.Load(actor)
	if !ok {
		return "", false
	}
	return name.(string), true
}

func readKeys(ctx context.Context, tx *db.Tx, each func(Key, digest)) error {
	rows, err := tx.Query(ctx, `select id, hash, prefix, name, role, created, created_by, coalesce(expires, 0), coalesce(last_used, 0), coalesce(revoked, 0), scope, purposes, systems
		from api_keys order by id`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var key Key
		var sum []byte
		var created, expires, used, revoked int64
		var scope, purposes, systems string
		if err := rows.Scan(&key.ID, &sum, &key.Prefix, &key.Name, &key.Role, &created, &key.CreatedBy, &expires, &used, &revoked, &scope, &purposes, &systems); err != nil {
			return fmt.Errorf("reading an API key: %w", err)
		}
		key.Created, key.Expires, key.LastUsed, key.Revoked = time.Unix(created, 0).UTC(), timeOf(expires), timeOf(used), timeOf(revoked)
		key.Scope, key.Limits = splitScope(scope), Limits{Purposes: strings.Fields(purposes), Systems: strings.Fields(systems)}
		if len(sum) != len(digest{}) {
			return fault.New(fault.Integrity, "the stored hash of %s is damaged", key.ID)
		}
		each(key, digest(sum))
	}
	return rows.Err()
}

func timeOf(seconds int64) *time.Time {
	if seconds == 0 {
		return nil
	}
	t := time.Unix(seconds, 0).UTC()
	return &t
}

func orZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

// seconds is what the store keeps: NULL for no time.
func seconds(t *time.Time) any {
	if t == nil {
		return nil
	}
	return t.Unix()
}
