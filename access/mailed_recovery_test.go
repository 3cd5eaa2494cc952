package access_test

import (
	"testing"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/fault"
)

// TestRecoveryInsteadOfMail: who takes codes by e-mail gets recovery codes; each lets them in once, also when no e-mail goes out any
// more.
func TestRecoveryInsteadOfMail(t *testing.T) {
	h, p, _ := mailHouse(t, access.Support)
	_, codes := h.chosenWith(p)
	if len(codes) != 10 {
		t.Fatalf("%d codes", len(codes))
	}
	h.SetMailer(nil)
	c, _ := h.half("ola")
	e, err := h.Code(t.Context(), c, codes[0])
	must(t, err)
	if in := h.visit(e.Token); e.Stage != access.SignedIn || in.Role != access.Support {
		t.Errorf("%v, %+v", e.Stage, in)
	}
	c, _ = h.half("ola")
	_, err = h.Code(t.Context(), c, codes[0])
	h.wantKind("a second time", err, fault.Denied)
	if acc, err := h.Get(t.Context(), "ola"); err != nil || acc.Codes != 9 || !acc.ByMail {
		t.Errorf("%+v, %v", acc, err)
	}
}

// TestRecoveryIsNoMoreThanMail: where a code by e-mail is not enough, a recovery code that came with it is not either: it is used,
// and another factor must be set up, which ends the others.
func TestRecoveryIsNoMoreThanMail(t *testing.T) {
	h, p, admin := mailHouse(t, access.Support)
	_, codes := h.chosenWith(p)
	_, err := h.SetRoles(t.Context(), "ola", []access.Role{access.Officer}, admin)
	must(t, err)
	c, _ := h.half("ola")
	e, err := h.Code(t.Context(), c, codes[0])
	must(t, err)
	next := h.visit(e.Token)
	if m := h.stage(next); e.Stage != access.AskSetup || next.Role != "" || !m.Weak {
		t.Fatalf("%v, %+v, %+v", e.Stage, next, m)
	}
	again, _ := h.half("ola")
	_, err = h.Code(t.Context(), again, codes[0])
	h.wantKind("a second time", err, fault.Denied)
	entry, fresh, err := h.add(next, newDevice(), "laptop")
	must(t, err)
	if entry.Stage != access.SignedIn || len(fresh) != 10 {
		t.Errorf("%v, %d codes", entry.Stage, len(fresh))
	}
	c, _ = h.half("ola")
	_, err = h.Code(t.Context(), c, codes[1])
	h.wantKind("one that came with codes by e-mail, beside a passkey", err, fault.Denied)
	e, err = h.Code(t.Context(), c, fresh[0])
	must(t, err)
	if in := h.visit(e.Token); in.Role != access.Officer {
		t.Errorf("%+v", in)
	}
}
