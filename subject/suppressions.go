package subject

import (
	"context"
	"fmt"
	"time"

	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/vault"
)

// Suppressions is the list of the erased, as keyed tokens: who is on it comes back only by mistake (a
// restored backup, an import) and is erased again. It never holds an identity.
type Suppressions struct {
	db    *db.DB
	vault *vault.Vault
	clock clock.Clock
}

// Suppression is one identity that was erased, and by which request.
type Suppression struct {
	Token   string
	Kind    string // of identity: "email", "customer"
	Request string
	Since   time.Time
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

// OpenSuppressions prepares the list.
func OpenSuppressions(ctx context.Context, d *db.DB, v *vault.Vault, c clock.Clock) (*Suppressions, error) {
	if err := d.Migrate(ctx, "suppressions", suppressionsSchema); err != nil {
		return nil, err
	}
	return &Suppressions{db: d, vault: v, clock: c}, nil
}

// Suppress puts identities on the list, in the transaction that completes their erasure.
func (s *Suppressions) Suppress(ctx context.Context, tx *db.Tx, request string, ids []Identity) error {
	for _, i := range ids {
		_, err := tx.Exec(ctx, `insert into suppressions (token, kind, request, since) values ($1, $2, $3, $4) on conflict do nothing`,
			Token(s.vault, i.Kind, i.Value), i.Kind, request, s.clock.Now().UnixMilli())
		if err != nil {
			return err
		}
	}
	return nil
}

// Lookup tells whether an identity was erased, and when first.
func (s *Suppressions) Lookup(ctx context.Context, i Identity) (found Suppression, ok bool, err error) {
	all, err := s.query(ctx, `select token, kind, request, since from suppressions where token = $1 order by since limit 1`,
		Token(s.vault, i.Kind, i.Value))
	if err != nil || len(all) == 0 {
		return Suppression{}, false, err
	}
	return all[0], true, nil
}

// Of lists what a request erased.
func (s *Suppressions) Of(ctx context.Context, request string) ([]Suppression, error) {
	return s.query(ctx, `select token, kind, request, since from suppressions where request = $1 order by token`, request)
}

func (s *Suppressions) query(ctx context.Context, text, arg string) (out []Suppression, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		out = nil
		rows, err := tx.Query(ctx, text, arg)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var one Suppression
			var since int64
			if err := rows.Scan(&one.Token, &one.Kind, &one.Request, &since); err != nil {
				return fmt.Errorf("reading a suppression: %w", err)
			}
			one.Since = time.UnixMilli(since).UTC()
			out = append(out, one)
		}
		return rows.Err()
	})
	return out, err
}
