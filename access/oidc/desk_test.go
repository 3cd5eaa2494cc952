package oidc_test

import (
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/access/oidc"
	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/dial"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/testkit/idptest"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/vault"
)

const callback = "https://privacy.example.com/sign-in/from/work"

// hall is a desk with a provider behind it and accounts before it.
type hall struct {
	*oidc.Desk
	t        *testing.T
	clock    *clock.Fake
	accounts *access.Accounts
	idp      *idptest.Provider
	provider oidc.Provider
	open     func() (*access.Accounts, *oidc.Desk) // as after a restart
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newHall(t *testing.T) *hall {
	t.Helper()
	dir, c := t.TempDir(), clock.NewFake(time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC))
	v, err := vault.Open(vault.Config{Dir: filepath.Join(dir, "keys")})
	must(t, err)
	d, err := db.Open(t.Context(), db.Config{Path: filepath.Join(dir, "ombud.db"), Clock: c})
	must(t, err)
	t.Cleanup(func() { must(t, d.Close()) })
	l, err := ledger.Open(t.Context(), ledger.Config{DB: d, Vault: v, Clock: c, Heads: []string{filepath.Join(dir, "heads")}})
	must(t, err)
	h := &hall{t: t, clock: c, idp: idptest.New(t, c)}
	h.open = func() (*access.Accounts, *oidc.Desk) {
		a, err := access.OpenAccounts(t.Context(), d, v, l, c)
		must(t, err)
		return a, oidc.NewDesk(a, c)
	}
	h.accounts, h.Desk = h.open()
	h.provider = oidc.Provider{ID: "work", Name: "Work", Issuer: h.idp.Server.URL, ClientID: "ombud", Secret: "the client's secret", Groups: "groups", AMR: []string{"otp"},
		Roles: []oidc.Grant{{Group: "privacy", Role: access.Officer}, {Group: "everybody", Role: access.Support}},
		Way:   dial.Way{Private: true, Peer: dial.Peer{CA: h.idp.CA}}}
	h.Use([]oidc.Provider{h.provider})
	return h
}

// first makes the account that must be there before anybody arrives.
func (h *hall) first() *hall {
	h.t.Helper()
	_, _, err := h.accounts.Create(h.t.Context(), access.NewAccount{Name: "ida", Role: access.Admin, By: access.Caller{Actor: "local:ida", Role: access.Local}})
	must(h.t, err)
	return h
}

// away sends a browser to the provider and lets its person sign in there.
func (h *hall) away() (browser string, q url.Values) {
	h.t.Helper()
	to, browser, err := h.Begin(h.t.Context(), "work", callback)
	must(h.t, err)
	return browser, h.idp.Consent(to)
}

func (h *hall) finish(browser string, q url.Values) (access.Entry, error) {
	return h.Finish(h.t.Context(), "work", browser, q, "192.0.2.1")
}

// arrive is the whole way.
func (h *hall) arrive() (access.Caller, access.Entry) {
	h.t.Helper()
	e, err := h.finish(h.away())
	must(h.t, err)
	c, ok := h.accounts.Visit(e.Token, true)
	if !ok {
		h.t.Fatal("the token does not let in")
	}
	return c, e
}

func (h *hall) denied(what string, err error) {
	h.t.Helper()
	if fault.KindOf(err) != fault.Denied {
		h.t.Errorf("%s: %v", what, err)
	}
}

func TestArrive(t *testing.T) {
	h := newHall(t)
	browser, q := h.away()
	_, err := h.finish(browser, q)
	h.denied("before there is an account", err)
	h.first()
	c, e := h.arrive()
	if e.Stage != access.AskSetup || c.Role != "" {
		t.Errorf("without a second factor there: %s, %s", e.Stage, c.Role)
	}
	h.idp.Claims["amr"] = []string{"pwd", "otp"}
	c, e = h.arrive()
	acc, err := h.accounts.Own(t.Context(), c)
	must(t, err)
	if e.Stage != access.SignedIn || c.Role != access.Officer || acc.Display != "Kari Berg" || acc.Provider != "work" || acc.Password {
		t.Errorf("%s, %+v, %+v", e.Stage, c, acc)
	}
	h.idp.Claims["name"] = "Kari Hansen"
	again, _ := h.arrive()
	if again.Actor != c.Actor || again.Session == c.Session {
		t.Error("the same person is another account, or in the same session")
	}
	all, err := h.accounts.List(t.Context())
	must(t, err)
	if len(all) != 2 {
		t.Errorf("%d accounts", len(all))
	}
	_, err = h.accounts.SignIn(t.Context(), acc.Name, "", "192.0.2.1")
	h.denied("with a password, of which there is none", err)
}

