package consent

import (
	"context"
	"errors"
	"fmt"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/purpose"
	"github.com/ombudhq/ombud/subject"
)

// What was processed by a consent that was withdrawn has to go where nothing else carries it (Art. 17(1)(b) GDPR). That it
// is owed is written with the withdrawal, and stays so until it is settled: who asks hears of it at least once.

const owedSchema = `create table consent_owed (
	revision bigint not null primary key,
	person bigint not null
)`

// Owed is what a withdrawal left to be erased.
type Owed struct {
	Revision   int64 // of the withdrawal
	Identities []subject.Identity
	Purposes   []string // that rested on it; those of which the data may be kept are not among them
	Categories []string // that were withdrawn; none: all
}

// owe notes a withdrawal that ended a consent, in its transaction.
func owe(ctx context.Context, tx *db.Tx, n subject.Number, revision int64, c *ended) error {
	if len(c.Consents) == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, "insert into consent_owed (revision, person) values ($1, $2)", revision, int64(n))
	return err
}

// Owed gives up to limit withdrawals that are not settled, oldest first, from one revision on. Of one that leaves nothing to
// erase, for the person is gone or its purposes keep their data, it names no purpose. One that cannot be read is left out,
// and the error tells of it beside the others.
func (s *Service) Owed(ctx context.Context, after int64, limit int) ([]Owed, error) {
	var found []Owed
	err := s.cfg.DB.Read(ctx, func(tx *db.Tx) error {
		found = nil
		rows, err := tx.Query(ctx, "select revision from consent_owed where revision > $1 order by revision limit $2", after, limit)
		if err != nil {
			return fmt.Errorf("reading what withdrawals left: %w", err)
		}
		defer rows.Close()
		for rows.Next() {
			var o Owed
			if err := rows.Scan(&o.Revision); err != nil {
				return fmt.Errorf("reading what withdrawals left: %w", err)
			}
			found = append(found, o)
		}
		return rows.Err()
	})
	var out []Owed
	for _, o := range found {
		if werr := s.weigh(ctx, &o); werr != nil {
			err = errors.Join(err, werr)
			continue
		}
		out = append(out, o)
	}
	return out, err
}

// weigh reads what a withdrawal ended.
func (s *Service) weigh(ctx context.Context, o *Owed) error {
	var row ledger.Row
	err := s.cfg.DB.Read(ctx, func(tx *db.Tx) (err error) {
		row, err = s.cfg.Ledger.One(ctx, tx, entryOf(o.Revision))
		return err
	})
	if err != nil {
		return err
	}
	content, err := decode(row)
	c, ok := content.(*ended)
	if err != nil || !ok {
		return err
	}
	if o.Identities, err = s.Identities(ctx, row.Subject); fault.KindOf(err) == fault.NotFound {
		return nil
	}
	o.Categories = c.Categories
	ids := c.Purposes
	for _, p := range c.Narrowed {
		ids = append(ids, p.Purpose)
	}
	for _, id := range ids {
		if rule, ok := s.cfg.Purposes.Now().Known(id); ok && rule.OnWithdrawal != purpose.KeepData {
			o.Purposes = append(o.Purposes, id)
		}
	}
	return err
}

// Settle notes that what a withdrawal left is taken care of.
func (s *Service) Settle(ctx context.Context, revision int64) error {
	return s.cfg.DB.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "delete from consent_owed where revision = $1", revision)
		return err
	})
}
