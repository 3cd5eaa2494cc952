package app

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/ombudhq/ombud/backup"
	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/cli"
	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/transport"
)

// Options of a program; the zero value is the one that ships.
type Options struct {
	Version string
	Clock   clock.Clock
	Hook    func(point string) // see Config
}

// Program gives the command line what it needs from the rest.
func Program(o Options) cli.Program {
	if o.Clock == nil {
		o.Clock = clock.System{}
	}
	return cli.Program{
		Version: o.Version,
		Clock:   o.Clock,
		Open: func(ctx context.Context, p cli.Place) (*cli.Services, error) {
			a, err := Open(ctx, o.config(p))
			if err != nil {
				return nil, err
			}
			s := a.services(p, a.Parts)
			s.Mended = a.mended // once: commands that are lent the open parts hear nothing of it
			s.Close = a.Close
			return s, nil
		},
		Forward: forward,
		Serve: func(ctx context.Context, p cli.Place, so cli.ServeOptions) error {
			return serve(ctx, o.config(p), so)
		},
		Restore: func(ctx context.Context, p cli.Place, ro cli.RestoreOptions) (cli.Restored, error) {
			return o.config(p).restore(ctx, ro)
		},
		Rehearse: func(ctx context.Context, p cli.Place, ro cli.RestoreOptions) (cli.Restored, error) {
			return o.config(p).rehearse(ctx, ro)
		},
		NewGap: func(ctx context.Context, p cli.Place, g cli.GapOptions) (cli.Gap, error) {
			return o.config(p).newGap(ctx, g)
		},
		SignGap: func(ctx context.Context, p cli.Place, g cli.Gap, by cli.GapOptions) (cli.Gap, error) {
			return o.config(p).signGap(ctx, g, by)
		},
		RestoreKeys: func(ctx context.Context, p cli.Place, ro cli.KeyRestoreOptions) (backup.KeysManifest, error) {
			return o.config(p).restoreKeys(ctx, ro)
		},
		Catalog: func(ctx context.Context, cfg *catalog.Config) *catalog.Catalog {
			return catalog.Open(ctx, cfg, openers(), o.Clock)
		},
	}
}

func (o Options) config(p cli.Place) Config {
	return Config{
		DataDir: p.Data, ConfigPath: p.Config, Store: p.Store, Command: p.Command, Damaged: p.Damaged, Passphrase: p.Passphrase,
		Version: o.Version, Clock: o.Clock, Hook: o.Hook,
	}
}

func (a *App) services(place cli.Place, p *Parts) *cli.Services {
	s := &cli.Services{
		Place: place, Ledger: a.Ledger, Vault: a.Vault, Keys: a.Keys, Accounts: a.Accounts, Mirror: a.Mirror, Consents: a.Consents, Purposes: a.Purposes, Warnings: a.warnings,
		VerifyLedger: a.VerifyLedger, Checkpoint: a.Checkpoint, BackUp: a.backUp, Replay: a.replayErasures, RotateKeys: a.rotateKeys, Pseudonyms: a.Pseudonyms, BackUpKeys: a.backUpKeys, StoreHealth: a.DB.Health, FollowWithdrawal: a.followWithdrawal,
		RotateRoot: a.rotateRoot, RetireRoots: a.retireRoots, SealRoot: a.sealRoot,
	}
	s.Address, s.Serving = a.where()
	if p != nil {
		s.Catalog, s.Holds, s.Requests, s.Policies = p.Catalog, p.Holds, p.Requests, p.Policies
		s.Certificate = func() (*transport.Standing, error) { return a.certificate(p.Catalog.Config()) }
	}
	return s
}

func forward(ctx context.Context, dir string, c *cli.Call, stdout, stderr io.Writer) (int, error) {
	code, err := call(ctx, dir, c, stdout, stderr)
	if errors.Is(err, errNobody) {
		return 0, cli.ErrNoOwner
	}
	return code, err
}

// runCall is the other end of forward: the command line of another process, in this one.
func (a *App) runCall(ctx context.Context, c *cli.Call, user string, out, errs io.Writer) int {
	p := Program(Options{Version: a.cfg.Version, Clock: a.cfg.Clock})
	p.Open, p.Serve, p.Unseal = a.openShared(), nil, func(context.Context, []byte, string) error { return errOpenAlready() }
	return cli.Run(ctx, envOf(c, user, out, errs), p)
}

// envOf is the environment of a command that was typed elsewhere.
func envOf(c *cli.Call, user string, out, errs io.Writer) cli.Env {
	env := cli.Env{
		Args: c.Args, Dir: c.Dir, Stdout: out, Stderr: errs, User: user, Inputs: c.Inputs,
		Terminal: c.Terminal, Progress: c.Progress, Color: c.Color, Width: c.Width,
	}
	if env.Inputs == nil {
		env.Inputs = map[string][]byte{} // the caller has read its files: none is read here
	}
	return env
}

// openShared lends the open parts to one command.
func (a *App) openShared() func(context.Context, cli.Place) (*cli.Services, error) {
	return func(ctx context.Context, place cli.Place) (*cli.Services, error) {
		if !sameFile(place.Config, a.cfg.ConfigPath) {
			return nil, fault.New(fault.Invalid, "the data directory is in use with %s, not with %s", a.cfg.ConfigPath, place.Config).
				Then("Use the same -c, or stop the other process first.")
		}
		if a.Ledger == nil && place.Damaged {
			s := a.services(place, nil)
			s.Close = func() error { return nil }
			return s, nil
		}
		if a.Ledger == nil {
			return nil, fault.New(fault.Integrity, "the ledger is not what was signed").Then("ombud audit verify says which entry.")
		}
		p, release, err := a.Acquire(ctx)
		if err != nil {
			return nil, err
		}
		s := a.services(place, p)
		s.Close = func() error { release(); return nil }
		return s, nil
	}
}

func sameFile(a, b string) bool {
	if filepath.Clean(a) == filepath.Clean(b) {
		return true
	}
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	return errX == nil && errY == nil && os.SameFile(x, y)
}
