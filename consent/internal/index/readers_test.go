package index_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ombudhq/ombud/consent/internal/index"
)

// A word of these tests tells whose it is, of which rank and of which write; nobody else's can be taken for it.
func signed(n index.Number, rank int, turn uint64) index.Word {
	return index.Word(uint64(n)<<48 | uint64(rank)<<38 | turn&(1<<38-1))
}

func signature(w index.Word) (n index.Number, rank int, turn uint64) {
	return index.Number(w >> 48), int(w >> 38 & (index.Ranks - 1)), uint64(w) & (1<<38 - 1)
}

// crowd is a few people who share the recycled blocks among them, and what readers may demand of each.
type crowd struct {
	x     *index.Index
	floor [40][96]atomic.Uint64 // by rank, on two pages: the last turn that was acknowledged; 0 is none
	born  [40]atomic.Uint64     // how often the person was removed
}

// TestReaders: beside a writer that adds purposes, changes words and flags and removes people, all in blocks that go
// from hand to hand, nobody ever reads another's word, another rank's, or one older than was acknowledged.
func TestReaders(t *testing.T) {
	c := &crowd{x: index.New()}
	var stop atomic.Bool
	var wg sync.WaitGroup
	for seed := range 3 {
		wg.Go(func() {
			for r := rand.New(rand.NewPCG(uint64(seed), 1)); !stop.Load() && !t.Failed(); {
				c.read(t, r)
			}
		})
	}
	turns := uint64(150_000)
	if testing.Short() {
		turns = 30_000
	}
	r := rand.New(rand.NewPCG(7, 7))
	for turn := uint64(1); turn <= turns && !t.Failed(); turn++ {
		c.write(r, turn)
	}
	stop.Store(true)
	wg.Wait()
}

func (c *crowd) write(r *rand.Rand, turn uint64) {
	i, rank := r.IntN(len(c.floor)), r.IntN(len(c.floor[0]))
	n := index.Number(i + 1)
	switch r.IntN(60) {
	case 0:
		c.born[i].Add(1) // odd: going
		c.x.Remove(n)
		for k := range c.floor[i] {
			c.floor[i][k].Store(0)
		}
		c.born[i].Add(1)
	case 1, 2:
		c.x.SetFlags(n, index.Flags(turn))
	default:
		c.x.Set(n, rank, signed(n, rank, turn))
		c.floor[i][rank].Store(turn)
	}
}

func (c *crowd) read(t *testing.T, r *rand.Rand) {
	i, rank := r.IntN(len(c.floor)), r.IntN(len(c.floor[0]))
	n := index.Number(i + 1)
	if r.IntN(10) == 0 {
		for rank, w := range c.x.Words(n) {
			if whose, of, _ := signature(w); whose != n || of != rank {
				t.Errorf("%d's word of rank %d is %d's of %d", n, rank, whose, of)
			}
		}
		return
	}
	born, floor := c.born[i].Load(), c.floor[i][rank].Load()
	_, w, _ := c.x.Look(n, rank)
	whose, of, turn := signature(w)
	if w != 0 && (whose != n || of != rank) {
		t.Errorf("%d's word of rank %d is %d's of %d", n, rank, whose, of)
	}
	if turn < floor && born%2 == 0 && c.born[i].Load() == born {
		t.Errorf("%d's word of rank %d is of turn %d, %d was acknowledged", n, rank, turn, floor)
	}
}

// TestWidening: while purposes are added below it, a word stays what it is.
func TestWidening(t *testing.T) {
	x := index.New()
	var stop atomic.Bool
	var wg sync.WaitGroup
	wg.Go(func() {
		for !stop.Load() && !t.Failed() {
			if _, w, _ := x.Look(1, 63); w != 0 && w != 63 {
				t.Errorf("rank 63 has the word of rank %d", w)
			}
		}
	})
	for range 10_000 {
		for rank := 63; rank >= 0; rank-- {
			x.Set(1, rank, index.Word(rank))
		}
		x.Remove(1)
	}
	stop.Store(true)
	wg.Wait()
}

