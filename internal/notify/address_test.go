package notify

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"sync/atomic"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/event"
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

// nameserver answers every question with loopback addresses, written as they are or as IPv6.
func nameserver(t *testing.T) *net.Resolver {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pc.Close() })
	go func() {
		b := make([]byte, 1500)
		for {
			n, from, err := pc.ReadFrom(b)
			if err != nil {
				return
			}
			if reply, err := loopbackReply(b[:n]); err == nil {
				_, _ = pc.WriteTo(reply, from) // who gets no answer asks again
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", pc.LocalAddr().String())
	}}
}

func loopbackReply(question []byte) ([]byte, error) {
	var m dnsmessage.Message
	if err := m.Unpack(question); err != nil {
		return nil, err
	}
	m.Response = true
	m.Additionals = nil
	for _, q := range m.Questions {
		h := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class}
		switch q.Type {
		case dnsmessage.TypeA:
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: h, Body: &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}}})
		case dnsmessage.TypeAAAA:
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: h, Body: &dnsmessage.AAAAResource{
				AAAA: netip.MustParseAddr("::ffff:127.0.0.1").As16()}})
		}
	}
	return m.Pack()
}

// TestOwnNetworkIsNotReached: whatever an address looks like, a connection to ourselves is refused where the number is known,
// and the listener sees none.
func TestOwnNetworkIsNotReached(t *testing.T) {
	var connections atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.Config.ConnState = func(net.Conn, http.ConnState) { connections.Add(1) }
	server.StartTLS()
	defer server.Close()
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	c := NewClient(clock.System{}, "ombud/test")
	defer c.Close()
	d := dialer(false)
	d.Resolver = nameserver(t)
	c.public.Transport.(*http.Transport).DialContext = d.DialContext
	for _, host := range []string{"127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.000.000.001", "localhost", "LOCALHOST.",
		"[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:127.0.0.1]", "rebind.example.com", "a.b.c.nip.example",
		"0.0.0.0", "[::]", "0", "127.0.0.1.", "①②⑦.⓪.⓪.①", "%31%32%37.0.0.1", "169.254.169.254", "[fe80::1%25lo]", "[64:ff9b::7f00:1]"} {
		for _, endpoint := range []string{"https://" + host + ":" + u.Port(), "https://" + host + ":" + u.Port() + "/hook?x=1"} {
			w, err := c.Webhook(Endpoint{URL: endpoint, Secrets: []string{knownSecret}})
			if err != nil {
				continue // refused before anybody is asked
			}
			err = w.Send(t.Context(), event.Message{ID: "prp_1", Payload: event.Payload{Data: []byte("{}")}})
			var f *event.Failure
			if !errors.As(err, &f) || f.Refused {
				t.Errorf("%s: %v", host, err)
			}
		}
	}
	if n := connections.Load(); n != 0 {
		t.Errorf("%d connections", n)
	}
	w, err := c.Webhook(Endpoint{URL: fmt.Sprintf("http://localhost:%s", u.Port()), Secrets: []string{knownSecret}, Private: true})
	if err == nil {
		_ = w.Send(t.Context(), event.Message{ID: "prp_1", Payload: event.Payload{Data: []byte("{}")}})
	}
	if connections.Load() == 0 {
		t.Error("the listener does not count: an allowed connection was not seen either")
	}
}
