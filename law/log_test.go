package law

import (
	"strings"
	"testing"
	"time"
)

func TestLogYears(t *testing.T) {
	day := func(s string) time.Time {
		d, err := time.Parse(time.DateOnly, s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	for _, c := range []struct {
		name         string
		where, named []string
		day, class   string
		years        int
		citation     string
	}{
		{"nothing binds", []string{"eu"}, nil, "2026-11-21", "access", 0, ""},
		{"California, by its place", []string{"eu", "us-ca"}, nil, "2026-11-21", "compliance", 2, "11 CCR § 7101(a)"},
		{"and no other class", []string{"us-ca"}, nil, "2026-11-21", "access", 0, ""},
		{"a trade only by its name", []string{"us-ca"}, []string{"hipaa"}, "2026-11-21", "compliance", 6, "45 CFR § 164.316(b)(2)(i)"},
		{"before its day", []string{"in"}, nil, "2027-05-12", "access", 0, ""},
		{"on its day", []string{"in"}, nil, "2027-05-13", "access", 1, "DPDP Rules 2025 (G.S.R. 846(E)), rules 6(1) and 8(3)"},
		{"the longest wins", []string{"in"}, []string{"pci-dss", "hipaa"}, "2028-01-01", "security", 6, "45 CFR § 164.316(b)(2)(i)"},
	} {
		if got := LogYears(c.where, c.named, day(c.day))[c.class]; got.Years != c.years || got.Citation != c.citation {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}

// TestLogLawsAreValid: what ships is read without a fault, and whatever a rule lacks is one.
func TestLogLawsAreValid(t *testing.T) {
	if rules, err := parseLogs(logsFile); err != nil || len(rules) != len(LogLaws()) || len(rules) < 4 {
		t.Fatalf("%d rules, %v", len(rules), err)
	}
	const good = `{"law":"x","keep":["access"],"years":6,"from":"2026-01-01","citation":"§ 1"}`
	for change, want := range map[string]string{
		`"law":"x"=>"law":""`: "name", `"citation":"§ 1"=>"citation":""`: "cited", `2026-01-01=>2026-13-01`: "date",
		`"years":6=>"years":0`: "years", `"access"=>"state"`: "classes", `["access"]=>[]`: "classes", `"law"=>"lawyer"`: "unknown field",
	} {
		from, to, _ := strings.Cut(change, "=>")
		if _, err := parseLogs([]byte("[" + strings.Replace(good, from, to, 1) + "]")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", change, err)
		}
	}
	if _, err := parseLogs([]byte("[" + good + "," + good + "]")); err == nil {
		t.Error("two laws of one name are taken")
	}
}
