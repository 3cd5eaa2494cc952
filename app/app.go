package app

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/access/oidc"
	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/cli"
	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/event"
	"github.com/ombudhq/ombud/internal/event/redis"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/notify"
	"github.com/ombudhq/ombud/internal/witness"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/purpose"
	"github.com/ombudhq/ombud/request"
	"github.com/ombudhq/ombud/subject"
	"github.com/ombudhq/ombud/vault"
)

// Config says where a program lives.
type Config struct {
	DataDir    string      // made with mode 0700 when missing
	ConfigPath string      // ombud.yaml; without one there are no systems
	Store      string      // own store: a file, or postgres://…, with ${NAME} from the environment; default DataDir/ombud.db
	Command    string      // what the lock file says we are
	Version    string      // for those who ask
	Clock      clock.Clock // nil is the system's
	// Hook is called after each own commit and store statement, by its name, for crash tests.
	Hook func(point string)
	Log  *slog.Logger // nil discards
	// Restored opens a store that is older than what is known of it outside: what it does not know is done again first.
	Restored bool
	Gap      any      // why that is right, for the audit entry: the backup, or who accepted the gap
	Accepted *cli.Gap // opens as Restored does, but only what would be refused
	KeysDir  string   // of another data directory, whose keys are used and not changed; default DataDir/keys
	Heads    []string // instead of those in ombud.yaml
	// Passphrase gives what a sealed root key opens by, as often as it is asked; nil gives nothing.
	Passphrase func() ([]byte, error)
	// Damaged opens also where the ledger is not what was signed; Ledger is then nil, and only VerifyLedger works.
	Damaged bool

	owned   *lock  // the data directory, where it was taken before; Open takes it over
	counted bool   // the passphrase was looked at before
	opened  string // who gave it to a server, for the log
}

func (c Config) withDefaults() Config {
	if c.Store == "" {
		c.Store = filepath.Join(c.DataDir, "ombud.db")
	}
	if c.Clock == nil {
		c.Clock = clock.System{}
	}
	if c.Hook == nil {
		c.Hook = func(string) {}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

// App owns a data directory and holds its open parts. Catalog, Engine, Holds and Requests are those of the
// configuration as it was when they were last asked for by Acquire.
type App struct {
	DB     *db.DB
	Vault  *vault.Vault
	Ledger *ledger.Ledger
	Keys   *access.Keys

	Accounts *access.Accounts
	Desk     *oidc.Desk
	People   *subject.People
	Purposes *purpose.Register

	Pseudonyms *subject.Pseudonyms

	Consents *consent.Service
	Relay    *event.Relay
	Mirror   *redis.Mirror // nil where none is configured
	*Parts

	cfg       Config
	lock      *lock
	socket    *socket
	heads     places
	witnesses []*witness.Witness
	years     ledger.Years // how long entries stay readable, as the configuration at the start says
	warnings  []string
	mended    []string
	keysWeak  []string        // what about the keys should be mended
	keysTried time.Time       // when rotateDue last began
	ctx       context.Context // of work that outlives a call: background runs
	cancel    context.CancelFunc
	work      sync.WaitGroup

	told         *restored // of the restore this App began with
	suppressions *subject.Suppressions
	shreds       *subject.Shreds
	webhooks     *notify.Client
	targets      atomic.Pointer[[]catalog.Target] // who is told, as the newest configuration has it
	thin         thin

	traffic *request.Traffic // what runs, whatever configuration it began with

	mu      sync.Mutex
	address string                // where the console is, "" while it is not served
	furnish func(*Parts)          // gives new parts their pages
	newest  atomic.Pointer[Parts] // Parts, for those who do not hold mu
	checked atomic.Int64          // when recent last looked at the configuration, in Unix nanoseconds
}

// Open takes the data directory and opens everything in it; *cli.Owned when another process has it. Systems are
// connected when they are first asked. ctx ends what the directory's other users have running here.
func Open(ctx context.Context, c Config) (_ *App, err error) {
	a := &App{cfg: c.withDefaults(), traffic: &request.Traffic{}}
	a.ctx, a.cancel = context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, a.cancel)
	defer func() {
		if err != nil {
			stop()
			err = errors.Join(err, a.Close())
		}
	}()
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the data directory %s cannot be made", c.DataDir)
	}
	if a.lock = c.owned; a.lock == nil {
		a.lock, err = takeLock(c.DataDir, ownerNow(a.cfg.Command, a.cfg.Clock.Now()))
	}
	if err != nil {
		return nil, err
	}
	if err := a.clearSpill(); err != nil {
		return nil, err
	}
	cfg, print, err := loadConfig(c.ConfigPath)
	if err != nil {
		return nil, err
	}
	if err := a.openOwn(ctx, cfg); err != nil {
		return nil, err
	}
	if a.Ledger != nil {
		if err := a.openConsents(ctx, cfg); err != nil {
			return nil, err
		}
		p, err := a.build(ctx, cfg, print)
		if err != nil {
			return nil, err
		}
		a.setParts(p)
		if err := errors.Join(a.rejoin(ctx, p), a.shreds.Finish(ctx)); err != nil {
			return nil, err
		}
		if err := errors.Join(a.declare(ctx, cfg, print), a.noteRestored(ctx), a.noteTurns(ctx)); err != nil {
			return nil, err
		}
		if err := a.noteGuesses(ctx, a.cfg.opened); err != nil {
			return nil, err
		}
		if a.keysWeak, err = a.keysDue(ctx, cfg.Keys); err != nil {
			return nil, err
		}
	}
	a.socket, err = listen(a.ctx, c.DataDir, a.runCall)
	return a, err
}

