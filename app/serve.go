package app

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/ombudhq/ombud/cli"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/transport"
)

// grace is how long requests under way may take to end when the server stops.
const grace = 10 * time.Second

// garbage is how much more a server gathers before it is collected. Without it a server that knows few people would
// collect every few thousand decisions, at a tenth of their cost. It is never touched, so it takes no memory itself.
const garbage = 32 << 20

const tokenFile = "serve.token"

// serve answers HTTP until ctx ends. It recovers what an earlier process left running, keeps checkpoints coming,
// and runs the commands of other processes on this data directory.
func serve(ctx context.Context, c Config, o cli.ServeOptions) (err error) {
	cfg, _, err := loadConfig(c.ConfigPath)
	if err != nil {
		return err
	}
	if err := mayListen(o.Listen, cfg.Serve); err != nil {
		return err
	}
	if err := keepMemory(); err != nil {
		return err
	}
	c.Log, c.Accepted = slog.New(slog.NewTextHandler(o.Log, nil)), o.Gap
	if c, o.Listen, err = c.awaitPassphrase(ctx, cfg, o); err != nil {
		return err
	}
	a, err := Open(ctx, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	l, err := net.Listen("tcp", o.Listen)
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "%s cannot be listened on", o.Listen).Then("Is another program there? --listen 127.0.0.1:0 takes a free port.")
	}
	if err := a.firstAccount(ctx, o); err != nil {
		return errors.Join(err, l.Close())
	}
	d, err := a.doorOf(cfg, l.Addr())
	if err != nil {
		return errors.Join(err, l.Close())
	}
	f, err := newFront(ctx, a, d, o.Actor)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	f.tracer = a.tracerOf(cfg.Tracing)
	remove, err := leaveToken(c.DataDir, f.token)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	defer remove()
	return a.run(ctx, l, f, o)
}

// run serves, and ends everything in the order it was begun, backwards.
func (a *App) run(ctx context.Context, l net.Listener, f *front, o cli.ServeOptions) error {
	for _, w := range slices.Concat(a.mended, a.warnings, a.keysWeak) {
		a.cfg.Log.Warn(w)
	}
	checkpoints := make(chan error, 1)
	beat, stopBeat := context.WithCancel(context.WithoutCancel(ctx))
	go func() { checkpoints <- a.Ledger.Run(beat) }()
	a.Go(nil, func(ctx context.Context, p *Parts) { a.recover(ctx, p, f) })
	a.work.Go(func() { a.resumeRotation(a.ctx) })
	a.work.Go(func() { a.Ledger.RunWitnesses(a.ctx) })
	a.work.Go(func() { a.tend(a.ctx) })
	a.work.Go(func() { a.keepConsents(a.ctx) })
	a.work.Go(func() { a.Consents.Run(a.ctx) })
	a.work.Go(func() { a.Relay.Run(a.ctx) })
	a.work.Go(func() { a.followConsents(a.ctx) })
	if a.Mirror != nil {
		a.work.Go(func() { a.Mirror.Run(a.ctx) })
	}
	a.keepDoor(f.door)
	if f.tracer != nil {
		f.metrics.lost(f.tracer)
		a.work.Go(func() { f.tracer.Run(a.ctx) })
	}
	ballast := make([]byte, garbage)
	defer runtime.KeepAlive(ballast)
	server := &http.Server{
		Handler: f, ReadTimeout: 30 * time.Second, WriteTimeout: 10 * time.Minute,
		IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10, ErrorLog: serverLog(a.cfg.Log),
		BaseContext: func(net.Listener) context.Context { return a.ctx },
	}
	served := make(chan error, 1)
	go func() { served <- f.door.serve(server, transport.Sparing(l)) }()
	o.Ready(f.url())
	var err, broken error
	select {
	case err = <-served:
	case <-a.DB.Broken(): // others may have the store by now: what is in memory may be old
		broken = a.DB.Err()
		err = server.Close()
	case <-ctx.Done():
		f.stopping.Store(true)
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
		defer cancel()
		if err = server.Shutdown(end); err != nil {
			err = server.Close()
		}
	}
	a.cancel()
	a.work.Wait() // their last entries are in the last checkpoint
	stopBeat()
	return errors.Join(broken, err, <-checkpoints)
}

// keepDoor keeps what lets people and programs in as it must be: keys, sessions, who is vouched for, the certificate.
func (a *App) keepDoor(d *door) {
	a.work.Go(func() {
		a.Keys.Run(a.ctx, func(err error) { a.cfg.Log.Error("the last uses of API keys could not be written", "error", err) })
	})
	a.work.Go(func() {
		a.Accounts.Run(a.ctx, func(err error) { a.cfg.Log.Error("what is over of sessions could not be written", "error", err) })
	})
	a.work.Go(func() {
		a.Desk.Run(a.ctx, func(err error) { a.cfg.Log.Error("what identity providers say could not be taken in", "error", err) })
	})
	if d.acme != nil {
		a.work.Go(func() { d.acme.Run(a.ctx) })
	}
}

// recover goes on with what was interrupted, then says that we are ready.
func (a *App) recover(ctx context.Context, p *Parts, f *front) {
	if err := p.Requests.Recover(ctx); err != nil && ctx.Err() == nil {
		a.cfg.Log.Error("not everything that was interrupted could go on; ombud dsr list shows it", "error", err)
	}
	f.ready.Store(true)
	debug.FreeOSMemory() // what opening took: an idle server is no larger than what it knows
}

// leaveToken writes DIR/serve.token for programs of the same user.
func leaveToken(dir, token string) (remove func(), err error) {
	path := filepath.Join(dir, tokenFile)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fault.Wrap(fault.Unavailable, err, "an old %s cannot be removed", tokenFile)
	}
	if err := os.WriteFile(path, []byte(token+"\n"), 0o600); err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "%s cannot be written", tokenFile)
	}
	return func() { _ = os.Remove(path) }, nil
}

// secret is 160 random bits as text that a URL takes.
func secret() string { return strings.ToLower(rand.Text()) }
