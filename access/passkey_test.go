package access_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/testkit/passkeytest"
)

const origin = "https://privacy.example.com"

func newDevice() *passkeytest.Device {
	return &passkeytest.Device{Origin: origin, RP: "privacy.example.com"}
}

// add makes a passkey for somebody who is signed in, or half way.
func (h *house) add(who access.Caller, d *passkeytest.Device, name string) (access.Entry, []string, error) {
	h.t.Helper()
	q, err := h.BeginPasskey(h.t.Context(), who, origin, name, password)
	must(h.t, err)
	answer, err := d.Make(q)
	must(h.t, err)
	return h.ConfirmPasskey(h.t.Context(), who, answer)
}

func (h *house) answer(d *passkeytest.Device) []byte {
	h.t.Helper()
	q, err := h.AskPasskey(origin)
	must(h.t, err)
	b, err := d.Sign(q)
	must(h.t, err)
	return b
}

func (h *house) byPasskey(answer []byte) (access.Entry, error) {
	return h.Passkey(h.t.Context(), access.Caller{}, origin, answer, "192.0.2.1")
}

// TestPasskeyIsBothFactors: it signs in alone, each answer once, and every change of passkeys ends the other sessions.
func TestPasskeyIsBothFactors(t *testing.T) {
	h := newHouse(t)
	acc := h.admin()
	c, _ := h.half("kari")
	phone, key := newDevice(), newDevice()
	e, codes, err := h.add(c, phone, "Kari's blue phone")
	must(t, err)
	if e.Stage != access.SignedIn || len(codes) != 10 {
		t.Fatalf("as the only second factor: %s, %d codes", e.Stage, len(codes))
	}
	answer := h.answer(phone)
	in, err := h.byPasskey(answer)
	must(t, err)
	if who := h.visit(in.Token); who.Role != access.Admin || who.Actor != "account:"+acc.ID {
		t.Errorf("%+v", who)
	}
	_, err = h.byPasskey(answer)
	h.wantKind("the same answer again", err, fault.Denied)
	if half, e := h.half("kari"); e.Stage != access.AskCode {
		t.Errorf("after the password: %s, %+v", e.Stage, half)
	}
	more, codes, err := h.add(h.visit(in.Token), key, "key")
	must(t, err)
	if _, ok := h.Visit(e.Token, true); ok || codes != nil {
		t.Error("a second passkey leaves other sessions, or gives codes again")
	}
	now := h.visit(more.Token)
	if acc, err = h.Get(t.Context(), "kari"); err != nil || len(acc.Passkeys) != 2 || acc.Passkeys[0].Name != "Kari's blue phone" || acc.Passkeys[0].Used == nil || !acc.Factor || acc.App {
		t.Fatalf("%+v, %v", acc, err)
	}
	_, err = h.RemovePasskey(t.Context(), now, acc.Passkeys[0].ID, "wrong horse battery")
	h.wantKind("with a wrong password", err, fault.Denied)
	left, err := h.RemovePasskey(t.Context(), now, acc.Passkeys[0].ID, password)
	must(t, err)
	if _, ok := h.Visit(more.Token, true); ok {
		t.Error("the session of before goes on")
	}
	_, err = h.byPasskey(h.answer(phone))
	h.wantKind("one that was removed", err, fault.Denied)
	_, err = h.RemovePasskey(t.Context(), h.visit(left.Token), acc.Passkeys[1].ID, password)
	h.wantKind("the only second factor", err, fault.Conflict)
	_, err = h.byPasskey(h.answer(key))
	must(t, err)
	canary(t, h.place.dir, "Kari's blue phone")
	_, _, err = h.Reset(t.Context(), "kari", local)
	must(t, err)
	_, err = h.byPasskey(h.answer(key))
	h.wantKind("after a reset", err, fault.Denied)
}

