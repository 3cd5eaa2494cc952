package consent

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/ombudhq/ombud/consent/internal/index"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/pii"
	"github.com/ombudhq/ombud/purpose"
)

// Logging says which decisions become entries of the ledger. The newest are remembered in memory in any case.
type Logging struct {
	All    bool    // each, and its answer waits until the entry is durable
	Sample float64 // else this share of them, by chance, and no answer waits
}

const kindDecision = "decision.made"

// decided is the content of an entry that tells of a decision.
type decided struct {
	At       time.Time     `json:"at"`
	Purpose  string        `json:"purpose"`
	Category string        `json:"category"`
	Allowed  bool          `json:"allowed"`
	Reason   Reason        `json:"reason"`
	Basis    purpose.Basis `json:"basis,omitempty"`
	Consent  string        `json:"consent,omitempty"`
}

// Log says which decisions go into the ledger from now on.
func (s *Service) Log(l Logging) { s.logging.Store(&l) }

// Asker puts the questions of one call, all at the moment it was made, and remembers them. Done must be asked before the
// answers are given out.
type Asker struct {
	s       *Service
	minute  index.Minute
	logging *Logging
	asked   Asked // the last one
	log     []Asked
}

// Asker is for whoever calls now.
func (s *Service) Asker(by string) Asker {
	at := s.cfg.Clock.Now()
	return Asker{s: s, minute: s.minute(at), logging: s.logging.Load(), asked: Asked{At: at.UTC(), By: by}}
}

// Ask decides, and takes note of it.
func (a *Asker) Ask(h Handle, purposeID, category string, gpc bool) Verdict {
	rule, _ := a.s.cfg.Purposes.Now().Rule(purposeID)
	v := a.s.decide(a.minute, &h, rule, category, gpc)
	a.asked.Verdict = v
	a.asked.Purpose, a.asked.Category = own(rule, purposeID, category)
	a.s.ring.add(&a.asked)
	if v.Reason == OptedOut && v.Person != 0 {
		a.s.keepSignal(v.Person)
	}
	if a.logging.All || a.logging.Sample > 0 && rand.Float64() < a.logging.Sample {
		a.log = append(a.log, a.asked)
	}
	return v
}

// Done waits for what the log must hold. After an error none of the answers may be yes: Unlogged makes a no of each.
func (a *Asker) Done(ctx context.Context) error {
	list := a.log
	switch {
	case len(list) == 0:
		return nil
	case !a.logging.All:
		s := a.s
		s.later(func(ctx context.Context) error { return s.logAll(ctx, list) })
		return nil
	}
	err := a.s.logAll(ctx, list)
	if err != nil {
		a.s.cfg.Log.Error("a decision was denied because it could not be logged", "error", err)
	}
	return err
}

// Unlogged is the answer to a question that had to be logged and could not be.
func (v Verdict) Unlogged() Verdict {
	return Verdict{Basis: v.Basis, Reason: NotLogged, Person: v.Person, Revision: v.Revision}
}

// logAll writes an entry for each, in one commit.
func (s *Service) logAll(ctx context.Context, list []Asked) error {
	entries := make([]*ledger.Sealed, len(list))
	for i, d := range list {
		content := decided{d.At, pii.MaskCards(d.Purpose), pii.MaskCards(d.Category), d.Allowed, d.Reason, d.Basis, d.ConsentID()}
		var err error
		entries[i], err = s.cfg.Ledger.Seal(ctx, ledger.Entry{Kind: kindDecision, Result: "ok", Actor: d.By, Subject: s.Who(d.Person), Slot: d.Person.Slot(), Content: content})
		if err != nil {
			return err
		}
	}
	return s.cfg.DB.Write(ctx, func(tx *db.Tx) error {
		for _, e := range entries {
			if _, err := s.cfg.Ledger.AppendSealed(tx, e); err != nil {
				return err
			}
		}
		return nil
	})
}
