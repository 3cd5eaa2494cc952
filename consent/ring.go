package consent

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ombudhq/ombud/purpose"
)

// Asked is a question and its answer, as they are remembered: without anything that names a person but their id.
type Asked struct {
	At       time.Time `json:"at"`
	By       string    `json:"by,omitempty"`
	Purpose  string    `json:"purpose"`
	Category string    `json:"category"`
	Verdict
}

// ringLength is how many questions are remembered.
const ringLength = 10_000

// ring is the newest questions.
type ring struct {
	mu   sync.Mutex
	list []Asked
	next int
}

func (r *ring) add(a *Asked) {
	r.mu.Lock()
	if len(r.list) < ringLength {
		r.list = append(r.list, *a)
	} else {
		r.list[r.next] = *a
		if r.next++; r.next == ringLength {
			r.next = 0
		}
	}
	r.mu.Unlock()
}

// own gives the words of the register for those of a question, which may be part of a text that names a person.
func own(rule *purpose.Rule, purposeID, category string) (string, string) {
	if rule == nil {
		return beginning(purposeID), beginning(category)
	}
	if i := slices.Index(rule.Categories, category); i >= 0 {
		return rule.ID, rule.Categories[i]
	}
	return rule.ID, beginning(category)
}

// beginning is the beginning of a word of somebody else's.
func beginning(s string) string { return strings.ToValidUTF8(strings.Clone(s[:min(len(s), 64)]), "") }

// Remembered are the newest questions, newest first.
func (s *Service) Remembered(n int) []Asked {
	s.ring.mu.Lock()
	defer s.ring.mu.Unlock()
	size := len(s.ring.list)
	out := make([]Asked, 0, min(n, size))
	for i := range min(n, size) {
		out = append(out, s.ring.list[(s.ring.next+size-1-i+size)%size])
	}
	return out
}
