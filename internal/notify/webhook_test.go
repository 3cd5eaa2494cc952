package notify

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/event"
	"github.com/ombudhq/ombud/internal/fault"
)

var message = event.Message{ID: "prp_1", Source: "urn:x", Type: "retention.expired", Payload: event.Payload{Data: []byte("{}")}}

// service starts a receiver and gives the webhook to it.
func service(t *testing.T, h http.HandlerFunc) (*Webhook, *httptest.Server) {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	c := NewClient(clock.NewFake(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)), "ombud/test")
	t.Cleanup(c.Close)
	w, err := c.Webhook(Endpoint{URL: server.URL, Secrets: []string{knownSecret}, Private: true})
	if err != nil {
		t.Fatal(err)
	}
	return w, server
}

func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		status int
		after  string
		want   *event.Failure
	}{
		{status: 200}, {status: 202}, {status: 204},
		{status: 301, want: &event.Failure{Kind: "http 301"}},
		{status: 307, want: &event.Failure{Kind: "http 307"}},
		{status: 400, want: &event.Failure{Kind: "http 400", Refused: true}},
		{status: 401, want: &event.Failure{Kind: "http 401"}},
		{status: 404, want: &event.Failure{Kind: "http 404"}},
		{status: 408, want: &event.Failure{Kind: "http 408"}},
		{status: 410, want: &event.Failure{Kind: "http 410", Gone: true}},
		{status: 422, want: &event.Failure{Kind: "http 422", Refused: true}},
		{status: 425, want: &event.Failure{Kind: "http 425"}},
		{status: 429, after: "120", want: &event.Failure{Kind: "http 429", RetryAfter: 2 * time.Minute}},
		{status: 503, after: "Fri, 02 Jan 2026 03:05:05 GMT", want: &event.Failure{Kind: "http 503", RetryAfter: time.Minute}},
		{status: 503, after: "Fri, 02 Jan 2025 03:05:05 GMT", want: &event.Failure{Kind: "http 503"}},
		{status: 503, after: "-5", want: &event.Failure{Kind: "http 503"}},
		{status: 500, after: "soon", want: &event.Failure{Kind: "http 500"}},
	} {
		t.Run(fmt.Sprint(c.status, c.after), func(t *testing.T) {
			w, _ := service(t, func(w http.ResponseWriter, _ *http.Request) {
				if c.after != "" {
					w.Header().Set("Retry-After", c.after)
				}
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(c.status)
			})
			var got *event.Failure
			err := w.Send(t.Context(), message)
			if errors.As(err, &got); (err == nil) != (c.want == nil) {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestRedirectsAreNotFollowed: neither the body nor the key goes to another place.
func TestRedirectsAreNotFollowed(t *testing.T) {
	var elsewhere atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	w, _ := service(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
	})
	if err := w.Send(t.Context(), message); err == nil || elsewhere.Load() != 0 {
		t.Errorf("%v, %d requests elsewhere", err, elsewhere.Load())
	}
}

// TestBodyOfAnAnswer: it is not kept, however long it is, and nothing of it is in the error.
func TestBodyOfAnAnswer(t *testing.T) {
	w, _ := service(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		for line := strings.Repeat("secret of the inside ", 1000); r.Context().Err() == nil; {
			if _, err := io.WriteString(w, line); err != nil {
				return
			}
		}
	})
	err := w.Send(t.Context(), message)
	if err == nil || strings.Contains(err.Error(), "secret") {
		t.Error(err)
	}
}

func TestConnectionsAreUsedAgain(t *testing.T) {
	addresses := map[string]bool{}
	w, _ := service(t, func(w http.ResponseWriter, r *http.Request) {
		addresses[r.RemoteAddr] = true
		_, _ = io.WriteString(w, strings.Repeat("x", 1000))
	})
	for range 5 {
		if err := w.Send(t.Context(), message); err != nil {
			t.Fatal(err)
		}
	}
	if len(addresses) != 1 {
		t.Errorf("%d connections", len(addresses))
	}
}

func TestNoAnswer(t *testing.T) {
	w, server := service(t, func(http.ResponseWriter, *http.Request) {})
	server.Close()
	var f *event.Failure
	if err := w.Send(t.Context(), message); !errors.As(err, &f) || f.Kind != "connection refused" || strings.Contains(err.Error(), "127.0.0.1") {
		t.Error(err)
	}
	secure := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer secure.Close()
	w.request, _ = http.NewRequest(http.MethodPost, secure.URL, nil)
	if err := w.Send(t.Context(), message); !errors.As(err, &f) || f.Kind != "certificate" {
		t.Error(err)
	}
}

func TestEndpointFaultsAreAllNamed(t *testing.T) {
	c := NewClient(clock.System{}, "ombud/test")
	_, err := c.Webhook(Endpoint{URL: "http://user:pass@example.com", Secrets: []string{"a", "b", "c"}, Bearer: "a\nb"})
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != fault.Invalid {
		t.Fatal(err)
	}
	var where []string
	for _, d := range f.Details {
		where = append(where, d.Where)
	}
	if diff := cmp.Diff([]string{"url", "secrets", "bearer", "secrets[0]", "secrets[1]", "secrets[2]"}, where); diff != "" {
		t.Error(diff)
	}
	for bad, private := range map[string]bool{"http://example.com": false, "ftp://example.com": true, "example.com": true, "https://": true, "https:x": true} {
		if _, err := c.Webhook(Endpoint{URL: bad, Secrets: []string{knownSecret}, Private: private}); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", bad, err)
		}
	}
}
