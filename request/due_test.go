package request

import (
	"strings"
	"testing"
	"time"
)

// TestDue holds the arithmetic of Regulation 1182/71 to known dates (without public holidays).
func TestDue(t *testing.T) {
	for _, c := range []struct{ received, due, why string }{
		{"2026-01-30T10:00:00Z", "2026-03-02", "2026-02-28 is a Saturday"},
		{"2026-01-31T23:59:59Z", "2026-03-02", "2026-02-28 is a Saturday"},
		{"2028-01-31T00:00:00Z", "2028-02-29", ""},
		{"2026-08-31T12:00:00Z", "2026-09-30", ""},
		{"2026-11-13T14:12:00Z", "2026-12-14", "2026-12-13 is a Sunday"},
		{"2026-11-21T04:00:00Z", "2026-12-21", ""},
		{"2026-12-31T08:00:00Z", "2027-02-01", "2027-01-31 is a Sunday"},
		{"2100-01-31T08:00:00Z", "2100-03-01", "2100-02-28 is a Sunday"}, // 2100 is no leap year
	} {
		received, err := time.Parse(time.RFC3339, c.received)
		if err != nil {
			t.Fatal(err)
		}
		got, why := due(received)
		if got.Format(time.DateOnly) != c.due || !strings.Contains(why, c.why) || !strings.Contains(why, "Art. 12(3)") {
			t.Errorf("received %s: due %s (%s), want %s (%s)", c.received, got.Format(time.DateOnly), why, c.due, c.why)
		}
	}
}

// TestDueOfEveryDay: for two centuries the last day is a working day, after receipt, within a month and two days.
func TestDueOfEveryDay(t *testing.T) {
	for d := time.Date(1900, 1, 1, 12, 0, 0, 0, time.UTC); d.Year() < 2101; d = d.AddDate(0, 0, 1) {
		got, _ := due(d)
		days := got.Sub(d).Hours() / 24
		if wd := got.Weekday(); wd == time.Saturday || wd == time.Sunday || days < 28 || days > 34 {
			t.Fatalf("received %s: due %s", d, got)
		}
	}
}
