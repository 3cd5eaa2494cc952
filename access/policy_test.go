package access_test

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/fault"
)

// TestActionsArePermissions: the code knows the actions of the schema, and no others.
func TestActionsArePermissions(t *testing.T) {
	b, err := os.ReadFile("role.go")
	if err != nil {
		t.Fatal(err)
	}
	var want []access.Permission
	for _, m := range regexp.MustCompile(`Permission = "(.*?)"`).FindAllStringSubmatch(string(b), -1) {
		want = append(want, access.Permission(m[1]))
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, access.Shipped().Actions()); diff != "" {
		t.Error(diff)
	}
}

// callers are each role and each two roles, with and without what conditions ask for.
func callers(p *access.Policies) (out []access.Caller) {
	for _, a := range access.EveryRole() {
		for _, b := range append([]access.Role{""}, access.EveryRole()...) {
			if b > a {
				continue // the order does not count
			}
			c := access.Caller{Actor: "account:acc_1", Role: a, Also: string(b)}.Under(p)
			for _, session := range []string{"", "ses_1"} {
				c.Session = session
				elevated := c
				elevated.Elevated = true
				why := c.Calling(access.Call{Justification: "asked by the court", Time: time.Unix(1e9, 0), Address: netip.MustParseAddr("2001:db8::1")})
				out = append(out, c, elevated, why)
			}
		}
	}
	return out
}

// TestIndexSaysWhatCedarSays: the index, and the answers made when the policies were loaded, are those of Cedar asked about
// every policy: for each role, each two roles, and each action. The quick answer to service is one of them.
func TestIndexSaysWhatCedarSays(t *testing.T) {
	own, err := access.LoadPolicies([]string{folder(t, `forbid (principal, action == Action::"decision.ask", resource) unless { context.ip.isInRange(ip("2001:db8::/32")) };
forbid (principal in Role::"auditor", action in Action::"content", resource) when { principal.clearance < 2 };`)})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []*access.Policies{access.Shipped(), own} {
		n, alone := 0, p.CedarAlone()
		for _, c := range callers(p) {
			for _, action := range p.Actions() {
				want := alone(c, action)
				if got := access.Allowed(c, action) == nil; got != want {
					t.Errorf("%s+%s, %s, session %q, elevated %v: %v, Cedar says %v", c.Role, c.Also, action, c.Session, c.Elevated, got, want)
				}
				if v := access.Judge(c, action, access.Resource{}); v.Allowed != want || want && len(v.Because) == 0 {
					t.Errorf("%s+%s, %s: judged %+v", c.Role, c.Also, action, v)
				}
				n++
			}
		}
		t.Logf("%d questions", n)
	}
}

// TestSeparation: what a role is kept from, no other role gives, nor an emergency.
func TestSeparation(t *testing.T) {
	content := []access.Permission{access.ConsentRead, access.PersonRead, access.ValueReveal, access.PseudonymResolve, access.RequestRead, access.RequestApprove, access.PackageRead, access.LedgerRead}
	for _, c := range callers(access.Shipped()) {
		for _, p := range content {
			if c.Has(access.Admin) && access.Allowed(c, p) == nil {
				t.Errorf("%s+%s has %s", c.Role, c.Also, p)
			}
		}
		for _, p := range []access.Permission{access.ConsentWrite, access.RestrictionWrite, access.EventPost} {
			if c.Has(access.Officer) && access.Allowed(c, p) == nil {
				t.Errorf("%s+%s has %s", c.Role, c.Also, p)
			}
		}
		why := c.Call().Justification
		if reveals := access.Allowed(c, access.ValueReveal) == nil; reveals && why == "" {
			t.Errorf("%s+%s reveals without a word", c.Role, c.Also)
		}
		if c.Has(access.Officer) && (c.Session == "" && access.Allowed(c, access.APIRead) == nil || why == "" && access.Allowed(c, access.PersonRead) == nil) {
			t.Errorf("an officer without factor or justification: %+v", c)
		}
	}
}

// TestDenialsSayWhatTheyWant: a denial that something would turn names it; others do not.
func TestDenialsSayWhatTheyWant(t *testing.T) {
	in := func(r access.Role) access.Caller { return access.Caller{Role: r, Session: "ses_1"} }
	for _, c := range []struct {
		who  access.Caller
		what access.Permission
		want access.Want
	}{
		{in(access.Officer), access.PersonRead, access.WantsWhy},
		{in(access.Support), access.ValueReveal, access.WantsWhy},
		{in(access.Support), access.LedgerRead, access.WantsEmergency},
		{in(access.Developer), access.PersonRead, access.WantsEmergency},
		{access.Caller{Role: access.Officer}, access.LedgerRead, access.WantsFactor},
		{in(access.Admin), access.PackageRead, ""},
		{in(access.Auditor), access.PackageRead, ""},
		{access.Caller{}, access.APIRead, ""},
	} {
		if got := access.Wants(c.who, c.what, access.Resource{}); got != c.want {
			t.Errorf("%s, %s wants %q, not %q", c.who.Role, c.what, got, c.want)
		}
	}
	err := access.Allowed(in(access.Officer), access.PersonRead)
	if want := "person.read asks for a written justification first"; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("%v", err)
	}
}

