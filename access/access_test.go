package access_test

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/fault"
)

func TestCallerOfAContext(t *testing.T) {
	type other struct{}
	base := context.WithValue(t.Context(), other{}, "below")
	if c := access.From(base); c != (access.Caller{}) || access.Allowed(c, access.APIRead) == nil {
		t.Errorf("a context without a caller gives %+v", c)
	}
	want := access.Caller{Actor: "local:ida", Role: access.Local}
	ctx, cancel := context.WithCancel(access.With(base, want))
	defer cancel()
	if got := access.From(ctx); got != want || ctx.Value(other{}) != "below" {
		t.Errorf("%+v, %v", got, ctx.Value(other{}))
	}
	inner := access.Caller{Actor: "service:key_1", Role: access.Service, Key: "key_1"}
	if got := access.From(access.With(ctx, inner)); got != inner {
		t.Errorf("the nearest caller is %+v", got)
	}
}

// TestRoles: what a role must not do is denied, naming role and permission; nobody but Local does everything.
func TestRoles(t *testing.T) {
	for _, c := range []struct {
		role access.Role
		may  []access.Permission
		not  []access.Permission
	}{
		{access.Local, []access.Permission{access.RequestApprove, access.LedgerRead, access.KeyManage, access.DecisionAsk, access.PackageRead}, nil},
		{access.Service, []access.Permission{access.DecisionAsk, access.ConsentRead, access.ConsentWrite, access.EventPost},
			[]access.Permission{access.RequestRead, access.RequestPlan, access.RequestApprove, access.ReceiptRead, access.PackageRead, access.HoldWrite, access.LedgerRead, access.KeyManage, access.CatalogRead, access.PurposeWrite}},
		{access.Support, []access.Permission{access.RequestPlan, access.ConsentRead}, []access.Permission{access.LedgerRead, access.KeyManage}},
		{access.Officer, []access.Permission{access.RequestApprove, access.LedgerRead}, []access.Permission{access.ConsentWrite, access.KeyManage}},
		{access.Admin, []access.Permission{access.KeyManage}, []access.Permission{access.RequestRead, access.PackageRead, access.ConsentRead, access.LedgerRead}},
		{access.Auditor, []access.Permission{access.LedgerRead, access.ReceiptRead}, []access.Permission{access.PackageRead, access.RequestPlan, access.ConsentRead}},
		{access.Developer, []access.Permission{access.CatalogRead}, []access.Permission{access.RequestRead, access.ConsentRead, access.LedgerRead}},
		{access.DataSubject, nil, []access.Permission{access.APIRead, access.DecisionAsk, access.RequestRead}},
		{"", nil, []access.Permission{access.APIRead, access.DecisionAsk}},
		{"root", nil, []access.Permission{access.APIRead, access.KeyManage}},
	} {
		for _, p := range c.may {
			if err := access.Allowed(access.Caller{Role: c.role, Session: "ses_1"}, p); err != nil {
				t.Errorf("%s, %s: %v", c.role, p, err)
			}
		}
		for _, p := range append(slices.Clone(c.not), "", "no.such") {
			err := access.Allowed(access.Caller{Role: c.role}, p)
			if fault.KindOf(err) != fault.Denied || !strings.HasSuffix(err.Error(), "no permission "+string(p)) {
				t.Errorf("%s, %s: %v", c.role, p, err)
			}
		}
	}
	err := access.Allowed(access.Caller{Role: access.Service}, access.RequestPlan)
	if want := "the role service has no permission request.plan"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// canary tells whether any byte below a folder is the secret's, or what makes it.
func canary(t *testing.T, dir, secret string) {
	t.Helper()
	err := filepath.WalkDir(dir, walkFor(secret))
	if err != nil {
		t.Error(err)
	}
}
