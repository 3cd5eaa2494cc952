package app

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/once"
	"github.com/ombudhq/ombud/internal/testkit/storetest"
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

// TestActsAreKept: what an act came to is kept with it, on both engines: whoever got no answer is answered from that, once, and
// with the same words from then on; nothing is kept of an act that was undone, and of one that is over.
func TestActsAreKept(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		dir, c := t.TempDir(), clock.NewFake(time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC))
		a, err := Open(t.Context(), Config{DataDir: filepath.Join(dir, "ombud-data"), ConfigPath: filepath.Join(dir, "ombud.yaml"), Store: storetest.Address(t, engine), Clock: c})
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		p, err := newReplays(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		acts, undo := 0, errors.New("undone")
		h := p.around(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var n int
			if was, err := once.Was(r.Context(), &n); was || err != nil {
				fmt.Fprintln(w, "act", n, err)
				return
			}
			acts++
			fails := undo
			if acts%2 == 0 {
				fails = nil
			}
			_ = a.DB.Write(r.Context(), func(tx *db.Tx) error { return errors.Join(once.Done(tx, acts), fails) })
			w.WriteHeader(http.StatusServiceUnavailable) // as if nobody heard the answer
		}))
		ask := func(want string) {
			t.Helper()
			r := httptest.NewRequest(http.MethodPost, "/v1/restrictions", strings.NewReader("{}"))
			r.Header.Set("Idempotency-Key", "k1")
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if got := fmt.Sprint(w.Code, w.Header().Get("Idempotent-Replayed"), " ", w.Body); got != want {
				t.Errorf("%q, want %q", got, want)
			}
		}
		ask("503 ")
		ask("503 ")
		ask("200true act 2 <nil>\n")
		ask("200true act 2 <nil>\n")
		c.Advance(keepReplies)
		ask("503 ")
		ask("503 ")
		ask("200true act 4 <nil>\n")
	})
}
