package view

import (
	"fmt"
	"io"
	"strconv"
	"time"

	g "maragu.dev/gomponents"
)

// svg is an element of a drawing. Its attributes are pairs; what is inside follows by With.
type svg struct {
	name   string
	attrs  []string
	inside []g.Node
}

func el(name string, attrs ...string) svg { return svg{name: name, attrs: attrs} }

// With fills the element.
func (s svg) With(inside ...g.Node) svg {
	s.inside = inside
	return s
}

// Render makes an svg a node.
func (s svg) Render(w io.Writer) error {
	nodes := make([]g.Node, 0, len(s.attrs)/2+len(s.inside))
	for i := 0; i+1 < len(s.attrs); i += 2 {
		if s.attrs[i+1] != "" {
			nodes = append(nodes, g.Attr(s.attrs[i], s.attrs[i+1]))
		}
	}
	return g.El(s.name, append(nodes, s.inside...)...).Render(w)
}

func label(class, x, y, anchor, text string) g.Node {
	return el("text", "class", class, "x", x, "y", y, "text-anchor", anchor).With(g.Text(text))
}

// percent places by share of the width, so that text never scales with it.
func percent(share float64) string {
	return strconv.FormatFloat(100*min(max(share, 0), 1), 'f', 1, 64) + "%"
}

// Meter shows how much of a time is used; the mark is our own target. Title says it in words.
func Meter(title string, used, target float64, late bool) g.Node {
	class := "fa"
	if late {
		class = "fb"
	}
	parts := []g.Node{
		el("rect", "class", "fl", "width", "100%", "height", "6", "y", "2", "rx", "3"),
		el("rect", "class", class, "width", percent(used), "height", "6", "y", "2", "rx", "3"),
	}
	if target > 0 && target < 1 {
		parts = append(parts, el("line", "class", "si l2", "x1", percent(target), "x2", percent(target), "y1", "0", "y2", "10"))
	}
	return el("svg", "class", "meter", "role", "img", "aria-label", title).With(parts...)
}

// Share is one part of a bar: its class colours it.
type Share struct {
	Class string
	Part  int64
}

// Bar shows parts of a whole. It repeats figures that stand beside it, so it is hidden from those who cannot see it.
func Bar(shares ...Share) g.Node {
	var total int64
	for _, s := range shares {
		total += s.Part
	}
	if total == 0 {
		return nil
	}
	var parts []g.Node
	at := 0.0
	for _, s := range shares {
		if s.Part == 0 {
			continue
		}
		width := max(float64(s.Part)/float64(total)-0.004, 0.006)
		parts = append(parts, el("rect", "class", s.Class, "x", percent(at), "width", percent(width), "height", "8", "y", "1"))
		at += float64(s.Part) / float64(total)
	}
	return el("svg", "class", "meter", "aria-hidden", "true").With(parts...)
}

// Limits are the dates of one request on a line.
type Limits struct {
	Received, Target, Due time.Time
	Done                  time.Time // when it was closed; zero while it is open
	DueWhy                string
}

// Timeline draws them, from receipt to a little after the limit.
func (c Time) Timeline(l Limits) g.Node {
	end := l.Due
	now, word := c.Now, fmt.Sprintf("today, day %d", -c.Days(l.Received))
	if !l.Done.IsZero() {
		now, word = l.Done, "closed"
	}
	if now.After(end) {
		end = now
	}
	end = end.Add(end.Sub(l.Received) / 12)
	at := func(t time.Time) float64 { return float64(t.Sub(l.Received)) / float64(end.Sub(l.Received)) }
	used, fill := at(now), "fa"
	if now.After(l.Due) {
		fill = "fb"
	}
	x, target, due := percent(used), percent(at(l.Target)), percent(at(l.Due))
	title := fmt.Sprintf("Received %s, %s on %s, own target %s, limit of the law %s.", c.Date(l.Received), word, c.Date(now), c.Date(l.Target), c.Date(l.Due))
	parts := []g.Node{
		el("title", "id", "timeline").With(g.Text(title)),
		el("rect", "class", "fl", "x", "0", "y", "48", "width", "100%", "height", "8"),
		el("rect", "class", fill, "x", "0", "y", "48", "width", x, "height", "8"),
		el("line", "class", "si l2", "x1", "1", "x2", "1", "y1", "40", "y2", "64"),
		label("", "0", "82", "", l.Received.In(c.In).Format("2 Jan")), label("wd", "0", "98", "", "received"),
		el("line", "class", "sa l2", "x1", x, "x2", x, "y1", "30", "y2", "56"),
		label("em", x, "22", anchor(used), word),
		el("line", "class", "si dash l2", "x1", target, "x2", target, "y1", "42", "y2", "68"),
		label("wd", target, "82", "", l.Target.In(c.In).Format("2 Jan")), label("wd", target, "98", "", "own target"),
		el("line", "class", "si", "stroke-width", "4", "x1", due, "x2", due, "y1", "26", "y2", "68"),
		label("em", due, "82", "end", c.Date(l.Due)), label("wd", due, "98", "end", "limit, "+l.DueWhy),
	}
	return el("svg", "class", "plot", "height", "104", "role", "img", "aria-labelledby", "timeline").With(parts...)
}

