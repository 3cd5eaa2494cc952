package view

import (
	"io"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"
)

// Shell is a whole page: the rail, the crumbs, and what stands on the sheet.
type Shell struct {
	Title  string
	Org    string // whose Ombud this is
	Me     string // who is looking
	Rooms  []Room
	Crumbs []Crumb
	// Refresh lets a page without script load itself again after so many seconds; 0 never.
	Refresh string
	Asset   func(name string) string
	Alone   bool // without rail and menu: nobody was let in
	// Token, when set, is of somebody who is signed in: they can sign out, and have an account.
	Token string
	// New offers to take in a request.
	New  bool
	Body []g.Node
}

// Room is one entry of the rail. Key opens it after g. Count stands beside it, with a word for those who do not see it.
type Room struct {
	Href, Name, Key string
	Here            bool
	Count           int
	Counted         string
	Due             bool // the count waits for whoever is looking
}

// Crumb is one step back up; the last one has no address.
type Crumb struct{ Name, Href string }

// Render writes the page.
func (s Shell) Render(w io.Writer) error {
	return h.Doctype(h.HTML(h.Lang("en"), s.head(), h.Body(h.Class("app"),
		h.A(h.Class("skip"), h.Href("#main"), g.Text("Skip to content")),
		h.Header(h.Class("topbar"), h.A(h.Href("/"), Logo()), g.If(!s.Alone,
			h.Button(h.Class("btn sm"), h.Type("button"), h.PopoverTarget("rail"), g.Text("Menu")))),
		s.rail(),
		h.Main(h.Class("main"), h.ID("main"), h.TabIndex("-1"), s.crumbs(), g.Group(s.Body)),
		h.Div(h.Class("toast"), h.ID("toast"), h.Role("status"), h.Aria("live", "polite")),
	))).Render(w)
}

func (s Shell) head() g.Node {
	return h.Head(
		h.Meta(h.Charset("utf-8")),
		h.Meta(h.Name("viewport"), h.Content("width=device-width, initial-scale=1")),
		h.Meta(h.Name("color-scheme"), h.Content("light dark")),
		h.TitleEl(g.Text(s.Title+" · Ombud")),
		h.Link(h.Rel("icon"), h.Href(s.Asset("logo.svg"))),
		h.Link(h.Rel("stylesheet"), h.Href(s.Asset("tokens.css"))),
		h.Link(h.Rel("stylesheet"), h.Href(s.Asset("ombud.css"))),
		h.Link(h.Rel("stylesheet"), h.Href(s.Asset("console.css"))),
		h.Script(h.Type("module"), h.Src(s.Asset("keys.js"))),
		h.Script(h.Type("module"), h.Src(s.Asset("live.js"))),
		h.Script(h.Type("module"), h.Src(s.Asset("passkey.js"))),
		g.If(s.Refresh != "", h.NoScript(h.Meta(g.Attr("http-equiv", "refresh"), h.Content(s.Refresh)))),
	)
}

func (s Shell) rail() g.Node {
	if s.Alone {
		return h.Div(h.Class("rail"), g.Attr("popover"), h.A(h.Href("/"), Logo()))
	}
	return h.Nav(h.Class("rail"), h.ID("rail"), g.Attr("popover"), h.Aria("label", "Main"),
		h.A(h.Href("/"), Logo()),
		h.P(h.Class("org"), g.Text(s.Org)),
		g.If(s.New, h.A(h.Class("btn sm"), h.Href("/requests/new"), h.Data("key", "/"), g.Text("New request "), h.Kbd(g.Text("/")))),
		h.Ul(g.Map(s.Rooms, Room.item)),
		h.P(h.Class("me"), g.Text(s.Me), h.Br(), h.A(h.Href("/keys"), h.Data("key", "?"), g.Text("Keys")), g.Text(" "), h.Kbd(g.Text("?")), g.If(s.Token != "", g.Group{h.Br(), h.A(h.Href("/account"), g.Text("Your account"))})),
		g.If(s.Token != "", Form("/sign-out", s.Token, Button("sm", "Sign out"))),
	)
}

func (r Room) item() g.Node {
	class := "n"
	if r.Due {
		class = "n due"
	}
	return h.Li(h.A(h.Href(r.Href), h.Data("key", r.Key), g.If(r.Here, h.Aria("current", "page")), g.Text(r.Name),
		g.If(r.Count > 0, h.Span(h.Class(class), g.Text(Number(int64(r.Count))), h.Span(h.Class("sr"), g.Text(" "+r.Counted)))),
	))
}

func (s Shell) crumbs() g.Node {
	if len(s.Crumbs) == 0 {
		return nil
	}
	return h.Nav(h.Class("crumbs"), h.Aria("label", "You are here"), h.Ol(g.Map(s.Crumbs, func(c Crumb) g.Node {
		if c.Href == "" {
			return h.Li(h.Aria("current", "page"), g.Text(c.Name))
		}
		return h.Li(h.A(h.Href(c.Href), g.Text(c.Name)))
	})))
}

// Logo is the wordmark, inlined so that it takes the accent colour.
func Logo() g.Node {
	return el("svg", "class", "logo", "viewBox", "0 0 139 34", "role", "img", "aria-label", "Ombud").With(
		el("path", "class", "f", "d", "M5.5 21.5h15a7.5 7.5 0 0 1-15 0Z"),
		el("path", "d", "M21.5 20.5a8.5 8.5 0 1 1-17 0 8.5 8.5 0 0 1 17 0ZM34 29V12.5m0 5a5.5 5.5 0 0 1 11 0V29m0-11.5a5.5 5.5 0 0 1 11 0V29M68 4v25m17-8.5a8.5 8.5 0 1 1-17 0 8.5 8.5 0 0 1 17 0ZM96 12.5v9a7 7 0 0 0 14 0v-9M110 12.5V29"),
		el("path", "d", "M135 4v25m0-8.5a8.5 8.5 0 1 1-17 0 8.5 8.5 0 0 1 17 0Z"))
}
