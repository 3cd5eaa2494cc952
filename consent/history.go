package consent

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/purpose"
	"github.com/ombudhq/ombud/subject"
)

// Event is one act in a person's history, with what they were shown.
type Event struct {
	Revision   int64             `json:"revision"`
	At         time.Time         `json:"at"`
	Kind       string            `json:"kind"` // consent.given …
	Actor      string            `json:"actor,omitempty"`
	ConsentID  string            `json:"consent_id,omitempty"`
	Purpose    string            `json:"purpose,omitempty"`
	Purposes   []string          `json:"purposes,omitempty"` // that a withdrawal ended
	Categories []string          `json:"categories,omitempty"`
	Narrowed   []string          `json:"narrowed,omitempty"`
	Consents   []string          `json:"consents,omitempty"` // that it ended
	Method     string            `json:"method,omitempty"`
	Notice     *Shown            `json:"notice,omitempty"`
	Text       string            `json:"text,omitempty"` // the words shown; "not held" where nobody gave them to us
	ValidUntil time.Time         `json:"valid_until,omitzero"`
	Type       string            `json:"type,omitempty"` // of a restriction or an objection
	Fact       string            `json:"fact,omitempty"` // its id
	Until      time.Time         `json:"until,omitzero"` // when a restriction or an objection ends, or what waits for its confirmation lapses
	Reason     string            `json:"reason,omitempty"`
	Automatic  bool              `json:"automatic,omitempty"`
	Interface  string            `json:"interface,omitempty"`
	Confirms   string            `json:"confirms,omitempty"`
	Renews     string            `json:"renews,omitempty"`
	Metadata   map[string]string `json:"metadata,omitempty"`
	TCF        string            `json:"tcf,omitempty"`
	GPP        string            `json:"gpp,omitempty"`
	Signals    string            `json:"signals,omitempty"` // what TCF and GPP strings say, in short
	Source     string            `json:"source,omitempty"`  // of an import or an event: who told us
	Said       time.Time         `json:"said,omitzero"`     // and when it was said, by that source
}

// NotHeld stands for words that the purpose did not declare.
const NotHeld = "not held"

// History is everything a person said, oldest first, as the ledger holds it. fault.NotFound for who is not known.
func (s *Service) History(ctx context.Context, h Handle) ([]Event, error) {
	if h.person == 0 {
		return nil, fault.New(fault.NotFound, "nobody is known by this identity")
	}
	rows, err := s.cfg.Ledger.Of(ctx, s.cfg.People.ID(h.person))
	if err != nil {
		return nil, err
	}
	words, err := s.words(ctx)
	if err != nil {
		return nil, err
	}
	because, err := s.reasons(ctx, h.person)
	if err != nil {
		return nil, err
	}
	out := []Event{}
	for _, r := range rows {
		e, ok, err := eventOf(r, words)
		if err != nil {
			return nil, err
		}
		if ok {
			if e.Fact != "" {
				e.Reason = because[e.Fact]
			}
			out = append(out, e)
		}
	}
	return out, nil
}

func eventOf(r ledger.Row, words map[string]string) (Event, bool, error) {
	e := Event{Revision: r.Revision, At: r.Time, Kind: r.Kind, Actor: r.Actor}
	content, err := decode(r)
	if err != nil {
		return e, false, err
	}
	switch c := content.(type) {
	case *given:
		e.Until = c.Lapses
		e.At, e.ConsentID, e.Purpose, e.Categories, e.Method = c.At, conID(r.Revision), c.Purpose, c.Categories, c.Method
		e.ValidUntil, e.Interface, e.Confirms, e.Renews, e.Metadata, e.TCF, e.GPP = c.Expires, c.Interface, c.Confirms, c.Renews, c.Metadata, c.TCF, c.GPP
		e.Notice, e.Text, e.Signals = &c.Notice, NotHeld, summary(c.TCF, c.GPP)
		e.Source, e.Said = c.Source, c.Given
		if text, ok := words[c.Notice.SHA256]; ok && c.Notice.SHA256 != "" {
			e.Text = text
		}
		return e, true, nil
	case *ended:
		e.At, e.Purposes, e.Categories, e.Consents, e.Reason, e.Automatic = c.At, c.Purposes, c.Categories, c.Consents, c.Reason, c.Automatic
		e.Source, e.Said = c.Source, c.Said
		for _, p := range c.Narrowed {
			e.Narrowed = append(e.Narrowed, p.Purpose)
		}
		return e, true, nil
	}
	return e.further(r)
}

// further reads the kinds that change no consent.
func (e Event) further(r ledger.Row) (Event, bool, error) {
	var err error
	switch {
	case r.Erased:
		return e, false, nil
	case r.Kind == kindExpired:
		var c lapsed
		err = json.Unmarshal(r.Content, &c)
		e.At, e.Purpose, e.Consents, e.Automatic = c.At, c.Purpose, []string{c.Consent}, true
	case strings.HasPrefix(r.Kind, string(subject.Restriction)+"."), strings.HasPrefix(r.Kind, string(subject.Objection)+"."):
		var f subject.Fact
		err = json.Unmarshal(r.Content, &f)
		e.Fact, e.Type, e.Purposes, e.Until = f.ID, f.Type, f.Purposes, f.Until
		if e.At = f.Since; !f.Ended.IsZero() {
			e.At = f.Ended
		}
	default:
		return e, false, nil
	}
	if err != nil {
		return e, false, fmt.Errorf("entry %d: %w", r.ID, err)
	}
	return e, true, nil
}

