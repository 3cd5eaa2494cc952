package dial

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

func TestAllowedAddresses(t *testing.T) {
	for address, want := range map[string]struct{ public, private bool }{
		"93.184.216.34":          {true, true},
		"8.8.8.8":                {true, true},
		"172.15.255.255":         {true, true},
		"172.32.0.1":             {true, true},
		"2606:2800:21f:cb07::1":  {true, true},
		"::ffff:8.8.8.8":         {true, true},
		"127.0.0.1":              {false, true},
		"127.255.255.254":        {false, true},
		"10.1.2.3":               {false, true},
		"172.16.0.1":             {false, true},
		"172.31.255.255":         {false, true},
		"192.168.0.1":            {false, true},
		"100.64.0.1":             {false, true},
		"::1":                    {false, true},
		"fd12:3456::1":           {false, true},
		"::ffff:127.0.0.1":       {false, true},
		"::ffff:10.0.0.1":        {false, true},
		"0.0.0.0":                {false, false},
		"0.1.2.3":                {false, false},
		"::":                     {false, false},
		"169.254.169.254":        {false, false},
		"::ffff:169.254.169.254": {false, false},
		"168.63.129.16":          {false, false},
		"100.100.100.200":        {false, false},
		"192.0.0.192":            {false, false},
		"fd00:ec2::254":          {false, false},
		"fe80::1":                {false, false},
		"fe80::1%eth0":           {false, false},
		"224.0.0.1":              {false, false},
		"239.255.255.255":        {false, false},
		"240.0.0.1":              {false, false},
		"255.255.255.255":        {false, false},
		"ff02::1":                {false, false},
		"::127.0.0.1":            {false, false}, // IPv4-compatible
		"64:ff9b::7f00:1":        {false, false}, // NAT64
		"64:ff9b:1::7f00:1":      {false, false},
		"2002:7f00:1::":          {false, false}, // 6to4
		"2001:0:7f00:1::":        {false, false}, // Teredo
		"2001:db8::1":            {false, false},
		"198.18.0.1":             {false, false},
		"203.0.113.9":            {false, false},
		"100::1":                 {false, false},
		"4000::1":                {false, false},
	} {
		a := netip.MustParseAddr(address)
		if allowed(a, false) != want.public || allowed(a, true) != want.private {
			t.Errorf("%s: public %v, private %v", address, allowed(a, false), allowed(a, true))
		}
	}
	if allowed(netip.Addr{}, true) {
		t.Error("no address is allowed")
	}
}

// spellings writes an IPv4 address in every way that some program reads: what a host may be called in a URL.
func spellings(a netip.Addr) (out []string) {
	b := a.As4()
	n := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	for _, f := range []string{"%d.%d.%d.%d", "0x%x.0x%x.0x%x.0x%x", "0%o.0%o.0%o.0%o", "%03d.%03d.%03d.%03d", "0%d.%d.%d.%d", "%d.0x%x.0%o.%d", "%d.%d.%d.%d.", "%d。%d。%d。%d"} {
		out = append(out, fmt.Sprintf(f, b[0], b[1], b[2], b[3]))
	}
	out = append(out, fmt.Sprint(n), fmt.Sprintf("0x%x", n), fmt.Sprintf("0%o", n), fmt.Sprintf("0X%X", n), fmt.Sprint(uint64(n)+1<<32),
		fmt.Sprintf("%d.%d", b[0], n&0xffffff), fmt.Sprintf("%d.%d.%d", b[0], b[1], n&0xffff), fmt.Sprintf("0x%x.%d", b[0], n&0xffffff),
		strings.Map(func(r rune) rune { return r - '0' + '０' }, fmt.Sprint(n)), // full width
		strings.NewReplacer("1", "①", "2", "②", "0", "⓪").Replace(a.String()),
		"%"+fmt.Sprintf("%x", a.String()[0])+a.String()[1:])
	for _, f := range []string{"::ffff:%s", "::ffff:0:%s", "::%s", "64:ff9b::%s", "64:ff9b:1::%s", "0:0:0:0:0:ffff:%s", "::ffff:%s%%25lo", "fe80::5efe:%s", "fe80::5efe:%s%%25lo"} {
		out = append(out, "["+fmt.Sprintf(f, a)+"]")
	}
	h := fmt.Sprintf("%x:%x", n>>16, n&0xffff)
	for _, f := range []string{"::ffff:%s", "0:0:0:0:0:FFFF:%s", "64:ff9b::%s", "2002:%s::", "2001:0:%s::1", "::%s", "0000:0000:0000:0000:0000:ffff:%s"} {
		out = append(out, "["+fmt.Sprintf(f, h)+"]")
	}
	return append(out, a.String()+".rebind.example", a.String()+".always.example")
}