// TestNoRoleNoEntry: nobody gets in, or an account, by being known there only.
func TestNoRoleNoEntry(t *testing.T) {
	h := newHall(t).first()
	for _, groups := range []any{nil, []string{}, []string{"others", "Privacy", "privacy "}, "others", 7, map[string]string{"privacy": "yes"}, []any{"privacy", 7}} {
		h.idp.Claims["groups"] = groups
		_, err := h.finish(h.away())
		h.denied(fmt.Sprint(groups), err)
	}
	if all, err := h.accounts.List(t.Context()); err != nil || len(all) != 1 {
		t.Errorf("%d accounts, %v", len(all), err)
	}
	h.idp.Claims["groups"], h.idp.Claims["amr"] = "everybody", []string{"otp"}
	if c, _ := h.arrive(); c.Role != access.Support {
		t.Errorf("%+v", c)
	}
	h.idp.Claims["groups"] = nil
	h.idp.Info = map[string]any{"sub": "1001", "groups": []string{"privacy"}}
	if c, _ := h.arrive(); c.Role != access.Officer {
		t.Errorf("groups of the user info: %+v", c)
	}
	h.provider.Every = true
	h.Use([]oidc.Provider{h.provider})
	h.idp.Info["groups"] = []string{"everybody", "others", "privacy"}
	if c, _ := h.arrive(); c.RoleNames() != "data_protection_officer support_agent" {
		t.Errorf("where every group counts: %s", c.RoleNames())
	}
	h.idp.Info["sub"] = "1002"
	_, err := h.finish(h.away())
	h.denied("groups of somebody else", err)
}

// TestARoleThatChangesEndsSessions: at the next sign-in, and without one, by asking again.
func TestARoleThatChangesEndsSessions(t *testing.T) {
	h := newHall(t).first()
	h.idp.Claims["amr"] = []string{"otp"}
	in := func(token string) bool { _, ok := h.accounts.Visit(token, true); return ok }
	wait := func(d time.Duration) { h.clock.Advance(d); must(t, h.Confirm(t.Context())) }
	_, first := h.arrive()
	h.idp.Claims["groups"] = []string{"everybody"}
	c, second := h.arrive()
	if in(first.Token) || c.Role != access.Support {
		t.Error("the session of the former role goes on")
	}
	h.idp.Info = map[string]any{"sub": "1001", "groups": []string{"everybody"}}
	for range 10 {
		wait(5 * time.Minute)
		if !in(second.Token) {
			t.Fatal("a session that is confirmed ends")
		}
	}
	h.idp.Info["groups"] = []string{}
	wait(5 * time.Minute)
	if in(second.Token) {
		t.Error("without a role the session goes on")
	}
	_, third := h.arrive()
	h.idp.Refresh = "invalid_grant"
	wait(6 * time.Minute)
	if in(third.Token) {
		t.Error("what the provider took back goes on")
	}
	h.idp.Refresh, h.idp.Info = "temporarily_unavailable", nil
	_, fourth := h.arrive()
	wait(10 * time.Minute)
	if !in(fourth.Token) {
		t.Error("it ended before the quarter of an hour")
	}
	wait(5 * time.Minute)
	if in(fourth.Token) {
		t.Error("a session goes on that nobody confirms")
	}
}

