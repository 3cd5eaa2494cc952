package law

import (
	"testing"
	"time"
)

func TestSignalUses(t *testing.T) {
	day := func(s string) time.Time {
		d, err := time.Parse(time.DateOnly, s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	for _, c := range []struct {
		name, day string
		where     []string
		use, want string
	}{
		{"California stops sharing", "2026-11-21", []string{"eu", "us-ca"}, "sharing", "11 CCR § 7025"},
		{"others stop sale and targeting only", "2026-11-21", []string{"us-or"}, "sharing", ""},
		{"from the day it holds", "2025-12-31", []string{"us-or"}, "sale", ""},
		{"and on that day", "2026-01-01", []string{"us-or"}, "sale", "ORS 646A.578(5)"},
		{"not in the Union", "2026-11-21", []string{"eu"}, "sale", ""},
	} {
		if got := SignalUses(c.where, day(c.day))[c.use]; got != c.want {
			t.Errorf("%s: %q", c.name, got)
		}
	}
	seen := map[string]bool{}
	for _, s := range signals {
		day(s.From)
		if seen[s.Jurisdiction] || s.Citation == "" {
			t.Errorf("%s", s.Jurisdiction)
		}
		seen[s.Jurisdiction] = true
	}
	if len(seen) != 12 {
		t.Errorf("%d states", len(seen))
	}
}

func TestNeedsClearAct(t *testing.T) {
	for where, want := range map[string]bool{"eu": true, "uk": true, "no": true, "us-ca": false, "in": false} {
		if NeedsClearAct([]string{where}) != want {
			t.Error(where)
		}
	}
	if !NeedsClearAct(nil) {
		t.Error("the stricter rule is the default")
	}
}
