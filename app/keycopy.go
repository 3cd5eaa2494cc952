package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/ombudhq/ombud/backup"
	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/cli"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/file"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/vault"
)

// restoredMark lies among restored keys until the log tells of it.
const restoredMark = "restored"

// tell writes an entry about the keys.
func (a *App) tell(ctx context.Context, kind, actor string, content map[string]any) error {
	return a.DB.Write(ctx, func(tx *db.Tx) error {
		_, err := a.Ledger.Append(tx, ledger.Entry{Kind: kind, Result: "done", Actor: actor, Content: content})
		return err
	})
}

// keysDue takes down when the keys were first looked at, and tells what about them should be mended.
func (a *App) keysDue(ctx context.Context, said catalog.Keys) (warnings []string, err error) {
	now := a.cfg.Clock.Now()
	ages, err := a.Vault.Ages(ctx, now)
	if err != nil {
		return nil, err
	}
	if due, ever := said.Due(ages.Rotated); ever && !now.Before(due) {
		warnings = append(warnings, "new keys are due since "+due.Format(time.DateOnly)+dueBecause(ages))
	}
	if ages.Running != nil {
		warnings = append(warnings, "a rotation of the keys was cut off: ombud vault rotate goes on with it")
	}
	if ages.Root.Running != nil {
		warnings = append(warnings, "a rotation of the root key was cut off: ombud vault rotate --root goes on with it")
	}
	if ages.Keys > 0 && !ages.Fresh() {
		warnings = append(warnings, "the keys have no backup that holds all of them: ombud vault backup")
	}
	return warnings, nil
}

func dueBecause(ages vault.Ages) string {
	if ages.Spared {
		return ", and wait for ombud vault backup"
	}
	return ": serve makes them within an hour, ombud vault rotate at once"
}

// backUpKeys copies the keys, with the entry that tells of it, and deletes the copies that are too many.
func (a *App) backUpKeys(ctx context.Context, o cli.KeyBackupOptions) (cli.KeysBackedUp, error) {
	now := a.cfg.Clock.Now().UTC()
	path := o.To
	if filepath.Ext(path) != backup.KeysExtension {
		path = filepath.Join(path, "ombud-"+now.Format("20060102-150405.000000")+backup.KeysExtension)
	}
	m, err := backup.CreateKeys(ctx, backup.KeySource{Vault: a.Vault, Version: a.cfg.Version, Now: now, Recipients: o.Recipients}, path)
	if err != nil {
		return cli.KeysBackedUp{}, err
	}
	out := cli.KeysBackedUp{File: path, KeysManifest: m}
	if err := a.Vault.NoteCopy(ctx, vault.Copied{At: now, SHA256: m.SHA256, Buckets: m.Buckets, Version: m.KeyVersion}); err != nil {
		return out, err
	}
	if o.Keep > 0 {
		if out.Removed, err = a.thinOut(filepath.Dir(path), o.Keep); err != nil {
			return out, err
		}
	}
	return out, a.tell(ctx, "vault.copied", o.Actor, map[string]any{"sha256": m.SHA256, "keys": m.Keys, "buckets": m.Buckets, "deleted": len(out.Removed)})
}

// thinOut deletes our backups of keys in a folder, but the newest. What is not ours, or cannot be read, stays.
func (a *App) thinOut(dir string, keep int) (removed []string, err error) {
	names, err := file.Named(dir, "", backup.KeysExtension)
	if err != nil {
		return nil, err
	}
	type one struct {
		name string
		at   int64
	}
	var ours []one
	for _, name := range names {
		b, err := backup.OpenKeys(name)
		if err != nil {
			continue
		}
		if b.Verify(a.Vault.PublicKey()) == nil {
			ours = append(ours, one{name, b.Created.Unix()})
		}
		_ = b.Close() // only read
	}
	slices.SortFunc(ours, func(x, y one) int { return cmp.Or(cmp.Compare(y.at, x.at), cmp.Compare(y.name, x.name)) }) // names of one second are in order
	for _, o := range ours[min(keep, len(ours)):] {
		if err := os.Remove(o.name); err != nil {
			return removed, fault.Wrap(fault.Unavailable, err, "an older backup of the keys cannot be deleted")
		}
		removed = append(removed, filepath.Base(o.name))
	}
	return removed, nil
}

// restoreKeys brings keys back into a place that has none. They are opened beside it first, and are there as a whole or not
// at all.
func (c Config) restoreKeys(ctx context.Context, o cli.KeyRestoreOptions) (m backup.KeysManifest, err error) {
	c = c.withDefaults()
	if err := noKeys(c.keys()); err != nil {
		return m, err
	}
	b, err := backup.OpenKeys(o.File)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	if o.PublicKey != "" {
		pub, err := vault.LoadPublicKey(o.PublicKey)
		if err == nil {
			err = b.Verify(pub)
		}
		if err != nil {
			return m, err
		}
	}
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		return m, fault.Wrap(fault.Unavailable, err, "the data directory %s cannot be made", c.DataDir)
	}
	l, err := takeLock(c.DataDir, ownerNow(c.Command, c.Clock.Now()))
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, l.release()) }()
	return b.KeysManifest, c.putKeys(ctx, b, o.Identities)
}

// noKeys refuses a folder that holds keys.
func noKeys(dir string) error {
	names, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fault.Wrap(fault.Unavailable, err, "the folder of the keys cannot be read")
	}
	if len(names) > 0 {
		return fault.New(fault.Conflict, "there are keys already").Then("Move the folder %s away first, and keep it until everything opens.", filepath.Base(dir))
	}
	return nil
}

func (c Config) putKeys(ctx context.Context, b *backup.KeysFile, identities []byte) error {
	tmp, err := os.MkdirTemp(c.DataDir, ".keys-") // mode 0700
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "the data directory cannot be written")
	}
	defer os.RemoveAll(tmp)
	if err := b.Extract(tmp, identities); err != nil {
		return err
	}
	if err := c.tryKeys(ctx, tmp, b); err != nil {
		return err
	}
	err = file.Save(filepath.Join(tmp, restoredMark), func(w io.Writer) error { return json.NewEncoder(w).Encode(b.KeysManifest) })
	if err == nil {
		if err = os.Remove(c.keys()); errors.Is(err, os.ErrNotExist) {
			err = nil
		}
	}
	if err == nil {
		err = os.Rename(tmp, c.keys())
	}
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "the keys cannot be put in place")
	}
	return file.SyncDir(filepath.Dir(c.keys()))
}

// tryKeys opens keys where they lie, and looks whether they signed the backup they came in.
func (c Config) tryKeys(ctx context.Context, dir string, b *backup.KeysFile) error {
	cfg, _, err := loadConfig(c.ConfigPath)
	if err != nil {
		return err
	}
	c.KeysDir = dir
	keys, err := c.openKeys(cfg)
	if err != nil {
		return err
	}
	if err := b.Verify(keys.PublicKey()); err != nil {
		return err
	}
	return errors.Join(keys.Load(ctx), keys.Close())
}

// noteRestored writes the entry about keys that came back since the last start.
func (a *App) noteRestored(ctx context.Context) error {
	path := filepath.Join(a.cfg.keys(), restoredMark)
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	var m backup.KeysManifest
	if err == nil {
		err = json.Unmarshal(b, &m)
	}
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "what restored the keys cannot be read")
	}
	err = a.tell(ctx, "vault.restored", "ombud", map[string]any{"sha256": m.SHA256, "made": m.Created, "keys": m.Keys, "buckets": m.Buckets})
	if err != nil {
		return err
	}
	return os.Remove(path)
}
