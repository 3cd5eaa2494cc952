package app

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/ombudhq/ombud/backup"
	"github.com/ombudhq/ombud/cli"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/ledger"
)

// backUp writes a backup of the own store, and the entry that tells of it, which is therefore not in it.
func (a *App) backUp(ctx context.Context, o cli.BackupOptions) (cli.BackedUp, error) {
	if _, err := a.Ledger.Checkpoint(ctx); err != nil { // a restore looks for what is at least as new outside
		return cli.BackedUp{}, err
	}
	now := a.cfg.Clock.Now().UTC()
	path := o.To
	if filepath.Ext(path) != backup.Extension {
		if path == "" {
			path = filepath.Join(a.cfg.DataDir, "backups")
		}
		path = filepath.Join(path, fmt.Sprintf("ombud-%s-%d%s", now.Format("20060102-150405"), a.Ledger.Size(), backup.Extension))
	}
	m, err := backup.Create(ctx, backup.Source{
		DB: a.DB, Ledger: a.Ledger, Vault: a.Vault, Version: a.cfg.Version, Now: now, Recipients: o.Recipients,
	}, path)
	if err != nil {
		return cli.BackedUp{}, err
	}
	err = a.DB.Write(ctx, func(tx *db.Tx) error {
		_, err := a.Ledger.Append(tx, ledger.Entry{Kind: "backup.created", Result: "done", Actor: o.Actor,
			Content: map[string]any{"sha256": m.SHA256, "head": m.Head, "size": m.Size, "root": m.Root}})
		return err
	})
	return cli.BackedUp{File: path, Manifest: m}, err
}