// TestFlagsWithWord: flags and word are of one instant. The writer keeps the last bits of both equal, but for the
// moment between two changes; flags first, so a word is never ahead.
func TestFlagsWithWord(t *testing.T) {
	for _, rank := range []int{5, 200} {
		t.Run(fmt.Sprint(rank), func(t *testing.T) { flagsWithWord(t, rank) })
	}
}

func flagsWithWord(t *testing.T, rank int) {
	x := index.New()
	x.Set(1, rank, 0)
	var stop atomic.Bool
	var wg sync.WaitGroup
	wg.Go(func() {
		for !stop.Load() && !t.Failed() {
			if f, w, _ := x.Look(1, rank); index.Flags(w) != f && index.Flags(w)+1 != f {
				t.Errorf("flags %d with word %d", f, w)
			}
		}
	})
	for i := range 200_000 {
		x.SetFlags(1, index.Flags(i+1))
		x.Set(1, rank, index.Word(i+1))
		if i < 50 {
			x.Set(1, 10+i, 1)
			x.Set(1, 210+i/2, 1)
		}
	}
	stop.Store(true)
	wg.Wait()
}

// TestGrowthUnderReaders: while shards grow and keys come and go, a key that was bound is found and leads to its
// person, and one that was unbound is not.
func TestGrowthUnderReaders(t *testing.T) {
	const n = 60_000
	x := index.New()
	var bound, unbound, stop atomic.Int64
	var wg sync.WaitGroup
	for seed := range 2 {
		wg.Go(func() {
			for r := rand.New(rand.NewPCG(uint64(seed), 2)); stop.Load() == 0 && !t.Failed(); {
				gone, there := unbound.Load(), bound.Load()
				if there == 0 {
					continue
				}
				i := r.Int64N(there)
				got, ok := x.Find(fast(uint64(i)))
				switch {
				case ok && int64(got) != i+1:
					t.Errorf("key %d leads to %d", i, got)
				case i%4 == 0 && i < gone && ok:
					t.Errorf("key %d is still found", i)
				case i%4 != 0 && !ok:
					t.Errorf("key %d is not found", i)
				}
			}
		})
	}
	for i := range int64(n) {
		x.Bind(fast(uint64(i)), index.Number(i+1))
		bound.Store(i + 1)
		if i%4 == 0 && i >= 8 {
			x.Unbind(fast(uint64(i - 8)))
			unbound.Store(i - 7)
		}
	}
	stop.Store(1)
	wg.Wait()
}

// TestSnapshotBesideWriter: a snapshot written while the writer works is of the moment it began. Each person's eight
// words are of one turn before that moment and of later ones after it.
func TestSnapshotBesideWriter(t *testing.T) {
	const n = 5000
	x := index.New()
	fill := func(turn uint64) {
		for i := range n {
			x.Bind(fast(uint64(i)+turn*n), index.Number(i+1))
			x.Unbind(fast(uint64(i) + (turn-1)*n))
			for rank := range 8 {
				x.Set(index.Number(i+1), rank+int(turn)%5, signed(index.Number(i+1), rank, turn))
			}
		}
	}
	fill(1)
	s := x.Snapshot(index.Meta{Revision: 1})
	var wg sync.WaitGroup
	wg.Go(func() { fill(2); fill(3) })
	var b bytes.Buffer
	err := s.Write(&b, plain)
	wg.Wait()
	if err != nil {
		t.Fatal(err)
	}
	_, y, err := index.Read(&b, plain)
	if err != nil || y.Len() != n {
		t.Fatal(err)
	}
	for i := range n {
		if got, ok := y.Find(fast(uint64(i) + n)); !ok || got != index.Number(i+1) {
			t.Fatal("a key is missing", i)
		}
		if _, ok := y.Find(fast(uint64(i) + 2*n)); ok {
			t.Fatal("a key is of later", i)
		}
		for rank := range index.Ranks {
			want := index.Word(0)
			if rank >= 1 && rank < 9 {
				want = signed(index.Number(i+1), rank-1, 1)
			}
			if _, w, _ := y.Look(index.Number(i+1), rank); w != want {
				t.Fatal("a word is of another moment", i, rank)
			}
		}
	}
}
