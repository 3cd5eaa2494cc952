package ledger

import (
	"context"
	"fmt"

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
	rows, err := tx.Query(ctx, "select id from ledger_entries where "+of(1, 2), subject, l.noted())
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
