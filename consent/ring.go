package consent

import (
	"sync"
	"time"
)

// Asked is a question and its answer, as they are remembered: without anything that names a person but their id.
type Asked struct {
	At       time.Time `json:"at"`
	By       string    `json:"by,omitempty"`
	Purpose  string    `json:"purpose"`
	Category string    `json:"category"`
	Verdict
}

// ringLength is how many questions are remembered (requirements C7).
const ringLength = 10_000

// ring is the newest questions.
type ring struct {
	mu   sync.Mutex
	list []Asked
	next int
}

func (r *ring) add(a Asked) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.list) < ringLength {
		r.list = append(r.list, a)
		return
	}
	r.list[r.next] = a
	r.next = (r.next + 1) % ringLength
}

// Remember keeps a question and its answer among the newest.
func (s *Service) Remember(by, purposeID, category string, v Verdict) {
	s.ring.add(Asked{At: s.cfg.Clock.Now().UTC(), By: by, Purpose: purposeID, Category: category, Verdict: v})
}

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
