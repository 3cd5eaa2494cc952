package view

import (
	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"
)

// Next says who acts, what they do and by when. The second line of each, which may be nil, says why.
type Next struct {
	Who, What, When             string
	WhoWhy, WhatWhy, WhenWhy    g.Node
	WhoLabel, WhatLabel, Limits string // other words for the three, when something is over
}

// Head opens a page with the one sentence that says how things stand. next may be nil where nobody has to act.
func Head(sentence, lede string, next *Next) g.Node {
	return h.Header(h.Class("head"), h.H1(g.Text(sentence)),
		g.If(lede != "", h.P(h.Class("lede"), g.Text(lede))), next.node())
}

func (n *Next) node() g.Node {
	if n == nil {
		return nil
	}
	part := func(label, fallback, text string, why g.Node) g.Node {
		if label == "" {
			label = fallback
		}
		return h.Div(h.Dt(g.Text(label)), h.Dd(g.Text(text+" "), g.Iff(why != nil, func() g.Node { return h.Small(why) })))
	}
	return h.Dl(h.Class("next"),
		part(n.WhoLabel, "Who acts now", n.Who, n.WhoWhy),
		part(n.WhatLabel, "What", n.What, n.WhatWhy),
		part(n.Limits, "By when", n.When, n.WhenWhy))
}

// Section is a part of a page under a heading of its own.
type Section struct {
	ID, Title string
	Note      g.Node // beside the heading; may be nil
	First     bool   // stands under an ink line instead of a hairline
	Hidden    bool   // the heading is there for those who do not see the page
}

// With fills the section.
func (s Section) With(body ...g.Node) g.Node {
	class := "sec"
	if s.First {
		class = "sec first"
	}
	title := h.H2(h.ID(s.ID+"-h"), g.If(s.Hidden, h.Class("sr")), g.Text(s.Title))
	return h.Section(h.Class(class), h.ID(s.ID), h.Aria("labelledby", s.ID+"-h"),
		h.Div(h.Class("sec-h"), title, g.Iff(s.Note != nil, func() g.Node { return h.P(s.Note) })), g.Group(body))
}

// Tabs lead to parts of one page, or to other looks at the same.
func Tabs(label string, items ...Room) g.Node {
	return h.Nav(h.Class("tabs mt"), h.Aria("label", label), g.Map(items, func(r Room) g.Node {
		return h.A(h.Href(r.Href), g.If(r.Here, h.Aria("current", "page")), g.Text(r.Name),
			g.If(r.Count > 0, g.Text(" "+Number(int64(r.Count)))))
	}))
}
