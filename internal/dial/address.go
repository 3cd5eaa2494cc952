package dial

import (
	"errors"
	"net/netip"
	"syscall"
)

// ErrAddress is why a connection was not begun: somebody asked for an address that is not allowed.
var ErrAddress = errors.New("this address is not allowed")

// never are addresses no configuration allows: there, machines answer that hand out credentials, or many at once.
var never = prefixes(
	"0.0.0.0/8",          // this host
	"169.254.0.0/16",     // link-local, metadata of most clouds
	"168.63.129.16/32",   // metadata of Azure
	"100.100.100.200/32", // metadata of Alibaba
	"192.0.0.192/32",     // metadata of Oracle
	"fd00:ec2::/32",      // metadata of Amazon
	"fd20:ce::254/128",   // metadata of Google
	"224.0.0.0/4", "240.0.0.0/4", "::/128", "fe80::/10", "ff00::/8",
)

// local are addresses of networks that are somebody's own; whoever is configured with "allow: private" may be there.
var local = prefixes(
	"127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",
	"100.64.0.0/10", // shared by carriers, used inside clouds
	"::1/128", "fc00::/7", "fec0::/10",
)

// special are addresses nobody is at, or behind which another address hides.
var special = prefixes(
	"192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
	"2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
)

// global is all of IPv6 that is routed.
var global = netip.MustParsePrefix("2000::/3")

func prefixes(texts ...string) (out []netip.Prefix) {
	for _, s := range texts {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

// allowed judges an address that a name was resolved to.
func allowed(a netip.Addr, private bool) bool {
	a = a.Unmap().WithZone("")
	switch {
	case !a.IsValid() || within(a, never):
		return false
	case within(a, local):
		return private
	}
	return !within(a, special) && (a.Is4() || global.Contains(a))
}

func within(a netip.Addr, all []netip.Prefix) bool {
	for _, p := range all {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// control is asked by the dialer before each connection, when the address is a number.
func control(private bool) func(network, address string, c syscall.RawConn) error {
	return func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil || !allowed(at.Addr(), private) {
			return ErrAddress
		}
		return nil
	}
}
