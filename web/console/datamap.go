package console

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/web/console/view"
)

// dataMap shows where data of people lies, how it hangs together, and what only a person can say about it.
func (v *visit) dataMap() error {
	d, err := v.desk()
	if err != nil {
		return err
	}
	graph, err := v.Catalog.Refresh(v.r.Context())
	if err != nil {
		return err
	}
	m := &mapped{Graph: graph, cfg: v.Catalog.Config()}
	m.guesses = openGuesses(m.cfg)
	body := []g.Node{view.Head(m.sentence(), m.lede(), m.next())}
	if len(m.cfg.Systems) == 0 {
		body = append(body, noSystems())
	} else {
		body = append(body, m.drawing(), v.findings(m), m.gaps(), m.table())
	}
	return v.show(http.StatusOK, v.shell(roomMap, "Data map", d, nil, body...))
}

// mapped is the graph with what is open about it.
type mapped struct {
	*catalog.Graph
	cfg     *catalog.Config
	guesses []guess
}

func (m *mapped) silent() (out []*catalog.Connection) {
	for _, s := range m.Systems {
		if s.Err != nil {
			out = append(out, s)
		}
	}
	return out
}

// unspoken are datasets of which nobody has said whether they hold personal data.
func (m *mapped) unspoken() (out []*catalog.Dataset) {
	for _, d := range m.Datasets {
		if !d.Mapped && !d.Ignored {
			out = append(out, d)
		}
	}
	return out
}

func (m *mapped) sentence() string {
	silent, guesses, unspoken := int64(len(m.silent())), int64(len(m.guesses)), int64(len(m.unspoken()))
	switch {
	case len(m.cfg.Systems) == 0:
		return "No system is connected yet."
	case silent > 0:
		return view.Spelled(silent, "system", "systems") + " cannot be asked."
	case guesses > 0:
		return view.Spelled(guesses, "finding waits", "findings wait") + " for a yes or no."
	case unspoken > 0:
		return "Nobody has spoken for " + lower(view.Spelled(unspoken, "dataset")) + "."
	case len(m.Questions) > 0:
		return view.Spelled(int64(len(m.Questions)), "question is", "questions are") + " open."
	}
	return "Every dataset is spoken for."
}

func (m *mapped) lede() string {
	personal := 0
	for _, d := range m.Datasets {
		if d.HoldsPeople() {
			personal++
		}
	}
	return fmt.Sprintf("%s with %s; %s can hold rows of a person.", view.Count(int64(len(m.Systems)), "system"), view.Count(int64(len(m.Datasets)), "dataset"), view.Number(int64(personal)))
}

func (m *mapped) next() *view.Next {
	if silent := m.silent(); len(silent) > 0 {
		s := silent[0]
		who := s.Config.Owner
		if who == "" {
			who = "Whoever runs " + s.Config.ID
		}
		return &view.Next{Who: who, What: "Bring " + s.Config.ID + " back", WhatWhy: g.Text("until then every result that needs it is incomplete"), When: "At once", WhenWhy: g.Text("asked again at each plan")}
	}
	if len(m.guesses) > 0 {
		return &view.Next{Who: "You", What: "Say yes or no to each", WhatWhy: h.A(h.Href("#findings"), g.Text("The findings")), When: "Before the next erasure", WhenWhy: g.Text("it cannot be approved before")}
	}
	return nil
}

// most boxes of one system in the drawing; the table has all.
const mostBoxes = 14

func (m *mapped) drawing() g.Node {
	gr := view.Graph{Label: fmt.Sprintf("%s, %s and %s. The table below says the same.",
		view.Count(int64(len(m.Systems)), "system"), view.Count(int64(len(m.Datasets)), "dataset"), view.Count(int64(len(m.Edges)), "link"))}
	for _, s := range m.Systems {
		gr.Stores = append(gr.Stores, m.store(s))
	}
	for _, e := range m.Edges {
		gr.Edges = append(gr.Edges, view.Edge{From: e.Child.ID(), To: e.Parent.ID(), Dashed: e.FK == nil, Guess: e.Guess != ""})
	}
	return view.Section{ID: "map", Title: "Where data lies and how it hangs together", First: true,
		Note: g.Group{g.Text("read just now · "), h.A(h.Href("#table"), g.Text("skip to the table"))}}.With(
		view.Wide("Map, scrolls sideways", gr.Draw()),
		h.Ul(h.Class("legend"),
			h.Li(h.B(g.Text("P")), g.Text("people enter here")), h.Li(h.B(g.Text("·")), g.Text("rows of a person")), h.Li(h.B(g.Text("=")), g.Text("kept")),
			view.Key(view.Stroke("se"), "foreign key"), view.Key(view.Stroke("se dash"), "link in ombud.yaml"),
			h.Li(view.Stroke("sb dash"), h.B(g.Text("?")), g.Text("guess: say yes or no"))))
}

func (m *mapped) store(s *catalog.Connection) view.Store {
	out := view.Store{Name: s.Config.ID, Note: s.Config.Connector, Hot: s.Err != nil}
	var all []*catalog.Dataset
	for _, d := range m.Datasets {
		if d.System == s.Config.ID && (d.HoldsPeople() || d.Mapped && len(d.In)+len(d.Out) > 0 || !d.Mapped) && !d.Ignored {
			all = append(all, d)
		}
	}
	slices.SortStableFunc(all, func(a, b *catalog.Dataset) int { return m.weight(b) - m.weight(a) })
	for i, d := range all {
		if i == mostBoxes {
			out.More = len(all) - mostBoxes
			break
		}
		out.Boxes = append(out.Boxes, view.Box{ID: d.ID(), Name: d.Name, Note: m.mark(d), Href: "#" + anchor(d.ID()), Hot: m.hot(d)})
	}
	return out
}

