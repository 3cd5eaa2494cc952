package app

import (
	"crypto/tls"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"strings"

	"golang.org/x/crypto/acme"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/transport"
)

// door is how the server is reached: from its own machine in the clear, or from others at one address, encrypted by itself
// or by a proxy that is known.
type door struct {
	origin  string          // of the addresses we print and write into links
	hosts   map[string]bool // as a browser writes them; whoever asks for another one is turned away
	scheme  string
	cookie  string // name of the cookie of a session
	public  bool   // people of other machines come here
	tls     *tls.Config
	acme    *transport.Authority // who gives us certificates; nil without one
	proxies transport.Proxies
	hsts    []string // the header, nil without one
}

// How long a browser remembers that this host is encrypted: two years, as the lists of the browsers want it.
const (
	strict        = "max-age=63072000"
	strictPreload = strict + "; includeSubDomains; preload"
)

// localDoor is that of a server that its own machine reaches. Cookies do not tell ports apart: their name does.
func localDoor(addr net.Addr) (*door, error) {
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return nil, err
	}
	d := &door{scheme: "http", origin: "http://" + net.JoinHostPort(host, port), cookie: "ombud_" + port, hosts: map[string]bool{}}
	for _, h := range []string{host, "127.0.0.1", "localhost", "::1"} {
		d.hosts[net.JoinHostPort(h, port)] = true
	}
	return d, nil
}

// doorOf is that of the configuration.
func (a *App) doorOf(cfg *catalog.Config, addr net.Addr) (*door, error) {
	s := cfg.Serve
	if !s.Encrypted() {
		return localDoor(addr)
	}
	host := strings.TrimPrefix(s.URL, "https://")
	d := &door{scheme: "https", origin: s.URL, hosts: map[string]bool{host: true}, cookie: "__Host-ombud", public: true,
		proxies: transport.ParseProxies(s.Behind), hsts: []string{strict}}
	if s.HSTS == "preload" {
		d.hsts = []string{strictPreload}
	}
	if !s.TLS.On() {
		return d, nil
	}
	c := transport.Config{Host: transport.Host(s.URL), Cert: cfg.File(s.TLS.Cert), Key: cfg.File(s.TLS.Key), ClientCA: cfg.File(s.TLS.ClientCA),
		Pins: s.TLS.Pins, Clock: a.cfg.Clock, Log: a.cfg.Log}
	var err error
	if s.TLS.ACME.On() {
		if d.acme, err = a.authority(cfg); err != nil {
			return nil, err
		}
		c.ACME = d.acme
	}
	d.tls, err = transport.TLS(c)
	return d, err
}

// mayListen refuses addresses that others can reach, where nobody speaks TLS.
func mayListen(listen string, s catalog.Serve) error {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return fault.New(fault.Invalid, "--listen %s is not HOST:PORT", listen)
	}
	ip, err := netip.ParseAddr(host)
	if host == "localhost" || err == nil && ip.IsLoopback() || s.Encrypted() {
		return nil
	}
	return fault.New(fault.Denied, "%s can be reached from other machines, and nobody speaks TLS there: passwords, keys and personal data would travel in the clear", listen).
		Then("Say serve.url and serve.tls in ombud.yaml, or serve.behind_proxy where a proxy speaks TLS; or listen on 127.0.0.1 and reach it through ssh -L.")
}

// admit judges how a request came, and gives it as its caller sent it; 0 when it may go on, else the status and why not.
func (d *door) admit(r *http.Request) (_ *http.Request, status int, why string) {
	if r.TLS != nil && r.TLS.NegotiatedProtocol == acme.ALPNProto {
		return r, http.StatusMisdirectedRequest, "this connection is for the certificate authority"
	}
	if probe(r) {
		return r, 0, ""
	}
	if len(d.proxies) > 0 && !d.proxies.From(r) {
		return r, http.StatusForbidden, "this server is reached through its proxy"
	}
	r, encrypted := d.proxies.Behind(r)
	switch {
	case !encrypted:
		return r, http.StatusForbidden, "this server is reached encrypted"
	case !d.hosts[r.Host]:
		return r, http.StatusMisdirectedRequest, "this server answers to its own address only"
	}
	return r, 0, ""
}

// probe tells whether somebody asks how we are; that is nobody's secret, and whoever asks may know us by a number only.
func probe(r *http.Request) bool {
	return r.Method == http.MethodGet && (r.URL.Path == "/healthz" || r.URL.Path == "/readyz")
}

// serve answers on a listener until the server is shut down.
func (d *door) serve(s *http.Server, l net.Listener) error {
	if d.tls == nil {
		return s.Serve(l)
	}
	s.TLSConfig = d.tls
	return s.ServeTLS(l, "", "")
}

// serverLog takes what the server of the library says, without the addresses of those who ask. Handshakes that failed are left
// out: anybody can knock.
func serverLog(to *slog.Logger) *log.Logger {
	return log.New(quiet{slog.NewLogLogger(to.Handler(), slog.LevelWarn).Writer()}, "", 0)
}

type quiet struct{ io.Writer }

// addressForm is one of the network, with a port, as the library writes it.
var addressForm = regexp.MustCompile(`(?:\d{1,3}\.){3}\d{1,3}:\d+|\[[0-9A-Fa-f:.]+(?:%[^\]\s]+)?\]:\d+`)

func (q quiet) Write(p []byte) (int, error) {
	if strings.HasPrefix(string(p), "http: TLS handshake error") {
		return len(p), nil
	}
	if _, err := q.Writer.Write(addressForm.ReplaceAll(p, []byte("somebody"))); err != nil {
		return 0, err
	}
	return len(p), nil
}
