package app

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/db"
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

// TestRepliesEnd: an answer is remembered for seven days, and then not kept either, whoever asks again or not.
func TestRepliesEnd(t *testing.T) {
	a, c, _ := openHere(t)
	p, err := newReplays(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	kept := func() (n int) {
		t.Helper()
		if err := errors.Join(a.expireReplies(t.Context()), a.DB.Read(t.Context(), func(tx *db.Tx) error {
			return tx.QueryRow(t.Context(), `select count(*) from http_replies`).Scan(&n)
		})); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if err := p.keep(t.Context(), "key", "asked", &replyRecord{Code: http.StatusCreated}); err != nil {
		t.Fatal(err)
	}
	c.Advance(keepReplies - time.Minute)
	if kept() != 1 {
		t.Error("it is gone before its time")
	}
	c.Advance(time.Minute)
	if kept() != 0 {
		t.Error("it is kept after its time")
	}
}
