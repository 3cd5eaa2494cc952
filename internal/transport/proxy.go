package transport

import (
	"net/http"
	"net/netip"
	"strings"
)

// Proxies are the addresses of those who speak TLS for the server.
type Proxies []netip.Prefix

// ParseProxies reads addresses and prefixes; what is neither is left out, for the configuration has named it.
func ParseProxies(texts []string) (out Proxies) {
	for _, s := range texts {
		if a, err := netip.ParseAddr(s); err == nil {
			out = append(out, netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()))
		} else if p, err := netip.ParsePrefix(s); err == nil {
			out = append(out, p.Masked())
		}
	}
	return out
}

func (p Proxies) has(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	for _, one := range p {
		if one.Contains(a) {
			return true
		}
	}
	return false
}

// Behind gives a request as its caller sent it, where a proxy passed it on: with the caller's address, and the host that
// they asked for. It is the same request where nobody passed it on. ok is false when a proxy says that it came unencrypted.
// Of the chain of addresses the last one counts that is not a proxy of ours: what stands before it, anybody can have
// written.
func (p Proxies) Behind(r *http.Request) (_ *http.Request, ok bool) {
	if len(p) == 0 {
		return r, true
	}
	if from, err := netip.ParseAddrPort(r.RemoteAddr); err != nil || !p.has(from.Addr()) {
		return r, true
	}
	for _, scheme := range r.Header.Values("X-Forwarded-Proto") {
		if !strings.EqualFold(scheme, "https") {
			return r, false
		}
	}
	out := new(http.Request)
	*out = *r
	chain := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(chain) - 1; i >= 0; i-- {
		a, err := netip.ParseAddr(strings.TrimSpace(chain[i]))
		if err != nil {
			break
		}
		out.RemoteAddr = netip.AddrPortFrom(a.Unmap(), 0).String()
		if !p.has(a) {
			break
		}
	}
	if host := r.Header.Values("X-Forwarded-Host"); len(host) == 1 {
		out.Host = host[0]
	}
	return out, true
}

// From tells whether a request comes from one of the proxies.
func (p Proxies) From(r *http.Request) bool {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && p.has(from.Addr())
}
