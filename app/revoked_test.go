package app

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/subject"
)

const housePassword = "correct horse battery"

var (
	atMachine = access.Caller{Actor: "local:ida", Role: access.Local}
	boss      = access.Caller{Actor: "account:acc_boss", Role: access.Admin}
)

// codeNow is what an authenticator app shows (RFC 6238).
func (h *history) codeNow(secret string) string {
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	h.must(err)
	mac := hmac.New(sha1.New, raw)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(h.clock.Now().Unix()/30)))
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 15
	return fmt.Sprintf("%06d", (binary.BigEndian.Uint32(sum[at:])&0x7fffffff)%1_000_000)
}

// half gives the password, and who is half way in then.
func (h *history) half(name, password string) access.Caller {
	h.t.Helper()
	e, err := h.a.Accounts.SignIn(h.t.Context(), name, password, "192.0.2.1")
	h.must(err)
	c, _ := h.a.Accounts.Visit(e.Token, true)
	return c
}

// enrol makes an account that signs in with two factors.
func (h *history) enrol(name string, role access.Role, by access.Caller) (who access.Caller, token, secret string, codes []string) {
	h.t.Helper()
	ctx := h.t.Context()
	_, _, err := h.a.Accounts.Create(ctx, access.NewAccount{Name: name, Role: role, Password: housePassword, By: by})
	h.must(err)
	c := h.half(name, housePassword)
	en, _ := h.a.Accounts.Enrolment(ctx, c)
	e, codes, err := h.a.Accounts.ConfirmFactor(ctx, c, h.codeNow(en.Secret))
	h.must(err)
	h.clock.Advance(time.Minute)
	who, _ = h.a.Accounts.Visit(e.Token, true)
	return who, e.Token, en.Secret, codes
}

// given is what a store knew when it was copied, and what was taken from it afterwards.
type given struct {
	key                 access.Key
	secret, link, token string
	codes               []string
}

// giveAndTake gives keys and accounts, makes a backup, and takes most of it back.
func (h *history) giveAndTake() (g given) {
	ctx := h.t.Context()
	_, _, err := h.a.Keys.Create(ctx, access.KeyInput{Name: "stays", Role: access.Service, Actor: "test"})
	h.must(err)
	g.key, g.secret, err = h.a.Keys.Create(ctx, access.KeyInput{Name: "goes", Role: access.Service, Actor: "test"})
	h.must(err)
	h.enrol("kari", access.Admin, atMachine)
	for name, role := range map[string]access.Role{"disabled": access.Officer, "demoted": access.Officer} {
		_, _, err := h.a.Accounts.Create(ctx, access.NewAccount{Name: name, Role: role, Password: housePassword, By: boss})
		h.must(err)
	}
	_, g.link, err = h.a.Accounts.Create(ctx, access.NewAccount{Name: "linked", Role: access.Support, By: boss})
	h.must(err)
	changed, _, _, _ := h.enrol("changed", access.Support, boss)
	_, g.token, _, g.codes = h.enrol("spent", access.Support, boss)
	h.backUp()

	_, err = h.a.Keys.Revoke(ctx, g.key.ID, "test")
	h.must(err)
	_, err = h.a.Accounts.Disable(ctx, "disabled", boss)
	h.must(err)
	_, err = h.a.Accounts.SetRoles(ctx, "demoted", []access.Role{access.Auditor}, boss)
	h.must(err)
	_, err = h.a.Accounts.ChangePassword(ctx, changed, housePassword, "another horse battery")
	h.must(err)
	_, err = h.a.Accounts.Code(ctx, h.half("spent", housePassword), g.codes[0])
	h.must(err)
	h.clock.Advance(time.Minute)
	return g
}

