package catalog

import (
	"net/netip"
	"net/url"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/ombudhq/ombud/internal/dial"
)

var permission = []string{"private"}

func (r *reader) serve(n *yaml.Node, s *Serve) {
	r.mapping(n, "serve", fields{
		"url": r.origin(&s.URL),
		"tls": func(n *yaml.Node) { r.tls(n, &s.TLS) },
		"behind_proxy": func(n *yaml.Node) {
			r.textsOf(&s.Behind, "address", isNetwork, "such as 10.1.2.3 or 10.0.0.0/8")(n)
		},
		"hsts": r.oneOf(&s.HSTS, "word", []string{"preload"}, nil),
	})
	switch {
	case s.Encrypted() && s.URL == "":
		r.fault(n, "serve needs url: the address that is answered to and stands in links")
	case !s.Encrypted() && s.URL != "":
		r.fault(n, "serve.url needs tls, or behind_proxy: nobody speaks TLS there")
	case s.TLS.On() && len(s.Behind) > 0:
		r.fault(n, "serve has tls or behind_proxy, not both: one of the two speaks TLS")
	}
}

func (r *reader) tls(n *yaml.Node, t *TLS) {
	r.mapping(n, "serve.tls", fields{
		"cert": r.text(&t.Cert), "key": r.text(&t.Key), "client_ca": r.text(&t.ClientCA), "pins": r.pins(&t.Pins),
		"acme": func(n *yaml.Node) {
			r.mapping(n, "serve.tls.acme", fields{
				"directory": r.address(&t.ACME.Directory), "email": r.text(&t.ACME.Email), "ca": r.text(&t.ACME.CA),
				"allow": r.oneOf(&t.ACME.Allow, "permission", permission, nil),
			})
			if !t.ACME.On() {
				r.fault(n, "serve.tls.acme needs email, or directory")
			}
		},
	})
	switch {
	case (t.Cert == "") != (t.Key == ""):
		r.fault(n, "serve.tls.cert and serve.tls.key go together")
	case t.Cert != "" && t.ACME.On():
		r.fault(n, "serve.tls has cert and key, or acme, not both")
	case !t.On():
		r.fault(n, "serve.tls needs cert and key, or acme")
	}
}

// peer reads how a service we call is known.
func (r *reader) peer(n *yaml.Node, p *Peer) {
	r.mapping(n, "tls", fields{"ca": r.text(&p.CA), "cert": r.text(&p.Cert), "key": r.text(&p.Key), "pins": r.pins(&p.Pins)})
	if (p.Cert == "") != (p.Key == "") {
		r.fault(n, "tls.cert and tls.key go together")
	}
}

func (r *reader) pins(to *[]string) func(*yaml.Node) {
	return r.textsOf(to, "pin", dial.IsPin, "which is sha256/ and the base64 of 32 bytes")
}

// origin reads https://HOST[:PORT] and nothing more.
func (r *reader) origin(to *string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		s, ok := r.scalar(n, "an address")
		*to = strings.TrimSuffix(strings.TrimSuffix(s, "/"), ":443")
		u, err := url.Parse(*to)
		if ok && (err != nil || u.Scheme != "https" || u.Hostname() == "" || u.String() != "https://"+u.Host || u.User != nil) {
			r.fault(n, "%q is no address of a server: https:// and a host, with a port where it is not 443", s)
		} else if ok && u.Host != strings.ToLower(u.Host) {
			r.fault(n, "%q has capital letters in its host; browsers write it in small ones", s)
		}
	}
}

// address reads an https URL of somebody we call.
func (r *reader) address(to *string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		s, ok := r.scalar(n, "an address")
		*to = s
		if u, err := url.Parse(s); ok && (err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil) {
			r.fault(n, "%q is no https address", s)
		}
	}
}

// isNetwork tells whether a text is an address or a prefix of addresses.
func isNetwork(s string) bool {
	if _, err := netip.ParseAddr(s); err == nil {
		return true
	}
	p, err := netip.ParsePrefix(s)
	return err == nil && p.Bits() > 0 // of everybody nobody can be trusted
}
