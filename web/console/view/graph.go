package view

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"

	g "maragu.dev/gomponents"
)

// Graph is stores with their datasets and the edges between them. Label says in words what the drawing shows.
type Graph struct {
	Label  string
	Stores []Store
	Edges  []Edge
}

// Store is a frame with boxes in it; More says how many are not drawn. Hot frames and boxes need somebody to act.
type Store struct {
	Name, Note string
	Hot        bool
	Boxes      []Box
	More       int
}

// Box leads to its row in the table.
type Box struct {
	ID, Name, Note, Href string
	Hot                  bool
}

// Edge from a child to its parent, by the IDs of their boxes. Dashed was found or written, not declared; a Guess waits
// for a yes or no.
type Edge struct {
	From, To      string
	Dashed, Guess bool
}

// Measures of the drawing, in pixels.
const (
	storeWidth = 216
	storeGap   = 104 // between columns: edges run there
	storeTop   = 24  // of a frame, for its name
	boxHeight  = 24
	boxStep    = 26
	margin     = 56 // left of the first column: edges within a store bulge there
	boxInset   = 5
)

// place is where a box lies.
type place struct {
	x, y   float64 // left end, middle
	column int
}

// Draw lays the stores out in columns and the edges between them.
func (gr Graph) Draw() g.Node {
	columns := max(1, min(3, len(gr.Stores)))
	l := &layout{heights: make([]float64, columns), places: map[string]place{}}
	var frames []g.Node
	for _, s := range gr.Stores {
		c := slices.Index(l.heights, slices.Min(l.heights))
		frames = append(frames, s.frame(left(c), l.heights[c]+4, c, l.places)...)
		l.heights[c] += s.height() + 16
	}
	body := append(gr.edges(l), frames...)
	width := margin + columns*storeWidth + (columns-1)*storeGap + 8
	height := int(max(slices.Max(l.heights), l.lowest)) + 8
	return el("svg", "class", "graph", "width", strconv.Itoa(width), "height", strconv.Itoa(height),
		"viewBox", fmt.Sprintf("0 0 %d %d", width, height), "role", "group", "aria-label", gr.Label).With(body...)
}

// layout is where everything lies while a drawing is made.
type layout struct {
	heights []float64 // of the columns
	places  map[string]place
	lanes   int     // edges that passed below the middle column
	lowest  float64 // end of the last of them
}

// left end of a column.
func left(column int) float64 { return float64(margin + column*(storeWidth+storeGap)) }

func (s Store) height() float64 {
	h := storeTop + boxStep*len(s.Boxes) + 8
	if s.More > 0 || len(s.Boxes) == 0 {
		h += 20
	}
	return float64(h)
}

func (s Store) frame(x, y float64, column int, places map[string]place) []g.Node {
	class, name := "store", s.Name
	if s.Hot {
		class, name = "box hotbox", "! "+s.Name
	}
	out := []g.Node{
		el("rect", "class", class, "x", num(x), "y", num(y), "width", num(storeWidth), "height", num(s.height()), "rx", "6"),
		label("em", num(x+10), num(y+17), "", short(name, 16)), label("sub", num(x+storeWidth-10), num(y+17), "end", short(s.Note, 16)),
	}
	top := y + storeTop
	for _, b := range s.Boxes {
		places[b.ID] = place{x + boxInset, top + boxHeight/2, column}
		out = append(out, b.draw(x+boxInset, top))
		top += boxStep
	}
	switch {
	case s.More > 0:
		out = append(out, label("sub", num(x+10), num(top+14), "", fmt.Sprintf("and %d more, in the table", s.More)))
	case len(s.Boxes) == 0:
		out = append(out, label("sub", num(x+10), num(top+14), "", "nothing of a person"))
	}
	return out
}

func (b Box) draw(x, y float64) g.Node {
	class, name := "box", b.Name
	if b.Hot {
		class, name = "box hotbox", "? "+b.Name
	}
	width := float64(storeWidth - 2*boxInset)
	return el("a", "href", b.Href).With(
		el("rect", "class", class, "x", num(x), "y", num(y), "width", num(width), "height", num(boxHeight), "rx", "3"),
		label("", num(x+8), num(y+16), "", short(name, 22)), label("sub em", num(x+width-8), num(y+16), "end", b.Note))
}

// edges are drawn first, so that frames lie over them. Those within a column bulge to its left, the further the wider.
func (gr Graph) edges(l *layout) []g.Node {
	var out []g.Node
	for _, e := range gr.Edges {
		a, okA := l.places[e.From]
		b, okB := l.places[e.To]
		if !okA || !okB {
			continue
		}
		path, mx, my := l.route(a, b)
		class := "edge"
		if e.Dashed || e.Guess {
			class += " dash"
		}
		if e.Guess {
			class += " hot"
		}
		out = append(out, el("path", "class", class, "d", path))
		if e.Guess {
			out = append(out, label("em", num(mx), num(my+4), "middle", "?"))
		}
	}
	return out
}

// route gives the path from one box to another and the point in its middle.
func (l *layout) route(a, b place) (path string, mx, my float64) {
	if a.column == b.column {
		bulge := min(14+math.Abs(a.y-b.y)/7, margin-12)
		if a == b {
			return fmt.Sprintf("M%s %sc-16-8-16 8 0 8", num(a.x), num(a.y-4)), a.x - 12, a.y
		}
		return fmt.Sprintf("M%s %sC%s %s %s %s %s %s", num(a.x), num(a.y), num(a.x-bulge), num(a.y), num(a.x-bulge), num(b.y), num(b.x), num(b.y)),
			a.x - bulge*.75, (a.y + b.y) / 2
	}
	if cmp.Compare(a.column, b.column) > 0 {
		a, b = b, a
	}
	from, to := a.x+storeWidth-2*boxInset, b.x
	if b.column-a.column > 1 {
		return l.below(from, to, a, b)
	}
	middle := from + storeGap/2
	return fmt.Sprintf("M%s %sC%s %s %s %s %s %s", num(from), num(a.y), num(middle), num(a.y), num(middle), num(b.y), num(to), num(b.y)),
		(from + to) / 2, (a.y + b.y) / 2
}

// below leads an edge past the column between its ends, under what stands there.
func (l *layout) below(from, to float64, a, b place) (path string, mx, my float64) {
	lane := l.heights[a.column+1] + 6 + float64(l.lanes%8)*5
	l.lanes++
	l.lowest = max(l.lowest, lane)
	enter, leave := left(a.column+1), left(a.column+1)+storeWidth
	half := float64(storeGap) / 2
	return fmt.Sprintf("M%s %sC%s %s %s %s %s %sH%sC%s %s %s %s %s %s", num(from), num(a.y),
			num(from+half), num(a.y), num(from+half), num(lane), num(enter), num(lane), num(leave),
			num(leave+half), num(lane), num(leave+half), num(b.y), num(to), num(b.y)),
		(enter + leave) / 2, lane
}

func num(x float64) string { return strconv.FormatFloat(math.Round(10*x)/10, 'f', -1, 64) }

// short cuts a text that would not fit; the whole of it is in the table.
func short(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n-1]) + "…"
}
