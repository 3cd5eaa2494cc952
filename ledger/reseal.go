package ledger

import (
	"context"
	"fmt"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
)

// Reseal seals again what can be read of entries and was sealed under a former root key, and gives how many they were. Leaves
// are commitments to what was said, not to how it is sealed: none changes, and neither does a proof. It tells each after how
// many entries of how many it is. What does not open is left as it is, for verification to find.
func (l *Ledger) Reseal(ctx context.Context, each func(done, of int64)) (int, error) {
	of := l.Size()
	column := db.Bytes{Table: "ledger_entries", Key: "id", Name: "payload", Beside: "commitments"}
	return db.Rewrite(ctx, l.c.DB, column, func(id int64, commitments, payload []byte) ([]byte, error) {
		if id%1024 == 0 || id == of {
			each(id, max(of, id))
		}
		fresh, err := l.resealed(ctx, id, commitments, payload)
		if fault.KindOf(err) == fault.Integrity {
			return nil, nil
		}
		return fresh, err
	})
}

func (l *Ledger) resealed(ctx context.Context, id int64, commitments, payload []byte) ([]byte, error) {
	if cut := len(payload) - tagSize; cut > 0 {
		fresh, err := l.c.Vault.Reseal(payloadLabel, commitments, payload[:cut])
		if err == nil && fresh != nil {
			fresh = append(fresh, payload[cut:]...)
		}
		if fault.KindOf(err) != fault.Integrity || err == nil {
			return fresh, err
		}
	}
	var s stored // of before, sealed under the leaf
	err := l.c.DB.Read(ctx, func(tx *db.Tx) error {
		rows, err := tx.Query(ctx, "select "+columns+" from ledger_entries where id = $1", id)
		if err != nil {
			return err
		}
		defer rows.Close()
		rows.Next()
		return s.scan(rows)
	})
	if err != nil {
		return nil, fmt.Errorf("reading entry %d: %w", id, err)
	}
	leaf, err := s.check()
	if err != nil {
		return nil, fault.Wrap(fault.Integrity, err, "entry %d is damaged", id)
	}
	return l.c.Vault.Reseal(leafLabelled, leaf[:], payload)
}