// spill is where the engine puts what does not fit into memory, sealed.
func (a *App) spill() string { return filepath.Join(a.cfg.DataDir, "spill") }

// clearSpill removes what a killed process left.
func (a *App) clearSpill() error {
	if err := errors.Join(os.RemoveAll(a.spill()), os.Mkdir(a.spill(), 0o700)); err != nil {
		return fault.Wrap(fault.Unavailable, err, "the folder for temporary files cannot be made")
	}
	return nil
}

// openOwn opens what belongs to Ombud itself: keys, store, ledger.
func (a *App) openOwn(ctx context.Context, cfg *catalog.Config) (err error) {
	c := a.cfg
	if a.Vault, err = c.openKeys(cfg); err != nil {
		return err
	}
	if err := a.Vault.Load(ctx); err != nil {
		return err
	}
	store, err := catalog.ExpandDSN("--store", c.Store)
	if err != nil {
		return err
	}
	if a.DB, err = db.Open(ctx, db.Config{Path: store, Clock: c.Clock, Hook: c.Hook}); err != nil {
		return err
	}
	if a.heads, err = c.headsOf(cfg); err != nil {
		return err
	}
	a.years, a.witnesses = yearsOf(cfg, c.Clock.Now()), witnessesOf(cfg)
	a.warnings = append(a.warnings, c.sharedDisk(a.heads)...)
	a.Ledger, err = ledger.Open(ctx, a.ledgerConfig())
	if c.Accepted != nil && fault.KindOf(err) == fault.Integrity {
		if err := a.acceptStore(ctx); err != nil {
			return err
		}
		a.cfg.Restored, a.cfg.Gap = true, c.Accepted
		a.Ledger, err = ledger.Open(ctx, a.ledgerConfig())
	}
	if c.Damaged && fault.KindOf(err) == fault.Integrity {
		a.Ledger = nil
		return nil
	}
	if err == nil {
		a.Keys, err = access.OpenKeys(ctx, a.DB, a.Ledger, c.Clock)
	}
	if err == nil {
		a.Accounts, err = access.OpenAccounts(ctx, a.DB, a.Vault, a.Ledger, c.Clock)
	}
	if err == nil {
		a.Desk = oidc.NewDesk(a.Accounts, c.Clock)
	}
	return err
}

func (a *App) ledgerConfig() ledger.Config {
	return ledger.Config{DB: a.DB, Vault: a.Vault, Clock: a.cfg.Clock, Heads: a.heads.folders, Buckets: a.heads.buckets, Witnesses: a.witnesses, Log: a.cfg.Log, Restored: a.cfg.Restored, Years: a.years,
		Alarm: func(ctx context.Context, tx *db.Tx, why string) (string, error) {
			return a.Accounts.AlarmOf(ctx, tx, access.AlarmWitness, why)
		}}
}

