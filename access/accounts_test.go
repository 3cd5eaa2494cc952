package access_test

import (
	"encoding/base32"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/vault"
)

const password = "correct horse battery"

var local = access.Caller{Actor: "local:ida", Role: access.Local}

// house is a place with accounts.
type house struct {
	*access.Accounts
	place *place
	t     *testing.T
}

func newHouse(t *testing.T) *house { return openHouse(t, t.TempDir(), clock.NewFake(start)) }

func openHouse(t *testing.T, dir string, c *clock.Fake) *house {
	t.Helper()
	p := open(t, dir, c)
	v, err := vault.Open(vault.Config{Dir: filepath.Join(dir, "keys")})
	must(t, err)
	a, err := access.OpenAccounts(t.Context(), p.db, v, p.ledger, c)
	must(t, err)
	a.Cheap()
	return &house{a, p, t}
}

// admin makes the first account, with a password.
func (h *house) admin() access.Account {
	h.t.Helper()
	acc, _, err := h.Create(h.t.Context(), access.NewAccount{Name: "kari", Display: "Kari Nordmann", Role: access.Admin, Password: password, By: local})
	must(h.t, err)
	return acc
}

// codeOf is what an app shows now.
func (h *house) codeOf(secret string) string {
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	must(h.t, err)
	return access.CodeAt(raw, h.place.clock.Now())
}

// half gives the password.
func (h *house) half(name string) (access.Caller, access.Entry) {
	h.t.Helper()
	e, err := h.SignIn(h.t.Context(), name, password, "192.0.2.1")
	must(h.t, err)
	return h.visit(e.Token), e
}

func (h *house) visit(token string) access.Caller {
	h.t.Helper()
	c, ok := h.Visit(token, true)
	if !ok {
		h.t.Fatal("a token does not let in")
	}
	return c
}

// enrol goes all the way for the first time: caller, secret of the app, recovery codes.
func (h *house) enrol(name string) (who access.Caller, token, secret string, codes []string) {
	h.t.Helper()
	c, _ := h.half(name)
	en, ok := h.Enrolment(h.t.Context(), c)
	if !ok {
		h.t.Fatal("no factor is set up")
	}
	e, codes, err := h.ConfirmFactor(h.t.Context(), c, h.codeOf(en.Secret))
	must(h.t, err)
	h.place.clock.Advance(time.Minute) // the next code is another
	return h.visit(e.Token), e.Token, en.Secret, codes
}

// other makes an account of a role and lets it set itself up.
func (h *house) other(by access.Caller, name string, role access.Role) access.Account {
	h.t.Helper()
	acc, _, err := h.Create(h.t.Context(), access.NewAccount{Name: name, Role: role, Password: password, By: by})
	must(h.t, err)
	return acc
}

func (h *house) wantKind(what string, err error, k fault.Kind) {
	h.t.Helper()
	if err == nil || fault.KindOf(err) != k {
		h.t.Errorf("%s: %v, want %s", what, err, k)
	}
}

func (h *house) kinds() (out []string) {
	h.t.Helper()
	rows, err := h.place.ledger.Tail(h.t.Context(), 1000, ledger.TailOptions{})
	must(h.t, err)
	for _, r := range rows {
		out = append(out, r.Kind)
	}
	return out
}

func TestSignInWithTwoFactors(t *testing.T) {
	h := newHouse(t)
	if h.Any() {
		t.Error("there is an account before one is made")
	}
	acc := h.admin()
	who, token, secret, codes := h.enrol("KARI ")
	if who.Role != access.Admin || who.Actor != "account:"+acc.ID || len(codes) != 10 || !h.Any() {
		t.Errorf("%+v, %d codes", who, len(codes))
	}
	c, e := h.half("kari")
	if c.Role != "" || e.Stage != access.AskCode || h.StageOf(c) != access.AskCode || access.Allowed(c, access.APIRead) == nil {
		t.Errorf("half way: %+v, %s", c, e.Stage)
	}
	now := h.codeOf(secret)
	in, err := h.Code(t.Context(), c, now[:3]+" "+now[3:])
	must(t, err)
	if in.Token == e.Token || h.visit(in.Token).Role != access.Admin {
		t.Error("the token is not a new one, or has no role")
	}
	if _, ok := h.Visit(e.Token, true); ok {
		t.Error("the token of half way still stands")
	}
	again, _ := h.half("kari")
	_, err = h.Code(t.Context(), again, now)
	h.wantKind("a code a second time", err, fault.Denied)
	_, err = h.Code(t.Context(), again, strings.ToUpper(codes[3]))
	must(t, err)
	once, _ := h.half("kari")
	_, err = h.Code(t.Context(), once, codes[3])
	h.wantKind("a recovery code a second time", err, fault.Denied)
	if acc, err = h.Get(t.Context(), "kari"); err != nil || acc.Codes != 9 || acc.SignedIn == nil || len(h.Sessions(acc.ID)) != 3 {
		t.Errorf("%+v, %v, %d sessions", acc, err, len(h.Sessions(acc.ID)))
	}
	for _, s := range []string{password, secret, token, in.Token, codes[0], "Kari Nordmann"} {
		canary(t, h.place.dir, s)
	}
}

