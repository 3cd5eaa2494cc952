package view

import (
	"slices"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"
)

// TokenField is the name of the field that every form carries, so that no other site can send it.
const TokenField = "token"

// Form posts to an address of ours with the token of this start. It asks the browser to remember nothing.
func Form(action, token string, content ...g.Node) g.Node {
	return h.Form(append([]g.Node{h.Method("post"), h.Action(action), h.AutoComplete("off"),
		h.Input(h.Type("hidden"), h.Name(TokenField), h.Value(token))}, content...)...)
}

// Hidden carries a value that the page already knows.
func Hidden(name, value string) g.Node {
	return h.Input(h.Type("hidden"), h.Name(name), h.Value(value))
}

// Field is a labelled input. Fault, when set, says how to mend it.
type Field struct {
	ID, Name, Label, Hint, Fault string
	Required                     bool
}

// Input is a line of text.
func (f Field) Input(attributes ...g.Node) g.Node {
	return f.around(h.Input(append(f.attributes(), attributes...)...))
}

// Text is several lines of text.
func (f Field) Text(value string) g.Node {
	return f.around(h.Textarea(append(f.attributes(), h.Rows("3"), g.Text(value))...))
}

// Select chooses one of a few, each with its value and its word.
func (f Field) Select(chosen string, options ...[2]string) g.Node {
	return f.around(h.Select(append(f.attributes(), g.Map(options, func(o [2]string) g.Node {
		return h.Option(h.Value(o[0]), g.If(o[0] == chosen, h.Selected()), g.Text(o[1]))
	}))...))
}

func (f Field) attributes() []g.Node {
	described := ""
	if f.Hint != "" {
		described = f.ID + "-hint"
	}
	if f.Fault != "" {
		described = join(described, f.ID+"-fault")
	}
	return []g.Node{h.Class("in"), h.ID(f.ID), h.Name(f.Name), g.If(f.Required, h.Required()),
		g.If(described != "", h.Aria("describedby", described)), g.If(f.Fault != "", h.Aria("invalid", "true"))}
}

func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + " " + b
}

func (f Field) around(input g.Node) g.Node {
	class := "field"
	if f.Fault != "" {
		class = "field err"
	}
	return h.Div(h.Class(class), h.Label(h.For(f.ID), g.Text(f.Label)),
		g.If(f.Hint != "", h.P(h.Class("hint"), h.ID(f.ID+"-hint"), g.Text(f.Hint))),
		g.If(f.Fault != "", h.P(h.Class("errmsg"), h.ID(f.ID+"-fault"), g.Text(f.Fault))), input)
}

// Option is one of several that exclude each other.
type Option struct{ Value, Label, Hint string }

// Options asks to choose one; none is chosen beforehand unless chosen names it.
func Options(f Field, chosen string, options ...Option) g.Node {
	class := "field"
	if f.Fault != "" {
		class = "field err"
	}
	return h.FieldSet(h.Class(class), h.ID(f.ID), h.Legend(g.Text(f.Label)),
		g.If(f.Fault != "", h.P(h.Class("errmsg"), g.Text(f.Fault))),
		g.Map(options, func(o Option) g.Node {
			return h.Label(h.Class("opt"), h.Input(h.Type("radio"), h.Name(f.Name), h.Value(o.Value), h.Required(), g.If(o.Value == chosen, h.Checked())),
				h.Span(g.Text(o.Label), g.If(o.Hint != "", h.Span(h.Class("hint"), g.Text(o.Hint)))))
		}))
}

// Boxes asks to choose any of several; those in chosen are beforehand.
func Boxes(f Field, chosen []string, options ...Option) g.Node {
	return h.FieldSet(h.Class("field"), h.ID(f.ID), h.Legend(g.Text(f.Label)), g.If(f.Hint != "", h.P(h.Class("hint"), g.Text(f.Hint))),
		g.Map(options, func(o Option) g.Node {
			return h.Label(h.Class("opt"), h.Input(h.Type("checkbox"), h.Name(f.Name), h.Value(o.Value), g.If(slices.Contains(chosen, o.Value), h.Checked())), h.Span(g.Text(o.Label)))
		}))
}

// Fault is one thing to mend in a form, and the field it is in.
type Fault struct{ Field, Text string }

// Faults sums up what to mend, above the form; nothing when there is none.
func Faults(faults ...Fault) g.Node {
	if len(faults) == 0 {
		return nil
	}
	return h.Div(h.Class("errsum"), h.Role("alert"), h.H2(g.Text("Please check "+Count(int64(len(faults)), "thing"))),
		h.Ul(g.Map(faults, func(f Fault) g.Node {
			if f.Field == "" {
				return h.Li(g.Text(f.Text))
			}
			return h.Li(h.A(h.Href("#"+f.Field), g.Text(f.Text)))
		})))
}

// Button submits. Main is the one filled button of a page, Stop cannot be undone.
func Button(class, text string, attributes ...g.Node) g.Node {
	return h.Button(append([]g.Node{h.Class("btn " + class), h.Type("submit"), g.Text(text)}, attributes...)...)
}

// Link looks like a button and leads somewhere.
func Link(class, href, text string) g.Node {
	return h.A(h.Class("btn "+class), h.Href(href), g.Text(text))
}

// Actions are buttons side by side.
func Actions(content ...g.Node) g.Node {
	return h.Div(append([]g.Node{h.Class("actions")}, content...)...)
}