// anchor keeps a label inside the drawing.
func anchor(share float64) string {
	switch {
	case share < .16:
		return "start"
	case share > .84:
		return "end"
	}
	return "middle"
}

// DayLimits is one day of a calendar of limits.
type DayLimits struct {
	Day           time.Time
	Laws, Targets int
}

// Calendar draws limits day by day from today on. Title states the finding.
func (c Time) Calendar(title string, days []DayLimits) g.Node {
	parts := []g.Node{el("title", "id", "calendar").With(g.Text(title))}
	for i, d := range days {
		parts = append(parts, c.calendarDay(i, len(days), d)...)
	}
	parts = append(parts,
		el("line", "class", "axis", "x1", "0", "x2", "100%", "y1", "86", "y2", "86"),
		el("line", "class", "si l2", "x1", "0", "x2", "0", "y1", "0", "y2", "92"))
	return el("svg", "class", "plot", "height", "128", "role", "img", "aria-labelledby", "calendar").With(parts...)
}

func (c Time) calendarDay(i, n int, d DayLimits) []g.Node {
	left, middle, width := percent(float64(i)/float64(n)), percent((float64(i)+.5)/float64(n)), percent(1/float64(n))
	day := d.Day.In(c.In)
	var out []g.Node
	if w := day.Weekday(); w == time.Saturday || w == time.Sunday {
		out = append(out, el("rect", "class", "fs", "x", left, "y", "0", "width", width, "height", "86"))
	}
	class := "wd"
	if i == 0 {
		class = "em"
	} else if i%2 == 0 {
		class = ""
	}
	out = append(out, el("line", "class", "grid", "x1", left, "x2", left, "y1", "0", "y2", "92"),
		label(class, middle, "106", "middle", day.Format("2")), label("wd", middle, "122", "middle", day.Format("Mon")))
	y := 74
	for k := range d.Laws + d.Targets {
		if y < 10 {
			out = append(out, label("em", middle, "14", "middle", "+"+strconv.Itoa(d.Laws+d.Targets-k)))
			break
		}
		dot := el("circle", "class", "fa", "cx", middle, "cy", strconv.Itoa(y), "r", "6.5")
		if k >= d.Laws {
			dot = el("circle", "class", "fp sa l2", "cx", middle, "cy", strconv.Itoa(y), "r", "6")
		}
		out = append(out, dot)
		y -= 20
	}
	return out
}

// Key is one line of a legend: a small drawing and its word.
func Key(drawing g.Node, word string) g.Node {
	return g.El("li", g.Iff(drawing != nil, func() g.Node { return drawing }), g.Text(word))
}

// Dot and Ring are the signs of a calendar.
func Dot() g.Node {
	return el("svg", "width", "14", "height", "14", "aria-hidden", "true").With(el("circle", "class", "fa", "cx", "7", "cy", "7", "r", "6"))
}

// Ring marks what we set ourselves.
func Ring() g.Node {
	return el("svg", "width", "14", "height", "14", "aria-hidden", "true").With(el("circle", "class", "fp sa l2", "cx", "7", "cy", "7", "r", "5.5"))
}

// Stroke is the sign of an edge in a graph.
func Stroke(class string) g.Node {
	return el("svg", "width", "28", "height", "8", "aria-hidden", "true").With(el("path", "class", class, "d", "M0 4H28"))
}
