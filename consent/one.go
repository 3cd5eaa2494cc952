package consent

import (
	"context"
	"slices"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/subject"
)

// Recorded is one consent as it was recorded, and what became of it.
type Recorded struct {
	Subject string `json:"subject"`
	Status  Status `json:"status"` // now
	Event
	RenewedBy string   `json:"renewed_by,omitempty"` // the consent that followed or confirmed it
	Left      []string `json:"left,omitempty"`       // the categories it still covers, where some were withdrawn
}

// Get gives one consent; fault.NotFound when there is none of that id.
func (s *Service) Get(ctx context.Context, consentID string) (Recorded, error) {
	missing := fault.New(fault.NotFound, "there is no such consent")
	revision, ok := revisionOf(consentID)
	if !ok {
		return Recorded{}, missing
	}
	var row ledger.Row
	err := s.cfg.DB.Read(ctx, func(tx *db.Tx) (err error) {
		row, err = s.cfg.Ledger.One(ctx, tx, entryOf(revision))
		return err
	})
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return Recorded{}, err
	}
	n, known := s.cfg.People.Number(row.Subject)
	if err != nil || !known || row.Erased {
		return Recorded{}, missing
	}
	events, err := s.History(ctx, Handle{person: n})
	if err != nil {
		return Recorded{}, err
	}
	i := slices.IndexFunc(events, func(e Event) bool { return e.ConsentID == consentID })
	if i < 0 {
		return Recorded{}, missing
	}
	out := Recorded{Subject: row.Subject, Event: events[i]}
	out.Status = s.became(&out, events[i+1:])
	return out, nil
}

// became is the status of a consent after what came later.
func (s *Service) became(r *Recorded, later []Event) Status {
	status := Given
	if r.Kind == kindPending {
		status = Pending
	}
	for _, e := range later {
		switch {
		case slices.Contains(e.Consents, r.ConsentID) && slices.Contains(e.Narrowed, r.Purpose):
			if r.Left == nil {
				r.Left = slices.Clone(r.Categories)
			}
			r.Left = slices.DeleteFunc(r.Left, func(c string) bool { return slices.Contains(e.Categories, c) })
		case slices.Contains(e.Consents, r.ConsentID) && e.Kind == kindWithdrawn,
			status == Pending && slices.Contains(e.Purposes, r.Purpose) && e.Kind == kindWithdrawn:
			r.Left = nil
			return Withdrawn
		case e.Confirms == r.ConsentID:
			status, r.RenewedBy = Given, e.ConsentID
		case e.Renews == r.ConsentID:
			r.RenewedBy = e.ConsentID
		}
	}
	ends := r.ValidUntil
	if status == Pending {
		ends = r.Until
	}
	if !ends.IsZero() && !s.Now().Time().Before(ends) {
		return Expired
	}
	return status
}

// byID is the kind that names a person by the id that answers carry, and never an identity of theirs.
const byID = "id"

// meant are the identities that an act is about: those given, or those of the person that is named by id.
func (s *Service) meant(ctx context.Context, ids []subject.Identity) ([]subject.Identity, error) {
	i := slices.IndexFunc(ids, func(i subject.Identity) bool { return i.Kind == byID })
	switch {
	case i < 0:
		return ids, nil
	case len(ids) > 1:
		return nil, fault.New(fault.Invalid, "a person is named by their id, or by identities").With(fault.Detail{Where: "subject", Message: "id stands alone"})
	}
	all, err := s.Identities(ctx, ids[i].Value)
	if fault.KindOf(err) == fault.NotFound {
		return nil, fault.New(fault.Invalid, "nobody is known by this id").With(fault.Detail{Where: "subject", Message: "id is the sub_… of an answer; name the person by an identity"})
	}
	return all, err
}

// Identities are those that lead to a person, by their id; fault.NotFound when nobody has it, or they were erased.
func (s *Service) Identities(ctx context.Context, subjectID string) ([]subject.Identity, error) {
	n, ok := s.cfg.People.Number(subjectID)
	var ids []subject.Identity
	var err error
	if ok {
		ids, err = s.cfg.People.Identities(ctx, n)
	}
	if err == nil && len(ids) == 0 {
		err = fault.New(fault.NotFound, "nobody is known by this id")
	}
	return ids, err
}
