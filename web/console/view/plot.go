package view

import (
	"slices"
	"strconv"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"
)

// Plot shows, step by step, how many came and how many went: bars up and bars down from one line, on one scale. Title
// states the finding. A table twin says the same.
type Plot struct {
	ID, Title, Step string // Step heads the table's first column: "Week from"
	Up, Down        string // what the bars count, in words
	Bars            []Bars
}

// Bars are those of one step. Name says more than Label where there is room.
type Bars struct {
	Label, Name string
	Up, Down    int64
}

// Measures of a plot, in pixels.
const (
	plotTop   = 18  // above the highest bar
	plotBars  = 150 // all the bars together, up and down
	plotLabel = 36  // below the lowest bar, for the labels of the steps
)

// Figure draws it, with legend and table.
func (p Plot) Figure() g.Node {
	return g.Group{h.Figure(p.draw(), h.FigCaption(h.Ul(h.Class("legend"),
		Key(p.swatch("fa", ""), p.Up+" (up)"), Key(p.swatch("sb", p.fill()), p.Down+" (down)")))),
		Fold("The same as a table", p.table())}
}

func (p Plot) fill() string { return "url(#" + p.ID + "-hatch)" }

func (p Plot) swatch(class, fill string) g.Node {
	return el("svg", "width", "14", "height", "12", "aria-hidden", "true").With(el("rect", "class", class, "fill", fill, "width", "14", "height", "12"))
}

// scale is how the heights of a plot come about.
type scale struct {
	zero, bottom float64 // of the bars
	each         float64 // pixels for one
	step         int64   // between two lines
	up, down     int64   // the longest bars
}

func (p Plot) scale() scale {
	s := scale{}
	for _, b := range p.Bars {
		s.up, s.down = max(s.up, b.Up), max(s.down, b.Down)
	}
	all := max(s.up+s.down, 1)
	s.each = plotBars / float64(all)
	s.zero = plotTop + float64(s.up)*s.each
	s.bottom = plotTop + float64(all)*s.each
	s.step = lineStep(all)
	return s
}

// lineStep is a round number that divides a span into at most six.
func lineStep(span int64) int64 {
	for step := int64(1); ; step *= 10 {
		for _, k := range []int64{1, 2, 5} {
			if span <= 6*k*step {
				return k * step
			}
		}
	}
}

func (p Plot) draw() g.Node {
	s := p.scale()
	parts := []g.Node{
		el("title", "id", p.ID+"-title").With(g.Text(p.Title)),
		el("defs").With(el("pattern", "id", p.ID+"-hatch", "width", "5", "height", "5", "patternUnits", "userSpaceOnUse", "patternTransform", "rotate(45)").
			With(el("line", "class", "sb", "y2", "5", "stroke-width", "4"))),
	}
	for n := -s.down / s.step * s.step; n <= s.up; n += s.step {
		parts = append(parts, s.line(n)...)
	}
	for i, b := range p.Bars {
		parts = append(parts, p.bar(i, b, s)...)
	}
	height := strconv.Itoa(int(s.bottom) + plotLabel)
	return el("svg", "class", "plot bars mt", "height", height, "role", "img", "aria-labelledby", p.ID+"-title").With(parts...)
}

// line is one of the scale; the one between up and down is solid.
func (s scale) line(n int64) []g.Node {
	class, y := "grid", s.zero-float64(n)*s.each
	if n == 0 {
		class = "axis"
	}
	return []g.Node{el("line", "class", class, "x1", "0", "x2", "100%", "y1", num(y), "y2", num(y)),
		label("", "-8", num(y+4), "end", Number(max(n, -n)))}
}

func (p Plot) bar(i int, b Bars, s scale) []g.Node {
	n := float64(len(p.Bars))
	x, width := percent((float64(i)+.18)/n), percent(.64/n)
	middle := (float64(i) + .5) / n
	up, down := float64(b.Up)*s.each, float64(b.Down)*s.each
	out := []g.Node{
		el("rect", "class", "fa", "x", x, "width", width, "y", num(s.zero-up), "height", num(up)),
		el("rect", "class", "sb", "fill", p.fill(), "x", x, "width", width, "y", num(s.zero+1), "height", num(max(down-1, 0))),
	}
	if b.Down == s.down && b.Down > 0 && i == p.most() {
		out = append(out, label("em", percent(middle), num(s.bottom+14), "middle", Number(b.Down)))
	}
	every := (len(p.Bars) + 6) / 7
	if i%every == 0 {
		class := "wd"
		if i%(3*every) == 0 {
			class = ""
		}
		out = append(out, label(class, percent(middle), num(s.bottom+30), "middle", b.Label))
	}
	return out
}

// most is the step of the longest bar down.
func (p Plot) most() int {
	most := slices.MaxFunc(p.Bars, func(a, b Bars) int { return int(a.Down - b.Down) })
	return slices.Index(p.Bars, most)
}

func (p Plot) table() g.Node {
	var rows []g.Node
	for _, b := range slices.Backward(p.Bars) {
		name := b.Name
		if name == "" {
			name = b.Label
		}
		rows = append(rows, Row(g.Text(name), Figure("Yes", Number(b.Up)), Figure("No", Number(b.Down)), Figure("Change", Change(b.Up-b.Down))))
	}
	return Table("dense", p.Title, []Column{{Name: p.Step}, {Name: Upper(p.Up), Right: true}, {Name: Upper(p.Down), Right: true}, {Name: "Change", Right: true}}, Rows(rows...))
}

// Change writes a number with its sign.
func Change(n int64) string {
	if n > 0 {
		return "+" + Number(n)
	}
	return Number(n)
}