// Close takes no more calls, waits for what runs, leaves nothing open, and gives the directory back. The order is
// that of Open, backwards. It may be called on a half-opened App.
func (a *App) Close() error {
	if a.socket != nil {
		a.socket.stop(a.cfg.DataDir)
	}
	a.cancel()
	a.work.Wait()
	var errs []error
	if a.webhooks != nil {
		a.webhooks.Close()
	}
	if a.Parts != nil {
		errs = append(errs, a.Catalog.Close())
	}
	if a.Keys != nil {
		errs = append(errs, a.Keys.Flush(context.WithoutCancel(a.ctx)))
	}
	if a.Accounts != nil {
		errs = append(errs, a.Accounts.Flush(context.WithoutCancel(a.ctx)))
	}
	if a.DB != nil {
		errs = append(errs, a.DB.Close())
	}
	if a.Vault != nil {
		errs = append(errs, a.Vault.Close())
	}
	if a.lock != nil {
		errs = append(errs, a.lock.release())
	}
	return errors.Join(errs...)
}

// VerifyLedger reads the whole ledger and compares it with what is outside. It works on a damaged one too.
func (a *App) VerifyLedger(ctx context.Context, o ledger.VerifyOptions) (ledger.Report, error) {
	r, err := ledger.Verify(ctx, a.ledgerConfig(), o)
	if err == nil || r.Problem != "" {
		a.rememberVerified(r)
	}
	return r, err
}

// Checkpoint makes what was written verifiable from outside.
func (a *App) Checkpoint(ctx context.Context) error {
	if a.Ledger == nil {
		return nil
	}
	_, err := a.Ledger.Checkpoint(ctx)
	return err
}

// Go runs fn beside the callers: a run that a web request began. fn's context ends when the App closes, which waits
// for fn. The parts of the configuration it began with stay open.
func (a *App) Go(p *Parts, fn func(context.Context, *Parts)) {
	p, release := a.hold(p)
	a.work.Go(func() {
		defer release()
		fn(a.ctx, p)
	})
}

// Parts are what depends on the configuration.
type Parts struct {
	Catalog  *catalog.Catalog
	Engine   *plan.Engine
	Holds    *subject.Holds
	Requests *request.Service
	Policies *access.Policies

	pages    http.Handler // console and API of these parts, where they are served
	programs http.Handler
	print    string       // of the file they were built from
	users    atomic.Int64 // see oneUser
	closed   atomic.Bool
}

func (a *App) build(ctx context.Context, cfg *catalog.Config, print string) (*Parts, error) {
	return a.buildOnly(ctx, cfg, print, "")
}

// buildOnly builds parts whose requests are about one system alone, unless only is "".
func (a *App) buildOnly(ctx context.Context, cfg *catalog.Config, print, only string) (*Parts, error) {
	p := &Parts{print: print, Catalog: catalog.Open(ctx, cfg, openers(), a.cfg.Clock)}
	var err error
	if p.Policies, err = access.LoadPolicies(cfg.PolicyFolders()); err != nil {
		return nil, err
	}
	if p.Holds, err = subject.OpenHolds(ctx, a.DB, a.Vault, a.Ledger, a.cfg.Clock); err != nil {
		return nil, err
	}
	p.Engine, err = plan.New(ctx, plan.Config{
		Catalog: p.Catalog, DB: a.DB, Vault: a.Vault, Clock: a.cfg.Clock, TempDir: a.spill(), Hook: a.cfg.Hook,
	})
	if err != nil {
		return nil, err
	}
	p.Requests, err = request.New(ctx, request.Config{
		DB: a.DB, Vault: a.Vault, Ledger: a.Ledger, Engine: p.Engine, Holds: p.Holds, Catalog: p.Catalog, Clock: a.cfg.Clock, Dir: a.cfg.DataDir,
		Suppressions: a.suppressions, Shreds: a.shreds, Traffic: a.traffic, Log: a.cfg.Log, Only: only, Staffed: a.Accounts.Any, Uses: a.uses, Called: a.called,
	})
	return p, err
}
