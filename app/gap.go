package app

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/backup"
	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/cli"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/vault"
)

// gapValid is how long a signature under a gap counts.
const gapValid = 24 * time.Hour

// gapMark begins what is signed.
const gapMark = "ombud-gap/v1\n"

// newGap says what a gap is about: a backup, or the store as it stands. Nobody has signed it.
func (c Config) newGap(ctx context.Context, o cli.GapOptions) (g cli.Gap, err error) {
	c = c.withDefaults()
	g.Because = o.Because
	err = c.gapPlace(ctx, o, func(of cli.GapOf, _ *access.Accounts, _ *vault.Vault) error {
		g.Of = &of
		return nil
	})
	return g, err
}

// signGap lets somebody sign: with the password and second factor that the store, or the backup, knows of their account.
func (c Config) signGap(ctx context.Context, g cli.Gap, o cli.GapOptions) (cli.Gap, error) {
	c = c.withDefaults()
	err := c.gapPlace(ctx, o, func(of cli.GapOf, accounts *access.Accounts, keys *vault.Vault) error {
		if g.Of == nil || *g.Of != of {
			return errGap("the file is about something else than what is here")
		}
		acc, err := accounts.Vouch(ctx, o.Name, o.Password, o.Code)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(g.Signed, func(s cli.GapSignature) bool { return s.Account == acc.ID }) {
			return fault.New(fault.Conflict, "%s signed it already", acc.Name).Then("Another account signs too.")
		}
		s := cli.GapSignature{Account: acc.ID, At: c.Clock.Now().UTC().Truncate(time.Second)}
		if s.Signature, err = signGap(keys, &g, s); err != nil {
			return err
		}
		g.Signed = append(g.Signed, s)
		return nil
	})
	return g, err
}

// gapPlace opens, without using it, what a gap is about.
func (c Config) gapPlace(ctx context.Context, o cli.GapOptions, fn func(cli.GapOf, *access.Accounts, *vault.Vault) error) error {
	if _, err := os.Stat(filepath.Join(c.keys(), "root")); err != nil {
		return fault.New(fault.Invalid, "%s holds no root key", c.keys())
	}
	cfg, _, err := loadConfig(c.ConfigPath)
	if err != nil {
		return err
	}
	keys, err := c.openKeys(cfg)
	if err != nil {
		return err
	}
	if o.Backup == "" {
		return c.inStore(ctx, func(store *db.DB) error { return aboutStore(ctx, store, keys, c, fn) })
	}
	b, err := backup.Open(o.Backup, keys.PublicKey())
	if err != nil {
		return err
	}
	defer b.Close()
	if o.Name == "" { // nobody signs yet
		return fn(cli.GapOf{Backup: b.SHA256}, nil, keys)
	}
	return c.inBackup(ctx, keys, b, o.Identities, func(a *access.Accounts) error {
		return fn(cli.GapOf{Backup: b.SHA256}, a, keys)
	})
}

func (c Config) inStore(ctx context.Context, fn func(*db.DB) error) (err error) {
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
	return fn(store)
}

func aboutStore(ctx context.Context, store *db.DB, keys *vault.Vault, c Config, fn func(cli.GapOf, *access.Accounts, *vault.Vault) error) error {
	of, err := storeNow(ctx, store, keys)
	if err != nil {
		return err
	}
	a, err := access.OpenAccounts(ctx, store, keys, nil, c.Clock)
	if err != nil {
		return err
	}
	return fn(of, a, keys)
}

// storeNow names a store by its ledger, which no other one has.
func storeNow(ctx context.Context, store *db.DB, keys *vault.Vault) (cli.GapOf, error) {
	tree, err := ledger.TreeOf(ctx, ledger.Config{DB: store, Vault: keys})
	return cli.GapOf{Size: tree.N, Root: tree.Hash.String()}, err
}

// inBackup reads the accounts of a backup, in a place that goes afterwards.
func (c Config) inBackup(ctx context.Context, keys *vault.Vault, b *backup.File, identities []byte, fn func(*access.Accounts) error) (err error) {
	dir, err := os.MkdirTemp(filepath.Dir(filepath.Clean(c.DataDir)), ".gap-") // mode 0700
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "there is no room to read the backup in")
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	c.DataDir, c.Store = dir, filepath.Join(dir, "ombud.db")
	if err := c.fill(ctx, keys, b, identities); err != nil {
		return err
	}
	return c.inStore(ctx, func(store *db.DB) error {
		a, err := access.OpenAccounts(ctx, store, keys, nil, c.Clock)
		if err != nil {
			return err
		}
		return fn(a)
	})
}

// signGap signs for one account: what is accepted, why, by whom and when.
func signGap(keys *vault.Vault, g *cli.Gap, s cli.GapSignature) ([]byte, error) {
	text, err := gapText(g, s)
	return keys.Sign(text), err
}

func gapText(g *cli.Gap, s cli.GapSignature) ([]byte, error) {
	b, err := json.Marshal(struct {
		Because string     `json:"because"`
		Of      *cli.GapOf `json:"of"`
		Account string     `json:"account"`
		At      time.Time  `json:"at"`
	}{g.Because, g.Of, s.Account, s.At})
	if err != nil {
		return nil, fmt.Errorf("encoding a gap: %w", err)
	}
	return append([]byte(gapMark), b...), nil
}

// checkGap refuses a gap that two accounts have not signed for what it is taken for; as many as there are, where there are
// fewer. Names alone do only where nobody can sign.
func (c Config) checkGap(ctx context.Context, g *cli.Gap, of cli.GapOf, accounts *access.Accounts, keys *vault.Vault) error {
	can, err := accounts.Vouchers(ctx)
	if err != nil {
		return err
	}
	var by []string
	for _, s := range g.Signed {
		text, err := gapText(g, s)
		if err != nil {
			return err
		}
		age := c.Clock.Now().Sub(s.At)
		switch {
		case g.Of == nil || *g.Of != of:
			return errGap("it was signed for another backup, or for the store as it was then")
		case !ed25519.Verify(keys.PublicKey(), text, s.Signature):
			return errGap("a signature is not for what it says")
		case age > gapValid || age < -time.Hour:
			return errGap("a signature is older than a day")
		case !slices.Contains(by, s.Account):
			by = append(by, s.Account)
		}
	}
	switch need := min(2, can); {
	case len(by) < need:
		return errGap(fmt.Sprintf("%d of %d accounts signed it", len(by), need))
	case len(by)+len(cli.Distinct(g.Accepted)) < 2:
		return errGap("it names fewer than two people")
	}
	return nil
}

// acceptStore judges the gap that this store is opened with.
func (a *App) acceptStore(ctx context.Context) error {
	return aboutStore(ctx, a.DB, a.Vault, a.cfg, func(of cli.GapOf, accounts *access.Accounts, keys *vault.Vault) error {
		return a.cfg.checkGap(ctx, a.cfg.Accepted, of, accounts, keys)
	})
}

// acceptBackup judges the gap that a backup is restored with.
func (c Config) acceptBackup(ctx context.Context, keys *vault.Vault, b *backup.File, o cli.RestoreOptions) error {
	return c.inBackup(ctx, keys, b, o.Identities, func(a *access.Accounts) error {
		return c.checkGap(ctx, o.Gap, cli.GapOf{Backup: b.SHA256}, a, keys)
	})
}

func errGap(why string) error {
	return fault.New(fault.Denied, "the gap is not accepted: %s", why).
		Then("ombud backup accept-gap FILE makes the file; two people sign it with ombud backup sign FILE --name N, within a day.")
}
