package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// clean makes control characters and those that turn the direction of text visible; line ends stay.
func clean(s string) string {
	if !strings.ContainsFunc(s, unsafeRune) && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if unsafeRune(r) {
			fmt.Fprintf(&b, `\u%04x`, r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

func unsafeRune(r rune) bool {
	return r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == 0x2028 || r == 0x2029)
}

// oneLine is clean for a cell: it has no line ends either.
func oneLine(s string) string { return clean(strings.ReplaceAll(s, "\n", " ")) }

// table is rows of cells whose columns align.
type table struct {
	head  []string
	rows  [][]string
	right map[int]bool
}

func newTable(head ...string) *table { return &table{head: head, right: map[int]bool{}} }

// numbers sets columns right.
func (t *table) numbers(columns ...int) *table {
	for _, c := range columns {
		t.right[c] = true
	}
	return t
}

func (t *table) row(cells ...any) {
	row := make([]string, len(cells))
	for i, c := range cells {
		row[i] = oneLine(fmt.Sprint(c))
	}
	t.rows = append(t.rows, row)
}

// print writes the table indented by two, its head in grey; nothing when it has no rows.
func (t *table) print(s *session) {
	if len(t.rows) == 0 || s.json {
		return
	}
	widths := make([]int, len(t.head))
	for _, row := range append([][]string{t.head}, t.rows...) {
		for i, c := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(c))
		}
	}
	fit := fitting(widths, s.env.Width)
	if strings.Join(t.head, "") != "" {
		fmt.Fprintln(s.env.Stdout, s.style(grey, t.line(t.head, widths, fit, s.env.Width)))
	}
	for _, row := range t.rows {
		fmt.Fprintln(s.env.Stdout, s.gutter(t.line(row, widths, fit, s.env.Width)))
	}
}

// fitting is how many columns stand side by side in a terminal of that width; where it has none, or has room, all do.
func fitting(widths []int, room int) int {
	used := 2
	for i, w := range widths {
		if used += w; room > 0 && used > room {
			return i
		}
		used += 2
	}
	return len(widths)
}

// line is a row whose first columns align; those that do not fit beside them follow, broken between words, below where they begin, or
// below the row where too little room is left.
func (t *table) line(row []string, widths []int, fit, room int) string {
	const enough, indent = 24, 6
	line := t.aligned(row[:fit], widths)
	at := 2
	for _, w := range widths[:fit] {
		at += w + 2
	}
	rest := slices.DeleteFunc(slices.Clone(row[fit:]), func(c string) bool { return c == "" })
	if len(rest) == 0 {
		return strings.TrimRight(line, " ")
	}
	if room-at < enough {
		line, at = strings.TrimRight(line, " ")+"\n"+strings.Repeat(" ", indent), indent
	}
	return line + strings.Join(broken(strings.Join(rest, "  "), room-at), "\n"+strings.Repeat(" ", at))
}

// broken is a text in lines of at most so many characters, but for longer words.
func broken(text string, room int) (lines []string) {
	for _, word := range strings.Split(text, " ") {
		last := len(lines) - 1
		if last < 0 || word != "" && utf8.RuneCountInString(strings.TrimRight(lines[last], " "))+1+utf8.RuneCountInString(word) > room {
			lines = append(lines, word)
		} else {
			lines[last] += " " + word
		}
	}
	return lines
}

func (t *table) aligned(row []string, widths []int) string {
	var b strings.Builder
	b.WriteString("  ")
	for i, c := range row {
		pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(c))
		if t.right[i] {
			c = pad + c
		} else {
			c += pad
		}
		b.WriteString(c + "  ")
	}
	return b.String()
}

// Colours of a terminal, used for meaning only.
const (
	grey   = "2"
	bold   = "1"
	red    = "31"
	green  = "32"
	yellow = "33"
)

func (s *session) style(code, text string) string {
	if !s.env.Color || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// gutter colours the sign at the start of a line.
func (s *session) gutter(line string) string {
	for sign, code := range map[string]string{"−": red, "~": yellow, "=": green, "?": yellow} {
		if rest, ok := strings.CutPrefix(line, "  "+sign+" "); ok {
			return "  " + s.style(code, sign) + " " + rest
		}
	}
	return line
}

// heading is the sentence that says how things stand.
func (s *session) heading(format string, args ...any) {
	if s.json {
		return
	}
	fmt.Fprintln(s.env.Stdout, s.style(bold, clean(fmt.Sprintf(format, args...))))
}

// verdict is a heading that begins with a word of ours in a colour.
func (s *session) verdict(code, word, format string, args ...any) {
	if s.json {
		return
	}
	fmt.Fprintln(s.env.Stdout, s.style(bold+";"+code, word)+s.style(bold, clean(fmt.Sprintf(format, args...))))
}

// section is a title above a table.
func (s *session) section(format string, args ...any) {
	s.printf("\n%s\n", fmt.Sprintf(format, args...))
}

// paragraph wraps a text to the terminal, or to 100 characters, its first line after lead and the others below it.
func (s *session) paragraph(lead, text string) {
	if s.json {
		return
	}
	limit := min(max(s.env.Width, 60), 100)
	if s.env.Width == 0 {
		limit = 100
	}
	line, used := "  "+lead, 0
	for _, word := range strings.Fields(clean(text)) {
		n := utf8.RuneCountInString(word)
		if used > 0 && used+n+6 > limit {
			fmt.Fprintln(s.env.Stdout, strings.TrimRight(line, " "))
			line, used = "      ", 0
		}
		line += word + " "
		used += n + 1
	}
	fmt.Fprintln(s.env.Stdout, strings.TrimRight(line, " "))
}

// count writes a number with its word: "1 row", "3 rows".
func count[N int | int64](n N, word string) string {
	if n == 1 {
		return "1 " + word
	}
	if strings.HasSuffix(word, "s") {
		word += "e"
	}
	return number(n) + " " + word + "s"
}

// number groups the digits in threes.
func number[N int | int64](n N) string {
	digits := strconv.FormatInt(int64(n), 10)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// day is a date with its weekday.
func day(t time.Time) string { return t.Format("Mon 2 Jan 2006") }

// wait is a time in milliseconds, in the unit that reads best.
func wait(ms int64) string {
	return (time.Duration(ms) * time.Millisecond).Round(time.Millisecond).String()
}
