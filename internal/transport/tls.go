package transport

import (
	"crypto/tls"
	"errors"
	"log/slog"
	"net/url"
	"os"
	"sync"
	"time"

	"golang.org/x/crypto/acme"

	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/dial"
	"github.com/ombudhq/ombud/internal/fault"
)

// Config says where the certificate comes from, and whom it is shown to. Cert and Key, or ACME.
type Config struct {
	Host      string // the name it is for
	Cert, Key string
	ACME      *Authority
	ClientCA  string
	Pins      []string
	Clock     clock.Clock
	Log       *slog.Logger
}

// TLS makes the configuration of a server. fault.Invalid names what cannot be used.
func TLS(c Config) (*tls.Config, error) {
	out := &tls.Config{MinVersion: tls.VersionTLS13, NextProtos: []string{"h2", "http/1.1"}, VerifyConnection: dial.Pinned(c.Pins)}
	if err := callers(out, c); err != nil {
		return nil, err
	}
	if c.ACME != nil {
		byACME(out, c.ACME)
		return out, nil
	}
	f := &files{Config: c}
	if err := f.load(); err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the certificate of serve.tls cannot be used").
			Then("cert holds the certificate and those that vouch for it, key its private key, both as PEM; nobody but you and your group may read the key.")
	}
	out.GetCertificate = f.get
	return out, nil
}

// callers says what callers must show.
func callers(out *tls.Config, c Config) error {
	switch {
	case c.ClientCA != "":
		pool, err := dial.Pool(c.ClientCA)
		if err != nil {
			return fault.New(fault.Invalid, "serve.tls.client_ca is no readable file of PEM certificates")
		}
		out.ClientAuth, out.ClientCAs = tls.RequireAndVerifyClientCert, pool
	case len(c.Pins) > 0:
		out.ClientAuth = tls.RequireAnyClientCert
	}
	return nil
}

func byACME(out *tls.Config, a *Authority) {
	if err := a.restore(); err != nil {
		a.Log.Error("the certificate that is kept cannot be used; another one is asked for", "error", err)
	}
	out.GetCertificate = a.get
	out.NextProtos = append(out.NextProtos, acme.ALPNProto)
	if out.ClientAuth == tls.NoClientCert {
		return
	}
	// The authority shows no certificate when it looks whether we are who we say.
	plain := out.Clone()
	plain.ClientAuth, plain.ClientCAs, plain.VerifyConnection = tls.NoClientCert, nil, nil
	plain.NextProtos = []string{acme.ALPNProto}
	out.GetConfigForClient = func(h *tls.ClientHelloInfo) (*tls.Config, error) {
		if proves(h) {
			return plain, nil
		}
		return nil, nil
	}
}

// looked is how often files are looked at, at most.
const looked = time.Second

// files is a certificate that is read again when one of its files changed.
type files struct {
	Config
	mu     sync.Mutex
	now    *tls.Certificate
	state  [2]stamp
	looked time.Time
}

// stamp tells one content of a file from another.
type stamp struct {
	size    int64
	changed time.Time
}

func (f *files) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	at := f.Clock.Now()
	if wait := at.Sub(f.looked); wait >= looked || wait < 0 {
		f.looked = at
		if err := f.load(); err != nil {
			f.Log.Error("the files of the certificate cannot be used; the former one stays", "error", err)
		}
	}
	return f.now, nil
}

// load reads the files if they are not those that were read last. A pair that does not belong together, as in the middle of
// a change, is an error, and is looked at again.
func (f *files) load() error {
	state, err := f.stamps()
	if err != nil || f.now != nil && state == f.state {
		return err
	}
	pair, err := tls.LoadX509KeyPair(f.Cert, f.Key)
	if err != nil {
		return err
	}
	if err := pair.Leaf.VerifyHostname(f.Host); err != nil {
		return errors.New("the certificate is for another name than that of serve.url")
	}
	f.now, f.state = &pair, state
	return nil
}

func (f *files) stamps() (out [2]stamp, err error) {
	for i, name := range []string{f.Cert, f.Key} {
		st, err := os.Stat(name)
		if err != nil {
			return out, err
		}
		if i == 1 && st.Mode().Perm()&0o007 != 0 {
			return out, errors.New("everybody on this machine may read the key")
		}
		out[i] = stamp{st.Size(), st.ModTime()}
	}
	return out, nil
}

// Host is the name in the address of a server, without its port.
func Host(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Hostname()
}
