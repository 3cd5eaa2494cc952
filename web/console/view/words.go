package view

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Number writes a count with a comma between thousands: 1,276.
func Number(n int64) string {
	s := strconv.FormatInt(n, 10)
	from := len(s) - 3
	for ; from > 0 && s[from-1] != '-'; from -= 3 {
		s = s[:from] + "," + s[from:]
	}
	return s
}

// Count writes a number with its word: "1 row", "1,276 rows". The many of a word that does not just take an s is given whole.
func Count(n int64, one string, many ...string) string {
	if n == 1 {
		return "1 " + one
	}
	return Number(n) + " " + plural(one, many)
}

// Spelled is Count for the beginning of a sentence: "Three requests".
func Spelled(n int64, one string, many ...string) string {
	words := []string{"No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten", "Eleven", "Twelve"}
	if n < 0 || n >= int64(len(words)) {
		return Count(n, one, many...)
	}
	if n == 1 {
		return "One " + one
	}
	return words[n] + " " + plural(one, many)
}

func plural(one string, many []string) string {
	if len(many) > 0 {
		return many[0]
	}
	return one + "s"
}

// Upper makes the first letter of a sentence a capital.
func Upper(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// Digits shows the first n hexadecimal digits of a hash in groups of four, as people compare them.
func Digits(hash string, n int) string {
	if len(hash) > n {
		hash = hash[:n]
	}
	var groups []string
	for ; len(hash) > 4; hash = hash[4:] {
		groups = append(groups, hash[:4])
	}
	return strings.Join(append(groups, hash), " ")
}

// Size writes a number of bytes.
func Size(n int64) string {
	switch {
	case n < 1000:
		return Count(n, "byte")
	case n < 1000*1000:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	case n < 1000*1000*1000:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.1f GB", float64(n)/1e9)
}

// Lasting writes how long something takes.
func Lasting(d time.Duration) string {
	switch {
	case d < time.Second:
		return "under a second"
	case d < time.Minute:
		return fmt.Sprintf("about %.0f s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("about %.0f min", d.Minutes())
	}
	return fmt.Sprintf("about %.1f h", d.Hours())
}

// Time writes and compares days, all in one place and as seen from one moment.
type Time struct {
	Now time.Time
	In  *time.Location
}

// Date is weekday, day and month, with the year when it is another one.
func (c Time) Date(t time.Time) string {
	t = t.In(c.In)
	if t.Year() != c.Now.In(c.In).Year() {
		return t.Format("Mon 2 Jan 2006")
	}
	return t.Format("Mon 2 Jan")
}

// Short is day and month, with the year when it is another one.
func (c Time) Short(t time.Time) string {
	t = t.In(c.In)
	if t.Year() != c.Now.In(c.In).Year() {
		return t.Format("2 Jan 2006")
	}
	return t.Format("2 Jan")
}

// Near is Date after the word for a day close by: "tomorrow, Fri 20 Nov".
func (c Time) Near(t time.Time) string {
	switch c.Days(t) {
	case -1:
		return "yesterday, " + c.Date(t)
	case 0:
		return "today, " + c.Date(t)
	case 1:
		return "tomorrow, " + c.Date(t)
	}
	return c.Date(t)
}

// Moment is when something happened: the hour today, else the day and the hour.
func (c Time) Moment(t time.Time) string {
	t = t.In(c.In)
	switch {
	case c.Days(t) == 0:
		return t.Format("15:04")
	case c.Days(t) == -1:
		return t.Format("Mon 15:04")
	}
	return t.Format("2 Jan, 15:04")
}

// Clock is the hour and minute.
func (c Time) Clock(t time.Time) string { return t.In(c.In).Format("15:04") }

// Days from today to the day of t; negative when it is over.
func (c Time) Days(t time.Time) int {
	return int(c.midnight(t).Sub(c.midnight(c.Now)) / (24 * time.Hour))
}

// Left says how much time there is: "25 days left", "the last day", "2 days late".
func (c Time) Left(t time.Time) string {
	switch n := int64(c.Days(t)); {
	case n < 0:
		return Count(-n, "day") + " late"
	case n == 0:
		return "the last day"
	default:
		return Count(n, "day") + " left"
	}
}

// midnight counts days as calendars do, whatever daylight saving does to the hours.
func (c Time) midnight(t time.Time) time.Time {
	y, m, d := t.In(c.In).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}