// weight puts first what is looked for first.
func (m *mapped) weight(d *catalog.Dataset) int {
	w := 0
	if d.People != nil {
		w += 4
	}
	if m.hot(d) {
		w += 2
	}
	if d.HoldsPeople() {
		w++
	}
	return w
}

func (m *mapped) mark(d *catalog.Dataset) string {
	switch {
	case d.People != nil:
		return "P"
	case d.Rule != nil && d.Rule.Erase == catalog.Keep:
		return "="
	case d.HoldsPeople():
		return "·"
	}
	return ""
}

func (m *mapped) hot(d *catalog.Dataset) bool {
	return !d.Mapped && !d.Ignored || slices.ContainsFunc(m.guesses, func(x guess) bool { return x.system == d.System && x.dataset == d.Name })
}

// anchor is an id that any browser takes, for any name.
func anchor(id string) string {
	var b strings.Builder
	b.WriteString("t-")
	for _, r := range id {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '.':
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, "_%x_", r)
		}
	}
	return b.String()
}

// gaps are what keeps every result that needs it from being complete, beyond the findings.
func (m *mapped) gaps() g.Node {
	var notes []g.Node
	for _, s := range m.silent() {
		notes = append(notes, view.Note(view.Late, s.Config.ID+" cannot be asked.", view.Upper(oneLine(s.Err))+".", ""))
	}
	for _, q := range m.Questions {
		notes = append(notes, view.Note(view.Gap, strings.Trim(q.System+"."+q.Dataset, ".")+":", q.Text+". Write a link with as: in ombud.yaml.", ""))
	}
	if un := m.unspoken(); len(un) > 0 {
		var names []string
		for _, d := range un {
			names = append(names, d.ID())
		}
		notes = append(notes, view.Note(view.Gap, "Nobody has said whether these hold personal data:", strings.Join(names, ", ")+". Name each in ombud.yaml, or list it under ignore.", ""))
	}
	if len(notes) == 0 {
		return nil
	}
	return view.Section{ID: "gaps", Title: "Gaps", Note: g.Text("each keeps results incomplete until it is closed")}.With(notes...)
}

// oneLine is an error as one sentence without its next step.
func oneLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return strings.TrimRight(line, ".")
}

func (m *mapped) table() g.Node {
	var rows []g.Node
	for _, d := range m.Datasets {
		rows = append(rows, h.Tr(h.ID(anchor(d.ID())), h.Th(h.Scope("row"), g.Text(d.ID())),
			view.Text("Holds", holds(d)), view.Text("Erasing", erases(d)), view.Text("Refers to", refers(d)),
			g.If(m.counted(), view.Figure("Rows", rowsAbout(d)))))
	}
	columns := []view.Column{{Name: "Dataset"}, {Name: "Holds"}, {Name: "Erasing does"}, {Name: "Refers to"}}
	if m.counted() {
		columns = append(columns, view.Column{Name: "Rows, about", Right: true})
	}
	s := view.Section{ID: "table", Title: "The same as a table", Note: g.Text(view.Count(int64(len(m.Datasets)), "dataset"))}
	if len(rows) == 0 {
		return s.With(h.P(g.Text("No dataset could be read.")))
	}
	return s.With(view.Table("stack dense", "Datasets", columns, view.Rows(rows...)))
}

func holds(d *catalog.Dataset) string {
	switch {
	case d.Ignored:
		return "ignored"
	case d.People != nil:
		var by []string
		for kind := range d.People.By {
			by = append(by, kind)
		}
		slices.Sort(by)
		return "people, by " + strings.Join(by, ", ")
	case d.HoldsPeople():
		return "rows of a person"
	case !d.Mapped:
		return "nobody has said"
	}
	return "nothing of a person"
}

func erases(d *catalog.Dataset) string {
	if d.Rule != nil && d.Rule.Erase != "" {
		out := string(d.Rule.Erase)
		if d.Rule.Because != "" && d.Rule.Because != "?" {
			out += ": " + d.Rule.Because
		}
		if d.Rule.Proposed {
			out += " (guessed)"
		}
		return out
	}
	if d.HoldsPeople() && !d.Ignored {
		return "delete"
	}
	return ""
}

func refers(d *catalog.Dataset) string {
	var out []string
	for _, e := range d.Out {
		to := e.Parent.Name
		if e.Parent.System != d.System {
			to = e.Parent.ID()
		}
		how := "link"
		if e.FK != nil {
			how = "key"
		}
		if e.Guess != "" {
			how = "guess"
		}
		if line := fmt.Sprintf("%s (%s, %s)", to, how, e.Role); !slices.Contains(out, line) {
			out = append(out, line)
		}
	}
	return strings.Join(out, ", ")
}

// counted is true when some store says how many rows it has without counting them.
func (m *mapped) counted() bool {
	return slices.ContainsFunc(m.Datasets, func(d *catalog.Dataset) bool { return d.Table.Rows >= 0 })
}

func rowsAbout(d *catalog.Dataset) string {
	if d.Table.Rows < 0 {
		return "?"
	}
	return view.Number(d.Table.Rows)
}
