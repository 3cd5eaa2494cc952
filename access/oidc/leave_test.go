package oidc_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/access/oidc"
	"github.com/ombudhq/ombud/internal/fault"
)

const signedOut = "http://schemas.openid.net/event/backchannel-logout"

// leaves sends a logout token, as it should be but for changes.
func (h *hall) leaves(change map[string]any) error {
	h.t.Helper()
	return h.Leave(h.t.Context(), "work", h.idp.Sign("RS256", h.idp.Farewell(change)), "198.51.100.1")
}

// comes signs in with a session of a name there.
func (h *hall) comes(session any) access.Entry {
	h.t.Helper()
	h.idp.Claims["sid"] = session
	_, e := h.arrive()
	return e
}

func (h *hall) in(e access.Entry) bool { _, ok := h.accounts.Visit(e.Token, true); return ok }

// TestLeave: word of the provider ends the sessions it names, and no others, at once.
func TestLeave(t *testing.T) {
	h := newHall(t).first()
	h.idp.Claims["amr"] = []string{"otp"}
	one, two, unnamed := h.comes("s1"), h.comes("s2"), h.comes(nil)
	must(t, h.leaves(map[string]any{"sub": "1002"}))
	must(t, h.leaves(map[string]any{"sub": nil, "sid": "s3"}))
	must(t, h.leaves(map[string]any{"sub": "1002", "sid": "s1"}))
	if !h.in(one) || !h.in(two) || !h.in(unnamed) {
		t.Fatal("word of somebody else ended a session")
	}
	must(t, h.leaves(map[string]any{"sub": nil, "sid": "s1"}))
	if h.in(one) || !h.in(two) || !h.in(unnamed) {
		t.Error("the session alone")
	}
	must(t, h.leaves(map[string]any{"sid": "s2"}))
	if h.in(two) || h.in(unnamed) {
		t.Error("the session of the person, and the one without a name")
	}
	one, two = h.comes("s1"), h.comes("s2")
	must(t, h.leaves(nil))
	if h.in(one) || h.in(two) {
		t.Error("all of the person")
	}
	h.idp.Claims["amr"] = nil
	half, err := h.finish(h.away())
	must(t, err)
	must(t, h.leaves(nil))
	if h.in(half) {
		t.Error("who is half way goes on")
	}
}

// TestAnOriginOutlivesARestart: a session that was begun before a restart is ended by its name there, also when a second
// factor of ours came between.
func TestAnOriginOutlivesARestart(t *testing.T) {
	h := newHall(t).first()
	h.idp.Claims["amr"] = []string{"otp"}
	one, two := h.comes("s1"), h.comes("s2")
	h.again()
	must(t, h.leaves(map[string]any{"sub": nil, "sid": "s1"}))
	if h.in(one) || !h.in(two) {
		t.Error("by its name")
	}
}

// TestForgedFarewells: what is no logout token ends nothing, and the same one counts once, before and after a restart.
func TestForgedFarewells(t *testing.T) {
	h := newHall(t).first()
	h.idp.Claims["amr"] = []string{"otp"}
	e := h.comes("s1")
	event := func(v any) map[string]any { return map[string]any{"events": map[string]any{signedOut: v}} }
	wrong := map[string]map[string]any{
		"a nonce": {"nonce": "n"}, "an empty nonce": {"nonce": ""}, "no id": {"jti": nil}, "an empty id": {"jti": ""}, "a long id": {"jti": strings.Repeat("x", 256)},
		"nobody": {"sub": nil}, "nobody, emptily": {"sub": "", "sid": ""}, "no event": {"events": nil}, "another event": {"events": map[string]any{"x": map[string]any{}}},
		"an event that is a text": event("{}"), "null": event(nil), "a list": event([]any{}), "another issuer": {"iss": "https://evil.example"}, "for another": {"aud": "other"},
		"no end": {"exp": nil}, "ended": {"exp": h.clock.Now().Add(-time.Second).Unix()}, "old": {"iat": h.clock.Now().Add(-time.Hour).Unix()}, "of tomorrow": {"iat": h.clock.Now().Add(time.Hour).Unix()},
		"an id that is a number": {"jti": 7}, "a session that is a number": {"sid": 7},
	}
	for what, change := range wrong {
		h.denied(what, h.leaves(change))
	}
	for _, f := range wrongKeys(t) {
		right := h.idp.Sign("RS256", h.idp.Farewell(nil))
		h.denied(f.what, h.Leave(t.Context(), "work", f.make(h.idp, right), "198.51.100.2"))
		h.clock.Advance(20 * time.Second) // so many tries from one address are too many at once
		h.in(e)                           // and nobody is idle
	}
	h.denied("no token", h.Leave(t.Context(), "work", "", "198.51.100.3"))
	right := h.idp.Sign("ES256", h.idp.Farewell(nil))
	if err := h.Leave(t.Context(), "home", right, "198.51.100.3"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("of an unknown provider: %v", err)
	}
	h.clock.Advance(time.Minute)
	if !h.in(e) {
		t.Fatal("a forged word ended the session")
	}
	must(t, h.Leave(t.Context(), "work", right, "198.51.100.3"))
	e = h.comes("s1")
	h.denied("the same again", h.Leave(t.Context(), "work", right, "198.51.100.3"))
	h.again()
	h.denied("the same after a restart", h.Leave(t.Context(), "work", right, "198.51.100.3"))
	if !h.in(e) {
		t.Error("a word that came before ended the session")
	}
}

// TestFarewellsAtOnce: of 500 that are the same one counts; of 500 wrong ones no more are looked at than of an address.
func TestFarewellsAtOnce(t *testing.T) {
	h := newHall(t).first()
	at := func(raw func(i int) string, address string) (ok, busy int64) {
		var good, full atomic.Int64
		var wg sync.WaitGroup
		for i := range 500 {
			wg.Go(func() {
				switch err := h.Leave(t.Context(), "work", raw(i), address); fault.KindOf(err) {
				case fault.Busy:
					full.Add(1)
				case fault.Denied:
				default:
					if err != nil {
						t.Error(err)
					}
					good.Add(1)
				}
			})
		}
		wg.Wait()
		return good.Load(), full.Load()
	}
	same := h.idp.Sign("RS256", h.idp.Farewell(nil))
	if ok, _ := at(func(int) string { return same }, "198.51.100.1"); ok != 1 {
		t.Errorf("%d of the same were taken", ok)
	}
	if ok, busy := at(func(i int) string { return fmt.Sprint("x.y.", i) }, "198.51.100.2"); ok != 0 || busy != 450 {
		t.Errorf("%d taken, %d not looked at", ok, busy)
	}
}

// again is the desk and the accounts after a restart.
func (h *hall) again() {
	h.t.Helper()
	h.accounts, h.Desk = h.open()
	h.Use([]oidc.Provider{h.provider})
}
