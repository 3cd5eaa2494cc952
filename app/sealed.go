package app

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/ombudhq/ombud/api"
	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/cli"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/vault"
)

// sealed is a server whose root key lies sealed by a passphrase that nobody has given yet. It owns the data directory and opens
// nothing in it: it answers that it lives, and everything else with what to do, until the passphrase comes over the socket or
// from its terminal.
type sealed struct {
	c     Config
	tries chan try
}

// try is a passphrase that somebody gives, and where the answer goes.
type try struct {
	passphrase []byte
	by         string
	answer     chan<- error
}

// awaitPassphrase waits where the root key is sealed and no file holds its passphrase. It gives the configuration to open
// with, which owns the data directory by then, and the address to listen on.
func (c Config) awaitPassphrase(ctx context.Context, cfg *catalog.Config, o cli.ServeOptions) (_ Config, listen string, err error) {
	is, err := vault.Sealed(vault.Config{Dir: c.keys()})
	if err != nil || !is {
		return c, o.Listen, err
	}
	if c.opened = o.Actor; c.Passphrase != nil {
		return c, o.Listen, nil
	}
	if c.owned, err = takeLock(c.DataDir, ownerNow(c.Command, c.Clock.Now())); err != nil {
		return c, "", err
	}
	s := &sealed{c: c, tries: make(chan try)}
	given, listen, err := s.wait(ctx, cfg, o)
	if err != nil {
		return c, "", errors.Join(err, c.owned.release())
	}
	c.Passphrase = func() ([]byte, error) { return given.passphrase, nil }
	c.opened, c.counted = given.by, true
	return c, listen, nil
}

// wait serves until a passphrase opens the root key.
func (s *sealed) wait(ctx context.Context, cfg *catalog.Config, o cli.ServeOptions) (given try, at string, err error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	socket, err := listen(ctx, s.c.DataDir, s.runCall)
	if err != nil {
		return given, "", err
	}
	defer func() { stop(); socket.stop(s.c.DataDir) }() // who asks now is told so
	at, end, err := s.serve(cfg, o.Listen)
	if err != nil {
		return given, "", err
	}
	defer end()
	if o.Ask != nil {
		go s.ask(ctx, o)
	}
	s.c.Log.Warn("the root key is sealed: nothing is answered until its passphrase comes; ombud vault unseal gives it")
	for {
		select {
		case given = <-s.tries:
			err := s.opens(given)
			given.answer <- err
			if err == nil {
				return given, at, nil
			}
			s.c.Log.Warn("a passphrase did not open the root key", "by", given.by, "kind", fault.KindOf(err).String())
		case <-ctx.Done():
			return given, "", fault.Wrap(fault.Unavailable, ctx.Err(), "interrupted while the root key was sealed")
		}
	}
}

// opens looks at a passphrase, once it is counted.
func (s *sealed) opens(t try) error {
	if err := s.c.guessed(t.by); err != nil {
		return err
	}
	v, err := vault.Open(vault.Config{Dir: s.c.keys(), Passphrase: func() ([]byte, error) { return append([]byte(nil), t.passphrase...), nil }})
	if err != nil {
		return err
	}
	return errors.Join(v.Close(), s.c.right())
}

// give hands a passphrase over, and waits for what it came to.
func (s *sealed) give(ctx context.Context, passphrase []byte, by string) error {
	answer := make(chan error, 1)
	select {
	case s.tries <- try{passphrase, by, answer}:
		return <-answer
	case <-ctx.Done():
		return fault.Wrap(fault.Unavailable, ctx.Err(), "the server stopped, or is open already")
	}
}

// ask asks the terminal until what was typed opens the root key.
func (s *sealed) ask(ctx context.Context, o cli.ServeOptions) {
	for ctx.Err() == nil {
		passphrase, err := o.Ask(ctx)
		if err == nil {
			err = s.give(ctx, passphrase, o.Actor)
		}
		if err == nil || fault.KindOf(err) != fault.Denied {
			return
		}
	}
}

// runCall answers the commands of other processes: vault unseal, and nothing else.
func (s *sealed) runCall(ctx context.Context, c *cli.Call, user string, out, errs io.Writer) int {
	p := cli.Program{Version: s.c.Version, Clock: s.c.Clock}
	p.Open = func(context.Context, cli.Place) (*cli.Services, error) { return nil, errSealedServer() }
	p.Unseal = s.give
	return cli.Run(ctx, envOf(c, user, out, errs), p)
}

func errOpenAlready() error {
	return fault.New(fault.Conflict, "the root key is open already: nobody waits for its passphrase")
}

func errSealedServer() error {
	return fault.New(fault.Waiting, "ombud serve has this data directory and waits for the passphrase of its root key").Then("ombud vault unseal gives it.")
}

// serve answers over HTTP that we live and are sealed. A server whose certificate is sealed too answers nobody.
func (s *sealed) serve(cfg *catalog.Config, at string) (address string, end func(), err error) {
	if cfg.Serve.TLS.ACME.On() {
		s.c.Log.Warn("the key of the certificate is sealed too: nobody is answered over HTTP until then")
		return at, func() {}, nil
	}
	l, err := net.Listen("tcp", at)
	if err != nil {
		return "", nil, fault.Wrap(fault.Unavailable, err, "%s cannot be listened on", at).Then("Is another program there? --listen 127.0.0.1:0 takes a free port.")
	}
	d, err := (&App{cfg: s.c}).doorOf(cfg, l.Addr())
	if err != nil {
		return "", nil, errors.Join(err, l.Close())
	}
	server := &http.Server{Handler: sealedHandler{d}, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, MaxHeaderBytes: 16 << 10, ErrorLog: serverLog(s.c.Log)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = d.serve(server, l) // until it is closed
	}()
	return l.Addr().String(), func() { _ = server.Close(); <-ended }, nil
}

// sealedHandler is all that a sealed server answers.
type sealedHandler struct{ door *door }

// ServeHTTP answers that we live, and that we are not ready.
func (s sealedHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	secure(w.Header(), forPrograms(r))
	r, status, why := s.door.admit(r)
	switch {
	case status != 0:
		turnAway(w, r, status, why, "")
	case r.URL.Path == "/healthz":
		writeStatus(w, http.StatusOK, "ok")
	case r.URL.Path == "/readyz":
		writeStatus(w, http.StatusServiceUnavailable, "sealed")
	default:
		api.LeaveBody(w, r)
		w.Header().Set("Retry-After", "60")
		refuse(w, r, http.StatusServiceUnavailable, "the root key is sealed, and its passphrase has not come yet", "On the server, ombud vault unseal gives it.")
	}
}
