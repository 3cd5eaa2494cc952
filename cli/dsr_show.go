package cli

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/request"
)

// signs stand in the gutter of a plan, always with the word.
var signs = map[catalog.Method]string{
	catalog.Delete: "−", catalog.Shred: "−", catalog.Keep: "=",
	catalog.Anonymise: "~", catalog.Nullify: "~", catalog.Redact: "~", catalog.Pseudonymise: "~",
}

// signOf a method: its mark, and the word beside it.
func signOf(kind plan.Kind, m catalog.Method) (sign, word string) {
	switch {
	case m == plan.NameOnly:
		return "·", "name only"
	case kind == plan.Access:
		return "=", "copy"
	}
	return signs[m], string(m)
}

// showPlan prints a plan like a diff, failures first, and how to go on.
func (s *session) showPlan(r *request.Request) {
	p := r.Plan
	s.heading("%s: %s", r.Ref, planned(p))
	s.showLimit(r)
	if p.Nobody() {
		s.printf("  Nobody was found under what was given, in the systems that could be searched.\n")
	}
	s.showRemaining("Not reached or not known", p.Gaps)
	s.showSteps(p)
	s.showKept(p.Kept)
	s.showHeld(p.Held)
	s.showWarnings(p.Warnings)
	if len(p.Ignored) > 0 {
		s.section("Ignored, as ombud.yaml says: %s", strings.Join(p.Ignored, ", "))
	}
	s.printf("\n  estimate   %s\n  hash       %s\n  answer by  %s\n", wait(p.Estimate), p.Hash, day(r.Due))
	s.showNext(r)
}

func (s *session) showLimit(r *request.Request) {
	if r.Limit == nil {
		return
	}
	s.printf("  Only of %s.\n", r.Limit)
	switch {
	case consent.ByItself(r.Cause):
		s.printf("  It follows from a consent whose time was over: what has no other ground goes.\n")
	case r.Cause != "":
		s.printf("  It follows from a consent that was withdrawn: what has no other ground goes.\n")
	}
}

func (s *session) showNext(r *request.Request) {
	p := r.Plan
	switch {
	case r.State != request.Awaiting:
	case len(p.Blocking) > 0:
		s.section("Before this can be approved:")
		for _, q := range p.Blocking {
			s.printf("  ? %s\n", q)
		}
		s.printf("\nAnswer with ombud scan --accept ID or --reject ID, or in ombud.yaml; then: ombud dsr plan %s\n", r.Ref)
	case p.Kind == plan.Access:
		s.section("To run it:  ombud dsr run %s --out package.zip", r.Ref)
	default:
		s.section("To approve and run exactly this:\n  %s", r.Onward)
	}
}

// planned sums up what a plan does: rows it erases or copies, in so many datasets, and rows that stay.
func planned(p *plan.Plan) string {
	var rows, datasets, stay int64
	for _, sys := range p.Systems {
		for _, d := range sys.Datasets {
			if d.Method == catalog.Keep {
				stay += d.Rows
			} else if d.Method != plan.NameOnly {
				rows += d.Rows
				datasets++
			}
		}
	}
	out := fmt.Sprintf("%s of %s in %s", planWord(p.Kind), count(rows, "row"), count(datasets, "dataset"))
	if rows == 0 && stay > 0 {
		out = "nothing is to be erased"
	}
	if stay > 0 {
		out += fmt.Sprintf("; %s %s", count(stay, "row"), map[bool]string{true: "stays", false: "stay"}[stay == 1])
	}
	return out + "."
}

func planWord(k plan.Kind) string {
	if k == plan.Access {
		return "a copy"
	}
	return "erasure"
}

func (s *session) showSteps(p *plan.Plan) {
	t := newTable("", "", "dataset", "rows", "found by", "").numbers(3)
	for _, sys := range p.Systems {
		for _, d := range sys.Datasets {
			sign, word := signOf(p.Kind, d.Method)
			t.row(sign, word, sys.ID+"."+d.Name, number(d.Rows), d.Path, note(d))
		}
	}
	if len(t.rows) > 0 {
		s.section("Plan")
		t.print(s)
	}
}

