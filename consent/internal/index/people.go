package index

import (
	"iter"
	"math/bits"
	"sync/atomic"
)

// person is the cells of one person on one page, one after the other so that a decision touches one place in memory: a head, a mask
// with a bit for each rank that has a word, and the words in the order of ranks. The mask changes only while the head
// says which rank is being added.
type person []atomic.Uint64

const (
	headCell = iota
	maskCell
	wordCells // from here on
)

// head says in one word all that must be seen together.
//
//	63   56 55      54      53  48 47  42 41  40 39     0
//	flags   present adding  rank   hole   keys   version
//
// The keys are how many ever came to lead to the person, 3 being that many or more; only the first page counts them.
//
// While a rank is added, the words from its place on move up by one, the last one first. The hole is the cell that no
// word stands in meanwhile: words below it stand where they stood, those from it on stand one further.
type head uint64

const (
	headPresent = head(1) << 55
	headAdding  = head(1) << 54
	headRank    = head(63) << 48
	headHole    = head(63) << 42
	headKeys    = head(3) << 40
	headKey     = head(1) << 40
	headVersion = head(1)<<40 - 1
)

func (h head) flags() Flags  { return Flags(h >> 56) }
func (h head) keys() int     { return int(h & headKeys >> 40) }
func (h head) present() bool { return h&headPresent != 0 }

// adding is the bit of the rank that is on its way: no word counts for it yet.
func (h head) adding() uint64 { return uint64(h>>54&1) << (h >> 48 & 63) }

// cell is where the word stands that is the i-th of those that count.
func (h head) cell(i int) int {
	if h&headAdding != 0 && i >= int(h>>42&63) {
		i++
	}
	return wordCells + i
}

// next is the head with its version counted up.
func (h head) next() head { return h&^headVersion | (h+1)&headVersion }

func (h head) withAdding(rank, hole int) head {
	return h.next()&^(headRank|headHole) | headAdding | head(rank)<<48 | head(hole)<<42
}

func (h head) withAdded() head { return h.next() &^ (headAdding | headRank | headHole) }

func (h head) withFlags(f Flags) head { return h.next()&^(255<<56) | head(f)<<56 }

// withKey counts another key.
func (h head) withKey() head {
	if h&headKeys != headKeys {
		h += headKey
	}
	return h.next()
}

func (p person) head() head     { return head(p[headCell].Load()) }
func (p person) setHead(h head) { p[headCell].Store(uint64(h)) }

// room is how many words the person may have.
func (p person) room() int { return len(p) - wordCells }

// look reads the word of a rank; 0 where there is none. A mask that is newer than the head may point beyond the end: the
// head then is another one by now, and the reader reads again.
func (p person) look(h head, rank int) Word {
	mask, bit := p[maskCell].Load()&^h.adding(), uint64(1)<<uint(rank)
	if mask&bit == 0 {
		return 0
	}
	if i := h.cell(bits.OnesCount64(mask & (bit - 1))); i < len(p) {
		return Word(p[i].Load())
	}
	return 0
}

// add gives a rank that has none a word; there must be room. Readers find every other word meanwhile.
func (p person) add(rank int, w Word) {
	mask := p[maskCell].Load()
	n, at := bits.OnesCount64(mask), bits.OnesCount64(mask&(1<<rank-1))
	p.setHead(p.head().withAdding(rank, n))
	for hole := n; hole > at; hole-- {
		p.lift(rank, hole)
	}
	p[wordCells+at].Store(uint64(w))
	p[maskCell].Store(mask | 1<<rank)
	p.setHead(p.head().withAdded())
}

// lift moves the word below the hole into it, and then the hole down. Between the two the word stands twice.
func (p person) lift(rank, hole int) {
	p[wordCells+hole].Store(p[wordCells+hole-1].Load())
	p.setHead(p.head().withAdding(rank, hole-1))
}

// perShelf is how many people lie in one piece of memory.
const perShelf = 512

// shelf is the people of 512 numbers that follow each other, each with as many cells as the one with the most words
// needs.
type shelf struct {
	size  int // cells of a person
	cells []atomic.Uint64
}

func newShelf(room int) *shelf {
	size := wordCells + room
	return &shelf{size, make([]atomic.Uint64, perShelf*size)}
}

func (s *shelf) at(n Number) person {
	i := int(n%perShelf) * s.size
	return s.cells[i : i+s.size : i+s.size]
}

// wider is a copy with room for so many words. Readers of the old one find in it what was true when they came.
func (s *shelf) wider(room int) *shelf {
	w := newShelf(room)
	for n := range Number(perShelf) {
		from, to := s.at(n), w.at(n)
		for i := range from {
			to[i].Store(from[i].Load())
		}
	}
	return w
}

// people are found by number: a directory of shelves, copied when it grows.
type people struct {
	shelves atomic.Pointer[[]atomic.Pointer[shelf]]
}

func (ps *people) reset() { ps.shelves.Store(new([]atomic.Pointer[shelf])) }

// at is the place of a number, or nil where nobody near it was ever added.
func (ps *people) at(n Number) person {
	d := *ps.shelves.Load()
	if i := int(n / perShelf); i < len(d) {
		if s := d[i].Load(); s != nil {
			return s.at(n)
		}
	}
	return nil
}

// make is the place of a number, with room for so many words; made where it is missing or too narrow.
func (ps *people) make(n Number, room int) person {
	i := int(n / perShelf)
	place := ps.place(i)
	switch s := place.Load(); {
	case s == nil:
		place.Store(newShelf(room))
	case s.size < wordCells+room:
		place.Store(s.wider(room))
	}
	return place.Load().at(n)
}

// place is where a shelf stands in the directory, which grows as it must.
func (ps *people) place(i int) *atomic.Pointer[shelf] {
	d := *ps.shelves.Load()
	if i >= len(d) {
		longer := make([]atomic.Pointer[shelf], i+1+i/8)
		for j := range d {
			longer[j].Store(d[j].Load())
		}
		ps.shelves.Store(&longer)
		d = longer
	}
	return &d[i]
}

// numbers goes through all numbers that have a place.
func (ps *people) numbers() iter.Seq[Number] {
	return func(yield func(Number) bool) {
		d := *ps.shelves.Load()
		for i := range d {
			if d[i].Load() == nil {
				continue // nobody near these numbers was ever added
			}
			for j := range perShelf {
				if !yield(Number(i*perShelf + j)) {
					return
				}
			}
		}
	}
}
