package app

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/access"
)

// TestReplaysBelongToTheirCaller: the same key and the same words of somebody else are another request.
func TestReplaysBelongToTheirCaller(t *testing.T) {
	a, _, _ := openHere(t)
	p, err := newReplays(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	h := p.around(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, access.From(r.Context()).Actor)
	}))
	for i, actor := range []string{"service:key_1", "service:key_2", "service:key_1"} {
		r := httptest.NewRequest(http.MethodPost, "/v1/events", strings.NewReader("{}"))
		r.Header.Set("Idempotency-Key", "k1")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r.WithContext(access.With(r.Context(), access.Caller{Actor: actor})))
		if replayed := w.Header().Get("Idempotent-Replayed") == "true"; w.Body.String() != actor || replayed != (i == 2) {
			t.Errorf("request %d of %s: %s, replayed %v", i, actor, w.Body, replayed)
		}
	}
}
