package cli

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/plan"
)

// TestNamesSteerNoTerminal: whatever a store, a file or an error brings, in every way that text is printed: nothing of it clears
// a line, colours, rings, turns the direction of what follows, or begins a line of its own in a table.
func TestNamesSteerNoTerminal(t *testing.T) {
	const hostile = "a\x1b[2Jb\x07c\rd\u0085e\u061cf\u200eg\u200fh\u202ei\u2066j\u2028k\xffl\tm"
	var out, errs bytes.Buffer
	s := &session{env: &Env{Stdout: &out, Stderr: &errs}}
	s.printf("%s\n", hostile)
	s.heading("%s", hostile)
	s.verdict(red, "No", ": %s", hostile)
	s.section("%s", hostile)
	s.paragraph("? ", hostile)
	s.warn("%s", hostile)
	s.fail(errors.New(hostile))
	table := newTable("name", "rows").numbers(1)
	table.row("one\n"+hostile, 1)
	table.row("two", hostile)
	table.print(s)
	for _, r := range out.String() + errs.String() {
		if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || unicode.In(r, unicode.Zl, unicode.Zp)) {
			t.Errorf("%U is printed", r)
		}
	}
	if !strings.Contains(out.String(), `a\u001b[2Jb\u0007c\u000dd\u0085e`) || strings.Count(out.String(), "\n") != 9 || strings.Count(errs.String(), "\n") != 2 {
		t.Errorf("%s%s", &out, &errs)
	}
	errs.Reset()
	s.env.Progress = true
	s.progress().show(plan.Progress{Phase: "act", System: "shop", Dataset: hostile})
	if line, ours := strings.CutPrefix(errs.String(), "\r\x1b[K"); !ours || strings.ContainsFunc(line, unicode.IsControl) {
		t.Errorf("progress: %q", errs.String())
	}
}

// TestInterrupted: who ends a command hears that it ended, in words.
func TestInterrupted(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	var out, errs bytes.Buffer
	code := Run(ctx, Env{Args: []string{"hold", "list"}, Stdout: &out, Stderr: &errs},
		Program{Open: func(ctx context.Context, _ Place) (*Services, error) { return nil, ctx.Err() }})
	if code != 6 || errs.String() != "ombud: interrupted; what was answered before holds\n" {
		t.Errorf("%d, %s", code, &errs)
	}
}

// TestTablesFitTheTerminal: what does not fit beside the first columns stands below, whole, and no line is longer than the terminal is
// wide; where nobody reads in one, a row is a line.
func TestTablesFitTheTerminal(t *testing.T) {
	printed := func(width int) string {
		var out bytes.Buffer
		table := newTable("", "check", "finding", "next")
		table.row("!", "keys", strings.Repeat("nothing that was sealed opens ", 3), "ombud vault backup makes one")
		table.row("✓", "disk", "a durable write takes long", "")
		table.print(&session{env: &Env{Stdout: &out, Width: width}})
		return out.String()
	}
	for _, width := range []int{40, 80, 100} {
		for line := range strings.Lines(printed(width)) {
			if utf8.RuneCountInString(strings.TrimSuffix(line, "\n")) > width {
				t.Errorf("%d: %q", width, line)
			}
		}
		if got, want := strings.Join(strings.Fields(printed(width)), " "), strings.Join(strings.Fields(printed(0)), " "); got != want {
			t.Errorf("%d: %s", width, got)
		}
	}
	if n := strings.Count(printed(0), "\n"); n != 3 {
		t.Errorf("%d lines for no terminal", n)
	}
}

// TestColoursAreColours: where a terminal has them, an answer comes in them, and not as the characters that make them.
func TestColoursAreColours(t *testing.T) {
	for _, say := range []func(*session){
		func(s *session) { s.showAnswer(consent.Answer{Reason: consent.WasWithdrawn}) },
		func(s *session) { s.showAnswer(consent.Answer{Allowed: true, Reason: consent.Consented}) },
		func(s *session) { s.showReport(ledger.Report{Problem: "entry 3 is not what was sealed", FirstBad: 3}) },
	} {
		var out bytes.Buffer
		say(&session{env: &Env{Stdout: &out, Color: true}})
		if text := out.String(); strings.Contains(text, `\u001b`) || !strings.Contains(text, "\x1b[1;3") {
			t.Errorf("%q", text)
		}
	}
}

// What a scan could not read is told before what it found: without it the rest looks whole.
func TestScanTellsWhatItCouldNotRead(t *testing.T) {
	var out, errs bytes.Buffer
	s := &session{Services: &Services{}, env: &Env{Stdout: &out, Stderr: &errs}}
	s.showScan(&catalog.Findings{Systems: []catalog.SystemFinding{{ID: "shop", Datasets: 2}}, Datasets: []catalog.DatasetFinding{
		{System: "shop", Name: "users", Problem: "this role may not read it"}, {System: "shop", Name: "logs", Problem: "x", Ignored: true}, {System: "shop", Name: "orders"}}}, false)
	if got := out.String(); !strings.Contains(got, "shop.users  this role may not read it") || strings.Contains(got, "logs") || strings.Contains(got, "orders") {
		t.Errorf("it says:\n%s", got)
	}
}
