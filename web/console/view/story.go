package view

import (
	"time"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"
)

// Stage of a track: Class is done, now or todo.
type Stage struct{ Class, Name, When string }

// Track shows how far a record has come.
func Track(label string, stages ...Stage) g.Node {
	return h.Ol(h.Class("track across mt"), h.Aria("label", label), g.Map(stages, func(s Stage) g.Node {
		return h.Li(h.Class(s.Class), g.If(s.Class == "now", h.Aria("current", "step")), h.B(g.Text(s.Name)), g.Text(s.When))
	}))
}

// Event is one line of a record's story.
type Event struct {
	At   time.Time
	Text g.Node
	More g.Node // may be nil
}

// Log tells what happened.
func (c Time) Log(events ...Event) g.Node {
	return h.Ol(h.Class("log"), g.Map(events, func(e Event) g.Node {
		return h.Li(h.Time(h.DateTime(e.At.UTC().Format(time.RFC3339)), g.Text(c.Moment(e.At))),
			h.Div(e.Text, g.Iff(e.More != nil, func() g.Node { return h.Span(e.More) })))
	}))
}

// Branch of a tree.
type Branch struct {
	Is   g.Node
	Over []Branch
}

// Tree draws branches under their root.
func Tree(roots ...Branch) g.Node {
	return h.Ul(h.Class("tree"), g.Map(roots, Branch.item))
}

func (b Branch) item() g.Node {
	return h.Li(b.Is, g.If(len(b.Over) > 0, h.Ul(g.Map(b.Over, Branch.item))))
}