// reasons are those of a person's restrictions and objections, which the ledger does not hold.
func (s *Service) reasons(ctx context.Context, n subject.Number) (map[string]string, error) {
	facts, err := s.cfg.Facts.All(ctx, n)
	out := map[string]string{}
	for _, f := range facts {
		out[f.ID] = f.Because
	}
	return out, err
}

// words are the texts of all notices that ever were, by their hash, from the entries of the register.
func (s *Service) words(ctx context.Context) (map[string]string, error) {
	rows, err := s.cfg.Ledger.Tail(ctx, 1<<20, ledger.TailOptions{Kind: "purpose.changed"})
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, r := range rows {
		var c struct {
			Purposes []purpose.Purpose `json:"purposes"`
		}
		if err := json.Unmarshal(r.Content, &c); err != nil {
			return nil, fmt.Errorf("entry %d: %w", r.ID, err)
		}
		for _, p := range c.Purposes {
			for _, n := range p.Notices {
				out[hashText(n.Text)] = n.Text
			}
		}
	}
	return out, nil
}

// Within gives of a history what is about purposes that may be shown, without what the same act said of others. What limits the use
// of data for every purpose is about those too.
func Within(events []Event, may func(purpose string) bool) []Event {
	of := map[string]string{} // of consents
	for _, e := range events {
		if e.ConsentID != "" {
			of[e.ConsentID] = e.Purpose
		}
	}
	hidden := func(purpose string) bool { return !may(purpose) }
	out := []Event{}
	for _, e := range events {
		every := e.Purpose == "" && len(e.Purposes) == 0 && e.Fact != ""
		e.Purposes = slices.DeleteFunc(slices.Clone(e.Purposes), hidden)
		e.Narrowed = slices.DeleteFunc(slices.Clone(e.Narrowed), hidden)
		e.Consents = slices.DeleteFunc(slices.Clone(e.Consents), func(id string) bool { return hidden(of[id]) })
		if every || len(e.Purposes)+len(e.Narrowed) > 0 || e.Purpose != "" && may(e.Purpose) {
			out = append(out, e)
		}
	}
	return out
}

// Standing is what held between a person and a purpose at an instant.
type Standing struct {
	Purpose    string    `json:"purpose"`
	Status     Status    `json:"status"`
	ConsentID  string    `json:"consent_id,omitempty"`
	Categories []string  `json:"categories,omitempty"`
	Since      time.Time `json:"since"`
	ValidUntil time.Time `json:"valid_until,omitzero"`
	// Unconfirmed: it expired as a yes that waited for its confirmation in vain.
	Unconfirmed bool `json:"unconfirmed,omitempty"`
}

// StateAt is what held at an instant, by purpose: the ledger read up to then.
func (s *Service) StateAt(ctx context.Context, h Handle, at time.Time) ([]Standing, error) {
	events, err := s.History(ctx, h)
	if err != nil {
		return nil, err
	}
	byPurpose := map[string]Standing{}
	for _, e := range events {
		if !e.At.After(at) {
			e.apply(byPurpose)
		}
	}
	out := make([]Standing, 0, len(byPurpose))
	for _, st := range byPurpose {
		if (st.Status == Given || st.Status == Pending) && !st.ValidUntil.IsZero() && !at.Before(st.ValidUntil) {
			st.Unconfirmed, st.Status = st.Status == Pending, Expired
		}
		out = append(out, st)
	}
	slices.SortFunc(out, func(a, b Standing) int { return compare(a.Purpose, b.Purpose) })
	return out, nil
}

func (e *Event) apply(to map[string]Standing) {
	switch e.Kind {
	case kindGiven:
		to[e.Purpose] = Standing{Purpose: e.Purpose, Status: Given, ConsentID: e.ConsentID, Categories: e.Categories, Since: e.At, ValidUntil: e.ValidUntil}
	case kindPending:
		if st, ok := to[e.Purpose]; !ok || st.Status != Given {
			to[e.Purpose] = Standing{Purpose: e.Purpose, Status: Pending, ConsentID: e.ConsentID, Categories: e.Categories, Since: e.At, ValidUntil: e.Until}
		}
	case kindWithdrawn:
		for _, p := range e.Purposes {
			to[p] = Standing{Purpose: p, Status: Withdrawn, Since: e.At}
		}
		for _, p := range e.Narrowed {
			st := to[p]
			st.Categories = slices.DeleteFunc(slices.Clone(st.Categories), func(c string) bool { return slices.Contains(e.Categories, c) })
			to[p] = st
		}
	}
}

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// Who gives a handle's public id; "" for nobody.
func (s *Service) Who(n subject.Number) string {
	if n == 0 {
		return ""
	}
	return s.cfg.People.ID(n)
}

// Substitute is the name that stands for a person wherever who they are is masked; "" for nobody.
func (s *Service) Substitute(n subject.Number) string { return s.cfg.People.Substitute(n) }

// ErasedAbout are the ids of those who were erased about that minute.
func (s *Service) ErasedAbout(ctx context.Context, minute time.Time) ([]string, error) {
	numbers, err := s.cfg.People.ErasedBetween(ctx, minute, minute.Add(2*time.Minute))
	out := make([]string, len(numbers))
	for i, n := range numbers {
		out[i] = s.cfg.People.ID(n)
	}
	return out, err
}

// AppendWho is Who behind what b holds.
func (s *Service) AppendWho(b []byte, n subject.Number) []byte { return s.cfg.People.AppendID(b, n) }