// TestSignInTellsNothing: an unknown name, a wrong password, a disabled account and one without a password answer alike.
func TestSignInTellsNothing(t *testing.T) {
	h := newHouse(t)
	h.admin()
	who, _, _, _ := h.enrol("kari")
	off := h.other(who, "off", access.Auditor)
	_, _, err := h.Create(t.Context(), access.NewAccount{Name: "new", Role: access.Auditor, By: who})
	must(t, err)
	_, err = h.Disable(t.Context(), off.ID, who)
	must(t, err)
	var first string
	for i, c := range [][2]string{{"nobody", password}, {"kari", "wrong horse battery"}, {"off", password}, {"new", ""}, {"", ""}, {off.ID, password}} {
		_, err := h.SignIn(t.Context(), c[0], c[1], "192.0.2.1")
		h.wantKind(c[0], err, fault.Denied)
		if i == 0 {
			first = fmt.Sprint(err)
		}
		if fmt.Sprint(err) != first {
			t.Errorf("%s: %v", c[0], err)
		}
	}
}

// TestParallelGuesses: of 500 guesses at once, five are looked at, of passwords and of codes.
func TestParallelGuesses(t *testing.T) {
	h := newHouse(t)
	h.admin()
	_, _, secret, codes := h.enrol("kari")
	guess := func(try func(i int) error) (looked, busy int64) {
		var wg sync.WaitGroup
		for i := range 500 {
			wg.Go(func() {
				switch err := try(i); fault.KindOf(err) {
				case fault.Denied:
					atomic.AddInt64(&looked, 1)
				case fault.Busy:
					atomic.AddInt64(&busy, 1)
				default:
					t.Error(err)
				}
			})
		}
		wg.Wait()
		return looked, busy
	}
	c, _ := h.half("kari")
	right := h.codeOf(secret)
	if looked, busy := guess(func(i int) error {
		_, err := h.Code(t.Context(), c, fmt.Sprintf("x%05d", i))
		return err
	}); looked != 5 || busy != 495 {
		t.Errorf("codes: %d looked at, %d refused", looked, busy)
	}
	_, err := h.Code(t.Context(), c, right)
	h.wantKind("the right code after that", err, fault.Busy)
	_, err = h.Code(t.Context(), c, codes[0])
	h.wantKind("a recovery code after that", err, fault.Busy)
	if looked, busy := guess(func(i int) error {
		_, err := h.SignIn(t.Context(), "kari", fmt.Sprint("wrong horse ", i), fmt.Sprint("192.0.2.", i))
		return err
	}); looked > 5 || looked+busy != 500 {
		t.Errorf("passwords: %d looked at, %d refused", looked, busy)
	}
	_, err = h.SignIn(t.Context(), "kari", password, "192.0.2.9")
	h.wantKind("the right password after that", err, fault.Busy)
	h.place.clock.Advance(15 * time.Minute)
	c, _ = h.half("kari")
	_, err = h.Code(t.Context(), c, h.codeOf(secret))
	must(t, err)
	refused := 0
	for _, k := range h.kinds() {
		if k == "session.refused" {
			refused++
		}
	}
	if refused > 10 || refused < 5 {
		t.Errorf("%d entries about refusals", refused)
	}
}

// TestGuessesAtTheMachine: who is at the machine and names an account guesses no more often than who signs in, and each guess that was
// looked at stands in the log.
func TestGuessesAtTheMachine(t *testing.T) {
	h := newHouse(t)
	h.admin()
	_, _, secret, _ := h.enrol("kari")
	h.place.clock.Advance(time.Minute)
	vouch := func(word, code string) error {
		_, err := h.VouchHere(t.Context(), "kari", word, code)
		return err
	}
	must(t, vouch(password, h.codeOf(secret)))
	var looked, busy atomic.Int64
	var wg sync.WaitGroup
	for i := range 500 {
		wg.Go(func() {
			switch err := vouch(password, fmt.Sprintf("x%05d", i)); fault.KindOf(err) {
			case fault.Denied:
				looked.Add(1)
			case fault.Busy:
				busy.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if looked.Load() > 5 || looked.Load()+busy.Load() != 500 {
		t.Errorf("%d looked at, %d refused", looked.Load(), busy.Load())
	}
	h.wantKind("the right code after that", vouch(password, h.codeOf(secret)), fault.Busy)
	_, err := h.SignIn(t.Context(), "kari", password, "192.0.2.9")
	h.wantKind("signing in after that", err, fault.Busy)
	refused := 0
	for _, k := range h.kinds() {
		if k == "session.refused" {
			refused++
		}
	}
	if int64(refused) != looked.Load() {
		t.Errorf("%d entries about %d refusals", refused, looked.Load())
	}
	h.place.clock.Advance(15 * time.Minute)
	must(t, vouch(password, h.codeOf(secret)))
}

// TestOneAddressTriesManyNames: spraying is counted by the address.
func TestOneAddressTriesManyNames(t *testing.T) {
	h := newHouse(t)
	looked := 0
	for i := range 60 {
		if _, err := h.SignIn(t.Context(), fmt.Sprint("name", i), "x", "192.0.2.1"); fault.KindOf(err) == fault.Denied {
			looked++
		}
	}
	if looked != 50 {
		t.Errorf("%d looked at", looked)
	}
	_, err := h.SignIn(t.Context(), "name1", "x", "192.0.2.2")
	h.wantKind("from elsewhere", err, fault.Denied)
}
