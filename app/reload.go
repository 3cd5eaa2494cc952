package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/internal/fault"
)

// loadConfig reads ombud.yaml and a print of its bytes. A file that is not there is a configuration without systems:
// keys, holds and the ledger can be used before the first scan.
func loadConfig(path string) (*catalog.Config, string, error) {
	print, err := printOf(path)
	if errors.Is(err, os.ErrNotExist) {
		return &catalog.Config{Path: path, Folder: filepath.Dir(path)}, "", nil
	}
	if err != nil {
		return nil, "", fault.Wrap(fault.Invalid, err, "%s cannot be read", path)
	}
	cfg, err := catalog.Load(path)
	return cfg, print, err
}

func printOf(path string) (string, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}

// Acquire gives the parts for one command, of the configuration as it is now. What runs already goes on with the
// parts it has. Release must be called once.
func (a *App) Acquire(ctx context.Context) (p *Parts, release func(), err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	print, err := printOf(a.cfg.ConfigPath)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, nil, fault.Wrap(fault.Unavailable, err, "%s cannot be read", a.cfg.ConfigPath)
	}
	if print != a.Parts.print {
		if err := a.swap(ctx); err != nil {
			return nil, nil, err
		}
	}
	return a.Parts, a.use(a.Parts), nil
}

// hold keeps parts open, whatever the configuration says meanwhile; nil means the newest.
func (a *App) hold(p *Parts) (_ *Parts, release func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if p == nil {
		p = a.Parts
	}
	return p, a.use(p)
}

func (a *App) use(p *Parts) (release func()) {
	p.users++
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		p.users--
		a.retire(p)
	}
}

// swap builds the parts of the new configuration. The old ones stay open for whoever still works with them.
func (a *App) swap(ctx context.Context) error {
	cfg, print, err := loadConfig(a.cfg.ConfigPath)
	if err != nil {
		return err
	}
	next, err := a.build(context.WithoutCancel(ctx), cfg, print)
	if err != nil {
		return err
	}
	if a.furnish != nil {
		a.furnish(next)
	}
	old := a.Parts
	a.Parts, old.retired = next, true
	a.retire(old)
	return nil
}

func (a *App) retire(p *Parts) {
	if !p.retired || p.users > 0 {
		return
	}
	if err := p.Catalog.Close(); err != nil {
		a.cfg.Log.Warn("closing systems of the former configuration", "error", err)
	}
}
