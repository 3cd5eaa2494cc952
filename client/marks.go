package client

import (
	"math/bits"
	"sync"
	"sync/atomic"
)

// marks is what was heard of changes, by the hash of the person's id or identity. It is of one size: hashes that share a
// slot are marked together, which forgets an answer too many and never one too few.
type marks struct {
	mu        sync.Mutex
	count     atomic.Uint64 // changes heard
	everybody mark
	slots     []mark // a power of two
}

// mark is the newest change heard: which one it was here, and its revision.
type mark struct {
	place    atomic.Uint64
	revision atomic.Int64
}

func newMarks(answers int) *marks { return &marks{slots: make([]mark, powerOfTwo(answers))} }

// powerOfTwo is the least that is not below n.
func powerOfTwo(n int) int { return 1 << bits.Len(uint(max(n, 16)-1)) }

func (m *marks) slot(hash uint64) *mark { return &m.slots[hash&uint64(len(m.slots)-1)] }

// now is the place of the newest change. A question notes it before it is asked.
func (m *marks) now() uint64 { return m.count.Load() }

// note hears a change about those with the hashes; with none, about everybody.
func (m *marks) note(revision int64, hashes ...uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	place := m.count.Add(1)
	if len(hashes) == 0 {
		m.everybody.raise(place, revision)
	}
	for _, h := range hashes {
		m.slot(h).raise(place, revision)
	}
}

func (k *mark) raise(place uint64, revision int64) {
	k.revision.Store(max(revision, k.revision.Load()))
	k.place.Store(place)
}
