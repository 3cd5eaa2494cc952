package app_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ombudhq/ombud/app"
	"github.com/ombudhq/ombud/cli"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/testkit/port"
)

// gate is a running server with a configuration of its own, and a client that knows its certificate.
type gate struct {
	t      *testing.T
	addr   string
	url    string
	client *http.Client
	stop   func() error
}

// certificate writes c.pem and c.key for localhost into a folder.
func certificate(t *testing.T, dir string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"c.pem": {Type: "CERTIFICATE", Bytes: der}, "c.key": {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	return pool
}

// openGate starts serve with a serve: of ombud.yaml, in which ADDR stands for where it listens.
func openGate(t *testing.T, config string, admin bool) *gate {
	t.Helper()
	dir := t.TempDir()
	pool := certificate(t, dir)
	g := &gate{t: t, addr: port.Free(t)}
	_, number, _ := net.SplitHostPort(g.addr)
	text := "organization: {name: Test}\nsystems: []\nserve: " + strings.ReplaceAll(config, "PORT", number) + "\n"
	if err := os.WriteFile(filepath.Join(dir, "ombud.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ready, ended := make(chan string, 1), make(chan error, 1)
	options := cli.ServeOptions{Listen: g.addr, Actor: "local:ida", Log: io.Discard, Ready: func(u string) { ready <- u }}
	if admin {
		options.Admin.Name, options.Admin.Password, options.Admin.Role = "kari", "correct horse battery", "system_admin"
		options.Admin.By.Actor, options.Admin.By.Role = "local:ida", "local"
	}
	go func() {
		place := cli.Place{Data: filepath.Join(dir, "ombud-data"), Config: filepath.Join(dir, "ombud.yaml"), Command: "ombud serve"}
		ended <- app.Program(app.Options{Version: "test"}).Serve(ctx, place, options)
	}()
	g.stop = func() error { cancel(); return <-ended }
	select {
	case g.url = <-ready:
	case err := <-ended:
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.stop(); err != nil {
			t.Error(err)
		}
	})
	g.client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}}
	return g
}

