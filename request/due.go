package request

import (
	"fmt"
	"time"
)

// ownTarget is how soon we mean to answer; the law allows longer.
const ownTarget = 7 * 24 * time.Hour

// due is the last day to answer under Art. 12(3) GDPR and why: one calendar month from receipt,
// counted as Regulation 1182/71 says. The day of receipt does not count, the period ends on the same
// date of the next month or on that month's last day, and a last day that is a Saturday or Sunday
// moves to the next working day. Public holidays differ by country and are not counted yet, so this
// is never later than the law's own limit.
func due(received time.Time) (time.Time, string) {
	nominal := addMonth(received)
	last := nominal
	for last.Weekday() == time.Saturday || last.Weekday() == time.Sunday {
		last = last.AddDate(0, 0, 1)
	}
	why := "one month from receipt, GDPR Art. 12(3)"
	if !last.Equal(nominal) {
		why += fmt.Sprintf("; %s is a %s, so the next working day (Reg. 1182/71 Art. 3(4))", nominal.Format("2006-01-02"), nominal.Weekday())
	}
	return last, why
}

// addMonth is the end of the day one calendar month later, or of that month's last day.
func addMonth(t time.Time) time.Time {
	t = t.UTC()
	first := time.Date(t.Year(), t.Month()+1, 1, 0, 0, 0, 0, time.UTC)
	day := min(t.Day(), first.AddDate(0, 1, -1).Day())
	return time.Date(first.Year(), first.Month(), day, 23, 59, 59, 0, time.UTC)
}