// TestPasskeysOfOthers: what another page, another device or a device that asked nobody answers lets nobody in.
func TestPasskeysOfOthers(t *testing.T) {
	h := newHouse(t)
	h.admin()
	c, _ := h.half("kari")
	d := newDevice()
	d.Count = 7
	_, _, err := h.add(c, d, "phone")
	must(t, err)
	for what, change := range map[string]func(*passkeytest.Device) *passkeytest.Device{
		"another page": func(d *passkeytest.Device) *passkeytest.Device {
			d.Origin = "https://privacy.example.com.evil.example"
			return d
		},
		"the same in the clear": func(d *passkeytest.Device) *passkeytest.Device { d.Origin = "http://privacy.example.com"; return d },
		"another relying party": func(d *passkeytest.Device) *passkeytest.Device { d.RP = "example.com"; return d },
		"nobody was asked":      func(d *passkeytest.Device) *passkeytest.Device { d.Unasked = true; return d },
		"another key":           func(d *passkeytest.Device) *passkeytest.Device { return d.Other() },
		"a copy that is behind": func(d *passkeytest.Device) *passkeytest.Device { d.Count = 6; return d },
		"an answer to something": func(d *passkeytest.Device) *passkeytest.Device {
			d.Tamper = func(c map[string]any) { c["type"] = "webauthn.create" }
			return d
		},
		"another's challenge": func(d *passkeytest.Device) *passkeytest.Device {
			d.Tamper = func(c map[string]any) { c["challenge"] = strings.Repeat("A", 75) }
			return d
		},
		"within another page": func(d *passkeytest.Device) *passkeytest.Device {
			d.Tamper = func(c map[string]any) { c["crossOrigin"] = true; c["topOrigin"] = "https://evil.example" }
			return d
		},
	} {
		copied := *d
		copied.Count++
		if _, err := h.byPasskey(h.answer(change(&copied))); fault.KindOf(err) != fault.Denied {
			t.Errorf("%s: %v", what, err)
		}
		h.place.clock.Advance(15 * time.Minute)
	}
	late := h.answer(d)
	h.place.clock.Advance(6 * time.Minute)
	_, err = h.byPasskey(late)
	h.wantKind("an answer that took too long", err, fault.Denied)
	for _, bad := range []string{"", "{}", "null", "[]", strings.Repeat("{", 1<<17)} {
		_, err = h.byPasskey([]byte(bad))
		h.wantKind("nonsense", err, fault.Denied)
	}
	d.Count = 9
	_, err = h.byPasskey(h.answer(d))
	must(t, err)
	for _, at := range []string{"https://192.0.2.1", "http://privacy.example.com", "https://[::1]", "", "http://127.0.0.1:7443"} {
		if _, err := h.AskPasskey(at); fault.KindOf(err) != fault.Conflict {
			t.Errorf("at %s: %v", at, err)
		}
	}
}

// TestParallelPasskeys: of 500 guesses at once, five are looked at.
func TestParallelPasskeys(t *testing.T) {
	h := newHouse(t)
	h.admin()
	c, _ := h.half("kari")
	d := newDevice()
	_, _, err := h.add(c, d, "phone")
	must(t, err)
	forger := d.Other()
	var answers [][]byte
	for range 500 {
		answers = append(answers, h.answer(forger))
	}
	var denied, busy atomic.Int64
	var wg sync.WaitGroup
	for i, a := range answers {
		wg.Go(func() {
			_, err := h.Passkey(t.Context(), access.Caller{}, origin, a, fmt.Sprint("192.0.2.", i))
			switch fault.KindOf(err) {
			case fault.Denied:
				denied.Add(1)
			case fault.Busy:
				busy.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if denied.Load() != 5 || busy.Load() != 495 {
		t.Errorf("%d looked at, %d refused", denied.Load(), busy.Load())
	}
	_, err = h.byPasskey(h.answer(d))
	h.wantKind("the right one after that", err, fault.Busy)
}
