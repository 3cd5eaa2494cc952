package console

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/request"
	"github.com/ombudhq/ombud/web/console/view"
)

const (
	lately     = 8   // deeds that the home page tells
	latelyRead = 400 // entries among which it looks for them: what people choose fills the ledger
)

// lately are the newest deeds: what people chose has a room of its own, and who read what stands in the log.
func (v *visit) lately() ([]ledger.Row, error) {
	rows, err := v.Ledger.Tail(v.r.Context(), latelyRead, ledger.TailOptions{})
	rows = slices.DeleteFunc(rows, func(r ledger.Row) bool {
		return strings.HasPrefix(r.Kind, "consent.") || r.Kind == "ledger.read" || r.Kind == "subject.read"
	})
	return rows[max(0, len(rows)-lately):], err
}

// doneLately tells the newest entries of the ledger, newest first.
func (v *visit) doneLately(entries []ledger.Row) g.Node {
	s := view.Section{ID: "done", Title: "Done lately", Note: h.A(h.Href("/log"), g.Text("The whole log"))}
	if len(entries) == 0 {
		return s.With(h.P(g.Text("Nothing is written yet. Every act leaves an entry here that cannot be changed unseen.")))
	}
	slices.Reverse(entries)
	var events []view.Event
	for _, e := range entries {
		e.Actor = v.me(e.Actor)
		events = append(events, told(e))
	}
	return s.With(v.time.Log(events...))
}

// content is what entries about requests hold.
type content struct {
	Request string        `json:"request"`
	Kind    plan.Kind     `json:"kind"`
	State   request.State `json:"state"`
	Rows    int64         `json:"rows"`
	Kept    int64         `json:"kept"`
	Gaps    int           `json:"gaps"`
}

// told tells an entry in words.
func told(e ledger.Row) view.Event {
	var c content
	_ = json.Unmarshal(e.Content, &c) // an erased or foreign content tells only its kind
	what := deed(e.Kind, c.Kind)
	text := g.Node(g.Text(view.Upper(what)))
	if c.Request != "" {
		text = g.Group{g.Text(view.Upper(what) + ": "), h.A(h.Href("/requests/"+c.Request), g.Text(kindWord(c.Kind)+" "+c.Request))}
	}
	more := fmt.Sprintf("entry %s", view.Number(e.ID))
	if e.Actor != "" {
		more += ", " + me(e.Actor)
	}
	if c.Rows > 0 {
		more += ", " + view.Count(c.Rows, "row")
	}
	return view.Event{At: e.Time, Text: text, More: g.Text(more)}
}

// story is what the ledger says of one request, oldest first; at most as many entries as a page can show.
type story []ledger.Row

const longestStory = 40

func (c *console) story(ctx context.Context, r *request.Request) (story, error) {
	ids := r.Entries
	if len(ids) > longestStory {
		ids = ids[len(ids)-longestStory:]
	}
	var out story
	for _, id := range ids {
		rows, err := c.Ledger.Tail(ctx, 1, ledger.TailOptions{Before: id + 1})
		if err != nil {
			return nil, err
		}
		out = append(out, rows...)
	}
	return out, nil
}

// last is when something of these kinds last happened; zero when it did not.
func (s story) last(kinds ...string) time.Time {
	for _, e := range slices.Backward(s) {
		if slices.Contains(kinds, e.Kind) {
			return e.Time
		}
	}
	return time.Time{}
}

// drifted is true when the newest thing that happened is that the data moved.
func (s story) drifted() bool { return len(s) > 0 && s[len(s)-1].Kind == "request.drifted" }

func (v *visit) storySection(r *request.Request, s story) g.Node {
	var events []view.Event
	for _, e := range slices.Backward(s) {
		e.Actor = v.me(e.Actor)
		one := told(e)
		one.Text = g.Text(view.Upper(deed(e.Kind, r.Kind)))
		one.More = g.Group{one.More, g.Text(" · "), h.A(h.Href(fmt.Sprintf("%s/entries/%d", address(r), e.ID)), h.Download(""), g.Text("inclusion proof"))}
		events = append(events, one)
	}
	return view.Section{ID: "story", Title: "In the audit log", Note: g.Text("newest first; ombud audit verify checks the whole log")}.With(v.time.Log(events...))
}
