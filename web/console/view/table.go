package view

import (
	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"
)

// Column is the head of a table's column.
type Column struct {
	Name   string
	Right  bool // of figures
	Hidden bool // its name is only for those who do not see the table
}

// Table draws one. Class is stack, where rows fold into cards on a phone, with dense or plan beside it.
func Table(class, caption string, columns []Column, bodies ...g.Node) g.Node {
	return h.Table(h.Class(class), h.Caption(h.Class("sr"), g.Text(caption)),
		h.THead(h.Tr(g.Map(columns, func(c Column) g.Node {
			if c.Hidden {
				return h.Th(h.Scope("col"), h.Span(h.Class("sr"), g.Text(c.Name)))
			}
			return h.Th(h.Scope("col"), g.If(c.Right, h.Class("r")), g.Text(c.Name))
		}))), g.Group(bodies))
}

// Rows is one body of a table.
func Rows(rows ...g.Node) g.Node { return h.TBody(rows...) }

// Row begins with its header. Rows are where j and k go.
func Row(header g.Node, cells ...g.Node) g.Node {
	return h.Tr(append([]g.Node{h.Th(h.Scope("row"), header)}, cells...)...)
}

// Cell holds text under the column named label. It is left empty, and does not show on a phone, when there is nothing.
func Cell(label string, content ...g.Node) g.Node {
	if len(content) == 0 {
		return h.Td()
	}
	return h.Td(h.Data("l", label), h.Div(content...))
}

// Text is a Cell of plain text.
func Text(label, text string) g.Node {
	if text == "" {
		return h.Td()
	}
	return h.Td(h.Data("l", label), h.Span(g.Text(text)))
}

// Figure is a Cell of a number.
func Figure(label, figure string) g.Node {
	return h.Td(h.Class("r num"), h.Data("l", label), h.Span(g.Text(figure)))
}

// Act is the cell at the end of a row that holds its button or link.
func Act(content ...g.Node) g.Node { return h.Td(content...) }

// Wide lets a drawing or a table scroll sideways in a region of its own.
func Wide(name string, content ...g.Node) g.Node {
	return h.Div(append([]g.Node{h.Class("wide"), h.TabIndex("0"), h.Role("region"), h.Aria("label", name)}, content...)...)
}

// Fold hides what repeats in another form.
func Fold(summary string, content ...g.Node) g.Node {
	return h.Details(append([]g.Node{h.Summary(g.Text(summary))}, content...)...)
}
