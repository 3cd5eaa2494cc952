package vault

import (
	"crypto/cipher"
	"sync"
	"sync/atomic"
)

const (
	ways       = 4
	openedSize = 800 // bytes of an opened key, of which its AEAD takes nearly all
)

// cache holds opened keys of people, at most so many bytes of them. A key is taken in when it is opened for the second time,
// so that whoever goes through everybody once does not drive out those who are asked about all the time. A key that leaves is
// overwritten. Who uses one holds its set, so that none is overwritten under them.
type cache struct {
	wiper
	sets []cacheSet
}

type cacheSet struct {
	mu   sync.RWMutex
	hand int
	keys [ways]opened
	once [ways]Slot // that were opened and not taken in; the newest first
}

// opened is a key ready for use; the zero slot is none.
type opened struct {
	slot Slot
	used atomic.Bool
	aead cipher.AEAD
}

func newCache(bytes int) *cache {
	n := 1
	for n*2*ways*openedSize <= bytes {
		n *= 2
	}
	return &cache{wiper: newWiper(), sets: make([]cacheSet, n)}
}

func (c *cache) set(slot Slot) *cacheSet { return &c.sets[int(slot)&(len(c.sets)-1)] }

// find gives the key of a slot, or nil. The set must be held.
func (s *cacheSet) find(slot Slot) cipher.AEAD {
	for i := range s.keys {
		k := &s.keys[i]
		if k.slot != slot {
			continue
		}
		if !k.used.Load() {
			k.used.Store(true)
		}
		return k.aead
	}
	return nil
}

// add takes a key in, if it was opened before, and lets go of one that was not used for longer than others.
func (c *cache) add(slot Slot, aead cipher.AEAD) {
	s := c.set(slot)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.find(slot) != nil || !s.again(slot) {
		c.wipe(aead)
		return
	}
	for s.keys[s.hand].slot != 0 && s.keys[s.hand].used.Swap(false) {
		s.hand = (s.hand + 1) % ways
	}
	k := &s.keys[s.hand]
	k.drop(c.wiper)
	k.slot, k.aead = slot, aead
	s.hand = (s.hand + 1) % ways
}

// again tells whether a key was opened not long ago, and remembers that it was.
func (s *cacheSet) again(slot Slot) bool {
	for i := range s.once {
		if s.once[i] == slot {
			s.once[i] = 0
			return true
		}
	}
	copy(s.once[1:], s.once[:])
	s.once[0] = slot
	return false
}

// drop forgets the key of a slot.
func (c *cache) drop(slot Slot) {
	s := c.set(slot)
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.keys {
		if s.keys[i].slot == slot {
			s.keys[i].drop(c.wiper)
		}
	}
}

// clear forgets every key.
func (c *cache) clear() {
	for i := range c.sets {
		s := &c.sets[i]
		s.mu.Lock()
		for j := range s.keys {
			s.keys[j].drop(c.wiper)
		}
		s.mu.Unlock()
	}
}

func (k *opened) drop(w wiper) {
	if k.aead != nil {
		w.wipe(k.aead)
	}
	k.slot, k.aead = 0, nil
	k.used.Store(false)
}
