package consent

import (
	"context"
	"sync"

	"github.com/ombudhq/ombud/subject"
)

// feedLength is how many changes are remembered; who is further behind is told to forget everything.
const feedLength = 1 << 16

// notice is one change: whose, and of which purposes (0: of all).
type notice struct {
	revision int64
	person   subject.Number
	ranks    uint64
}

// feed is the newest changes, for those who keep copies.
type feed struct {
	mu      sync.Mutex
	ring    []notice
	next    int   // where the next one goes
	gone    int64 // revision of the newest that is no longer remembered
	changed chan struct{}
}

func (f *feed) publish(n notice) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.ring) < feedLength {
		f.ring = append(f.ring, n)
	} else {
		f.gone = f.ring[f.next].revision
		f.ring[f.next] = n
		f.next = (f.next + 1) % feedLength
	}
	if f.changed != nil {
		close(f.changed)
		f.changed = nil
	}
}

// since gives what came after a revision, and a channel that is closed when more does. whole is false where some of it
// is no longer remembered.
func (f *feed) since(revision int64) (out []notice, whole bool, more <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.changed == nil {
		f.changed = make(chan struct{})
	}
	for i := range f.ring {
		if n := f.ring[(f.next+i)%len(f.ring)]; n.revision > revision {
			out = append(out, n)
		}
	}
	return out, revision >= f.gone, f.changed
}

// Change tells those who keep copies what to forget.
type Change struct {
	Revision int64    `json:"revision"`
	Subject  string   `json:"subject,omitempty"`  // "" is everybody
	Purposes []string `json:"purposes,omitempty"` // none is all
}

// Changes gives what changed after a revision, oldest first, and a channel that is closed when there is more. Where that
// is no longer remembered, or lies in the future, it gives one change that means everybody.
func (s *Service) Changes(_ context.Context, revision int64) ([]Change, <-chan struct{}) {
	head := s.seen.Load()
	list, whole, more := s.feed.since(revision)
	if !whole || revision > head {
		return []Change{{Revision: head}}, more
	}
	out := make([]Change, 0, len(list))
	for _, n := range list {
		c := Change{Revision: n.revision}
		if n.person != 0 {
			c.Subject, c.Purposes = s.cfg.People.ID(n.person), s.purposesOf(n.ranks)
		}
		out = append(out, c)
	}
	return out, more
}

func (s *Service) purposesOf(ranks uint64) (out []string) {
	set := s.cfg.Purposes.Now()
	for rank := range 64 {
		if rule := set.Ranked(rank); ranks>>rank&1 == 1 && rule != nil {
			out = append(out, rule.ID)
		}
	}
	return out
}

// PurposesChanged tells those who keep copies that every answer may be another.
func (s *Service) PurposesChanged() {
	head := s.cfg.Ledger.Head()
	s.reachedHead(head)
	s.feed.publish(notice{revision: head})
}
