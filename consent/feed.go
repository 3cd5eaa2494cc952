package consent

import (
	"math/bits"
	"slices"
	"sync"

	"github.com/ombudhq/ombud/subject"
)

// feedLength is how many changes are remembered; who is further behind is told to forget everything.
const feedLength = 1 << 16

// notice is one change: whose, and of which purposes (none: of all). They are 64 of places that follow each other; a change
// of others too is several notices.
type notice struct {
	revision int64
	ranks    uint64
	person   subject.Number
	page     uint16
}

// noticesOf appends those of a change at a revision to an empty list.
func noticesOf(out []notice, revision int64, n subject.Number, changes []change) []notice {
	if len(changes) == 0 {
		return append(out, notice{revision: revision, person: n})
	}
	for _, c := range changes {
		page, bit := uint16(c.rank/64), uint64(1)<<(c.rank%64)
		i := slices.IndexFunc(out, func(o notice) bool { return o.page == page })
		if i < 0 {
			i, out = len(out), append(out, notice{revision: revision, person: n, page: page})
		}
		out[i].ranks |= bit
	}
	return out
}

// feed is the newest changes, for those who keep copies. Their revisions never fall, but may repeat: readers go by place.
type feed struct {
	mu      sync.Mutex
	ring    []notice
	count   int64 // of all that were published; the n-th lies at n modulo feedLength
	gone    int64 // newest revision of which something may no longer be remembered
	changed chan struct{}
}

// publish adds a change. One that no entry of the ledger stands for takes place at the newest revision.
func (f *feed) publish(n notice) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.count > 0 {
		n.revision = max(n.revision, f.ring[(f.count-1)%feedLength].revision)
	}
	if at := f.count % feedLength; at < int64(len(f.ring)) {
		f.gone, f.ring[at] = f.ring[at].revision, n
	} else {
		f.ring = append(f.ring, n)
	}
	f.count++
	if f.changed != nil {
		close(f.changed)
		f.changed = nil
	}
}

// place is where the changes of a revision begin; false where they may not all be remembered.
func (f *feed) place(revision int64) (at int64, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if revision <= f.gone {
		return f.count, false
	}
	for at = f.count - int64(len(f.ring)); at < f.count && f.ring[at%feedLength].revision < revision; at++ {
	}
	return at, true
}

// after gives what was published from a place on, the place behind it, and a channel that is closed when there is more; ok
// is false where some of it is no longer remembered.
func (f *feed) after(at int64) (out []notice, next int64, more <-chan struct{}, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.changed == nil {
		f.changed = make(chan struct{})
	}
	if at < f.count-int64(len(f.ring)) {
		return nil, f.count, f.changed, false
	}
	for ; at < f.count; at++ {
		out = append(out, f.ring[at%feedLength])
	}
	return out, at, f.changed, true
}

// Change tells those who keep copies what to forget.
type Change struct {
	Revision int64    `json:"revision"`
	Subject  string   `json:"subject,omitempty"`  // "" is everybody
	Purposes []string `json:"purposes,omitempty"` // none is all
}

// Follower reads changes in their order, none left out. It is for one goroutine.
type Follower struct {
	s    *Service
	at   int64
	lost bool // what lies between the reader's copies and at is not known
}

// Follow reads from a revision on, and what happened at that revision once more: more than one thing can. Where that is no
// longer remembered, or lies in the future, the first change means everybody.
func (s *Service) Follow(revision int64) *Follower {
	at, ok := s.feed.place(revision)
	return &Follower{s, at, !ok || revision > s.seen.Load()}
}

// Next gives what changed since the last call, and a channel that is closed when there is more.
func (f *Follower) Next() (out []Change, more <-chan struct{}) {
	head := f.s.seen.Load()
	list, next, more, ok := f.s.feed.after(f.at)
	f.at = next
	if f.lost || !ok {
		f.lost = false
		return []Change{{Revision: head}}, more
	}
	for _, n := range list {
		c := Change{Revision: n.revision}
		if n.person != 0 {
			c.Subject, c.Purposes = f.s.cfg.People.ID(n.person), f.s.purposesOf(n)
		}
		out = append(out, c)
	}
	return out, more
}

func (s *Service) purposesOf(n notice) (out []string) {
	set := s.cfg.Purposes.Now()
	for ranks := n.ranks; ranks != 0; ranks &= ranks - 1 {
		if rule := set.Ranked(int(n.page)*64 + bits.TrailingZeros64(ranks)); rule != nil {
			out = append(out, rule.ID)
		}
	}
	return out
}

// PurposesChanged tells those who keep copies that every answer may be another.
func (s *Service) PurposesChanged() { s.feed.publish(notice{revision: s.seen.Load()}) }
