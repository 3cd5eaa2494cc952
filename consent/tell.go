package consent

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/law"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/subject"
)

// kindUpdated is told of a consent that goes on with other terms: renewed, or narrowed to some of its categories.
const kindUpdated = "consent.updated"

// duty is what a service has to do about an event, and within which time.
type duty struct {
	actions []string
	within  time.Duration
	urgency string
}

var duties = map[string]duty{
	kindGiven:                {[]string{"enable_processing", "update_preferences"}, 72 * time.Hour, "low"},
	kindUpdated:              {[]string{"update_preferences"}, 72 * time.Hour, "low"},
	kindWithdrawn:            {[]string{"stop_non_essential_processing", "delete_consent_based_data", "update_preferences"}, 24 * time.Hour, "high"},
	kindExpired:              {[]string{"stop_processing", "ask_renewal"}, 48 * time.Hour, "low"},
	subject.RestrictionAdded: {[]string{"stop_processing"}, 24 * time.Hour, "high"},
	subject.RestrictionEnded: {[]string{"update_preferences"}, 72 * time.Hour, "low"},
	subject.ObjectionAdded:   {[]string{"stop_processing"}, 24 * time.Hour, "high"},
	subject.ObjectionEnded:   {[]string{"update_preferences"}, 72 * time.Hour, "low"},
}

// Telling is what services are told of an entry. It names the person by id; an identity is added only for who is
// configured to get one.
type Telling struct {
	Event      string            `json:"event"`
	Type       string            `json:"type,omitempty"` // of a restriction or an objection
	Status     Status            `json:"status,omitempty"`
	Subject    string            `json:"subject"`
	Identity   map[string]string `json:"identity,omitempty"`
	Purposes   []string          `json:"purposes"`
	Categories []string          `json:"categories"`
	Consents   []string          `json:"consents,omitempty"`
	ValidUntil time.Time         `json:"valid_until,omitzero"`
	Until      time.Time         `json:"until,omitzero"` // when a restriction or an objection ends by itself: nobody is told then
	Actions    []string          `json:"actions"`
	Deadline   time.Time         `json:"deadline"` // to have acted
	Laws       []string          `json:"laws"`
	Urgency    string            `json:"urgency"`
	Automatic  bool              `json:"automatic,omitempty"`
	Revision   int64             `json:"revision"`
	At         time.Time         `json:"at"`
	systems    []string
}

// Concerns tells whether a service that stands for these systems hears of it: one that names none hears everything.
func (t *Telling) Concerns(systems []string) bool {
	return len(systems) == 0 || slices.ContainsFunc(systems, func(s string) bool { return slices.Contains(t.systems, s) })
}

// Told gives what services are told of an entry of the ledger; nil where they are told nothing.
func (s *Service) Told(r ledger.Row) (*Telling, error) {
	t := &Telling{Event: r.Kind, Subject: r.Subject, Revision: r.Revision, At: r.Time, Laws: law.Names(s.where.Load().jurisdictions)}
	if r.Erased {
		return nil, nil
	}
	content, err := decode(r)
	if err != nil {
		return nil, err
	}
	switch c := content.(type) {
	case *given:
		t.given(r.Kind, c, r.Revision)
	case *ended:
		t.ended(c)
	default:
		if err := s.tellOther(t, r); err != nil {
			return nil, err
		}
	}
	d, ok := duties[t.Event]
	if !ok || r.Kind == kindPending || t.Type != "" && len(t.Purposes) == 0 {
		return nil, nil
	}
	t.Actions, t.Deadline, t.Urgency = d.actions, t.At.Add(d.within), d.urgency
	s.place(t)
	return t, nil
}

func (t *Telling) given(kind string, c *given, revision int64) {
	t.At, t.Status, t.Purposes, t.Categories, t.ValidUntil, t.Consents = c.At, Given, []string{c.Purpose}, c.Categories, c.Expires, []string{conID(revision)}
	if kind == kindGiven && c.Renews != "" {
		t.Event = kindUpdated
	}
}

func (t *Telling) ended(c *ended) {
	t.At, t.Status, t.Purposes, t.Categories, t.Consents, t.Automatic = c.At, Withdrawn, c.Purposes, c.Categories, c.Consents, c.Automatic
	for _, p := range c.Narrowed {
		t.Purposes = append(t.Purposes, p.Purpose)
	}
}

// tellOther reads what is no consent given or ended.
func (s *Service) tellOther(t *Telling, r ledger.Row) error {
	switch r.Kind {
	case kindExpired:
		var c lapsed
		if err := json.Unmarshal(r.Content, &c); err != nil {
			return fmt.Errorf("entry %d: %w", r.ID, err)
		}
		t.At, t.Status, t.Purposes, t.Consents, t.Automatic = c.At, Expired, []string{c.Purpose}, []string{c.Consent}, true
	case subject.RestrictionAdded, subject.RestrictionEnded, subject.ObjectionAdded, subject.ObjectionEnded:
		var f subject.Fact
		if err := json.Unmarshal(r.Content, &f); err != nil {
			return fmt.Errorf("entry %d: %w", r.ID, err)
		}
		t.Type, t.Purposes, t.Until = f.Type, s.stoppedBy(&f), f.Until
		if t.At = f.Since; !f.Ended.IsZero() {
			t.At = f.Ended
		}
	}
	return nil
}

// stoppedBy are the purposes that a restriction or an objection is about.
func (s *Service) stoppedBy(f *subject.Fact) []string {
	if len(f.Purposes) > 0 {
		return f.Purposes
	}
	var out []string
	for _, rule := range s.cfg.Purposes.Now().All() {
		if f.Kind == subject.Objection && objected(f, rule) || f.Kind == subject.Restriction && restricted(f, rule) {
			out = append(out, rule.ID)
		}
	}
	return out
}

// place adds the categories and systems of the purposes; without purposes all are meant.
func (s *Service) place(t *Telling) {
	categories := len(t.Categories) == 0
	all := len(t.Purposes) == 0
	for _, rule := range s.cfg.Purposes.Now().Ever() {
		if !all && !slices.Contains(t.Purposes, rule.ID) {
			continue
		}
		t.systems = append(t.systems, rule.Systems...)
		for _, c := range rule.Categories {
			if categories && !slices.Contains(t.Categories, c) {
				t.Categories = append(t.Categories, c)
			}
		}
	}
	if t.Purposes == nil {
		t.Purposes = []string{}
	}
	if t.Categories == nil {
		t.Categories = []string{}
	}
}

// Tell gives what a service is told of the entry at a revision, with the identity of one kind where it is to get one. Of
// an entry or a person that was erased meanwhile it is only that.
func (s *Service) Tell(ctx context.Context, revision int64, identity string) (*Telling, error) {
	var row ledger.Row
	err := s.cfg.DB.Read(ctx, func(tx *db.Tx) (err error) {
		row, err = s.cfg.Ledger.One(ctx, tx, entryOf(revision))
		return err
	})
	if err != nil {
		return nil, err
	}
	t, err := s.Told(row)
	if err != nil {
		return nil, err
	}
	if t == nil {
		return &Telling{Event: row.Kind, Revision: revision, At: row.Time, Purposes: []string{}, Categories: []string{}, Actions: []string{}, Laws: []string{}}, nil
	}
	if n, ok := s.cfg.People.Number(t.Subject); ok && identity != "" {
		ids, err := s.cfg.People.Identities(ctx, n)
		if err != nil {
			return nil, err
		}
		for _, i := range ids {
			if i.Kind == identity {
				t.Identity = map[string]string{i.Kind: i.Value}
			}
		}
	}
	return t, nil
}
