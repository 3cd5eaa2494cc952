package client_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ombudhq/ombud/client"
	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/testkit/wait"
)

func headerUser(r *http.Request) client.Subject {
	if r.Header.Get("User") == "" {
		return nil
	}
	return client.Subject{"email": r.Header.Get("User")}
}

// TestRequire lets in, refuses with a reason, and says when it cannot know.
func TestRequire(t *testing.T) {
	s := serve(t, strings.Replace(yaml, "jurisdictions: [eu]", "jurisdictions: [us-ca]", 1)+
		"  - {id: ads, basis: contract, categories: [usage], uses: [targeted_advertising]}\n")
	now := clock.NewFake(time.Now())
	c, l := s.client(client.Config{Clock: now})
	given := record(t, c, yes(ida))
	inside := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	ask := func(purpose, category, user, gpc string) (*httptest.ResponseRecorder, map[string]any) {
		r := httptest.NewRequest("GET", "/offers", nil)
		r.Header.Set("User", user)
		r.Header.Set("Sec-GPC", gpc)
		w := httptest.NewRecorder()
		c.Require(purpose, category, headerUser)(inside).ServeHTTP(w, r)
		problem := map[string]any{}
		if b := w.Body.Bytes(); len(b) > 0 && (json.Unmarshal(b, &problem) != nil || w.Header().Get("Content-Type") != "application/problem+json" || bytes.Contains(b, []byte("@"))) {
			t.Errorf("%s", b)
		}
		return w, problem
	}
	for _, test := range []struct {
		purpose, category, user, gpc string
		code                         int
		reason                       any
	}{
		{"letters", "contact", "ida@example.com", "", 204, nil},
		{"letters", "contact", "ida@example.com", "1", 204, nil},
		{"letters", "usage", "ida@example.com", "", 403, "category-not-covered"},
		{"letters", "contact", "jon@example.com", "", 403, "unknown-person"},
		{"unheard", "contact", "ida@example.com", "", 403, "unknown-purpose"},
		{"letters", "contact", "", "", 403, "no-identity"},
		{"ads", "usage", "ida@example.com", "", 204, nil},
		{"ads", "usage", "ida@example.com", "1", 403, "opt-out-signal"},
	} {
		for range 2 { // from the server, from memory
			if w, p := ask(test.purpose, test.category, test.user, test.gpc); w.Code != test.code || p["reason"] != test.reason {
				t.Errorf("%+v: %d %v", test, w.Code, p)
			}
		}
	}
	wait.Until(t, "what the signal becomes is heard", func() bool { return c.Heard() > given.Revision })
	wait.Until(t, "it is in memory", func() bool {
		return l.unasked(func() { ask("letters", "contact", "ida@example.com", "") })
	})
	l.cut()
	if w, _ := ask("letters", "contact", "ida@example.com", ""); w.Code != 204 {
		t.Errorf("the hot path asks the server: %d", w.Code)
	}
	now.Advance(3 * time.Second)
	if w, p := ask("letters", "contact", "ida@example.com", ""); w.Code != 503 || p["reason"] != client.Unavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("%d %v", w.Code, p)
	}
}

// TestMinimise passes what the purpose declares, follows the register, and reports what it left out.
func TestMinimise(t *testing.T) {
	s := serve(t, yaml)
	c, l := s.client(client.Config{})
	events := takesEvents(l, 200)
	full := func() map[string]any {
		return map[string]any{"name": "Ida", "born": "1990-01-01", "address": map[string]any{"city": "Oslo", "street": "Storgata 1"}}
	}
	minimise := func(purpose string) (map[string]any, []string) {
		t.Helper()
		passed, stripped, err := c.Minimise(t.Context(), purpose, full())
		if err != nil {
			t.Fatal(err)
		}
		return passed, stripped
	}
	passed, stripped := minimise("letters")
	want := map[string]any{"name": "Ida", "address": map[string]any{"city": "Oslo"}}
	if d := cmp.Diff(want, passed); d != "" || !slices.Equal(stripped, []string{"address.street", "born"}) {
		t.Errorf("%s%v", d, stripped)
	}
	for _, purpose := range []string{"unheard", "orders"} {
		if passed, stripped := minimise(purpose); len(passed) != 0 || len(stripped) != 3 {
			t.Errorf("%s: %v %v", purpose, passed, stripped)
		}
	}
	s.configure(strings.Replace(yaml, "{name: name, because: salutation}, ", "", 1))
	wait.Until(t, "the register's change is seen", func() bool {
		may(t, c, client.Subject{"email": "somebody@example.com"})
		_, stripped := minimise("letters")
		return slices.Contains(stripped, "name")
	})
	l.cut()
	wait.Until(t, "nothing passes when the register cannot be known", func() bool {
		passed, _, err := c.Minimise(t.Context(), "letters", full())
		return err != nil && len(passed) == 0
	})
	l.mend()
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	got := events()
	first, _ := got[0]["data"].(map[string]any)
	wantEvent := map[string]any{"purpose": "letters", "fields": []any{"address", "name"}, "stripped": []any{"address.street", "born"}}
	if d := cmp.Diff(wantEvent, first); d != "" || got[0]["type"] != "data.accessed" {
		t.Errorf("%s", d)
	}
}

