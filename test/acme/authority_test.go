package acme_test

import (
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
	"github.com/miekg/dns"
)

// host is whose certificate is asked for.
const host = "privacy.example.com"

// authority is Pebble: with nonces that it refuses at random, and a DNS of its own in which every name is this machine.
type authority struct {
	server *httptest.Server
	file   string         // with the certificate it is reached by
	roots  *x509.CertPool // of what it gives
	down   atomic.Bool    // it hangs up
	orders atomic.Int64
}

// newAuthority looks for the hosts it gives certificates to at a port.
func newAuthority(t *testing.T, port string) *authority {
	t.Helper()
	t.Setenv("PEBBLE_VA_NOSLEEP", "1")
	t.Setenv("PEBBLE_WFE_NONCEREJECT", "20")
	t.Setenv("PEBBLE_AUTHZREUSE", "0")
	quiet, store := log.New(io.Discard, "", 0), db.NewMemoryStore()
	n, err := strconv.Atoi(port)
	must(t, err)
	issuer := ca.New(quiet, store, "", 0, 1, map[string]ca.Profile{"default": {Description: "a quarter", ValidityPeriod: 90 * 24 * 3600}})
	front := wfe.New(quiet, store, va.New(quiet, 1, n, true, resolver(t), store), issuer, true, false, 0, 0)
	a := &authority{roots: x509.NewCertPool(), file: filepath.Join(t.TempDir(), "authority.pem")}
	handler := front.Handler()
	a.server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a.down.Load() {
			panic(http.ErrAbortHandler)
		}
		seen := &status{ResponseWriter: w}
		handler.ServeHTTP(seen, r)
		if r.URL.Path == "/order-plz" && seen.code == http.StatusCreated {
			a.orders.Add(1)
		}
	}))
	t.Cleanup(a.server.Close)
	must(t, os.WriteFile(a.file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.server.Certificate().Raw}), 0o600))
	a.roots.AppendCertsFromPEM(issuer.GetRootCert(0).PEM())
	return a
}

// status remembers what was answered.
type status struct {
	http.ResponseWriter
	code int
}

// WriteHeader answers.
func (s *status) WriteHeader(code int) { s.code = code; s.ResponseWriter.WriteHeader(code) }

// resolver is a DNS in which every name is this machine.
func resolver(t *testing.T) string {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	must(t, err)
	s := &dns.Server{PacketConn: conn, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg)
		m.SetReply(q)
		if q.Question[0].Qtype == dns.TypeA {
			m.Answer = []dns.RR{&dns.A{Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 1}, A: net.IPv4(127, 0, 0, 1)}}
		}
		_ = w.WriteMsg(m) // who asked gives up by itself
	})}
	ended := make(chan error, 1)
	go func() { ended <- s.ActivateAndServe() }()
	t.Cleanup(func() { _ = conn.Close(); <-ended })
	return conn.LocalAddr().String()
}
