package access_test

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/fault"
)

func TestSetupLink(t *testing.T) {
	h := newHouse(t)
	acc, link, err := h.Create(t.Context(), access.NewAccount{Name: "kari", Role: access.Admin, By: local})
	must(t, err)
	for range 100 {
		if got, err := h.SetupOf(t.Context(), link); err != nil || got.ID != acc.ID {
			t.Fatalf("looking at it spends it: %v", err)
		}
	}
	_, err = h.Setup(t.Context(), link, "short")
	h.wantKind("a short password", err, fault.Invalid)
	_, err = h.Setup(t.Context(), link, "kari is my name")
	h.wantKind("the name in it", err, fault.Invalid)
	var spent atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := h.Setup(t.Context(), link, password); err == nil {
				spent.Add(1)
			}
		})
	}
	wg.Wait()
	if spent.Load() != 1 {
		t.Errorf("it was spent %d times", spent.Load())
	}
	_, _, err = h.SetupLink(t.Context(), "kari", local)
	h.wantKind("a link for who is set up", err, fault.Conflict)
	_, link, err = h.Reset(t.Context(), "kari", local)
	must(t, err)
	_, again, err := h.SetupLink(t.Context(), "kari", local)
	must(t, err)
	_, err = h.SetupOf(t.Context(), link)
	h.wantKind("an earlier link", err, fault.NotFound)
	h.place.clock.Advance(24*time.Hour - time.Second)
	_, err = h.SetupOf(t.Context(), again)
	must(t, err)
	h.place.clock.Advance(time.Second)
	_, err = h.Setup(t.Context(), again, password)
	h.wantKind("after 24 hours", err, fault.NotFound)
	canary(t, h.place.dir, again)
}

// TestNobodyRisesAlone: every role on every act, on the own account and on another's.
func TestNobodyRisesAlone(t *testing.T) {
	h := newHouse(t)
	kari := h.admin()
	who, _, _, _ := h.enrol("kari")
	other := h.other(who, "other", access.Support)
	acts := map[string]func(ref string, by access.Caller) error{
		"role": func(ref string, by access.Caller) error {
			_, err := h.SetRoles(t.Context(), ref, []access.Role{access.Officer}, by)
			return err
		},
		"disable": func(ref string, by access.Caller) error { _, err := h.Disable(t.Context(), ref, by); return err },
		"enable":  func(ref string, by access.Caller) error { _, err := h.Enable(t.Context(), ref, by); return err },
		"end":     func(ref string, by access.Caller) error { _, err := h.EndSessions(t.Context(), ref, by); return err },
		"reset":   func(ref string, by access.Caller) error { _, _, err := h.Reset(t.Context(), ref, by); return err },
		"create": func(_ string, by access.Caller) error {
			_, _, err := h.Create(t.Context(), access.NewAccount{Name: "second", Role: access.Admin, By: by})
			return err
		},
	}
	size := h.place.ledger.Size()
	for what, act := range acts {
		for _, role := range append(access.PeopleRoles(), access.Service, access.DataSubject, access.Machine, "") {
			by := access.Caller{Actor: "account:acc_x", Role: role}
			if role != access.Admin {
				h.wantKind(what+" by "+string(role), act(other.ID, by), fault.Denied)
			}
		}
		if what != "create" {
			h.wantKind(what+" of the own account", act(kari.ID, who), fault.Denied)
		}
	}
	h.wantKind("a role by the machine", acts["role"](other.ID, local), fault.Denied)
	h.wantKind("a second account by the machine", acts["create"]("", local), fault.Denied)
	if h.place.ledger.Size() != size {
		t.Error("what was refused left an entry of a change")
	}
}

func TestLastAdminStays(t *testing.T) {
	h := newHouse(t)
	_, _, err := h.Create(t.Context(), access.NewAccount{Name: "dpo", Role: access.Officer, By: local})
	h.wantKind("a first account that is no admin", err, fault.Invalid)
	kari := h.admin()
	who, _, _, _ := h.enrol("kari")
	second := h.other(who, "second", access.Admin)
	by := access.Caller{Actor: "account:" + second.ID, Role: access.Admin}
	var took atomic.Int64
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := h.Disable(t.Context(), kari.ID, by); err == nil {
			took.Add(1)
		}
	})
	wg.Go(func() {
		if _, err := h.SetRoles(t.Context(), second.ID, []access.Role{access.Auditor}, who); err == nil {
			took.Add(1)
		}
	})
	wg.Wait()
	if took.Load() != 1 {
		t.Errorf("%d admins of two were taken at once", took.Load())
	}
}

// TestChangesEndSessions at once: role, password, factor, codes, standing, reset.
func TestChangesEndSessions(t *testing.T) {
	h := newHouse(t)
	h.admin()
	boss, _, _, _ := h.enrol("kari")
	h.other(boss, "ola", access.Support)
	_, _, secret, _ := h.enrol("ola")
	in := func() (access.Caller, string) {
		t.Helper()
		h.place.clock.Advance(time.Minute)
		c, _ := h.half("ola")
		e, err := h.Code(t.Context(), c, h.codeOf(secret))
		must(t, err)
		return h.visit(e.Token), e.Token
	}
	for what, act := range h.endings(boss, &secret) {
		_, first := in()
		own, second := in()
		half, he := h.half("ola")
		act(own)
		for i, token := range []string{first, second, he.Token} {
			if _, ok := h.Visit(token, true); ok {
				t.Errorf("%s: session %d goes on", what, i)
			}
		}
		if _, err := h.Code(t.Context(), half, h.codeOf(secret)); err == nil {
			t.Errorf("%s: who was half way in gets in", what)
		}
	}
}

