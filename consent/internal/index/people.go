package index

import (
	"iter"
	"slices"
	"sync/atomic"
)

// person is the fixed part: where the words lie, and which they are.
type person struct {
	head atomic.Uint64 // a head
	have atomic.Uint64 // a bit for each rank that has a word; changes only while the head says which is being added
}

// head says in one word all that must be seen together.
//
//	63   56 55      54      53  48 47    32 31   0
//	flags   present adding  rank   version  block
type head uint64

const (
	headPresent = head(1) << 55
	headAdding  = head(1) << 54
	headRank    = head(63) << 48
	headVersion = head(1<<16-1) << 32
	headBlock   = head(1<<32 - 1)
)

func (h head) block() uint32 { return uint32(h) }
func (h head) flags() Flags  { return Flags(h >> 56) }
func (h head) present() bool { return h&headPresent != 0 }

// adding is the bit of the rank that is on its way: the block named by this head has no word for it.
func (h head) adding() uint64 { return uint64(h>>54&1) << (h >> 48 & 63) }

// next is the head with its version counted up.
func (h head) next() head { return h&^headVersion | (h+1<<32)&headVersion }

func (h head) withAdding(rank int) head { return h.next() | headAdding | head(rank)<<48 }

func (h head) withBlock(b uint32) head {
	return h.next()&^(headBlock|headAdding|headRank) | head(b)
}

func (h head) withFlags(f Flags) head { return h.next()&^(255<<56) | head(f)<<56 }

// shelf is how many people lie in one piece of memory.
const shelf = 2048

// people are found by number: a directory of shelves, copied when it changes.
type people struct {
	shelves atomic.Pointer[[]*[shelf]person]
	count   atomic.Int64
}

func (ps *people) reset() { ps.shelves.Store(new([]*[shelf]person)) }

// at is the place of a number, or nil where nobody near it was ever added.
func (ps *people) at(n Number) *person {
	d := *ps.shelves.Load()
	if i := int(n / shelf); i < len(d) && d[i] != nil {
		return &d[i][n%shelf]
	}
	return nil
}

// make is the place of a number, made where it is missing.
func (ps *people) make(n Number) *person {
	if p := ps.at(n); p != nil {
		return p
	}
	i, d := int(n/shelf), *ps.shelves.Load()
	if i < len(d) {
		d = slices.Clone(d) // a reader may be looking at the place that changes
	}
	for len(d) <= i {
		d = append(d, nil)
	}
	d[i] = new([shelf]person)
	ps.shelves.Store(&d)
	return &d[i][n%shelf]
}

// numbers goes through all numbers that have a place.
func (ps *people) numbers() iter.Seq[Number] {
	return func(yield func(Number) bool) {
		for i, s := range *ps.shelves.Load() {
			if s == nil {
				continue // nobody near these numbers was ever added
			}
			for j := range s {
				if !yield(Number(i*shelf + j)) {
					return
				}
			}
		}
	}
}
