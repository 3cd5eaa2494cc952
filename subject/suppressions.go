package subject

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/vault"
)

// Suppressions is the list of the erased, as keyed tokens: who is on it comes back only by mistake (a
// restored backup, an import, a late event) and is erased again. It never holds an identity. It also lies in memory,
// for decisions about people nobody knows ask it. It is safe for concurrent use.
type Suppressions struct {
	db     *db.DB
	vault  *vault.Vault
	ledger *ledger.Ledger
	clock  clock.Clock
	hooks  []func(context.Context, *db.Tx, []Key) ([]Key, error)

	mu  sync.RWMutex
	now map[string]Erasure // by token: the newest of each
}

// Suppression is one identity that was erased, and by which request.
type Suppression struct {
	Token   string
	Kind    string // of identity: "email", "customer"
	Request string
	Since   time.Time
	Erasure
}

// Erasure says which entry completed it and what goes on nevertheless.
type Erasure struct {
	Revision int64    // of the entry that completed it first
	Allowed  []string // purposes of rows that were kept, by name
	Held     bool     // a hold kept rows: legal claims go on
}

const suppressionsSchema = `
create table suppressions (
	token text not null,
	kind text not null,
	request text not null,
	since bigint not null,
	primary key (token, request)
);
create index suppressions_request on suppressions (request)`

const suppressionsRest = `
alter table suppressions add column revision bigint not null default 0;
alter table suppressions add column allowed text not null default '[]';
alter table suppressions add column held bigint not null default 0`

const suppressionColumns = "token, kind, request, since, revision, allowed, held"

// OpenSuppressions reads the list.
func OpenSuppressions(ctx context.Context, d *db.DB, v *vault.Vault, l *ledger.Ledger, c clock.Clock) (*Suppressions, error) {
	if err := d.Migrate(ctx, "suppressions", suppressionsSchema, suppressionsRest, partsSchema); err != nil {
		return nil, err
	}
	s := &Suppressions{db: d, vault: v, ledger: l, clock: c, now: map[string]Erasure{}}
	all, err := s.query(ctx, "select "+suppressionColumns+" from suppressions order by revision, since")
	for _, one := range all {
		s.now[one.Token] = one.Erasure
	}
	return s, err
}

// OnSuppress registers what else happens, in the same transaction, when people are erased. It is given keys of theirs and
// gives all that led to the same people. Call it before use.
func (s *Suppressions) OnSuppress(fn func(context.Context, *db.Tx, []Key) ([]Key, error)) {
	s.hooks = append(s.hooks, fn)
}

// Suppress puts identities on the list, in the transaction that completes their erasure. An erasure that completes
// again, because a hold ended, changes only what goes on nevertheless.
func (s *Suppressions) Suppress(ctx context.Context, tx *db.Tx, request string, ids []Identity, e Erasure) error {
	act := erasureAct{Request: request, Since: s.clock.Now().UnixMilli(), Allowed: e.Allowed, Held: e.Held, Tokens: map[string]string{}}
	for _, i := range ids {
		act.Tokens[Token(s.vault, i.Kind, i.Value)] = i.Kind
		act.Keys = append(act.Keys, keyOf(s.vault, i))
	}
	if err := s.suppress(ctx, tx, &act, e.Revision); err != nil {
		return err
	}
	return act.keep(tx, s.ledger)
}

func (s *Suppressions) suppress(ctx context.Context, tx *db.Tx, act *erasureAct, revision int64) error {
	allowed, err := json.Marshal(act.Allowed)
	if err != nil {
		return fmt.Errorf("encoding a suppression: %w", err)
	}
	held := 0
	if act.Held {
		held = 1
	}
	for token, kind := range act.Tokens {
		_, err := tx.Exec(ctx, `insert into suppressions (token, kind, request, since, revision, allowed, held) values ($1, $2, $3, $4, $5, $6, $7)
			on conflict (token, request) do update set allowed = excluded.allowed, held = excluded.held`,
			token, kind, act.Request, act.Since, revision, string(allowed), held)
		if err != nil {
			return err
		}
	}
	tokens, e := act.Tokens, Erasure{Revision: revision, Allowed: act.Allowed, Held: act.Held}
	tx.OnCommit(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		for token := range tokens {
			s.now[token] = e
		}
	})
	for _, fn := range s.hooks {
		more, err := fn(ctx, tx, act.Keys)
		if err != nil {
			return err
		}
		act.Keys = append(act.Keys, more...)
	}
	return nil
}

// Erased tells whether an identity was erased, by memory alone.
func (s *Suppressions) Erased(i Identity) (Erasure, bool) {
	s.mu.RLock()
	empty := len(s.now) == 0
	s.mu.RUnlock()
	if empty {
		return Erasure{}, false
	}
	token := Token(s.vault, i.Kind, i.Value)
	s.mu.RLock()
	defer s.mu.RUnlock()
	e, ok := s.now[token]
	return e, ok
}

// Lookup tells whether an identity was erased, and when first.
func (s *Suppressions) Lookup(ctx context.Context, i Identity) (found Suppression, ok bool, err error) {
	all, err := s.query(ctx, "select "+suppressionColumns+" from suppressions where token = $1 order by since limit 1",
		Token(s.vault, i.Kind, i.Value))
	if err != nil || len(all) == 0 {
		return Suppression{}, false, err
	}
	return all[0], true, nil
}

// Tokens are those on the list, of erasures completed at a time or later.
func (s *Suppressions) Tokens(ctx context.Context, since time.Time) (map[string]bool, error) {
	at := int64(0)
	if !since.IsZero() {
		at = since.UnixMilli()
	}
	all, err := s.query(ctx, "select "+suppressionColumns+" from suppressions where since >= $1", at)
	out := make(map[string]bool, len(all))
	for _, one := range all {
		out[one.Token] = true
	}
	return out, err
}

// Of lists what a request erased.
func (s *Suppressions) Of(ctx context.Context, request string) ([]Suppression, error) {
	return s.query(ctx, "select "+suppressionColumns+" from suppressions where request = $1 order by token", request)
}

func (s *Suppressions) query(ctx context.Context, text string, args ...any) (out []Suppression, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		out = nil
		rows, err := tx.Query(ctx, text, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			one, err := scanSuppression(rows)
			if err != nil {
				return err
			}
			out = append(out, one)
		}
		return rows.Err()
	})
	return out, err
}

func scanSuppression(rows *db.Rows) (one Suppression, err error) {
	var since, held int64
	var allowed string
	if err := rows.Scan(&one.Token, &one.Kind, &one.Request, &since, &one.Revision, &allowed, &held); err != nil {
		return one, fmt.Errorf("reading a suppression: %w", err)
	}
	if err := json.Unmarshal([]byte(allowed), &one.Allowed); err != nil {
		return one, errors.Join(fault.New(fault.Integrity, "the list of the erased is damaged"), err)
	}
	one.Since, one.Held = time.UnixMilli(since).UTC(), held != 0
	return one, nil
}
