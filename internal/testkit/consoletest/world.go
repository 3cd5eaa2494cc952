package consoletest

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/access/oidc"
	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/connector/sqlite"
	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/event"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/purpose"
	"github.com/ombudhq/ombud/request"
	"github.com/ombudhq/ombud/subject"
	"github.com/ombudhq/ombud/vault"
	"github.com/ombudhq/ombud/web/console"
)

// Actor is who works at the console of a World.
const Actor = "local:kari"

// World is the product over the company's stores, on a fake clock.
type World struct {
	Dir        string // stores and ombud.yaml; the data directory is in it
	Clock      *clock.Fake
	DB         *db.DB
	Ledger     *ledger.Ledger
	Catalog    *catalog.Catalog
	Requests   *request.Service
	Consents   *consent.Service
	Purposes   *purpose.Register
	People     *subject.People
	Relay      *event.Relay
	Accounts   *access.Accounts
	Keys       *access.Keys
	Desk       *oidc.Desk
	Pseudonyms *subject.Pseudonyms
	Errors     []error // of runs that outlived their form

	vault   *vault.Vault
	ctx     context.Context
	cancel  context.CancelFunc
	work    sync.WaitGroup
	mu      sync.Mutex
	handler http.Handler
	print   string
	made    int              // things of Make
	read    *ledger.Verified // what the last verification found
}

// Now is when the console is looked at.
func Now() time.Time { return time.Date(2026, 11, 19, 9, 40, 0, 0, time.UTC) }

// Kind of world to open.
type Kind string

// Kinds of world: all states, guesses that block, nothing at all.
const (
	Full    Kind = "full"
	Guesses Kind = "guesses"
	Empty   Kind = "empty"
	// Staff is Full with an account for each role: nobody is let in without a session.
	Staff Kind = "staff"
)

// Open makes a world in a folder. Close it.
func Open(ctx context.Context, dir string, kind Kind) (*World, error) {
	w := &World{Dir: dir, Clock: clock.NewFake(Now())}
	w.ctx, w.cancel = context.WithCancel(context.WithoutCancel(ctx))
	if kind != Empty {
		if _, err := writeConfig(dir, kind == Guesses); err != nil {
			return nil, err
		}
		if err := makeStores(ctx, dir); err != nil {
			return nil, err
		}
	}
	if kind == Guesses {
		if err := Exec(ctx, dir, "events", eventsSchema); err != nil {
			return nil, err
		}
	}
	return w, errors.Join(w.open(ctx), w.Reload(ctx))
}

func (w *World) open(ctx context.Context) (err error) {
	if w.vault, err = vault.Open(vault.Config{Dir: filepath.Join(w.data(), "keys")}); err != nil {
		return err
	}
	if w.DB, err = db.Open(ctx, db.Config{Path: filepath.Join(w.data(), "ombud.db"), Clock: w.Clock}); err != nil {
		return err
	}
	w.Ledger, err = ledger.Open(ctx, ledger.Config{DB: w.DB, Vault: w.vault, Clock: w.Clock, Heads: []string{filepath.Join(w.Dir, "heads")}})
	if err != nil {
		return err
	}
	if w.Keys, err = access.OpenKeys(ctx, w.DB, w.Ledger, w.Clock); err != nil {
		return err
	}
	if w.Accounts, err = access.OpenAccounts(ctx, w.DB, w.vault, w.Ledger, w.Clock); err != nil {
		return err
	}
	w.Desk = oidc.NewDesk(w.Accounts, w.Clock)
	return w.openConsents(ctx)
}

func (w *World) data() string { return filepath.Join(w.Dir, "data") }

// Reload reads ombud.yaml and builds what depends on it anew.
func (w *World) Reload(ctx context.Context) error {
	cfg, err := loadConfig(filepath.Join(w.Dir, "ombud.yaml"))
	if err != nil {
		return err
	}
	w.Catalog = catalog.Open(ctx, cfg, map[string]connector.Opener{"sqlite": sqlite.Open}, w.Clock)
	engine, err := plan.New(ctx, plan.Config{Catalog: w.Catalog, DB: w.DB, Vault: w.vault, Clock: w.Clock, TempDir: w.Dir, Hook: func(string) {}})
	if err != nil {
		return err
	}
	holds, err := subject.OpenHolds(ctx, w.DB, w.vault, w.Ledger, w.Clock)
	if err != nil {
		return err
	}
	w.Requests, err = request.New(ctx, request.Config{Staffed: w.Accounts.Any, DB: w.DB, Vault: w.vault, Ledger: w.Ledger, Engine: engine, Holds: holds, Catalog: w.Catalog, Clock: w.Clock, Dir: w.data(),
		Called: func(ids []subject.Identity) string { return w.Consents.Substitute(w.Consents.Find(ids...).Person()) }})
	if err != nil {
		return err
	}
	w.handler = console.New(console.Config{
		Accounts: w.Accounts, Desk: w.Desk, Keys: w.Keys, Vault: w.vault, Verify: w.verify, Verified: w.lastVerified, Requests: w.Requests, Consents: w.Consents, Purposes: w.Purposes, People: w.People, Pseudonyms: w.Pseudonyms, Relay: w.Relay, Catalog: w.Catalog, Ledger: w.Ledger, Clock: w.Clock, Dir: w.data(), Cookie: Cookie, Origin: "http://example.com", Token: "secret of this start",
		Go:     func(fn func(context.Context)) { w.work.Go(func() { fn(w.ctx) }) },
		Failed: w.failed,
	})
	w.print = cfg.Digest
	return nil
}

func loadConfig(path string) (*catalog.Config, error) {
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return &catalog.Config{Path: path, Folder: filepath.Dir(path)}, nil
	}
	return catalog.Load(path)
}

func (w *World) failed(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.Errors = append(w.Errors, err)
}

// Vault is that of the world.
func (w *World) Vault() *vault.Vault { return w.vault }

func (w *World) verify(ctx context.Context) (ledger.Report, error) {
	r, err := w.Ledger.Verify(ctx, ledger.VerifyOptions{})
	w.mu.Lock()
	defer w.mu.Unlock()
	w.read = &ledger.Verified{At: w.Clock.Now(), Report: r}
	return r, err
}

func (w *World) lastVerified() (ledger.Verified, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.read == nil {
		return ledger.Verified{}, false
	}
	return *w.read, true
}

// ServeHTTP shows the console, of ombud.yaml as it is now.
func (w *World) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	cfg, err := loadConfig(filepath.Join(w.Dir, "ombud.yaml"))
	if err == nil && cfg.Digest != w.print {
		err = w.Reload(r.Context())
	}
	h := w.handler
	w.mu.Unlock()
	if err != nil {
		http.Error(rw, err.Error(), http.StatusInternalServerError)
		return
	}
	h.ServeHTTP(rw, r.WithContext(access.With(r.Context(), w.visitor(r))))
}

// Wait returns when no run is under way any more.
func (w *World) Wait() { w.work.Wait() }

// Close ends what runs and closes everything.
func (w *World) Close() error {
	w.cancel()
	w.work.Wait()
	return errors.Join(w.Catalog.Close(), w.DB.Close())
}
