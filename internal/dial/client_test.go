package dial

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ombudhq/ombud/internal/fault"
)

// counting is a server that counts the connections made to it.
func counting(t *testing.T, h http.HandlerFunc) (*httptest.Server, *atomic.Int64) {
	t.Helper()
	var n atomic.Int64
	s := httptest.NewUnstartedServer(h)
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			n.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	return s, &n
}

// secure is a server with a certificate that only its file vouches for.
func secure(t *testing.T, setup func(*httptest.Server)) (s *httptest.Server, ca string) {
	t.Helper()
	s = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }))
	s.Config.ErrorLog = nil
	setup(s)
	s.StartTLS()
	t.Cleanup(s.Close)
	ca = filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	if err := os.WriteFile(ca, block, 0o600); err != nil {
		t.Fatal(err)
	}
	return s, ca
}

func get(t *testing.T, w Way, url string) error {
	t.Helper()
	c, err := Client(w)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseIdleConnections()
	res, err := c.Get(url)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	_, err = io.ReadAll(res.Body)
	return err
}

// TestPeersAreKnownByTheirKey: a certificate of the right authority with another key is refused, and no request is sent.
func TestPeersAreKnownByTheirKey(t *testing.T) {
	s, ca := secure(t, func(*httptest.Server) {})
	right := Pin(s.Certificate())
	raw := strings.TrimPrefix(right, pinMark)
	wrong := pinMark + strings.Repeat("A", len(raw)-1) + "="
	if err := get(t, Way{Private: true}, s.URL); err == nil {
		t.Error("an authority nobody knows was believed")
	}
	for _, c := range []struct {
		pins []string
		ok   bool
	}{{nil, true}, {[]string{right}, true}, {[]string{wrong, right}, true}, {[]string{wrong}, false}} {
		err := get(t, Way{Private: true, Peer: Peer{CA: ca, Pins: c.pins}}, s.URL)
		if c.ok != (err == nil) || !c.ok && !errors.Is(err, ErrPeer) {
			t.Errorf("%d pins: %v", len(c.pins), err)
		}
	}
}

// TestPinsAreVouchedFor: a certificate that is merely sent along does not satisfy a pin.
func TestPinsAreVouchedFor(t *testing.T) {
	s, _ := secure(t, func(*httptest.Server) {})
	other := &x509.Certificate{RawSubjectPublicKeyInfo: []byte("the pinned key")}
	state := tls.ConnectionState{PeerCertificates: []*x509.Certificate{s.Certificate(), other}, VerifiedChains: [][]*x509.Certificate{{s.Certificate()}}}
	if err := Pinned([]string{Pin(other)})(state); !errors.Is(err, ErrPeer) {
		t.Errorf("%v", err)
	}
	state.VerifiedChains[0] = append(state.VerifiedChains[0], other)
	if err := Pinned([]string{Pin(other)})(state); err != nil {
		t.Errorf("of the chain: %v", err)
	}
	state.VerifiedChains = nil // nobody was asked: only the leaf has shown to hold its key
	if err := Pinned([]string{Pin(other)})(state); !errors.Is(err, ErrPeer) {
		t.Errorf("beside the leaf: %v", err)
	}
}

// TestWeShowWhoWeAre: a service that asks for a certificate gets ours.
func TestWeShowWhoWeAre(t *testing.T) {
	s, ca := secure(t, func(s *httptest.Server) { s.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert} })
	if err := get(t, Way{Private: true, Peer: Peer{CA: ca}}, s.URL); err == nil {
		t.Error("nothing was shown, and it was enough")
	}
	cert, key := pair(t, s)
	if err := get(t, Way{Private: true, Peer: Peer{CA: ca, Cert: cert, Key: key}}, s.URL); err != nil {
		t.Error(err)
	}
}

// pair writes the server's own certificate and key as files of a client.
func pair(t *testing.T, s *httptest.Server) (cert, key string) {
	t.Helper()
	c := s.TLS.Certificates[0]
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	if err := errors.Join(os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]}), 0o600),
		os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600)); err != nil {
		t.Fatal(err)
	}
	return cert, key
}

func TestFaultsOfAPeerAreNamedAtOnce(t *testing.T) {
	_, err := Client(Way{Peer: Peer{CA: "/nowhere", Cert: "/nowhere", Pins: []string{"sha256/short", "md5/x"}}})
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != fault.Invalid || len(f.Details) != 4 {
		t.Fatalf("%v", err)
	}
	hexed := hex.EncodeToString(make([]byte, 32))
	if !IsPin(hexed) || !IsPin(normal(hexed)) || IsPin("") || IsPin("sha256/") || IsPin(hexed[2:]) {
		t.Error("what a pin is")
	}
}

// TestAnswersEnd: who sends without end is not read without end.
func TestAnswersEnd(t *testing.T) {
	s, _ := counting(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 1000)) })
	for most, ok := range map[int64]bool{1000: true, 999: false} {
		if err := get(t, Way{Private: true, Answer: most}, s.URL); ok != (err == nil) {
			t.Errorf("%d: %v", most, err)
		}
	}
}
