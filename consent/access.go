package consent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/purpose"
)

// dataKinds are the events by which services tell what they did with data.
var dataKinds = []string{"data.accessed", "data.modified", "data.deleted", "data.exported"}

// IsDataKind tells whether an event is one of those by which services tell what they did with data.
func IsDataKind(kind string) bool { return slices.Contains(dataKinds, kind) }

// Access is what a service did with data of a person: by name of field, never by value.
type Access struct {
	Subject    string    `json:"subject,omitempty" doc:"The sub_ of an answer; none where it is not known"`
	Purpose    string    `json:"purpose"`
	Categories []string  `json:"categories,omitempty"`
	Fields     []string  `json:"fields,omitempty"`
	Stripped   []string  `json:"stripped,omitempty" doc:"What the minimisation filter left out"`
	At         time.Time `json:"at,omitzero"`
}

// accessed is the content of its entry.
type accessed struct {
	Access
	Source     string   `json:"source"`
	Unexpected []string `json:"unexpected,omitempty"` // fields the purpose does not need, or its being unknown
}

// ReceiveAccess notes what a service did, once per event; repeated tells that it was noted before. What the purpose does
// not need is noted with it (M6: access compared with purposes).
func (s *Service) ReceiveAccess(ctx context.Context, source, id, kind string, a Access, actor string) (repeated bool, err error) {
	if err := s.checkAccess(kind, a); err != nil {
		return false, err
	}
	sum := s.cfg.Vault.MAC("consent-event", []byte(source), []byte(id))
	content := accessed{Access: a, Source: source, Unexpected: unexpected(s.cfg.Purposes.Now(), a)}
	result := "ok"
	if len(content.Unexpected) > 0 {
		result = "unexpected"
	}
	n, _ := s.cfg.People.Number(a.Subject)
	e, err := s.cfg.Ledger.Seal(ctx, ledger.Entry{Kind: kind, Result: result, Actor: actor, Subject: a.Subject, Slot: n.Slot(), Content: content})
	if err != nil {
		return false, err
	}
	err = s.cfg.DB.Write(ctx, func(tx *db.Tx) error {
		if err := s.once(ctx, tx, &origin{source: source, event: sum[:]}); err != nil {
			return err
		}
		_, err := s.cfg.Ledger.AppendSealed(tx, e)
		return err
	})
	if errors.Is(err, errRepeated) {
		return true, nil
	}
	return false, err
}

// maxFields bounds the names of one event.
const maxFields = 1000

func (s *Service) checkAccess(kind string, a Access) error {
	var faults []fault.Detail
	bad := func(where, format string, args ...any) {
		faults = append(faults, fault.Detail{Where: where, Message: fmt.Sprintf(format, args...)})
	}
	if !IsDataKind(kind) {
		bad("/type", "is one of %q", dataKinds)
	}
	if _, ok := s.cfg.People.Number(a.Subject); a.Subject != "" && !ok {
		bad("/data/subject", "is no sub_ of ours")
	}
	if a.Purpose == "" {
		bad("/data/purpose", "for which purpose?")
	}
	if len(a.Fields)+len(a.Stripped)+len(a.Categories) > maxFields {
		bad("/data/fields", "at most %d names", maxFields)
	}
	if len(faults) > 0 {
		return fault.New(fault.Invalid, "this event cannot be taken").With(faults...)
	}
	return nil
}

// unexpected are the fields that a purpose does not need; of an unknown purpose, all. A purpose that declares no fields
// is not compared.
func unexpected(set *purpose.Set, a Access) []string {
	rule, ok := set.Rule(a.Purpose)
	if !ok {
		return append([]string{"purpose"}, a.Fields...)
	}
	if len(rule.Fields) == 0 {
		return nil
	}
	need := rule.FieldNames()
	return slices.DeleteFunc(slices.Clone(a.Fields), func(f string) bool { return slices.Contains(need, f) })
}