// forbidden are addresses to spell; those of IPv6 stand as they are.
var forbidden = []string{"127.0.0.1", "127.1.2.3", "10.0.0.1", "172.16.5.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.192", "0.0.0.0", "224.0.0.1"}

var others = []string{"localhost", "LOCALHOST", "localhost.", "LocalHost.", "ip6-localhost", "[::1]", "[0:0:0:0:0:0:0:1]", "[::0001]", "[::]", "[0::0]", "[::1%25lo]", "[fe80::1]", "[fe80::1%25lo]", "[fe80::1%25eth0]",
	"[fd00:ec2::254]", "[fd20:ce::254]", "[fc00::1]", "[fec0::1]", "[ff02::1]", "[ff02::1%25lo]", "[2001:db8::1]", "[100::1]", "[4000::1]"}

// TestForbiddenAddressesAreNotDialled: of more than three hundred ways to write an address that must not be reached, none
// comes so far that a socket connects, whether the name is a number, resolves to one, or resolves to another one at the
// second look.
func TestForbiddenAddressesAreNotDialled(t *testing.T) {
	var dialled, judged atomic.Int64
	d := dialer(false)
	inner := d.Control
	d.Control = func(network, address string, c syscall.RawConn) error {
		judged.Add(1)
		if err := inner(network, address, c); err != nil {
			return err
		}
		dialled.Add(1)
		return errors.New("this is as far as the test goes")
	}
	d.Resolver = nameserver(t)
	client := Plain(Way{})
	client.Transport.(*bounded).DialContext = d.DialContext
	hosts := append([]string{}, others...)
	for _, a := range forbidden {
		hosts = append(hosts, spellings(netip.MustParseAddr(a))...)
	}
	if len(hosts) < 300 {
		t.Fatalf("%d spellings", len(hosts))
	}
	for _, host := range hosts {
		for _, url := range []string{"http://" + host + "/", "https://" + host + ":8443/x"} {
			if strings.HasSuffix(host, ".rebind.example") { // whoever looks first sees a public address
				_, _ = d.Resolver.LookupHost(t.Context(), host)
			}
			before := dialled.Load()
			if res, err := client.Get(url); err == nil {
				res.Body.Close()
				t.Errorf("%s was answered", host)
			}
			if dialled.Load() != before {
				t.Errorf("%s was dialled", host)
			}
		}
	}
	t.Logf("%d spellings, %d addresses judged, %d dialled", len(hosts), judged.Load(), dialled.Load())
	if judged.Load() < 300 {
		t.Error("too few came as far as the guard: it was not what kept them out")
	}
}

// TestRedirectsAreNotFollowed: where an answer leads is not where we go.
func TestRedirectsAreNotFollowed(t *testing.T) {
	for _, code := range []int{301, 302, 303, 307, 308} {
		inside, seen := counting(t, func(http.ResponseWriter, *http.Request) {})
		outside, _ := counting(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, inside.URL, code) })
		res, err := Plain(Way{Private: true}).Get(outside.URL)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != code || seen.Load() != 0 {
			t.Errorf("%d: status %d, %d connections to where it leads", code, res.StatusCode, seen.Load())
		}
	}
}

// nameserver answers with the address that a name begins with. A name of rebind.example is a public address at the first
// question and the other from the second one on.
func nameserver(t *testing.T) *net.Resolver {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pc.Close() })
	go func() {
		asked := map[string]int{}
		b := make([]byte, 1500)
		for {
			n, from, err := pc.ReadFrom(b)
			if err != nil {
				return
			}
			if reply, err := answer(b[:n], asked); err == nil {
				_, _ = pc.WriteTo(reply, from) // who gets no answer asks again
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", pc.LocalAddr().String())
	}}
}

// answer is what the name server says: the forbidden address beside a public one of the other family, which nobody may
// count on.
func answer(question []byte, asked map[string]int) ([]byte, error) {
	var m dnsmessage.Message
	if err := m.Unpack(question); err != nil {
		return nil, err
	}
	m.Response, m.Additionals = true, nil
	for _, q := range m.Questions {
		name := q.Name.String()
		text, rebinds := strings.CutSuffix(name, ".rebind.example.")
		text = strings.TrimSuffix(text, ".always.example.")
		at, err := netip.ParseAddr(text)
		if err != nil || q.Type != dnsmessage.TypeA && q.Type != dnsmessage.TypeAAAA {
			m.RCode = dnsmessage.RCodeNameError
			continue
		}
		h := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class}
		if q.Type == dnsmessage.TypeAAAA {
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: h, Body: &dnsmessage.AAAAResource{AAAA: at.As16()}})
			continue
		}
		if asked[name]++; rebinds && asked[name] == 1 {
			at = netip.MustParseAddr("93.184.216.34")
		}
		m.Answers = append(m.Answers, dnsmessage.Resource{Header: h, Body: &dnsmessage.AResource{A: at.As4()}})
	}
	return m.Pack()
}