func (g *gate) ask(method, url string, headers ...string) (int, http.Header, string) {
	g.t.Helper()
	r, err := http.NewRequestWithContext(g.t.Context(), method, url, nil)
	if err != nil {
		g.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		}
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := g.client.Do(r)
	if err != nil {
		g.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	return res.StatusCode, res.Header, string(b)
}

func (g *gate) want(what string, got, want int) {
	g.t.Helper()
	if got != want {
		g.t.Errorf("%s: %d, want %d", what, got, want)
	}
}

// TestServeEncrypted: with TLS of its own the server answers to its one address, marks its cookie and says that it is
// encrypted for good; what is open to its own machine otherwise needs a bearer.
func TestServeEncrypted(t *testing.T) {
	g := openGate(t, "{url: 'https://localhost:PORT', hsts: preload, tls: {cert: c.pem, key: c.key}}", false)
	base, token, _ := strings.Cut(g.url, "/?token=")
	if !strings.HasPrefix(base, "https://localhost:") {
		t.Fatalf("it says it is at %s", base)
	}
	code, h, _ := g.ask("GET", g.url)
	g.want("the exchange", code, 303)
	cookie := h.Get("Set-Cookie")
	for _, part := range []string{"__Host-ombud=", "; Path=/;", "; HttpOnly", "; Secure", "; SameSite=Strict"} {
		if !strings.Contains(cookie, part) {
			t.Errorf("the cookie has no %s", part)
		}
	}
	if strings.Contains(cookie, "Domain") || h.Get("Strict-Transport-Security") != "max-age=63072000; includeSubDomains; preload" {
		t.Errorf("%s", h.Get("Strict-Transport-Security"))
	}
	value, _, _ := strings.Cut(cookie, ";")
	code, h, _ = g.ask("GET", base+"/", "Cookie", value)
	g.want("a page", code, 200)
	if !strings.Contains(h.Get("Content-Security-Policy"), "default-src 'none'") || h.Get("Strict-Transport-Security") == "" {
		t.Error("a page lacks its headers")
	}
	code, _, _ = g.ask("GET", base+"/", "Host", "evil.example", "Cookie", value)
	g.want("another host", code, 421)
	code, _, _ = g.ask("GET", base+"/", "X-Forwarded-Host", "evil.example", "X-Forwarded-Proto", "http", "Cookie", value)
	g.want("headers of a proxy that is none", code, 200)
	for _, origin := range []string{"http://" + strings.TrimPrefix(base, "https://"), "https://localhost", "https://evil.example", "null"} {
		code, _, _ = g.ask("POST", base+"/nothing", "Cookie", value, "Origin", origin)
		g.want("a form of "+origin, code, 403)
	}
	code, _, _ = g.ask("POST", base+"/nothing", "Cookie", value, "Origin", base, "Sec-Fetch-Site", "same-origin")
	g.want("a form of ours", code, 404)
	code, h, _ = g.ask("GET", base+"/metrics")
	g.want("metrics, by nobody", code, 401)
	if h.Get("Strict-Transport-Security") == "" {
		t.Error("an answer to a program lacks HSTS")
	}
	code, _, _ = g.ask("GET", base+"/metrics", "Authorization", "Bearer "+token)
	g.want("metrics, by a bearer", code, 200)
	code, _, _ = g.ask("GET", base+"/healthz", "Host", "10.0.0.7:7443")
	g.want("a probe that knows a number only", code, 200)
	if res, err := http.Get("http://" + g.addr + "/healthz"); err == nil {
		res.Body.Close()
		g.want("in the clear", res.StatusCode, 400)
	}
}

// TestServeBehindAProxy: only the proxy is answered, under the public address, and guesses are counted for who is behind it.
func TestServeBehindAProxy(t *testing.T) {
	g := openGate(t, "{url: 'https://privacy.example.com', behind_proxy: [127.0.0.1]}", true)
	at := "http://" + g.addr
	if g.url != "https://privacy.example.com/" {
		t.Errorf("it says it is at %s", g.url)
	}
	code, h, body := g.ask("GET", at+"/sign-in", "X-Forwarded-Host", "privacy.example.com", "X-Forwarded-Proto", "https", "X-Forwarded-For", "203.0.113.9")
	g.want("the door", code, 200)
	if h.Get("Strict-Transport-Security") != "max-age=63072000" || !strings.Contains(body, "Sign in") {
		t.Errorf("%s", h.Get("Strict-Transport-Security"))
	}
	code, _, _ = g.ask("GET", at+"/sign-in", "Host", "privacy.example.com")
	g.want("a proxy that keeps the host", code, 200)
	code, _, _ = g.ask("GET", at+"/sign-in")
	g.want("under a number", code, 421)
	code, _, _ = g.ask("GET", at+"/sign-in", "Host", "privacy.example.com", "X-Forwarded-Proto", "http")
	g.want("what came in the clear", code, 403)
	code, _, _ = g.ask("GET", at+"/sign-in", "X-Forwarded-Host", "evil.example")
	g.want("another host", code, 421)
}

// TestServeOutOfReachOfOthers: past the proxy there is no way in but for probes.
func TestServeOutOfReachOfOthers(t *testing.T) {
	g := openGate(t, "{url: 'https://privacy.example.com', behind_proxy: [192.0.2.1]}", true)
	code, _, _ := g.ask("GET", "http://"+g.addr+"/sign-in", "Host", "privacy.example.com", "X-Forwarded-For", "192.0.2.1")
	g.want("past the proxy", code, 403)
	code, _, _ = g.ask("GET", "http://"+g.addr+"/readyz")
	if code != 200 && code != 503 {
		t.Errorf("a probe: %d", code)
	}
}

// TestServeRefusesToListen: where nobody speaks TLS, others are not listened to.
func TestServeRefusesToListen(t *testing.T) {
	dir := t.TempDir()
	for _, listen := range []string{"0.0.0.0:0", "[::]:0", ":0", "192.0.2.1:0", "example.com:0"} {
		place := cli.Place{Data: filepath.Join(dir, "ombud-data"), Config: filepath.Join(dir, "ombud.yaml")}
		err := app.Program(app.Options{}).Serve(t.Context(), place, cli.ServeOptions{Listen: listen, Log: io.Discard})
		if fault.KindOf(err) != fault.Denied {
			t.Errorf("%s: %v", listen, err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "ombud-data")); !os.IsNotExist(err) {
		t.Error("something was made all the same")
	}
}
