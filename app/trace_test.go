package app_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// collector keeps what it is told of traces.
type collector struct {
	url string

	mu     sync.Mutex
	bodies []string
}

func collect(t *testing.T) *collector {
	c := &collector{}
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		c.mu.Lock()
		c.bodies = append(c.bodies, r.URL.String()+string(b))
		c.mu.Unlock()
	}))
	t.Cleanup(s.Close)
	c.url = s.URL
	return c
}

// all is every byte that arrived.
func (c *collector) all() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.bodies, "\n")
}

// names are those of the spans that arrived, each once.
func (c *collector) names(t *testing.T) (out []string) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, b := range c.bodies {
		var message struct {
			ResourceSpans []struct {
				ScopeSpans []struct {
					Spans []struct{ TraceID, ParentSpanID, Name string }
				}
			}
		}
		if err := json.Unmarshal([]byte(strings.TrimPrefix(b, "/v1/traces")), &message); err != nil {
			t.Fatal(err)
		}
		for _, s := range message.ResourceSpans[0].ScopeSpans[0].Spans {
			out = append(out, s.Name+" "+s.TraceID+" "+s.ParentSpanID)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// TestRequestsAreTraced: whoever asks for it is traced, under the names of routes; whoever says no is not.
func TestRequestsAreTraced(t *testing.T) {
	c, dir := collect(t), t.TempDir()
	shop(t, dir)
	config := shopConfig + letters + "tracing: {endpoint: '" + c.url + "', allow: private, sample: 1.0e-9}\n"
	if err := os.WriteFile(filepath.Join(dir, "ombud.yaml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	s := serve(t, dir)
	const id, span = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	for _, flag := range []string{"-00", "-01"} {
		for _, path := range []string{"/decisions", "/decisions/batch", "/restrictions/rst_ida@example.com/end", "/ida@example.com"} {
			s.v1("POST", path, "{}", "Traceparent", "00-"+id+"-"+span+flag)
		}
		s.do("GET", "/ida@example.com", "", "Traceparent", "00-"+id+"-"+span+flag)
	}
	s.v1("POST", "/decisions", "{}")
	_, _, metrics := s.do("GET", "/metrics", "")
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, name := range []string{"GET other", "POST /v1/", "POST /v1/decisions", "POST /v1/decisions/batch", "POST /v1/restrictions/{id}/end"} {
		want = append(want, name+" "+id+" "+span)
	}
	if got := c.names(t); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if !strings.Contains(metrics, "ombud_trace_spans_lost_total 0") {
		t.Error("nobody counts lost spans")
	}
}
