package catalog

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/ombudhq/ombud/connector"
)

// Until is the end of a keep: a calendar distance from a date in the row.
type Until struct {
	N      int
	Unit   string // "days", "months", "years"
	Column string // of the row's own dataset; the part after the last dot of what was written
	Table  string // the part before it, "" when none was written
}

var untilShape = regexp.MustCompile(`^\s*(\d{1,4})\s+(day|month|year)s?\s+after\s+(\S.*?)\s*$`)

// ParseUntil reads "N days|months|years after COLUMN".
func ParseUntil(s string) (Until, error) {
	m := untilShape.FindStringSubmatch(s)
	if m == nil {
		return Until{}, fmt.Errorf("until is written: N days|months|years after COLUMN")
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		return Until{}, fmt.Errorf("until begins with a number: %w", err)
	}
	u := Until{N: n, Unit: m[2] + "s", Column: m[3]}
	if dot := strings.LastIndexByte(m[3], '.'); dot > 0 && dot < len(m[3])-1 {
		u.Table, u.Column = m[3][:dot], m[3][dot+1:]
	}
	return u, nil
}

// Date is the day from which the row no longer has to stay. False when the value is missing or no
// date anybody can have meant (zero dates, the year 9999): such a row is kept.
func (u Until) Date(v connector.Value) (time.Time, bool) {
	start, ok := moment(v)
	if !ok {
		return time.Time{}, false
	}
	switch u.Unit {
	case "days":
		return start.AddDate(0, 0, u.N), true
	case "months":
		return addMonths(start, u.N), true
	default:
		return addMonths(start, 12*u.N), true
	}
}

// addMonths goes to the same day of a later month, or to that month's last day when it is shorter.
func addMonths(t time.Time, n int) time.Time {
	first := time.Date(t.Year(), t.Month(), 1, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), t.Location()).AddDate(0, n, 0)
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(t.Day(), last)-1)
}

var momentLayouts = []string{
	"2006-01-02", "2006-01-02 15:04:05.999999999", "2006-01-02T15:04:05.999999999",
	"2006-01-02 15:04", "2006-01-02T15:04",
	time.RFC3339Nano, "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999-07",
	"2006-01-02T15:04:05.999999999-0700", "2006-01-02 15:04:05.999999999-0700", "2006-01-02 15:04:05.999999999 -0700 MST",
	"20060102", "20060102T150405Z", "2006/01/02",
}

// moment understands a cell as a point in time. Numbers are Unix seconds or milliseconds, and only
// when they fall between 1980 and 2100: a smaller number could be anything.
func moment(v connector.Value) (time.Time, bool) {
	switch v.Kind {
	case connector.Time, connector.Text, connector.Other:
		s := strings.TrimSpace(v.S)
		for _, layout := range momentLayouts {
			if t, err := time.Parse(layout, s); err == nil {
				return plausible(t)
			}
		}
		if v.Kind == connector.Text && len(s) >= 9 {
			return epoch(s)
		}
	case connector.Int:
		return epoch(v.S)
	case connector.Float, connector.Decimal:
		whole, _, _ := strings.Cut(v.S, ".")
		if f, err := strconv.ParseFloat(v.S, 64); err == nil && strings.ContainsAny(v.S, "eE") {
			whole = strconv.FormatFloat(f, 'f', 0, 64)
		}
		return epoch(whole)
	}
	return time.Time{}, false
}

const (
	epochFrom = 315_532_800   // 1980
	epochTo   = 4_102_444_800 // 2100
)

func epoch(s string) (time.Time, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	switch {
	case err != nil:
		return time.Time{}, false
	case n >= epochFrom && n < epochTo:
		return time.Unix(n, 0).UTC(), true
	case n >= epochFrom*1000 && n < epochTo*1000:
		return time.UnixMilli(n).UTC(), true
	}
	return time.Time{}, false
}

// plausible refuses the dates that mean "never" or "not known".
func plausible(t time.Time) (time.Time, bool) {
	t = t.UTC()
	if t.Year() < 1000 || t.Year() >= 9999 {
		return time.Time{}, false
	}
	return t, true
}
