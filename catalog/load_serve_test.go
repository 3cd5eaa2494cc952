package catalog

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func parseServe(text string) (*Config, error) {
	return Parse("/etc/ombud/ombud.yaml", []byte("organization: {name: x}\nsystems: []\nserve: "+text+"\n"))
}

func TestLoadServe(t *testing.T) {
	pin := "sha256/" + strings.Repeat("A", 43) + "="
	for text, want := range map[string]Serve{
		"{}": {},
		"{url: 'https://privacy.example.com/', hsts: preload, tls: {cert: tls/c.pem, key: /k.pem, client_ca: ca.pem, pins: ['" + pin + "']}}": {
			URL: "https://privacy.example.com", HSTS: "preload", TLS: TLS{Cert: "tls/c.pem", Key: "/k.pem", ClientCA: "ca.pem", Pins: []string{pin}}},
		"{url: 'https://x.example:8443', tls: {acme: {email: ops@example.com}}}": {URL: "https://x.example:8443", TLS: TLS{ACME: ACME{Email: "ops@example.com"}}},
		"{url: 'https://x.example:443', behind_proxy: [10.0.0.0/8, '::1']}":      {URL: "https://x.example", Behind: []string{"10.0.0.0/8", "::1"}},
	} {
		cfg, err := parseServe(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if d := cmp.Diff(want, cfg.Serve); d != "" {
			t.Errorf("%s: %s", text, d)
		}
	}
}

// TestFaultsOfServe: what would be open without anybody meaning it, or works half, is a fault with its line.
func TestFaultsOfServe(t *testing.T) {
	for text, want := range map[string]string{
		"{url: 'http://x.example', tls: {acme: {email: a@b.c}}}":                    "no address of a server",
		"{url: 'https://x.example/app', tls: {acme: {email: a@b.c}}}":               "no address of a server",
		"{url: 'https://a:b@x.example', tls: {acme: {email: a@b.c}}}":               "no address of a server",
		"{url: 'https://X.example', tls: {acme: {email: a@b.c}}}":                   "capital",
		"{url: 'https://x.example'}":                                                "nobody speaks TLS",
		"{tls: {cert: a, key: b}}":                                                  "needs url",
		"{url: 'https://x.example', tls: {cert: a}}":                                "go together",
		"{url: 'https://x.example', tls: {cert: a, key: b, acme: {email: a@b.c}}}":  "not both",
		"{url: 'https://x.example', tls: {client_ca: a}}":                           "needs cert and key, or acme",
		"{url: 'https://x.example', tls: {cert: a, key: b, pins: [x]}}":             "no pin",
		"{url: 'https://x.example', tls: {acme: {directory: 'http://ca'}}}":         "no https address",
		"{url: 'https://x.example', behind_proxy: [0.0.0.0/0]}":                     "no address",
		"{url: 'https://x.example', behind_proxy: [proxy.local]}":                   "no address",
		"{url: 'https://x.example', behind_proxy: [::1], tls: {cert: a, key: b}}":   "not both",
		"{url: 'https://x.example', hsts: yes, tls: {cert: a, key: b}}":             "preload",
		"{url: 'https://x.example', tls: {cert: a, key: b, acme: {allow: public}}}": "needs email",
	} {
		if _, err := parseServe(text); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), ":3") {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

func TestFilesOfAConfiguration(t *testing.T) {
	c := &Config{Folder: "/etc/ombud"}
	for name, want := range map[string]string{"": "", "tls/c.pem": "/etc/ombud/tls/c.pem", "/k.pem": "/k.pem"} {
		if got := c.File(name); got != want {
			t.Errorf("%q: %q", name, got)
		}
	}
}
