package subject

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/vault"
)

// Forget takes everything that leads to a person out of the store. The number stays taken; its slot is for the caller to
// shred, in the same transaction.
func (p *People) Forget(ctx context.Context, tx *db.Tx, n Number) ([]Bound, error) {
	var bound []Bound
	p.moves(tx)
	err := p.Keys(ctx, tx, n, func(b Bound) { bound = append(bound, b) })
	if err != nil {
		return nil, err
	}
	if _, err := tx.Exec(ctx, "delete from identities where person = $1", int64(n)); err != nil {
		return nil, fmt.Errorf("forgetting a person: %w", err)
	}
	if err := p.endPseudonyms(ctx, tx, n); err != nil {
		return nil, err
	}
	_, err = tx.Exec(ctx, "update people set erased = $2 where number = $1", int64(n), p.clock.Now().UnixMilli())
	return bound, err
}

// Each goes through every identity, in no order.
func (p *People) Each(ctx context.Context, tx *db.Tx, fn func(Bound)) error {
	return p.each(ctx, tx, "select blind, person from identities", fn)
}

// Keys goes through those of a person.
func (p *People) Keys(ctx context.Context, tx *db.Tx, n Number, fn func(Bound)) error {
	return p.each(ctx, tx, "select blind, person from identities where person = $1", fn, int64(n))
}

// Living are those who were not erased, oldest first.
func (p *People) Living(ctx context.Context, tx *db.Tx) (out []Number, err error) {
	rows, err := tx.Query(ctx, "select number from people where erased is null order by number")
	if err != nil {
		return nil, fmt.Errorf("reading people: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var n int64
		if err := rows.Scan(&n); err != nil {
			return nil, fmt.Errorf("reading people: %w", err)
		}
		out = append(out, Number(n))
	}
	return out, rows.Err()
}

// Erased goes through everybody who was erased; again tells that they are known again, and suppressed.
func (p *People) Erased(ctx context.Context, tx *db.Tx, fn func(n Number, again bool)) error {
	rows, err := tx.Query(ctx, "select number, erased is null from people where erased is not null or suppressed is not null")
	if err != nil {
		return fmt.Errorf("reading people: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var n int64
		var again bool
		if err := rows.Scan(&n, &again); err != nil {
			return fmt.Errorf("reading people: %w", err)
		}
		fn(Number(n), again)
	}
	return rows.Err()
}

// ErasedBetween are those who were erased in a span of time.
func (p *People) ErasedBetween(ctx context.Context, from, to time.Time) (out []Number, err error) {
	err = p.db.Read(ctx, func(tx *db.Tx) error {
		out = nil
		rows, err := tx.Query(ctx, "select number from people where erased >= $1 and erased < $2", from.UnixMilli(), to.UnixMilli())
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var n int64
			if err := rows.Scan(&n); err != nil {
				return err
			}
			out = append(out, Number(n))
		}
		return rows.Err()
	})
	return out, err
}

func (p *People) each(ctx context.Context, tx *db.Tx, query string, fn func(Bound), args ...any) error {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("reading identities: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var blind []byte
		var n int64
		if err := rows.Scan(&blind, &n); err != nil {
			return fmt.Errorf("reading identities: %w", err)
		}
		b := Bound{Person: Number(n)}
		if copy(b.Key[:], blind) != len(b.Key) || len(blind) != len(b.Key) {
			return fault.New(fault.Integrity, "the register of people is damaged")
		}
		fn(b)
	}
	return rows.Err()
}

// Identities are those of a person, with their values: content, to be shown only to who may see it.
func (p *People) Identities(ctx context.Context, n Number) (out []Identity, err error) {
	err = p.db.Read(ctx, func(tx *db.Tx) error {
		out = nil
		rows, err := tx.Query(ctx, "select blind, kind, sealed from identities where person = $1 order by since, kind", int64(n))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var blind, sealed []byte
			var i Identity
			if err := rows.Scan(&blind, &i.Kind, &sealed); err != nil {
				return err
			}
			if len(sealed) == 0 {
				continue // of BindKeys
			}
			value, err := p.vault.Open(identityLabel, blind, sealed)
			if errors.Is(err, vault.ErrForgotten) {
				continue
			}
			if err != nil {
				return err
			}
			i.Value = string(value)
			out = append(out, i)
		}
		return rows.Err()
	})
	return out, err
}

// Since is when a person became known, and when they were erased; false when nobody has that number.
func (p *People) Since(ctx context.Context, n Number) (since, erased time.Time, ok bool, err error) {
	err = p.db.Read(ctx, func(tx *db.Tx) error {
		var s int64
		var e *int64
		err := tx.QueryRow(ctx, "select since, erased from people where number = $1", int64(n)).Scan(&s, &e)
		if errors.Is(err, db.ErrNoRows) {
			return nil
		}
		ok, since = err == nil, time.UnixMilli(s).UTC()
		if e != nil {
			erased = time.UnixMilli(*e).UTC()
		}
		return err
	})
	return since, erased, ok, err
}
