package view_test

import (
	"strings"
	"testing"
	"time"

	g "maragu.dev/gomponents"

	"github.com/ombudhq/ombud/web/console/view"
)

func TestWords(t *testing.T) {
	for got, want := range map[string]string{
		view.Number(0):                                "0",
		view.Number(999):                              "999",
		view.Number(1276):                             "1,276",
		view.Number(-1234567):                         "-1,234,567",
		view.Count(1, "row"):                          "1 row",
		view.Count(2, "entry", "entries"):             "2 entries",
		view.Spelled(0, "thing needs", "things need"): "No things need",
		view.Spelled(1, "thing needs", "things need"): "One thing needs",
		view.Spelled(13, "request"):                   "13 requests",
		view.Digits("7f3a91c2e05d4b18ffff", 16):       "7f3a 91c2 e05d 4b18",
		view.Digits("7f3", 8):                         "7f3",
		view.Size(999):                                "999 bytes",
		view.Size(13200):                              "13.2 kB",
		view.Upper("ola acts"):                        "Ola acts",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestDays(t *testing.T) {
	oslo, err := time.LoadLocation("Europe/Oslo")
	if err != nil {
		t.Skip("this machine has no time zones")
	}
	c := view.Time{Now: time.Date(2026, 10, 24, 22, 30, 0, 0, time.UTC), In: oslo} // Sunday 00:30 there; the clock goes back at 03:00
	for _, x := range []struct {
		at         time.Time
		days       int
		near, left string
	}{
		{c.Now, 0, "today, Sun 25 Oct", "the last day"},
		{c.Now.Add(-time.Hour), -1, "yesterday, Sat 24 Oct", "1 day late"},
		{c.Now.Add(25 * time.Hour), 1, "tomorrow, Mon 26 Oct", "1 day left"},
		{time.Date(2027, 1, 4, 12, 0, 0, 0, time.UTC), 71, "Mon 4 Jan 2027", "71 days left"},
	} {
		if c.Days(x.at) != x.days || c.Near(x.at) != x.near || c.Left(x.at) != x.left {
			t.Errorf("%s: %d, %q, %q", x.at, c.Days(x.at), c.Near(x.at), c.Left(x.at))
		}
	}
}

// TestNamesFromStoresStayText: a table may be called anything.
func TestNamesFromStoresStayText(t *testing.T) {
	hostile := `"><script>alert(1)</script><a b='`
	gr := view.Graph{Label: hostile, Stores: []view.Store{{Name: hostile, Note: hostile, Boxes: []view.Box{{ID: hostile, Name: hostile, Note: hostile, Href: "#" + hostile}}}},
		Edges: []view.Edge{{From: hostile, To: hostile, Guess: true}}}
	for name, node := range map[string]g.Node{
		"graph": gr.Draw(), "note": view.Note(view.Soon, hostile, hostile, hostile), "text": view.Text(hostile, hostile), "masked": view.Masked(hostile + "····"),
		"empty": view.Empty(hostile, hostile), "form": view.Form(hostile, hostile, view.Hidden(hostile, hostile)), "head": view.Head(hostile, hostile, nil),
	} {
		var b strings.Builder
		if err := node.Render(&b); err != nil {
			t.Fatal(err)
		}
		if out := b.String(); strings.Contains(out, "<script>") || strings.Contains(out, `""><`) {
			t.Errorf("%s: %s", name, out)
		}
	}
}

func TestMaskIsSetApart(t *testing.T) {
	var b strings.Builder
	if err := view.Masked("Erasure for email i····, phone +····").Render(&b); err != nil {
		t.Fatal(err)
	}
	if want := `Erasure for email <span class="mask">i····</span>, phone <span class="mask">+····</span>`; b.String() != want {
		t.Error(b.String())
	}
}

// TestPlot: up and down stand on one scale, and the table says what the drawing says.
func TestPlot(t *testing.T) {
	var b strings.Builder
	p := view.Plot{ID: "weeks", Title: "Most no in the week of 9 Nov.", Step: "Week from", Up: "said yes", Down: "said no",
		Bars: []view.Bars{{Label: "2 Nov", Up: 300, Down: 60}, {Label: "9 Nov", Up: 200, Down: 100, Name: "9 Nov, so far"}, {Label: "16 Nov"}}}
	if err := p.Figure().Render(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`<title id="weeks-title">Most no in the week of 9 Nov.</title>`, `role="img" aria-labelledby="weeks-title"`, `pattern id="weeks-hatch"`,
		`y="18" height="112.5"`,   // 300 of 400 in 150 pixels, to the line of 0
		`y="131.5" height="36.5"`, // 100 of them below it, on the same scale
		`<th scope="row">9 Nov, so far</th>`, `+240`, `>300</text>`, `>100</text>`} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("there is no %s", want)
		}
	}
	for _, bad := range []string{"viewBox", "style="} {
		if strings.Contains(b.String(), bad) {
			t.Errorf("there is %s", bad)
		}
	}
	b.Reset()
	if err := (view.Plot{ID: "none", Bars: []view.Bars{{Label: "2 Nov"}}}).Figure().Render(&b); err != nil || strings.Contains(b.String(), "NaN") {
		t.Errorf("nothing to draw: %v, %s", err, b.String())
	}
}
