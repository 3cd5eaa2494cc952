package console

import (
	"net/http"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/ombudhq/ombud/web/console/view"
)

// keys lists what the keyboard does beyond Tab and Enter.
func (v *visit) keys() error {
	d, err := v.desk()
	if err != nil {
		return err
	}
	line := func(does string, keys ...string) g.Node {
		return view.Row(h.Span(h.Class("row"), g.Map(keys, func(k string) g.Node { return h.Kbd(g.Text(k)) })), view.Text("Does", does))
	}
	table := view.Table("dense", "Keys", []view.Column{{Name: "Key"}, {Name: "Does"}}, view.Rows(
		line("start a request for a person", "/"), line("this list", "?"),
		line("home", "g", "h"), line("people", "g", "p"), line("requests", "g", "r"), line("data map", "g", "d"), line("consent", "g", "c"),
		line("log", "g", "l"), line("access", "g", "a"), line("upkeep", "g", "u"), line("alarms", "g", "s"),
		line("next row and row before", "j", "k"), line("open the row", "Enter"),
		line("from a drawing to its table", "t"), line("close, back to where you were", "Esc")))
	return v.show(http.StatusOK, v.shell("", "Keys", d, nil,
		view.Head("Every page can be worked with a keyboard.", "Tab and Enter reach everything. These keys are short cuts, and none is needed. Approving, erasing and refusing have none.", nil),
		view.Section{ID: "list", Title: "Keys", First: true}.With(table),
		h.Section(h.Class("sec"), h.ID("switch"), h.Aria("labelledby", "switch-h"), h.H2(h.ID("switch-h"), h.Class("sec-h"), g.Text("Switch them off")),
			h.P(g.Text("With a screen reader or by voice, single keys can be in the way.")),
			h.P(h.Class("mt"), h.Label(h.Class("opt"), h.Input(h.Type("checkbox"), h.ID("keys-off")), h.Span(g.Text("No single keys in this browser"))),
				h.NoScript(g.Text("They need script, and there is none in this browser: they are off."))))))
}
