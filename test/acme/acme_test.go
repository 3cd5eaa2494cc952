package acme_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ombudhq/ombud/app"
	"github.com/ombudhq/ombud/cli"
	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/testkit/port"
)

const (
	given  = "the certificate is new"
	failed = "the certificate could not be renewed; the former one stays"
	none   = "there is no certificate: the authority gave none"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// house is a server that asks an authority for its certificate.
type house struct {
	t         *testing.T
	authority *authority
	clock     *clock.Fake
	dir, addr string
	log       chan string
	end       func()
}

func freePort(t *testing.T) string {
	t.Helper()
	_, number, err := net.SplitHostPort(port.Free(t))
	must(t, err)
	return number
}

// newHouse stands at a port; the authority looks for it at another, if looks says so. more goes under serve.tls.
func newHouse(t *testing.T, looks, more string) *house {
	t.Helper()
	port := freePort(t)
	if looks == "" {
		looks = port
	}
	h := &house{t: t, authority: newAuthority(t, looks), clock: clock.NewFake(time.Now()), dir: t.TempDir(), addr: "127.0.0.1:" + port}
	text := fmt.Sprintf(`organization: {name: Test}
systems: []
serve:
  url: https://%s:%s
  tls: {acme: {directory: '%s/dir', ca: %s, allow: private, email: ops@example.com}%s}
`, host, port, h.authority.server.URL, h.authority.file, more)
	must(t, os.WriteFile(filepath.Join(h.dir, "ombud.yaml"), []byte(text), 0o600))
	h.begin()
	t.Cleanup(func() { h.end() })
	return h
}

// Write takes the log in.
func (h *house) Write(p []byte) (int, error) { h.log <- string(p); return len(p), nil }

func (h *house) begin() {
	h.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	h.log = make(chan string, 1000)
	ready, ended := make(chan string, 1), make(chan error, 1)
	place := cli.Place{Data: filepath.Join(h.dir, "ombud-data"), Config: filepath.Join(h.dir, "ombud.yaml"), Command: "ombud serve"}
	go func() {
		ended <- app.Program(app.Options{Version: "test", Clock: h.clock}).Serve(ctx, place, cli.ServeOptions{Listen: h.addr, Actor: "local:ida", Log: h, Ready: func(u string) { ready <- u }})
	}()
	h.end = func() {
		cancel()
		if err := <-ended; err != nil {
			h.t.Error(err)
		}
	}
	select {
	case <-ready:
	case err := <-ended:
		h.t.Fatal(err)
	}
}

// hears waits for what the log says.
func (h *house) hears(what string) string {
	h.t.Helper()
	for late := time.After(time.Minute); ; {
		select {
		case line := <-h.log:
			if strings.Contains(line, what) {
				return line
			}
		case <-late:
			h.t.Fatalf("the log does not say: %s", what)
		}
	}
}

// dial makes a handshake as a browser does that knows the authority's root.
func (h *house) dial(c *tls.Config) (tls.ConnectionState, error) {
	h.t.Helper()
	c.ServerName, c.RootCAs = host, h.authority.roots
	conn, err := tls.Dial("tcp", h.addr, c)
	if err != nil {
		return tls.ConnectionState{}, err
	}
	defer conn.Close()
	return conn.ConnectionState(), nil
}

// serial is of the certificate that is shown.
func (h *house) serial() string {
	h.t.Helper()
	state, err := h.dial(&tls.Config{})
	must(h.t, err)
	return state.PeerCertificates[0].SerialNumber.String()
}

// doctor is what `ombud doctor` says of the certificate.
func (h *house) doctor() (state, message string) {
	h.t.Helper()
	var out, errs bytes.Buffer
	env := cli.Env{Args: []string{"doctor", "--json", "-c", filepath.Join(h.dir, "ombud.yaml"), "--data", filepath.Join(h.dir, "ombud-data")}, Dir: h.dir, Stdout: &out, Stderr: &errs, User: "ida"}
	cli.Run(h.t.Context(), env, app.Program(app.Options{Version: "test", Clock: h.clock}))
	var answer struct {
		Findings []struct{ Check, State, Message string }
	}
	must(h.t, json.Unmarshal(out.Bytes(), &answer))
	for _, f := range answer.Findings {
		if f.Check == "certificate" {
			return f.State, f.Message
		}
	}
	h.t.Fatalf("nothing of the certificate: %s %s", &out, &errs)
	return "", ""
}

// TestACertificateIsGivenKeptAndRenewed: served over TLS 1.3 as soon as it is given, the same after a restart; while the
// authority fails the former one stays and log and doctor say so; then there is a new one.
func TestACertificateIsGivenKeptAndRenewed(t *testing.T) {
	h := newHouse(t, "", "")
	h.hears(given)
	state, err := h.dial(&tls.Config{})
	if err != nil || state.Version != tls.VersionTLS13 {
		t.Fatalf("%x, %v", state.Version, err)
	}
	if _, err := h.dial(&tls.Config{MaxVersion: tls.VersionTLS12}); err == nil {
		t.Error("TLS 1.2 is spoken")
	}
	h.answers()
	first := h.serial()
	h.end()
	h.begin()
	if again, n := h.serial(), h.authority.orders.Load(); again != first || n != 1 {
		t.Errorf("after a restart another certificate is shown, or asked for: %d orders", n)
	}
	if state, _ := h.doctor(); state != "good" {
		t.Error(state)
	}
	h.sealed()

	h.authority.down.Store(true)
	h.clock.Advance(61 * 24 * time.Hour)
	h.hears(failed)
	if h.serial() != first {
		t.Error("the former certificate is gone")
	}
	if grade, message := h.doctor(); grade != "weak" || !strings.Contains(message, "could not be renewed") {
		t.Errorf("doctor: %s, %s", grade, message)
	}
	h.authority.down.Store(false)
	h.clock.Advance(time.Hour)
	h.hears(given)
	if h.serial() == first {
		t.Error("the certificate is the former one")
	}
	if grade, message := h.doctor(); grade != "good" {
		t.Errorf("doctor: %s, %s", grade, message)
	}
}

// answers asks as a browser does.
func (h *house) answers() {
	h.t.Helper()
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: h.authority.roots, ServerName: host}, ForceAttemptHTTP2: true}}
	res, err := client.Get("https://" + h.addr + "/healthz")
	must(h.t, err)
	if err := res.Body.Close(); err != nil || res.StatusCode != http.StatusOK || res.ProtoMajor != 2 {
		h.t.Errorf("%s, %v", res.Status, err)
	}
}

