package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/internal/fault"
)

// loadConfig reads ombud.yaml and a print of its bytes. A file that is not there is a configuration without systems:
// keys, holds and the ledger can be used before the first scan.
func loadConfig(path string) (*catalog.Config, string, error) {
	print, err := printOf(path, nil)
	if errors.Is(err, os.ErrNotExist) {
		return &catalog.Config{Path: path, Folder: filepath.Dir(path)}, "", nil
	}
	if err != nil {
		return nil, "", fault.Wrap(fault.Invalid, err, "%s cannot be read", path)
	}
	cfg, err := catalog.Load(path)
	if err == nil && len(cfg.Access.Policies) > 0 {
		print, err = printOf(path, cfg.PolicyFolders())
	}
	return cfg, print, err
}

// printOf tells one state of the file, and of the folders of policies that it names, from the next.
func printOf(path string, policies []string) (string, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(append(b, access.Print(policies)...))
	return hex.EncodeToString(sum[:]), nil
}

// Acquire gives the parts for one command, of the configuration as it is now. What runs already goes on with the
// parts it has. Release must be called once.
func (a *App) Acquire(ctx context.Context) (p *Parts, release func(), err error) {
	if err := a.refresh(ctx); err != nil {
		return nil, nil, err
	}
	p = a.take()
	return p, func() { a.release(p) }, nil
}

// refreshed is how old the configuration may be for those who ask often.
const refreshed = time.Second

// recent gives the parts of the configuration as it was within the last second, for what is asked thousands of times a
// second: it takes no lock, and one request in a second reads the file. With an error come the former parts. They must
// be released once.
func (a *App) recent(ctx context.Context, at time.Time) (p *Parts, err error) {
	now, last := at.UnixNano(), a.checked.Load()
	if (now-last >= int64(refreshed) || now < last) && a.checked.CompareAndSwap(last, now) {
		err = a.refresh(ctx)
	}
	return a.take(), err
}

// refresh takes in a configuration that has changed.
func (a *App) refresh(ctx context.Context) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	print, err := printOf(a.cfg.ConfigPath, a.Parts.Catalog.Config().PolicyFolders())
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fault.Wrap(fault.Unavailable, err, "%s cannot be read", a.cfg.ConfigPath)
	}
	if print == a.Parts.print {
		return nil
	}
	return a.swap(ctx)
}

// hold keeps parts open, whatever the configuration says meanwhile: p, which the caller has open, or for nil the newest.
func (a *App) hold(p *Parts) (_ *Parts, release func()) {
	if p == nil {
		p = a.take()
	} else {
		p.users.Add(oneUser)
	}
	return p, func() { a.release(p) }
}

// Parts count their users in twos, and 1 on top when there are newer parts: who lets go learns in one step that nobody
// uses them and nobody will.
const (
	oneUser  = 2
	replaced = 1
)

// take gives the newest parts. Who comes when they have just been replaced lets go, and takes the next.
func (a *App) take() *Parts {
	for {
		p := a.newest.Load()
		if p.users.Add(oneUser)&replaced == 0 {
			return p
		}
		a.release(p)
	}
}

// release closes parts after their last use.
func (a *App) release(p *Parts) { a.closeUnused(p, p.users.Add(-oneUser)) }

func (a *App) closeUnused(p *Parts, users int64) {
	if users != replaced || !p.closed.CompareAndSwap(false, true) {
		return
	}
	if err := p.Catalog.Close(); err != nil {
		a.cfg.Log.Warn("closing systems of the former configuration", "error", err)
	}
}

// swap builds the parts of the new configuration. The old ones stay open for whoever still works with them.
func (a *App) swap(ctx context.Context) error {
	cfg, print, err := loadConfig(a.cfg.ConfigPath)
	if err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	if err := a.declare(ctx, cfg, print); err != nil {
		return err
	}
	next, err := a.build(ctx, cfg, print)
	if err != nil {
		return err
	}
	if a.furnish != nil {
		a.furnish(next)
	}
	a.replace(next)
	return nil
}

// replace makes parts the newest, and closes the former ones when nobody uses them. For those who hold mu.
func (a *App) replace(next *Parts) {
	old := a.Parts
	a.setParts(next)
	a.closeUnused(old, old.users.Add(replaced))
}

// setParts makes them the newest; for those who hold mu, or are alone.
func (a *App) setParts(p *Parts) {
	a.Parts = p
	a.newest.Store(p)
}
