package transport

import (
	"net/http/httptest"
	"testing"
)

// TestOnlyOurProxiesAreBelieved: what a request says of its caller counts where a proxy of ours says it, and of a chain only
// as far as proxies of ours wrote it.
func TestOnlyOurProxiesAreBelieved(t *testing.T) {
	p := ParseProxies([]string{"10.0.0.0/8", "::1", "192.0.2.7"})
	for _, c := range []struct {
		remote, chain, proto, host string
		from, asked                string
		ok                         bool
	}{
		{"10.1.1.1:99", "203.0.113.9", "https", "", "203.0.113.9:0", "example.com", true},
		{"10.1.1.1:99", "1.1.1.1, 203.0.113.9", "https", "", "203.0.113.9:0", "example.com", true},
		{"10.1.1.1:99", "203.0.113.9, 10.2.2.2", "https", "a.example", "203.0.113.9:0", "a.example", true},
		{"[::1]:99", "2001:db8::5", "", "", "[2001:db8::5]:0", "example.com", true},
		{"[::ffff:10.1.1.1]:99", "203.0.113.9", "", "", "203.0.113.9:0", "example.com", true},
		{"10.1.1.1:99", "", "", "", "10.1.1.1:99", "example.com", true},
		{"10.1.1.1:99", "nonsense", "", "", "10.1.1.1:99", "example.com", true},
		{"10.1.1.1:99", "1.1.1.1, nonsense", "", "", "10.1.1.1:99", "example.com", true},
		{"10.1.1.1:99", "203.0.113.9", "http", "", "10.1.1.1:99", "example.com", false},
		{"203.0.113.5:99", "10.1.1.1", "https", "evil.example", "203.0.113.5:99", "example.com", true},
		{"192.0.2.8:99", "1.1.1.1", "http", "evil.example", "192.0.2.8:99", "example.com", true},
	} {
		r := httptest.NewRequest("GET", "http://example.com/", nil)
		r.RemoteAddr = c.remote
		for name, value := range map[string]string{"X-Forwarded-For": c.chain, "X-Forwarded-Proto": c.proto, "X-Forwarded-Host": c.host} {
			if value != "" {
				r.Header.Set(name, value)
			}
		}
		got, ok := p.Behind(r)
		if got.RemoteAddr != c.from || got.Host != c.asked || ok != c.ok {
			t.Errorf("%+v: %s, %s, %v", c, got.RemoteAddr, got.Host, ok)
		}
		if r.RemoteAddr != c.remote || r.Host != "example.com" {
			t.Error("the request itself was changed")
		}
	}
}
