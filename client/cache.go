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

// cache keeps answers in buckets of a fixed number. Readers and writers take no lock: an answer is in its bucket or it is
// not.
type cache struct {
	buckets [][ways]atomic.Pointer[answer] // a power of two
}

func newCache(answers int) *cache {
	return &cache{buckets: make([][ways]atomic.Pointer[answer], max(1, powerOfTwo(answers)/ways))}
}

func (c *cache) bucket(k key) *[ways]atomic.Pointer[answer] {
	return &c.buckets[(k.who[0]^k.what)&uint64(len(c.buckets)-1)]
}

func (c *cache) get(k key) *answer {
	b := c.bucket(k)
	for i := range b {
		if a := b[i].Load(); a != nil && a.key == k {
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
	b := c.bucket(a.key)
	victim := int(a.who[1] % ways) // where all were used
	for i := range b {
		old := b[i].Load()
		if old == nil || old.key == a.key {
			b[i].Store(a)
			return
		}
		if !old.used.Swap(false) {
			victim = i
		}
	}
	b[victim].Store(a)
}