func folder(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "own.cedar"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestCompanyPolicies narrow by every attribute, and a policy that cannot be evaluated denies.
func TestCompanyPolicies(t *testing.T) {
	noon := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	office := access.Call{Time: noon, Began: noon.Add(-time.Hour), Address: netip.MustParseAddr("10.1.2.3"), Purpose: "support", Justification: "asked"}
	me := access.Caller{Actor: "account:acc_1", Role: access.Support, Session: "ses_1"}.
		Being(access.Attributes{Department: "care", Clearance: 2, Place: "Oslo", Jurisdiction: "eu"})
	thing := access.Resource{Kind: "packages", Classification: "personal", Sensitivity: 3, Owner: "account:acc_2", Jurisdiction: "eu", Place: "Oslo"}
	for _, c := range []struct {
		when  string
		allow bool
	}{
		{`principal.department != "care"`, true}, {`principal.department == "care"`, false},
		{`principal.clearance < resource.sensitivity`, false}, {`principal.clearance < 2`, true},
		{`principal.place != resource.place`, true}, {`principal.jurisdiction == resource.jurisdiction`, false},
		{`resource.classification == "personal"`, false}, {`resource.owner == "account:acc_2"`, false},
		{`context.hour < 8 || context.hour >= 18`, true}, {`context.time > datetime("2026-11-21T11:00:00Z")`, false},
		{`!context.ip.isInRange(ip("10.0.0.0/8"))`, true}, {`context.ip.isIpv4()`, false},
		{`context.purpose != "support"`, true}, {`context.duration > duration("30m")`, false}, {`context.justified`, false},
		{`principal.clearance * 9223372036854775807 > 1`, false}, // it overflows
	} {
		p, err := access.LoadPolicies([]string{folder(t, `forbid (principal, action == Action::"package.read", resource) when { `+c.when+` };`)})
		if err != nil {
			t.Fatal(err)
		}
		if got := access.AllowedOn(me.Under(p).Calling(office), access.PackageRead, thing) == nil; got != c.allow {
			t.Errorf("%s: %v", c.when, got)
		}
	}
}

// TestCompanyPolicyFaults names every fault with file and line, and nothing is taken in.
func TestCompanyPolicyFaults(t *testing.T) {
	for text, want := range map[string]string{
		"\npermit (principal in Role::\"auditor\", action, resource);":                   `own.cedar:2: a policy of your own can only forbid; what a role may do is shipped`,
		"forbid (principal, action, resource)\n when { tru };":                           `own.cedar:2: this is no policy`,
		"forbid (principal, action == Action::\"data.read\", resource);":                 `own.cedar:1: unrecognized action`,
		"forbid (principal, action, resource) when { principal.clearence < 2 };":         `own.cedar:1: attribute ` + "`clearence`",
		"@id(\"auditor\")\nforbid (principal, action, resource);":                        `own.cedar:1: another policy has the id auditor`,
		"forbid (principal, action, resource) when { principal.department < 2 };":        `own.cedar:1: `,
		"forbid (principal in Roll::\"auditor\", action, resource);":                     `own.cedar:1: `,
		"forbid (principal in Role::\"auditors\", action, resource);":                    `own.cedar:1: there is no role auditors`,
		"forbid (principal, action, resource) when { principal in Role::\"auditors\" };": `own.cedar:1: there is no role auditors`,
	} {
		_, err := access.LoadPolicies([]string{folder(t, text)})
		var f *fault.Error
		if !errors.As(err, &f) || f.Kind != fault.Invalid || len(f.Details) == 0 {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := filepath.Base(f.Details[0].Where) + ": " + f.Details[0].Message; !strings.HasPrefix(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if _, err := access.LoadPolicies([]string{filepath.Join(t.TempDir(), "none")}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a folder that is not there: %v", err)
	}
}

// TestRolesSayWhatTheyMay: the page of roles is what the policies answer.
func TestRolesSayWhatTheyMay(t *testing.T) {
	for _, r := range access.Shipped().Roles() {
		if r.Says == "" && r.Role != access.DataSubject {
			t.Errorf("%s says nothing", r.Role)
		}
		for _, p := range r.May {
			if err := access.Allowed(access.Caller{Actor: string(r.Role), Role: r.Role, Session: "given"}, p); err != nil {
				t.Error(err)
			}
		}
		if len(r.May) == 0 != (r.Role == access.DataSubject) {
			t.Errorf("%s may %v", r.Role, r.May)
		}
	}
	for _, p := range access.Shipped().All() {
		if p.Says == "" || !p.Shipped || p.Line == 0 || !strings.Contains(p.Text, p.ID) {
			t.Errorf("%+v", p)
		}
	}
}
