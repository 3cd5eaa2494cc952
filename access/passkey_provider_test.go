package access_test

import (
	"testing"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/fault"
)

// comes is ola, for whom a provider vouches, with or without a second factor there.
func (h *house) comes(strong bool) (access.Caller, access.Entry) {
	h.t.Helper()
	e, _, err := h.Arrive(h.t.Context(), access.Arrival{Provider: "work", Issuer: "https://id.example.com", Subject: "7", Display: "Ola", Session: "there",
		Roles: []access.Role{access.Support}, Strong: strong, Address: "192.0.2.1"})
	must(h.t, err)
	return h.visit(e.Token), e
}

// TestPasskeyAfterAProvider: where a provider asks for no second factor a passkey is one, which gives recovery codes. It opens nothing
// to who was not vouched for a moment ago: not at the door, not half way as somebody else, not once the roles are others. The
// session it begins ends as the one at the provider does.
func TestPasskeyAfterAProvider(t *testing.T) {
	h := newHouse(t)
	h.admin()
	half, e := h.comes(false)
	device := newDevice()
	entry, codes, err := h.add(half, device, "laptop")
	must(t, err)
	in := h.visit(entry.Token)
	if e.Stage != access.AskSetup || entry.Stage != access.SignedIn || in.Role != access.Support || len(codes) != 10 {
		t.Fatalf("%s, %+v, %d codes", e.Stage, in, len(codes))
	}
	_, err = h.byPasskey(h.answer(device))
	h.wantKind("at the door", err, fault.Denied)
	kari, _ := h.half("kari")
	_, err = h.Passkey(t.Context(), kari, origin, h.answer(device), "192.0.2.1")
	h.wantKind("half way as somebody else", err, fault.Denied)
	_, err = h.Passkey(t.Context(), in, origin, h.answer(device), "192.0.2.1")
	h.wantKind("in a session that asks for none", err, fault.Denied)

	half, e = h.comes(false)
	entry, err = h.Passkey(t.Context(), half, origin, h.answer(device), "192.0.2.1")
	must(t, err)
	in = h.visit(entry.Token)
	if e.Stage != access.AskCode || in.Actor != half.Actor || in.Role != access.Support {
		t.Errorf("%s, %+v", e.Stage, in)
	}
	must(t, h.Leave(t.Context(), "192.0.2.9", func() (access.Farewell, error) {
		return access.Farewell{Issuer: "https://id.example.com", Session: "there", ID: "1"}, nil
	}))
	if h.StageOf(in) != access.Outside {
		t.Error("who signed out there is still in here")
	}

	half, _ = h.comes(false)
	acc, err := h.Own(t.Context(), half)
	must(t, err)
	must(t, h.Revise(t.Context(), acc.ID, []access.Role{access.Developer}))
	if _, err := h.Passkey(t.Context(), half, origin, h.answer(device), "192.0.2.1"); err == nil {
		t.Error("it opens an account whose roles are others by now")
	}
	if _, e := h.comes(true); e.Stage != access.SignedIn {
		t.Errorf("with a second factor there: %s", e.Stage)
	}
}