// someOf lists words up to a number of them, and how many more there are.
func someOf(words []string, most int) string {
	if len(words) <= most {
		return strings.Join(words, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(words[:most-1], ", "), len(words)-most+1)
}

// note says what a step's line cannot: which fields, why, until when.
func note(d plan.Step) string {
	var parts []string
	if d.Method != catalog.Delete && d.Method != catalog.Keep && len(d.Fields) > 0 {
		parts = append(parts, someOf(d.Fields, 6))
	}
	if d.Because != "" {
		parts = append(parts, d.Because)
	}
	if d.Until != "" {
		parts = append(parts, "until "+d.Until)
	}
	return strings.Join(parts, "; ")
}

// showRemaining prints what is open, one paragraph a reason: what, where, and who does what next.
func (s *session) showRemaining(title string, rs []plan.Remaining) {
	if len(rs) == 0 {
		return
	}
	s.section("%s", title)
	type reason struct{ why, who, next string }
	var order []reason
	places := map[reason][]string{}
	for _, r := range rs {
		key := reason{r.Why, r.Who, r.Next}
		if places[key] == nil {
			order = append(order, key)
		}
		places[key] = append(places[key], place(r))
	}
	for _, r := range order {
		s.paragraph(s.style(yellow, "?")+" ", r.why)
		s.paragraph("    ", strings.Join(places[r], ", "))
		s.paragraph("    ", r.who+": "+r.next)
	}
}

// place is where something remains, with the rows if they could be counted.
func place(r plan.Remaining) string {
	where := strings.Trim(r.System+"."+r.Dataset, ".")
	if r.Rows > 0 {
		where += " (" + count(r.Rows, "row") + ")"
	}
	return where
}

func (s *session) showKept(kept []plan.Kept) {
	if len(kept) == 0 {
		return
	}
	s.section("Kept")
	t := newTable("", "", "rows", "because", "until").numbers(2)
	for _, k := range kept {
		place := k.System + "." + k.Dataset
		if len(k.Fields) > 0 {
			place += " (" + strings.Join(k.Fields, ", ") + ")"
		}
		t.row("=", place, number(k.Rows), k.Because, k.Until)
	}
	t.print(s)
}

func (s *session) showHeld(held []plan.Held) {
	if len(held) == 0 {
		return
	}
	s.section("Held for review: text of others")
	t := newTable("", "rows", "why").numbers(1)
	for _, h := range held {
		t.row(h.System+"."+h.Dataset+"."+h.Field, number(h.Rows), h.Why)
	}
	t.print(s)
}

func (s *session) showWarnings(ws []plan.Warning) {
	if len(ws) == 0 {
		return
	}
	s.section("To know first")
	for _, w := range ws {
		s.printf("  ! %s: %s\n", strings.Trim(w.System+"."+w.Dataset, "."), w.Message)
		if w.Cure != "" {
			s.printf("      %s\n", w.Cure)
		}
	}
}

// ran is what a run prints: the contract's object and, beside it, why it ended early.
type ran struct {
	request.Result
	Error *problem `json:"error,omitempty"`
}

// showRun prints where a run came to and answers with its exit code. The request is there beside most errors.
func (s *session) showRun(r *request.Request, out string, err error) error {
	if r == nil {
		return err
	}
	if err == nil {
		return s.showResult(r, out)
	}
	if s.json {
		p := problemOf(err)
		if werr := writeJSON(s.env.Stdout, ran{r.Result(), &p}); werr != nil {
			return werr
		}
	} else if fault.KindOf(err) == fault.Waiting && r.Plan != nil {
		s.showPlan(r)
	}
	s.warn("%v", err)
	return Exit(fault.ExitCode(err))
}

func (s *session) showResult(r *request.Request, out string) error {
	err := s.answer(r.Result(), func() {
		if r.State == request.Awaiting {
			s.showPlan(r)
			return
		}
		s.showOutcome(r)
		s.showPackage(r, out)
	})
	if end := r.Err(); err == nil && end != nil {
		return Exit(fault.ExitCode(end))
	}
	return err
}

func (s *session) showPackage(r *request.Request, out string) {
	if r.Package == nil {
		return
	}
	if out == "" {
		out = filepath.Join(s.Place.Data, "packages", r.Ref+".zip")
	}
	s.printf("  package  %s, %s in %s\n", out, count(r.Package.Rows, "row"), count(r.Package.Files, "file"))
}

// showOutcome prints what was done, what remains first.
func (s *session) showOutcome(r *request.Request) {
	res := r.Result()
	s.heading("%s", sentence(r))
	s.showLimit(r)
	s.showRemaining("Remains", res.Remaining)
	s.showRemaining("Not reached or not known", res.Gaps)
	s.showDone(r.Kind, res.Done)
	s.showKept(res.Kept)
	s.showHeld(res.Held)
	for _, p := range res.Proof {
		for _, m := range p.Means {
			s.printf("  %s: %s\n", p.System, m)
		}
	}
	if len(res.Ignored) > 0 {
		s.section("Ignored, as ombud.yaml says: %s", strings.Join(res.Ignored, ", "))
	}
	s.printf("\n")
	if res.Receipt != nil {
		s.printf("  receipt  %s\n", res.Receipt.File)
	}
	if r.State.Open() {
		s.printf("  next     %s: %s\n", r.Who, r.What)
	}
}

func (s *session) showDone(kind plan.Kind, done []plan.Done) {
	if len(done) == 0 {
		return
	}
	s.section("Done and read again")
	t := newTable("", "", "dataset", "planned", "acted", "verified").numbers(3, 4, 5)
	for _, d := range done {
		sign, word := signOf(kind, d.Method)
		acted, verified := number(d.Acted), number(d.Verified)
		if d.Method == plan.NameOnly {
			acted, verified = "", ""
		}
		t.row(sign, word, d.System+"."+d.Dataset, number(d.Planned), acted, verified)
	}
	t.print(s)
}

// sentence says how a request stands.
func sentence(r *request.Request) string {
	switch r.State {
	case request.Complete:
		if r.Outcome != nil && r.Outcome.Nobody() {
			return r.Ref + " is complete: every system was searched, and nobody was found."
		}
		if r.Kind == plan.Access {
			return r.Ref + " is complete: everything that was found is in the package."
		}
		return r.Ref + " is complete, and proven by looking again."
	case request.Incomplete:
		n := 0
		if r.Outcome != nil {
			n = len(r.Outcome.Remaining) + len(r.Outcome.Gaps)
		}
		return fmt.Sprintf("%s is incomplete: %s.", r.Ref, count(n, "thing")+" left")
	case request.Running:
		return r.Ref + " is running."
	case request.Failed:
		return r.Ref + " failed: " + r.Failure
	case request.Refused:
		return r.Ref + " is refused."
	}
	return r.Ref + " waits for approval."
}

func (s *session) showRequest(r *request.Request) {
	if r.Outcome == nil || r.State == request.Awaiting {
		if r.State != request.Awaiting {
			s.heading("%s", sentence(r))
		}
		s.showPlan(r)
	} else {
		s.showOutcome(r)
	}
	s.printf("\n  about    %s\n  received %s by %s\n  due      %s (%s)\n  now      %s: %s\n",
		r.Masked, day(r.Received), r.Actor, day(r.Due), r.DueWhy, r.Who, r.What)
}
