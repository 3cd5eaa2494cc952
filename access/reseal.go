package access

import (
	"context"

	"github.com/ombudhq/ombud/internal/db"
)

// Reseal seals accounts and what was written about alarms again, under the present root key, and gives how much it was.
func (a *Accounts) Reseal(ctx context.Context) (int, error) {
	var list []*record
	err := a.db.Write(ctx, func(tx *db.Tx) error {
		list = nil
		if err := a.readAll(ctx, tx, func(r *record) { list = append(list, r) }); err != nil {
			return err
		}
		for _, r := range list {
			if err := a.write(ctx, tx, r); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	n, err := db.Rewrite(ctx, a.db, db.Bytes{Table: "alarms", Key: "id", Name: "sealed"}, func(id string, _, sealed []byte) ([]byte, error) {
		return a.vault.Reseal(alarmLabel, []byte(id), sealed)
	})
	return len(list) + n, err
}