// endings are the changes that end every session of ola; who makes one themselves goes on in a new one.
func (h *house) endings(boss access.Caller, secret *string) map[string]func(own access.Caller) {
	goesOn := func(e access.Entry, err error) {
		h.t.Helper()
		must(h.t, err)
		if h.visit(e.Token).Role == "" {
			h.t.Error("the new session has no role")
		}
	}
	return map[string]func(own access.Caller){
		"role": func(access.Caller) {
			role := access.Officer
			if acc, _ := h.Get(h.t.Context(), "ola"); acc.Role == role {
				role = access.Support
			}
			_, err := h.SetRoles(h.t.Context(), "ola", []access.Role{role}, boss)
			must(h.t, err)
		},
		"password": func(own access.Caller) { goesOn(h.ChangePassword(h.t.Context(), own, password, password)) },
		"factor": func(own access.Caller) {
			must(h.t, h.BeginFactor(h.t.Context(), own, password))
			en, _ := h.Enrolment(h.t.Context(), own)
			e, _, err := h.ConfirmFactor(h.t.Context(), own, h.codeOf(en.Secret))
			goesOn(e, err)
			*secret = en.Secret
		},
		"codes": func(own access.Caller) {
			e, codes, err := h.NewCodes(h.t.Context(), own, password)
			goesOn(e, err)
			if len(codes) != 10 {
				h.t.Errorf("%d codes", len(codes))
			}
		},
		"standing": func(access.Caller) {
			_, err := h.Disable(h.t.Context(), "ola", boss)
			must(h.t, err)
			_, err = h.Enable(h.t.Context(), "ola", boss)
			must(h.t, err)
		},
		"by hand": func(access.Caller) { _, err := h.EndSessions(h.t.Context(), "ola", boss); must(h.t, err) },
	}
}

func TestSessionsEnd(t *testing.T) {
	dir, c := t.TempDir(), clock.NewFake(start)
	h := openHouse(t, dir, c)
	acc := h.admin()
	_, token, secret, _ := h.enrol("kari")
	c.Advance(14 * time.Minute)
	h.visit(token)
	c.Advance(14 * time.Minute)
	if _, ok := h.Visit(token, false); !ok {
		t.Error("a visit does not put off the idle end")
	}
	must(t, h.Flush(t.Context()))
	h.place.close()
	h = openHouse(t, dir, c)
	if who := h.visit(token); who.Role != access.Admin {
		t.Error("a restart ends sessions")
	}
	c.Advance(15 * time.Minute)
	if _, ok := h.Visit(token, true); ok {
		t.Error("it goes on after 15 idle minutes")
	}
	must(t, h.Sweep(t.Context()))
	if k := h.kinds(); !slices.Contains(k, "session.ended") || len(h.Sessions("")) != 0 {
		t.Errorf("its end left no entry: %v", k)
	}
	half, _ := h.half("kari")
	e, err := h.Code(t.Context(), half, h.codeOf(secret))
	must(t, err)
	h.SetIdle(time.Hour)
	for range 12 {
		h.visit(e.Token)
		c.Advance(59 * time.Minute)
	}
	h.visit(e.Token)
	c.Advance(12 * time.Minute)
	if _, ok := h.Visit(e.Token, true); ok {
		t.Error("it goes on after 12 hours")
	}
	late, le := h.half("kari")
	c.Advance(10 * time.Minute)
	_, err = h.Code(t.Context(), late, h.codeOf(secret))
	h.wantKind("half way for 10 minutes", err, fault.Denied)
	if _, ok := h.Visit(le.Token, true); ok {
		t.Error("half way for ever")
	}
	half, _ = h.half("kari")
	e, err = h.Code(t.Context(), half, h.codeOf(secret))
	must(t, err)
	own := h.visit(e.Token)
	h.wantKind("another's session", h.EndSession(t.Context(), own.Session, access.Caller{Actor: "account:acc_x", Role: access.Officer}), fault.NotFound)
	must(t, h.EndSession(t.Context(), own.Session, own))
	if _, ok := h.Visit(e.Token, true); ok || len(h.Sessions(acc.ID)) != 0 {
		t.Error("signed out, and still in")
	}
	canary(t, dir, e.Token)
}

func TestAccountInputNamesEveryFault(t *testing.T) {
	h := newHouse(t)
	_, _, err := h.Create(t.Context(), access.NewAccount{Name: "a b", Display: "x\ny", Role: access.Service, Password: "short", By: local})
	if fault.KindOf(err) != fault.Invalid || strings.Count(err.Error(), "\n") != 4 {
		t.Errorf("%v", err)
	}
	h.admin()
	who, _, _, _ := h.enrol("kari")
	_, _, err = h.Create(t.Context(), access.NewAccount{Name: "Kari", Role: access.Auditor, By: who})
	h.wantKind("a name that is taken", err, fault.Conflict)
	if name, ok := h.NameOf(who.Actor); !ok || name != "Kari Nordmann" {
		t.Errorf("%q, %v", name, ok)
	}
}
