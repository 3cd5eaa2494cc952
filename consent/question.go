package consent

import (
	"slices"

	"github.com/ombudhq/ombud/consent/internal/index"
	"github.com/ombudhq/ombud/purpose"
)

// Question is a purpose and a category of data that were looked up once, to be asked about many people. It is good for
// the life of the service: where the purposes have changed since, each answer is that of the new ones.
type Question struct {
	s        *Service
	set      *purpose.Set
	rule     *purpose.Rule // nil: nobody declared it
	purpose  string
	category string
	since    int64 // ledger entry from which a yes alone carries it; past all of them where a yes alone does not
}

// Question looks a purpose and a category up.
func (s *Service) Question(purposeID, category string) Question {
	set := s.cfg.Purposes.Now()
	rule, _ := set.Rule(purposeID)
	q := Question{s: s, set: set, rule: rule, purpose: purposeID, category: category, since: 1 << 40}
	if rule != nil && rule.Basis == purpose.Consent && slices.Contains(rule.Categories, category) {
		q.since = max(rule.After, rule.Since[category])
	}
	return q
}

// Decide answers the question about a person who sends no opt-out signal, for a minute that Service.Now gave, as
// Service.DecideAt does. Where the person's place in memory says a plain yes, nothing else is read that is not at hand.
func (q *Question) Decide(now index.Minute, h *Handle) Verdict {
	s := q.s
	if q.set != s.cfg.Purposes.Now() {
		return s.DecideAt(now, *h, q.purpose, q.category, false)
	}
	seen := s.seen.Load() // before the index: the index is never behind it
	if q.rule != nil && !h.erased && h.nobody == "" {
		flags, word, _ := s.index.Look(index.Number(h.person), q.rule.Rank)
		if flags == 0 && word.Live(now) && word.Mark() == 0 && entryOf(int64(word.Revision())) >= q.since {
			return Verdict{Allowed: true, Basis: purpose.Consent, Reason: Consented, Consent: int64(word.Revision()), Until: word.Expiry(), Person: h.person, Revision: seen}
		}
	}
	return s.decide(now, h, q.rule, q.category, false)
}