// TestAnAnswerIsSpentOnce: 500 at once, with the right state or guessed ones, are one at most.
func TestAnAnswerIsSpentOnce(t *testing.T) {
	h := newHall(t).first()
	h.idp.Claims["amr"] = []string{"otp"}
	at := func(state func(i int, right string) string) int64 {
		browser, q := h.away()
		var in atomic.Int64
		var wg sync.WaitGroup
		for i := range 500 {
			wg.Go(func() {
				one := url.Values{"code": q["code"], "state": {state(i, q.Get("state"))}}
				if _, err := h.finish(browser, one); err == nil {
					in.Add(1)
				} else if fault.KindOf(err) != fault.Denied {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if _, err := h.finish(browser, q); err == nil {
			t.Error("it is spent, and still good")
		}
		return in.Load()
	}
	if n := at(func(_ int, right string) string { return right }); n != 1 {
		t.Errorf("the right answer, 500 times: %d are let in", n)
	}
	if n := at(func(i int, _ string) string { return fmt.Sprint("guess ", i) }); n != 0 {
		t.Errorf("500 guesses: %d are let in", n)
	}
	browser, _ := h.away()
	_, other := h.away()
	_, err := h.finish(browser, other)
	h.denied("the answer to another browser's question", err)
	browser, q := h.away()
	h.clock.Advance(11 * time.Minute)
	_, err = h.finish(browser, q)
	h.denied("an answer that took too long", err)
	browser, q = h.away()
	q.Set("iss", "https://evil.example")
	_, err = h.finish(browser, q)
	h.denied("an answer of another provider", err)
	browser, q = h.away()
	_, err = h.finish(browser, url.Values{"state": q["state"], "error": {"access_denied"}})
	h.denied("an error", err)
	browser, q = h.away()
	_, err = h.Finish(t.Context(), "home", browser, q, "192.0.2.1")
	h.denied("at another provider's address", err)
}

// TestAccountsOfAProvider: what it says cannot be said otherwise here.
func TestAccountsOfAProvider(t *testing.T) {
	h := newHall(t).first()
	h.idp.Claims["amr"] = []string{"otp"}
	c, e := h.arrive()
	acc := strings.TrimPrefix(c.Actor, "account:")
	admin := access.Caller{Actor: "account:acc_other", Role: access.Admin}
	for what, act := range map[string]func() error{
		"a role": func() error {
			_, err := h.accounts.SetRoles(t.Context(), acc, []access.Role{access.Admin}, admin)
			return err
		},
		"a link": func() error { _, _, err := h.accounts.SetupLink(t.Context(), acc, admin); return err },
		"a password": func() error {
			_, err := h.accounts.ChangePassword(t.Context(), c, "", "correct horse battery")
			return err
		},
	} {
		if err := act(); fault.KindOf(err) != fault.Conflict {
			t.Errorf("%s: %v", what, err)
		}
	}
	must(t, h.accounts.BeginFactor(t.Context(), c, ""))
	h.clock.Advance(10 * time.Minute)
	h.denied("a factor, when the sign-in is old", h.accounts.BeginFactor(t.Context(), c, ""))
	_, link, err := h.accounts.Reset(t.Context(), acc, admin)
	if err != nil || link != "" {
		t.Errorf("a reset gives a link: %t, %v", link != "", err)
	}
	if _, ok := h.accounts.Visit(e.Token, true); ok {
		t.Error("a reset leaves the session")
	}
	_, err = h.accounts.Disable(t.Context(), acc, admin)
	must(t, err)
	_, err = h.finish(h.away())
	h.denied("a disabled account", err)
}

func TestAProviderThatIsNotThere(t *testing.T) {
	h := newHall(t).first()
	h.provider.Way.Private = false
	h.Use([]oidc.Provider{h.provider})
	_, _, err := h.Begin(t.Context(), "work", callback)
	if fault.KindOf(err) != fault.Unavailable || strings.Contains(err.Error(), "127.0.0.1") {
		t.Errorf("in our own network: %v", err)
	}
	if _, _, err = h.Begin(t.Context(), "home", callback); fault.KindOf(err) != fault.NotFound {
		t.Errorf("unknown: %v", err)
	}
}
