package index

import (
	"iter"
	"math/bits"
	"sync"
	"sync/atomic"
)

// Key is the first 96 bits of the keyed blind index of an identity. The table relies on keys being as good as random.
type Key [12]byte

// Number names a person: the number of the subject's row, given by the caller. 0 names nobody. Numbers should be
// dense: each run of 512 with anybody in it takes at least 8 KiB.
type Number uint32

// Flags say what holds for a person whatever the purpose. The index keeps them and does not act on them.
type Flags uint8

const (
	// Restricted: processing is restricted (Art. 18 GDPR).
	Restricted Flags = 1 << iota
	// Objected: the person objected to something (Art. 21 GDPR).
	Objected
	// Held: a hold keeps the person's data from being erased.
	Held
	// Erased: the person was erased; what a key still finds here is only that.
	Erased
	// Suppressed: the person was erased, is known again, and has not said yes since.
	Suppressed
	// Aside: more is known about the person than fits here, and the caller keeps it aside.
	Aside
)

// Ranks is how many purposes the index can tell apart: their ranks are 0 to 1023.
const Ranks = 1024

// A page is the words of 64 ranks that follow each other: as many as a mask has bits. The first one also says who is there,
// and holds the flags.
const (
	perPage  = 64
	maxPages = Ranks / perPage
)

// Index holds the people. Reading is free for any number of goroutines and never waits. Methods that change the index
// exclude each other, and are meant for one writer, which alone knows the order of the ledger.
type Index struct {
	identities identities
	pages      [maxPages]people
	count      atomic.Int64 // of people

	mu       sync.Mutex // held by what changes the index, and by a snapshot for moments
	snapshot *Snapshot  // the one being taken, if any
}

// New is an empty index.
func New() *Index {
	x := &Index{}
	x.identities.reset()
	for i := range x.pages {
		x.pages[i].reset()
	}
	return x
}

// Len is how many people there are.
func (x *Index) Len() int { return int(x.count.Load()) }

// Find is the person that a key leads to. It does not look at the person: Look tells whether there still is one.
func (x *Index) Find(k Key) (Number, bool) { return x.identities.find(split(k)) }

// FindAll is Find for many keys: to[i] is the person that keys[i] leads to, 0 where it leads to nobody. All memory that
// they lie in, and that of the people found, is asked for before any of it is needed: it is waited for once.
func (x *Index) FindAll(keys []Key, to []Number) {
	for i := range keys {
		x.identities.touch(split(keys[i]))
	}
	for i := range keys {
		to[i], _ = x.Find(keys[i])
	}
	for _, n := range to[:len(keys)] {
		x.Touch(n)
	}
}

// Touch asks for the memory that a person lies in, and waits for nothing: Look finds it nearer a moment later.
func (x *Index) Touch(n Number) {
	if p := x.at(n); p != nil {
		p[headCell].Load()
		p[len(p)-1].Load()
	}
}

// Look is what is known of a person and the purpose of a rank: flags and word as they were at one and the same
// instant. A purpose of which nothing is known has the zero Word. ok is false where there is no such person.
func (x *Index) Look(n Number, rank int) (f Flags, w Word, ok bool) {
	if rank >= perPage {
		return x.lookFurther(n, rank)
	}
	p := x.at(n)
	if p == nil {
		return 0, 0, false
	}
	for {
		h := p.head()
		if !h.present() {
			return 0, 0, false
		}
		if w = p.look(h, rank); p.head() == h {
			return h.flags(), w, true
		}
	}
}

// lookFurther is Look for a rank that is not on the first page. The flags stood all the while that the word was read: on the
// shelf that readers still come to, the head is the same.
func (x *Index) lookFurther(n Number, rank int) (f Flags, w Word, ok bool) {
	for {
		p := x.at(n)
		if p == nil || !p.head().present() {
			return 0, 0, false
		}
		h := p.head()
		w = x.further(n, rank)
		if h.present() && p.head() == h && &x.at(n)[headCell] == &p[headCell] {
			return h.flags(), w, true
		}
	}
}

// further reads the word of a rank that is not on the first page; 0 where there is none.
func (x *Index) further(n Number, rank int) Word {
	if rank >= Ranks {
		return 0
	}
	p := x.pages[rank/perPage].at(n)
	if p == nil {
		return 0
	}
	for {
		h := p.head()
		if w := p.look(h, rank%perPage); p.head() == h {
			return w
		}
	}
}

// at is the place of a person on the first page; nil where nobody near that number was ever added.
func (x *Index) at(n Number) person { return x.pages[0].at(n) }

// Flags are what holds for a person whatever the purpose; none where there is no such person.
func (x *Index) Flags(n Number) Flags {
	if p := x.at(n); p != nil {
		if h := p.head(); h.present() {
			return h.flags()
		}
	}
	return 0
}

// Keys is how many keys lead to a person, or more where one was unbound; false where they were too many to count.
func (x *Index) Keys(n Number) (most int, counted bool) {
	p := x.at(n)
	if p == nil {
		return 0, true
	}
	most = p.head().keys()
	return most, most < 3
}

// Words goes through the words of a person, by rank. Each is whole; two of them may be of two instants where the
// writer is at work. There are none where there is no such person.
func (x *Index) Words(n Number) iter.Seq2[int, Word] {
	return func(yield func(int, Word) bool) {
		var words [perPage]Word
		for page := range x.pages {
			p := x.pages[page].at(n)
			if p == nil {
				continue
			}
			known := p.read(&words)
			for i := 0; known != 0; i, known = i+1, known&(known-1) {
				if !yield(page*perPage+bits.TrailingZeros64(known), words[i]) {
					return
				}
			}
		}
	}
}

// read copies the words of a person on a page, in the order of ranks, and gives the mask of their ranks; none where there is no
// such person.
func (p person) read(words *[perPage]Word) uint64 {
	for {
		h := p.head()
		if !h.present() {
			return 0
		}
		known := p[maskCell].Load() &^ h.adding()
		for i := range bits.OnesCount64(known) {
			if at := h.cell(i); at < len(p) { // else the head is another one by now
				words[i] = Word(p[at].Load())
			}
		}
		if p.head() == h {
			return known
		}
	}
}

// People goes through everybody, by number. Who is added or removed meanwhile may or may not be met.
func (x *Index) People() iter.Seq[Number] {
	return func(yield func(Number) bool) {
		for n := range x.pages[0].numbers() {
			if x.at(n).head().present() && !yield(n) {
				return
			}
		}
	}
}
