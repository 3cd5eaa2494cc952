package catalog

import (
	"testing"

	"github.com/ombudhq/ombud/connector"
)

func TestUntilDate(t *testing.T) {
	text, day, num := connector.TextValue, func(s string) connector.Value { return connector.Value{Kind: connector.Time, S: s} }, connector.IntValue
	for _, c := range []struct {
		until string
		from  connector.Value
		want  string // "" is no date
	}{
		{"5 years after issued_at", day("2020-03-01 12:00:00"), "2025-03-01"},
		{"1 months after d", text("2023-01-31"), "2023-02-28"},
		{"1 month after d", text("2024-01-31"), "2024-02-29"},
		{"13 months after d", text("2023-12-31"), "2025-01-31"},
		{"1 years after d", text("2024-02-29"), "2025-02-28"},
		{"30 days after d", text("2024-02-10T08:00:00Z"), "2024-03-11"},
		{"2 days after my table.my col", text("2024-12-31"), "2025-01-02"},
		{"0 days after d", text("2024-12-31 23:30:00-05"), "2025-01-01"},
		{"1 days after d", num(1700000000), "2023-11-15"},
		{"1 days after d", num(1700000000123), "2023-11-15"},
		{"1 days after d", connector.Value{Kind: connector.Float, S: "1.7e+09"}, "2023-11-15"},
		{"1 days after d", num(20240101), ""},
		{"1 days after d", num(0), ""},
		{"1 days after d", text("0000-00-00"), ""},
		{"1 days after d", day("0000-00-00 00:00:00"), ""},
		{"1 days after d", day("0001-01-01"), ""},
		{"1 days after d", day("9999-12-31"), ""},
		{"1 days after d", day("infinity"), ""},
		{"1 days after d", text("soon"), ""},
		{"1 days after d", text("2024-02-30"), ""},
		{"1 days after d", connector.Value{}, ""},
	} {
		u, err := ParseUntil(c.until)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if at, ok := u.Date(c.from); ok {
			got = at.Format("2006-01-02")
		}
		if got != c.want {
			t.Errorf("%s from %q = %q, want %q", c.until, c.from.S, got, c.want)
		}
	}
}

func TestParseUntil(t *testing.T) {
	u, err := ParseUntil("3 years after billing.fiscal years.closed at")
	if want := (Until{N: 3, Unit: "years", Table: "billing.fiscal years", Column: "closed at"}); err != nil || u != want {
		t.Errorf("%+v, %v", u, err)
	}
	for _, bad := range []string{"", "5 years", "five years after x", "5 weeks after x", "-5 years after x", "5 years after ", "99999 days after x"} {
		if _, err := ParseUntil(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