// takesEvents answers POST /v1/events with these codes, the last again and again, and gives what came.
func takesEvents(l *line, codes ...int) (got func() []map[string]any) {
	var times atomic.Int64
	var all atomic.Pointer[[]map[string]any]
	all.Store(&[]map[string]any{})
	instead := func(r *http.Request) *http.Response {
		if r.URL.Path != "/v1/events" {
			return nil
		}
		code := codes[min(int(times.Add(1)), len(codes))-1]
		var some []map[string]any
		b, err := io.ReadAll(r.Body)
		if err != nil || json.Unmarshal(b, &some) != nil || r.Header.Get("Content-Type") != "application/cloudevents-batch+json" || r.Header.Get("Idempotency-Key") == "" {
			code = 400
		}
		answer := []map[string]any{}
		if code < 300 {
			joined := slices.Concat(*all.Load(), some)
			all.Store(&joined)
			for _, e := range some {
				answer = append(answer, taken(e))
			}
		}
		b, _ = json.Marshal(answer)
		return &http.Response{StatusCode: code, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(b)), Request: r}
	}
	l.instead.Store(&instead)
	return func() []map[string]any { return *all.Load() }
}

// taken is what the server makes of an event: it refuses those about sub_bad.
func taken(e map[string]any) map[string]any {
	if e["subject"] == "sub_bad" {
		return map[string]any{"id": e["id"], "outcome": "refused", "problem": map[string]any{"status": 422, "code": "invalid", "detail": "no such person"}}
	}
	return map[string]any{"id": e["id"], "outcome": "recorded"}
}

// TestAccessesAreDelivered in batches and in their order, also when the server was away for a while.
func TestAccessesAreDelivered(t *testing.T) {
	c, l := serve(t, yaml).client(client.Config{Service: "checkout"})
	events := takesEvents(l, 503, 200)
	for range 250 {
		c.Accessed(client.Access{Subject: "sub_1", Purpose: "letters", Fields: []string{"name"}})
	}
	wait.Until(t, "all are delivered, and all is well", func() bool { return c.Counts().Delivered == 250 && c.Err() == nil })
	got := events()
	if len(got) != 250 {
		t.Fatalf("%d events", len(got))
	}
	ids := map[any]bool{}
	for _, e := range got {
		ids[e["id"]] = true
		delete(e, "id")
		delete(e, "time")
	}
	want := map[string]any{"specversion": "1.0", "source": "/services/checkout", "type": "data.accessed", "subject": "sub_1",
		"datacontenttype": "application/json", "data": map[string]any{"subject": "sub_1", "purpose": "letters", "fields": []any{"name"}}}
	if d := cmp.Diff(want, got[0]); d != "" || len(ids) != 250 {
		t.Errorf("%d ids, %s", len(ids), d)
	}
}

// TestAccessesAreNotLostSilently: what finds no room, and what is refused, is counted and told.
func TestAccessesAreNotLostSilently(t *testing.T) {
	for _, code := range []int{404, 422} {
		c, l := serve(t, yaml).client(client.Config{Accesses: 10, Clock: clock.NewFake(time.Now())})
		takesEvents(l, code)
		for range 25 {
			c.Accessed(client.Access{Subject: "sub_1", Purpose: "letters"})
		}
		if n := c.Counts(); n.Dropped != 15 || n.Waiting != 10 || c.Err() == nil {
			t.Errorf("%+v", n)
		}
		err := c.Close()
		var p *client.Problem
		if n := c.Counts(); n.Refused != 10 || n.Waiting != 0 || !errors.As(err, &p) || p.Status != code || !strings.Contains(err.Error(), "15 dropped, 10 refused") {
			t.Errorf("%+v, %v", n, err)
		}
	}
}

// TestOneAccessIsRefused beside others that are taken.
func TestOneAccessIsRefused(t *testing.T) {
	c, l := serve(t, yaml).client(client.Config{})
	takesEvents(l, 200)
	c.Accessed(client.Access{Subject: "sub_1", Purpose: "letters"})
	c.Accessed(client.Access{Subject: "sub_bad", Purpose: "letters"})
	err := c.Close()
	var p *client.Problem
	if n := c.Counts(); n.Delivered != 1 || n.Refused != 1 || !errors.As(err, &p) || p.Status != 422 {
		t.Errorf("%+v, %v", n, err)
	}
}

func TestConfigIsChecked(t *testing.T) {
	for _, cfg := range []client.Config{{}, {URL: "http://x"}, {Key: "k"}, {URL: "x", Key: "k"}, {URL: "ftp://x", Key: "k"}, {URL: "http://u:p@x", Key: "k"}} {
		if c, err := client.New(cfg); err == nil {
			t.Errorf("%+v was taken: %v", cfg, c.Close())
		}
	}
	cfg := client.Config{URL: "http://127.0.0.1:1", Key: "omb_secret"}
	c, err := client.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if text := fmt.Sprintf("%v %+v %#v %v %+v %#v", cfg, cfg, cfg, c, c, c); strings.Contains(text, "secret") {
		t.Errorf("the key is printed: %s", text)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}
