package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/ombudhq/ombud/backup"
	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/cli"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/file"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/vault"
)

// restore brings a backup back into an empty data directory and store, does again what the suppression ledger knows beyond
// it, and reads the whole ledger. Until all of that is done, the store is refused wherever it is opened.
func (c Config) restore(ctx context.Context, o cli.RestoreOptions) (out cli.Restored, err error) {
	c = c.withDefaults()
	if err := onlyKeys(c.DataDir); err != nil {
		return out, err
	}
	if _, err := os.Stat(filepath.Join(c.keys(), "root")); err != nil { // opening would make new ones, which open nothing
		return out, fault.New(fault.Invalid, "%s holds no root key", c.keys()).Then("Bring the keys there first, with ombud vault restore or as the folder of the former data directory: no backup of data holds them.")
	}
	cfg, _, err := loadConfig(c.ConfigPath)
	if err != nil {
		return out, err
	}
	keys, err := c.openKeys(cfg)
	if err != nil {
		return out, err
	}
	b, err := backup.Open(o.File, keys.PublicKey())
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	out.Backup = b.Manifest
	switch err := c.knownOutside(ctx, cfg, keys, &b.Manifest); {
	case err == nil:
		o.Gap = nil // there is none
	case o.Gap == nil || fault.KindOf(err) != fault.Integrity:
		return out, err
	default:
		if err := c.acceptBackup(ctx, keys, b, o); err != nil {
			return out, err
		}
	}
	if err := c.fill(ctx, keys, b, o.Identities); err != nil {
		return out, err
	}
	c.Restored, c.Gap = true, map[string]any{"backup": b.SHA256, "made": b.Created, "accepted_gap": o.Gap}
	return out, c.settle(ctx, &out)
}

func (c Config) keys() string {
	if c.KeysDir != "" {
		return c.KeysDir
	}
	return filepath.Join(c.DataDir, "keys")
}

// onlyKeys refuses a data directory that holds more than the keys.
func onlyKeys(dir string) error {
	names, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fault.Wrap(fault.Unavailable, err, "the data directory cannot be read")
	}
	for _, n := range names {
		if n.Name() != "keys" && n.Name() != "lock" && n.Name() != guessFile {
			return fault.New(fault.Conflict, "the data directory is not empty: it holds %s", n.Name()).Then("Restore into a new one, with --data.")
		}
	}
	return nil
}

// knownOutside refuses a restore that would bring back what was withdrawn or erased: where what lies outside is missing,
// or older than the backup.
func (c Config) knownOutside(ctx context.Context, cfg *catalog.Config, keys *vault.Vault, m *backup.Manifest) error {
	heads, err := c.headsOf(cfg)
	if err != nil {
		return err
	}
	head, acts, err := ledger.Outside(ctx, ledger.Config{Vault: keys, Heads: heads.folders, Buckets: heads.buckets})
	if err != nil {
		return err
	}
	if acts < m.Acts || head < m.Head {
		return fault.New(fault.Integrity, "the suppression ledger is missing, or older than the backup: outside are %d acts up to revision %d, the backup knows of %d up to %d",
			acts, head, m.Acts, m.Head).Then("Bring the newest files of the heads directory back first: without them, who was erased since would be there again.")
	}
	return nil
}

// fill puts the backup into the store and compares the ledger with the checkpoint that came with it.
func (c Config) fill(ctx context.Context, keys *vault.Vault, b *backup.File, identities []byte) (err error) {
	if err := b.Check(); err != nil {
		return err
	}
	in, err := b.Decrypt(identities)
	if err != nil {
		return err
	}
	l, err := takeLock(c.DataDir, ownerNow(c.Command, c.Clock.Now()))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.release()) }()
	at, err := catalog.ExpandDSN("--store", c.Store)
	if err != nil {
		return err
	}
	store, err := db.Open(ctx, db.Config{Path: at, Clock: c.Clock, Hook: c.Hook})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if _, err := store.Fill(ctx, in); err != nil {
		return err
	}
	if b.Checkpoint == "" {
		return nil
	}
	note := filepath.Join(c.DataDir, "restore.checkpoint")
	if err := os.WriteFile(note, []byte(b.Checkpoint), 0o600); err != nil {
		return fault.Wrap(fault.Unavailable, err, "the data directory cannot be written")
	}
	defer os.Remove(note)
	_, err = ledger.Verify(ctx, ledger.Config{DB: store, Vault: keys, Clock: c.Clock}, ledger.VerifyOptions{Checkpoint: note})
	return err
}

// settle opens what was filled, which does again what is missing, and leaves a checkpoint.
func (c Config) settle(ctx context.Context, out *cli.Restored) (err error) {
	a, err := Open(ctx, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	out.Epoch, out.Lost, out.Again = a.told.Epoch, max(0, a.told.Known-a.told.Size), a.told.Again
	if out.Locked, err = a.Accounts.LockedOut(ctx); err != nil {
		return err
	}
	if err := a.Checkpoint(ctx); err != nil {
		return err
	}
	r, err := a.VerifyLedger(ctx, ledger.VerifyOptions{})
	out.Entries = r.Entries
	return err
}

// rehearse restores a backup beside everything, into a place that goes afterwards, with copies of what lies outside.
func (c Config) rehearse(ctx context.Context, o cli.RestoreOptions) (out cli.Restored, err error) {
	c = c.withDefaults()
	start := c.Clock.Now()
	cfg, _, err := loadConfig(c.ConfigPath)
	if err != nil {
		return out, err
	}
	heads, err := c.headsOf(cfg)
	if err != nil {
		return out, err
	}
	dir, err := os.MkdirTemp(filepath.Dir(filepath.Clean(c.DataDir)), ".rehearsal-") // mode 0700
	if err != nil {
		return out, fault.Wrap(fault.Unavailable, err, "there is no room to rehearse in")
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	c.KeysDir, c.DataDir, c.Store = c.keys(), filepath.Join(dir, "d"), ""
	if err := os.Mkdir(c.DataDir, 0o700); err != nil {
		return out, err
	}
	for i, h := range heads.folders {
		to := filepath.Join(dir, fmt.Sprint("heads", i))
		if err := copyFiles(h, to); err != nil {
			return out, fault.Wrap(fault.Unavailable, err, "what lies outside cannot be copied")
		}
		c.Heads = append(c.Heads, to)
	}
	out, err = c.restore(ctx, o)
	out.TookMS = c.Clock.Now().Sub(start).Milliseconds()
	return out, err
}

// copyFiles copies the files of a folder, if it is there, but for what was put aside.
func copyFiles(from, to string) error {
	names, err := os.ReadDir(from)
	if errors.Is(err, os.ErrNotExist) {
		return os.Mkdir(to, 0o700)
	}
	if err == nil {
		err = os.Mkdir(to, 0o700)
	}
	for _, n := range names {
		if err != nil || n.IsDir() || strings.Contains(n.Name(), ".") {
			continue
		}
		err = copyFile(filepath.Join(from, n.Name()), filepath.Join(to, n.Name()))
	}
	return err
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	return file.Save(to, func(w io.Writer) error {
		_, err := io.Copy(w, in)
		return err
	})
}
