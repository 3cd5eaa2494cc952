package access_test

import (
	"strings"
	"testing"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/fault"
)

// TestKeyScopes: a scope narrows a key to some of what its role may, also after a start, and never adds to it.
func TestKeyScopes(t *testing.T) {
	dir := t.TempDir()
	p := open(t, dir, clock.NewFake(start))
	scope := []access.Permission{access.DecisionAsk, access.PurposeRead}
	k, secret, err := p.Create(t.Context(), access.KeyInput{Name: "checkout", Role: access.Service, Scope: scope, Actor: "local:ida"})
	must(t, err)
	p.close()
	p = open(t, dir, p.clock)
	c, ok := p.Caller(secret)
	if !ok || !p.Stands(c) {
		t.Fatal("the key lets nobody in")
	}
	for action, want := range map[access.Permission]bool{access.DecisionAsk: true, access.PurposeRead: true, access.ConsentWrite: false, access.ConsentRead: false,
		access.RequestRead: false, "decision": false, "decision.ask purpose.read": false, "": false} {
		if got := access.Allowed(c, action) == nil; got != want || access.Judge(c, action, action.On("")).Allowed != want {
			t.Errorf("%q: %v", action, got)
		}
	}
	if n := testing.AllocsPerRun(100, func() { _ = access.Allowed(c, access.PurposeRead) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	all, err := p.List(t.Context())
	if err != nil || len(all) != 1 || len(all[0].Scope) != 2 || all[0].ID != k.ID {
		t.Errorf("%+v, %v", all, err)
	}
	for _, bad := range [][]access.Permission{{access.RequestApprove}, {access.DecisionAsk, "nothing.such"}, {""}, {"decision.ask purpose.read"}} {
		_, _, err := p.Create(t.Context(), access.KeyInput{Name: "x", Role: access.Service, Scope: bad, Actor: "local:ida"})
		if fault.KindOf(err) != fault.Invalid || strings.Contains(err.Error(), "nothing.such") {
			t.Errorf("%v: %v", bad, err)
		}
	}
}
