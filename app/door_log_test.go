package app

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// told is a log, a line at a time.
type told chan string

func (l told) Write(p []byte) (int, error) {
	l <- string(p)
	return len(p), nil
}

// TestLogHoldsNoAddress: when answering somebody breaks, the log tells what broke, and not for whom.
func TestLogHoldsNoAddress(t *testing.T) {
	for _, second := range []bool{false, true} {
		log := make(told, 9)
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("it broke") }))
		s.Config.ErrorLog = serverLog(slog.New(slog.NewTextHandler(log, nil)))
		s.EnableHTTP2 = second
		s.StartTLS()
		if r, err := s.Client().Get(s.URL); err == nil {
			t.Errorf("an answer came: %s", r.Status)
			_ = r.Body.Close()
		}
		if got := <-log; !strings.Contains(got, "panic serving somebody: it broke") || strings.Contains(got, "127.0.0.1") {
			t.Errorf("the log says %s", got)
		}
		s.Close()
	}
}

// TestServerLogIsQuiet: the forms in which the library writes addresses.
func TestServerLogIsQuiet(t *testing.T) {
	for text, want := range map[string]string{
		"http: panic serving [2001:db8::7]:50123: it broke\ngoroutine 7 [running]:\nserver.go:1898 +0x1f":                 "http: panic serving somebody: it broke\ngoroutine 7 [running]:\nserver.go:1898 +0x1f",
		"http2: server: error reading preface from client [fe80::1%eth0]:9: read tcp 10.0.0.1:443->10.0.0.2:50123: reset": "http2: server: error reading preface from client somebody: read tcp somebody->somebody: reset",
		"http: TLS handshake error from 10.0.0.2:50123: EOF":                                                              "",
		"http: superfluous response.WriteHeader call from main.f (a.go:3)":                                                "http: superfluous response.WriteHeader call from main.f (a.go:3)",
	} {
		var got strings.Builder
		if n, err := io.WriteString(quiet{&got}, text); n != len(text) || err != nil || got.String() != want {
			t.Errorf("%q became %q: %d, %v", text, got.String(), n, err)
		}
	}
}
