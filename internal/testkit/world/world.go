// Package world wires the real program around real stores for a test: own store, keys, ledger,
// catalog, engine, holds and requests in a folder of its own, on a clock that stands still until
// the test moves it. Nothing in it is a stand-in but what a test puts around a connector.
//
// A scenario ends with Verify, which checks again what must hold after every scenario.
package world

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/connector/mysql"
	"github.com/ombudhq/ombud/connector/postgres"
	"github.com/ombudhq/ombud/connector/sqlite"
	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/request"
	"github.com/ombudhq/ombud/subject"
	"github.com/ombudhq/ombud/vault"
)

// Today is when every world begins.
var today = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// Options of a world. Only Config and Dir are needed.
type Options struct {
	Config *catalog.Config
	// Dir is the data directory. Opening the same one again is the program started again.
	Dir string
	// Wrap puts a test's own store around a real one; nil leaves it as it is.
	Wrap func(connector.Store) connector.Store
	// Hook is called after every store statement and own commit.
	Hook     func(point string)
	Stepwise bool
	Chunk    int
	Memory   int
	SweepMS  int64
}

// World is a running program.
type World struct {
	Dir      string
	Clock    *clock.Fake
	DB       *db.DB
	Vault    *vault.Vault
	Ledger   *ledger.Ledger
	Catalog  *catalog.Catalog
	Engine   *plan.Engine
	Holds    *subject.Holds
	Requests *request.Service

	canaries []string
}

// New opens a world for a test and closes it with the test.
func New(t testing.TB, o Options) *World {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	w, err := Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// Open is New where there is no test: in a process that will be killed.
func Open(ctx context.Context, o Options) (*World, error) {
	w := &World{Dir: o.Dir, Clock: clock.NewFake(today)}
	var err error
	if w.Vault, err = vault.Open(vault.Config{Dir: filepath.Join(o.Dir, "keys")}); err != nil {
		return nil, err
	}
	if w.DB, err = db.Open(ctx, db.Config{Path: filepath.Join(o.Dir, "ombud.db"), Clock: w.Clock, Hook: o.Hook}); err != nil {
		return nil, err
	}
	w.Catalog = catalog.Open(ctx, o.Config, openers(o.Wrap), w.Clock)
	if err := w.openParts(ctx, o); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

func (w *World) openParts(ctx context.Context, o Options) (err error) {
	w.Ledger, err = ledger.Open(ctx, ledger.Config{DB: w.DB, Vault: w.Vault, Clock: w.Clock, Heads: []string{o.Dir + ".heads"}})
	if err != nil {
		return err
	}
	w.Engine, err = plan.New(ctx, plan.Config{Catalog: w.Catalog, DB: w.DB, Vault: w.Vault, Clock: w.Clock, TempDir: o.Dir,
		Hook: o.Hook, Stepwise: o.Stepwise, Chunk: o.Chunk, Memory: o.Memory, SweepMS: o.SweepMS})
	if err != nil {
		return err
	}
	if w.Holds, err = subject.OpenHolds(ctx, w.DB, w.Vault, w.Ledger, w.Clock); err != nil {
		return err
	}
	w.Requests, err = request.New(ctx, request.Config{DB: w.DB, Vault: w.Vault, Ledger: w.Ledger, Engine: w.Engine,
		Holds: w.Holds, Catalog: w.Catalog, Clock: w.Clock, Dir: o.Dir})
	if err != nil {
		return err
	}
	return w.Requests.Recover(ctx)
}

func openers(wrap func(connector.Store) connector.Store) map[string]connector.Opener {
	all := map[string]connector.Opener{"sqlite": sqlite.Open, "postgres": postgres.Open, "mysql": mysql.Open}
	if wrap == nil {
		return all
	}
	for name, open := range all {
		all[name] = func(ctx context.Context, c connector.Config) (connector.Store, error) {
			s, err := open(ctx, c)
			if err != nil {
				return nil, err
			}
			return wrap(s), nil
		}
	}
	return all
}

// Close stops the program. It may be called twice.
func (w *World) Close() error {
	var errs []error
	if w.Catalog != nil {
		errs = append(errs, w.Catalog.Close())
		w.Catalog = nil
	}
	if w.DB != nil {
		errs = append(errs, w.DB.Close())
		w.DB = nil
	}
	return errors.Join(errs...)
}

// Erase plans, approves and runs an erasure through the request service, as a user's command does.
func (w *World) Erase(ctx context.Context, people ...plan.Person) (*request.Request, error) {
	r, err := w.Requests.Plan(ctx, request.PlanInput{Kind: plan.Erasure, People: people, Actor: "test"})
	if err != nil {
		return nil, err
	}
	return w.Requests.Run(ctx, request.RunInput{Ref: r.ID, Approve: r.Hash, Actor: "test"})
}

// Person is somebody by "kind=value".
func Person(ids ...string) plan.Person {
	var p plan.Person
	for _, s := range ids {
		id, err := subject.Parse(s)
		if err != nil {
			panic(err) // a mistake in the test itself
		}
		p.Identities = append(p.Identities, id)
	}
	return p
}
