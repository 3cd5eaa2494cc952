package ledger

import (
	"context"
	"fmt"
	"slices"

	"github.com/ombudhq/ombud/internal/db"
)

// Forget erases what the entries about a subject hold beside their leaves, in the transaction that forgets the person, and
// whose they are. Every proof goes on verifying.
func (l *Ledger) Forget(ctx context.Context, tx *db.Tx, subject string) error {
	list, err := l.ownedBy(ctx, tx, subject)
	if err != nil {
		return err
	}
	for _, id := range list {
		if err := l.disown(ctx, tx, id); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "update ledger_entries set payload = null, subject = null where id = $1", id); err != nil {
			return fmt.Errorf("erasing entry %d: %w", id, err)
		}
	}
	return nil
}

// ownedBy are the entries about a subject.
func (l *Ledger) ownedBy(ctx context.Context, tx *db.Tx, subject string) (out []int64, err error) {
	ids, err := l.listed(ctx, tx, subject)
	for some := range slices.Chunk(ids, few) {
		if out, err = appendOwned(ctx, tx, out, subject, some); err != nil {
			return nil, err
		}
	}
	return out, err
}

func appendOwned(ctx context.Context, tx *db.Tx, out []int64, subject string, ids []int64) ([]int64, error) {
	rows, err := tx.Query(ctx, "select id from ledger_entries where subject = $1 and "+among(2), append([]any{subject}, argsOf(ids)...)...)
	if err != nil {
		return nil, fmt.Errorf("looking for the entries about somebody: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("looking for the entries about somebody: %w", err)
		}
		out = append(out, id)
	}
	return out, rows.Err()
}