// sealed looks for keys that lie open.
func (h *house) sealed() {
	h.t.Helper()
	n := 0
	must(h.t, fs.WalkDir(os.DirFS(filepath.Join(h.dir, "ombud-data", "acme")), ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		n++
		b, err := os.ReadFile(filepath.Join(h.dir, "ombud-data", "acme", path))
		if bytes.Contains(b, []byte("PRIVATE KEY")) {
			h.t.Error("a key lies open")
		}
		return err
	}))
	if n < 2 {
		h.t.Errorf("%d files", n)
	}
}

// TestAnAuthorityThatDoesNotFindUs: no certificate, and log and doctor say why, without the e-mail of the account.
func TestAnAuthorityThatDoesNotFindUs(t *testing.T) {
	h := newHouse(t, freePort(t), "")
	line := h.hears(none)
	if _, err := h.dial(&tls.Config{}); err == nil {
		t.Error("a certificate is shown")
	}
	state, message := h.doctor()
	if state != "bad" || !strings.Contains(message, "Failed to connect") || !strings.Contains(line, "Failed to connect") {
		t.Errorf("%s, %s; %s", state, message, line)
	}
	if strings.Contains(line+message, "ops@example.com") {
		t.Error("the e-mail is repeated")
	}
}

// TestTheAuthorityNeedsNoCertificate: where callers must show one, the authority that looks for us need not.
func TestTheAuthorityNeedsNoCertificate(t *testing.T) {
	h := newHouse(t, "", ", pins: ['sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=']")
	h.hears(given)
	conn, err := tls.Dial("tcp", h.addr, &tls.Config{ServerName: host, RootCAs: h.authority.roots})
	if err == nil { // the server judges after our side is done
		defer conn.Close()
		_, err = conn.Read(make([]byte, 1))
	}
	if err == nil || !strings.Contains(err.Error(), "certificate required") {
		t.Errorf("a caller without a certificate: %v", err)
	}
}