// TestWhatWasTakenStaysTaken: a restore brings back no revoked key, no session, no setup link, no account that was
// disabled, no role, password or factor that was changed, and no recovery code that was used.
func TestWhatWasTakenStaysTaken(t *testing.T) {
	h := newHistory(t, 3)
	ctx := t.Context()
	g := h.giveAndTake()
	h.restore()
	if _, ok := h.a.Keys.Caller(g.secret); ok {
		t.Error("a revoked key lets in")
	}
	keys, err := h.a.Keys.List(ctx)
	h.must(err)
	for _, k := range keys {
		if (k.Revoked != nil) != (k.ID == g.key.ID) {
			t.Errorf("%s: revoked %v", k.Name, k.Revoked)
		}
	}
	if _, ok := h.a.Accounts.Visit(g.token, true); ok {
		t.Error("a session of before goes on")
	}
	if _, err := h.a.Accounts.SetupOf(ctx, g.link); fault.KindOf(err) != fault.NotFound {
		t.Errorf("an old setup link opens: %v", err)
	}
	for _, name := range []string{"disabled", "changed"} {
		if _, err := h.a.Accounts.SignIn(ctx, name, housePassword, "192.0.2.2"); fault.KindOf(err) != fault.Denied {
			t.Errorf("%s signs in: %v", name, err)
		}
	}
	if acc, err := h.a.Accounts.Get(ctx, "demoted"); err != nil || acc.Role != access.Auditor {
		t.Errorf("%+v, %v", acc, err)
	}
	if acc, err := h.a.Accounts.Get(ctx, "changed"); err != nil || acc.Password || acc.Factor || acc.Codes != 0 {
		t.Errorf("%+v, %v", acc, err)
	}
	for _, code := range g.codes[:2] {
		if _, err := h.a.Accounts.Code(ctx, h.half("spent", housePassword), code); fault.KindOf(err) != fault.Denied {
			t.Errorf("a recovery code of before opens: %v", err)
		}
	}
	h.half("kari", housePassword) // nothing was taken from her
	void := func(name string) bool {
		_, err := h.a.Accounts.SignIn(ctx, name, "not the password at all", "192.0.2.3")
		var f *fault.Error
		return errors.As(err, &f) && strings.Contains(f.Next, "Some passwords are void")
	}
	if locked, err := h.a.Accounts.LockedOut(ctx); err != nil || !slices.Equal(locked, []string{"changed", "linked"}) {
		t.Errorf("locked out: %v, %v", locked, err)
	}
	if !void("changed") || !void("kari") || !void("nobody") {
		t.Error("some are told that passwords are void, and others are not")
	}
	_, _, err = h.a.Accounts.Reset(ctx, "changed", atMachine)
	h.must(err) // the way back in
	_, _, err = h.a.Accounts.Reset(ctx, "linked", atMachine)
	h.must(err)
	if locked, err := h.a.Accounts.LockedOut(ctx); err != nil || len(locked) > 0 || void("kari") {
		t.Errorf("after their reset: %v, %v", locked, err)
	}
	h.close()
}

// TestARestrictionBringsNobodyBack: a restriction of somebody who had been erased, done again in an older store, leaves
// them erased.
func TestARestrictionBringsNobodyBack(t *testing.T) {
	h := newHistory(t, 4)
	p := h.people[0]
	told, err := h.erase(p)
	h.must(err)
	told()
	h.backUp()
	_, f, err := h.a.Consents.AddFact(t.Context(), p.ids[:1], subject.FactInput{Kind: subject.Restriction, Type: "accuracy_dispute", Actor: "test"})
	h.must(err)
	_, err = h.a.Consents.EndFact(t.Context(), f.ID, "test")
	h.must(err)
	h.restore()
	if v := h.a.Consents.Decide(h.a.Consents.Find(p.ids[0]), "orders", "contact", false); v.Allowed {
		t.Errorf("whoever was erased is back: %s", v.Reason)
	}
	h.close()
}

// TestARestoreKnowsWhoseKeyIsDestroyed: acts about somebody who was erased since the backup, and whose key is destroyed, are
// done again, and their erasure too.
func TestARestoreKnowsWhoseKeyIsDestroyed(t *testing.T) {
	h := newHistory(t, 8)
	p := h.people[0]
	h.now++
	_, err := h.say(p, p.ids, "letters", h.a.Consents.Revision())
	h.must(err)
	h.backUp()
	_, _, err = h.a.Consents.AddFact(t.Context(), p.ids[:1], subject.FactInput{Kind: subject.Restriction, Type: "accuracy_dispute", Actor: "test"})
	h.must(err)
	_, err = h.a.Consents.Withdraw(t.Context(), consent.WithdrawInput{Subject: p.ids, All: true, Actor: "test"})
	h.must(err)
	told, err := h.erase(p)
	h.must(err)
	told()
	h.restore()
	for _, i := range p.ids {
		for _, purpose := range []string{"letters", "orders"} {
			if v := h.a.Consents.Decide(h.a.Consents.Find(i), purpose, "contact", false); v.Allowed {
				t.Errorf("%s by %s: %s", purpose, i.Kind, v.Reason)
			}
		}
	}
	h.close()
}
