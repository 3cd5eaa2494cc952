package client

import (
	"sync/atomic"
	"time"
)

// key is what was asked: 128 bits for the person, 64 for purpose, category and signal. Seeds are of the process, so no
// identity can be told from it elsewhere.
type key struct {
	who  [2]uint64
	what uint64
}

// answer is what was answered. It does not change.
type answer struct {
	key
	decision Decision
	subject  uint64    // hash of the person's id
	asked    uint64    // place of the newest change when the question began
	until    time.Time // used no longer, whatever it says
	used     atomic.Bool
}

// ways is how many answers share a bucket.
const ways = 8

// bucket is answers with a part of their keys in front, so that a reader fetches from memory the one it wants alone. A tag
// may be of another answer for a moment; the whole key decides.
type bucket struct {
	tags    [ways]atomic.Uint32
	answers [ways]atomic.Pointer[answer]
}

// cache keeps answers in buckets of a fixed number. Readers and writers take no lock: an answer is in its bucket or it is
// not.
type cache struct {
	buckets []bucket // a power of two
}

func newCache(answers int) *cache { return &cache{make([]bucket, powerOfTwo(answers)/ways)} }

func (c *cache) place(k key) (b *bucket, tag uint32) {
	h := k.who[0] ^ k.what
	return &c.buckets[h&uint64(len(c.buckets)-1)], uint32(h >> 32)
}

func (c *cache) get(k key) *answer {
	b, tag := c.place(k)
	for i := range b.tags {
		if b.tags[i].Load() != tag {
			continue
		}
		if a := b.answers[i].Load(); a != nil && a.key == k {
			if !a.used.Load() {
				a.used.Store(true)
			}
			return a
		}
	}
	return nil
}

// put takes the place of the same question, an empty one, or that of an answer nobody used since the last round.
func (c *cache) put(a *answer) {
	b, tag := c.place(a.key)
	victim := int(a.who[1] % ways) // where all were used
	for i := range b.answers {
		old := b.answers[i].Load()
		if old == nil || old.key == a.key {
			victim = i
			break
		}
		if !old.used.Swap(false) {
			victim = i
		}
	}
	b.answers[victim].Store(a)
	b.tags[victim].Store(tag)
}
