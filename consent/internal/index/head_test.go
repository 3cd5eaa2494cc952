package index

import (
	"math/bits"
	"testing"
)

// TestHead: whatever changes a head counts its version up, and changes nothing else than it says.
func TestHead(t *testing.T) {
	h := headPresent.withBlock(77).withFlags(200)
	for range 1<<16 + 3 {
		was := h
		for _, n := range []head{h.next(), h.withAdding(63), h.withBlock(h.block()), h.withFlags(h.flags())} {
			if n == h || n&headVersion == h&headVersion || n.block() != 77 || n.flags() != 200 || !n.present() {
				t.Fatalf("%x became %x", h, n)
			}
		}
		if h = h.withAdding(63); h.adding() != 1<<63 || was.adding() != 0 {
			t.Fatalf("%x adds %x", h, h.adding())
		}
		h = h.withBlock(77)
	}
}

// TestHalfWidened: a reader who meets a person in the middle of getting a purpose, before or after the mask has its
// bit, sees what was true before.
func TestHalfWidened(t *testing.T) {
	x := New()
	for rank := 10; rank < 20; rank++ {
		x.Set(1, rank, Word(rank))
	}
	p := x.people.at(1)
	p.head.Store(uint64(head(p.head.Load()).withAdding(3)))
	for _, have := range []uint64{p.have.Load(), p.have.Load() | 1<<3} {
		p.have.Store(have)
		if _, known, _ := x.State(1); bits.OnesCount64(known) != 10 {
			t.Errorf("known are %b", known)
		}
		for rank := range Ranks {
			if _, w, _ := x.Look(1, rank); rank >= 10 && rank < 20 && w != Word(rank) || w != 0 && w != Word(rank) {
				t.Errorf("rank %d has the word %d", rank, w)
			}
		}
	}
}
