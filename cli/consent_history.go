package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/internal/fault"
)

type consentHistoryCmd struct {
	At string `help:"What held at this moment, 2026-11-21 or 2026-11-21T09:00:00Z; default now." placeholder:"TIME"`
	subjects
}

// consentHistory is what a person said, and what held.
type consentHistory struct {
	Subject  string             `json:"subject"`
	Name     string             `json:"substitute"` // that stands for them
	At       time.Time          `json:"at"`
	Standing []consent.Standing `json:"standing"`
	Events   []consent.Event    `json:"events"`
}

func (*consentHistoryCmd) writes() {}

func (c *consentHistoryCmd) run(ctx context.Context, s *session) error {
	at, err := momentOf(c.At, s.program.Clock.Now())
	if err != nil {
		return err
	}
	h, err := c.handle(s)
	if err != nil {
		return err
	}
	out := consentHistory{Subject: s.Consents.Who(h.Person()), Name: s.Consents.Substitute(h.Person()), At: at.UTC().Truncate(time.Second)}
	if out.Events, err = s.Consents.History(ctx, h); err != nil {
		return err
	}
	if out.Standing, err = s.Consents.StateAt(ctx, h, at); err != nil {
		return err
	}
	if err := s.Ledger.Looked(ctx, s.actor(), out.Subject, "what they said, on the command line", "consents", "restrictions"); err != nil {
		return err
	}
	return s.answer(out, func() { s.showHistory(out) })
}

// momentOf reads a moment. A day means its end: what was said on it counts.
func momentOf(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return now, nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	if t, err := time.Parse(time.DateOnly, text); err == nil {
		return t.AddDate(0, 0, 1).Add(-time.Second), nil
	}
	return now, fault.New(fault.Invalid, "a moment is written 2026-11-21 or 2026-11-21T09:00:00Z")
}

func (s *session) showHistory(h consentHistory) {
	s.heading("%s (%s), at %s UTC", h.Name, h.Subject, instant(h.At, ""))
	t := newTable("purpose", "", "since", "until", "categories")
	for _, st := range h.Standing {
		t.row(st.Purpose, st.Status, instant(st.Since, ""), instant(st.ValidUntil, ""), strings.Join(st.Categories, ", "))
	}
	t.print(s)
	s.section("What happened")
	t = newTable("when", "what", "of", "how", "by")
	for _, e := range h.Events {
		t.row(instant(e.At, ""), e.Kind, eventOf(e), eventHow(e), e.Actor)
	}
	t.print(s)
}

// eventOf says what an event is about.
func eventOf(e consent.Event) string {
	words := append([]string{}, e.Purposes...)
	if e.Purpose != "" {
		words = append(words, e.Purpose)
	}
	words = append(words, e.Narrowed...)
	if e.Type != "" {
		words = append([]string{e.Type}, words...)
	}
	return strings.Join(words, ", ")
}

// eventHow says what was shown, or why.
func eventHow(e consent.Event) string {
	var words []string
	if e.Notice != nil {
		words = append(words, fmt.Sprintf("%s, notice %s", e.Method, e.Notice))
	}
	if len(e.Narrowed) > 0 {
		words = append(words, "for "+strings.Join(e.Categories, ", "))
	}
	for _, w := range []string{e.Reason, e.Signals, heardFrom(e.Source, e.Said)} {
		if w != "" {
			words = append(words, w)
		}
	}
	return strings.Join(words, "; ")
}

// heardFrom says who told us of an act that was not said to us, and when it was said by what they say.
func heardFrom(source string, said time.Time) string {
	switch {
	case source == "":
		return ""
	case said.IsZero():
		return "told by " + source
	}
	return "told by " + source + ", as of " + instant(said, "")
}

type consentProofCmd struct {
	Consent string `arg:"" help:"Consent, by its id: con_…"`
	Out     string `help:"Where the receipt goes. Default standard output." placeholder:"FILE"`
}

func (*consentProofCmd) writes() {}

func (c *consentProofCmd) run(ctx context.Context, s *session) error {
	one, err := s.Consents.Get(ctx, c.Consent)
	if err != nil {
		return err
	}
	b, err := s.Consents.Receipt(ctx, c.Consent)
	if err != nil {
		return err
	}
	if err := s.Ledger.Looked(ctx, s.actor(), one.Subject, "the receipt of a consent, on the command line", "consents"); err != nil {
		return err
	}
	if c.Out == "" {
		_, err := s.env.Stdout.Write(b) // a receipt is for a program, in either form of output
		return err
	}
	path := s.env.Abs(c.Out)
	if err := save(path, b); err != nil {
		return err
	}
	return s.answer(map[string]string{"consent_id": c.Consent, "file": path}, func() {
		s.heading("The receipt is in %s.", path)
		s.printf("  verify  ombud verify receipt %s\n", path)
	})
}
