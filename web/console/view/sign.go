package view

import (
	"strings"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"
)

// Sign is a mark that goes with a word, never alone.
type Sign string

// States are round, verbs of a plan are square.
const (
	OK   Sign = "ok"
	You  Sign = "you"
	Wait Sign = "wait"
	Soon Sign = "soon"
	Late Sign = "late"
	Idle Sign = "idle"

	Delete Sign = "delete"
	Alter  Sign = "alter"
	Keep   Sign = "keep"
	Gap    Sign = "gap"
)

// Badge is a state in a word.
func Badge(s Sign, word string) g.Node {
	return h.Span(h.Class("badge "+string(s)), g.Text(word))
}

// Verb is what a plan does, in the gutter like a diff. The word may be empty where it stands beside.
func Verb(s Sign, word string) g.Node {
	return h.Span(h.Class("verb "+string(s)), g.If(word != "", g.Text(word)))
}

// Hash shows 16 digits of one, in groups.
func Hash(hash string) g.Node { return h.Span(h.Class("hash"), g.Text(Digits(hash, 16))) }

// Masked sets the hidden part of a hint apart: "email i····".
func Masked(hint string) g.Node {
	var out []g.Node
	for hint != "" {
		at := strings.Index(hint, "····")
		if at < 0 {
			return g.Group(append(out, g.Text(hint)))
		}
		from := strings.LastIndexByte(hint[:at], ' ') + 1
		out = append(out, g.Text(hint[:from]), h.Span(h.Class("mask"), g.Text(hint[from:at]+"····")))
		hint = hint[at+len("····"):]
	}
	return g.Group(out)
}

// Fact is one line of a list of facts.
type Fact struct {
	Name string
	Is   g.Node
}

// Facts is a list of names and what they are; a Fact without Is is left out.
func Facts(facts ...Fact) g.Node {
	return h.Dl(h.Class("kv"), g.Map(facts, func(f Fact) g.Node {
		if f.Is == nil {
			return nil
		}
		return g.Group{h.Dt(g.Text(f.Name)), h.Dd(f.Is)}
	}))
}

// Tally is one figure of a row of figures. Sign may be empty; Href leads to the rows behind it.
type Tally struct {
	Sign       Sign
	Figure     string
	Word, Href string
}

// Tallies shows figures side by side.
func Tallies(ts ...Tally) g.Node {
	return h.Ul(h.Class("tally"), g.Map(ts, func(t Tally) g.Node {
		figure := g.Text(t.Figure)
		if t.Href != "" {
			figure = h.A(h.Href(t.Href), g.Text(t.Figure))
		}
		return h.Li(g.If(t.Sign != "", Verb(t.Sign, "")), h.B(h.Class("num"), figure), h.Span(g.Text(t.Word)))
	}))
}

// Note tells one thing to know; the statement that cures it may be empty.
func Note(s Sign, strong, text, cure string) g.Node {
	signs := map[Sign]string{OK: "✓ ", Soon: "! ", Late: "× ", Gap: "? ", You: "› "}
	return h.Div(h.Class("note "+string(s)),
		h.P(h.Strong(h.Span(h.Aria("hidden", "true"), g.Text(signs[s])), g.Text(strong)), g.If(text != "", g.Text(" "+text))),
		g.If(cure != "", h.Pre(h.TabIndex("0"), h.Aria("label", "Statement"), h.Role("group"), g.Text(cure))))
}

// Empty says what is not there: what it is for, why there is none, what to do.
func Empty(title, text string, act ...g.Node) g.Node {
	return h.Div(h.Class("empty"), h.P(h.Strong(g.Text(title))), h.P(h.Class("mt"), g.Text(text)),
		g.If(len(act) > 0, h.Div(append([]g.Node{h.Class("actions")}, act...)...)))
}
