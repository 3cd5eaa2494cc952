package transport

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/dial"
	"github.com/ombudhq/ombud/internal/fault"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// authority is somebody who signs certificates.
type authority struct {
	t    *testing.T
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	a := &authority{t: t, dir: t.TempDir()}
	a.cert, a.key = a.make(&x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, nil)
	a.write("ca.pem", "CERTIFICATE", a.cert.Raw)
	return a
}

func (a *authority) must(err error) {
	a.t.Helper()
	if err != nil {
		a.t.Fatal(err)
	}
}

func (a *authority) make(c *x509.Certificate, by *authority) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	a.must(err)
	c.SerialNumber, c.Subject = big.NewInt(time.Now().UnixNano()), pkix.Name{CommonName: "test"}
	c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := c, key
	if by != nil {
		parent, signer = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
	a.must(err)
	c, err = x509.ParseCertificate(der)
	a.must(err)
	return c, key
}

func (a *authority) path(name string) string { return filepath.Join(a.dir, name) }

func (a *authority) write(name, kind string, der []byte) {
	a.t.Helper()
	a.must(os.WriteFile(a.path(name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
}

// issue writes NAME.pem and NAME.key for a host.
func (a *authority) issue(name, host string) *x509.Certificate {
	a.t.Helper()
	c, key := a.make(&x509.Certificate{DNSNames: []string{host}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}, a)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	a.must(err)
	a.write(name+".pem", "CERTIFICATE", c.Raw)
	a.write(name+".key", "PRIVATE KEY", der)
	return c
}

func (a *authority) config() Config {
	return Config{Host: "ombud.test", Cert: a.path("s.pem"), Key: a.path("s.key"), Clock: clock.NewFake(noon), Log: slog.New(slog.DiscardHandler)}
}

// shake makes a connection and gives what the server shows, and why either side ended it.
func (a *authority) shake(server *tls.Config, client *tls.Config) (tls.ConnectionState, error) {
	a.t.Helper()
	pool, err := dial.Pool(a.path("ca.pem"))
	a.must(err)
	client.RootCAs, client.ServerName = pool, "ombud.test"
	l, err := tls.Listen("tcp", "127.0.0.1:0", server)
	a.must(err)
	defer l.Close()
	served := make(chan error, 1)
	go func() {
		c, err := l.Accept()
		if err == nil {
			err = c.(*tls.Conn).Handshake()
			defer c.Close()
		}
		served <- err
	}()
	raw, err := net.Dial("tcp", l.Addr().String())
	a.must(err)
	c := tls.Client(raw, client)
	defer c.Close()
	err = c.Handshake()
	return c.ConnectionState(), errors.Join(err, <-served)
}

// TestNothingOlderThanTLS13: what negotiates is 1.3 with an AEAD suite; 1.2 is refused.
func TestNothingOlderThanTLS13(t *testing.T) {
	a := newAuthority(t)
	a.issue("s", "ombud.test")
	server, err := TLS(a.config())
	a.must(err)
	state, err := a.shake(server, &tls.Config{})
	if err != nil || state.Version != tls.VersionTLS13 {
		t.Errorf("%x, %v", state.Version, err)
	}
	if suite := tls.CipherSuiteName(state.CipherSuite); !strings.Contains(suite, "GCM") && !strings.Contains(suite, "POLY1305") {
		t.Error(suite)
	}
	for _, old := range []uint16{tls.VersionTLS10, tls.VersionTLS11, tls.VersionTLS12} {
		if _, err := a.shake(server, &tls.Config{MinVersion: old, MaxVersion: old}); err == nil {
			t.Errorf("%x was negotiated", old)
		}
	}
}

// TestCertificateIsReadAgain: a new pair is shown within a second; half of one, or one for another name, is not.
func TestCertificateIsReadAgain(t *testing.T) {
	a := newAuthority(t)
	first := a.issue("s", "ombud.test")
	c := a.config()
	server, err := TLS(c)
	a.must(err)
	shows := func(what string, want *x509.Certificate) {
		t.Helper()
		c.Clock.(*clock.Fake).Advance(time.Second)
		state, err := a.shake(server, &tls.Config{})
		if err != nil || !state.PeerCertificates[0].Equal(want) {
			t.Errorf("%s: another certificate, %v", what, err)
		}
	}
	shows("the first", first)
	former, err := os.ReadFile(a.path("s.key"))
	a.must(err)
	second := a.issue("s", "ombud.test")
	fresh, err := os.ReadFile(a.path("s.key"))
	a.must(err)
	a.must(os.WriteFile(a.path("s.key"), former, 0o600))
	shows("in the middle of a change", first)
	a.must(os.WriteFile(a.path("s.key"), append(fresh, '\n'), 0o600))
	shows("after it", second)
	a.issue("s", "other.test")
	shows("for another name", second)
	a.must(os.Remove(a.path("s.pem")))
	shows("while it is away", second)
}

func TestCertificateIsJudged(t *testing.T) {
	a := newAuthority(t)
	a.issue("s", "other.test")
	for what, change := range map[string]func(*Config){
		"another name":   func(*Config) {},
		"no file":        func(c *Config) { c.Cert = a.path("none") },
		"not one pair":   func(c *Config) { c.Host = "other.test"; c.Key = a.path("ca.pem") },
		"no authority":   func(c *Config) { c.Host = "other.test"; c.ClientCA = a.path("s.key") },
		"open to others": func(c *Config) { c.Host = "other.test"; a.must(os.Chmod(a.path("s.key"), 0o604)) },
	} {
		c := a.config()
		change(&c)
		if _, err := TLS(c); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", what, err)
		}
		a.must(os.Chmod(a.path("s.key"), 0o640))
	}
}

// TestCallersShowWhoTheyAre: by authority, by key, or both; a connection that is resumed is judged like a new one.
func TestCallersShowWhoTheyAre(t *testing.T) {
	a, b := newAuthority(t), newAuthority(t)
	a.issue("s", "ombud.test")
	known := a.issue("known", "shop.test")
	a.issue("other", "shop.test")
	foreign := b.issue("foreign", "shop.test")
	load := func(a *authority, name string) []tls.Certificate {
		pair, err := tls.LoadX509KeyPair(a.path(name+".pem"), a.path(name+".key"))
		a.must(err)
		return []tls.Certificate{pair}
	}
	who := map[string][]tls.Certificate{"nobody": nil, "known": load(a, "known"), "other": load(a, "other"), "foreign": load(b, "foreign")}
	for _, c := range []struct {
		ca   string
		pins []string
		in   string
	}{
		{"", nil, "nobody known other foreign"},
		{a.path("ca.pem"), nil, "known other"},
		{a.path("ca.pem"), []string{dial.Pin(known)}, "known"},
		{"", []string{dial.Pin(known), dial.Pin(foreign)}, "known foreign"},
		{a.path("ca.pem"), []string{dial.Pin(foreign)}, ""},
		{a.path("ca.pem"), []string{dial.Pin(a.cert)}, "known other"},
	} {
		config := a.config()
		config.ClientCA, config.Pins = c.ca, c.pins
		server, err := TLS(config)
		a.must(err)
		for name, shown := range who {
			_, err := a.shake(server, &tls.Config{Certificates: shown})
			if in := strings.Contains(c.in, name); in != (err == nil) {
				t.Errorf("authority %t, %d pins, %s: %v", c.ca != "", len(c.pins), name, err)
			}
		}
	}
}
