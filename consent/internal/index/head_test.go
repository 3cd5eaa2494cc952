package index

import (
	"math/bits"
	"testing"
)

// TestHead: whatever changes a head counts its version up, and changes nothing else than it says.
func TestHead(t *testing.T) {
	h := headPresent.withFlags(200) | headVersion&^7
	for range 16 {
		was := h
		for _, n := range []head{h.next(), h.withAdding(63, 63), h.withAdded(), h.withFlags(h.flags())} {
			if n == h || n&headVersion == h&headVersion || n.flags() != 200 || !n.present() {
				t.Fatalf("%x became %x", h, n)
			}
		}
		if h = h.withAdding(63, 5); h.adding() != 1<<63 || was.adding() != 0 || h.cell(4) != wordCells+4 || h.cell(5) != wordCells+6 {
			t.Fatalf("%x adds %x", h, h.adding())
		}
		if h = h.withAdded(); h.adding() != 0 || h.cell(5) != wordCells+5 {
			t.Fatalf("%x adds %x", h, h.adding())
		}
	}
}

// TestHalfAdded: a reader who meets a person at any step of getting a purpose, before or after the mask has its bit, sees
// what was true before.
func TestHalfAdded(t *testing.T) {
	x := New()
	there := func(rank int) bool { return rank >= 10 && rank <= 20 && rank != 14 }
	for rank := range Ranks {
		if there(rank) {
			x.Set(1, rank, Word(rank))
		}
	}
	x.pages[0].make(1, 11)
	p := x.at(1)
	check := func(step int) {
		t.Helper()
		if known := p.read(new([perPage]Word)); bits.OnesCount64(known) != 10 {
			t.Errorf("step %d: known are %b", step, known)
		}
		for rank := range Ranks {
			if _, w, _ := x.Look(1, rank); there(rank) && w != Word(rank) || !there(rank) && w != 0 {
				t.Errorf("step %d: rank %d has the word %d", step, rank, w)
			}
		}
		for rank, w := range x.Words(1) {
			if w != Word(rank) {
				t.Errorf("step %d: rank %d is listed with the word %d", step, rank, w)
			}
		}
	}
	p.setHead(p.head().withAdding(14, 10))
	for hole := 10; ; hole-- {
		mask := p[maskCell].Load()
		check(hole)
		p[maskCell].Store(mask | 1<<14)
		check(hole)
		p[maskCell].Store(mask)
		if hole == 4 { // where the new word belongs
			return
		}
		p[wordCells+hole].Store(p[wordCells+hole-1].Load()) // the first half of lift
		check(hole)
		p.lift(14, hole)
	}
}
