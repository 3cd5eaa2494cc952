package index

import "sync/atomic"

// chunk is how many words lie in one piece of memory.
const chunk = 4096

// arena holds the words in blocks of 1 to 64, none of which straddles two chunks. Freed blocks are kept by size, each
// naming the next in its first word: who still reads it there finds out by the head. Blocks are neither split nor joined:
// where all people get a purpose more, the blocks they leave wait for others of that size, until a snapshot is read back
// and packs them. Block 0 is no block.
type arena struct {
	chunks atomic.Pointer[[]*[chunk]atomic.Uint64]
	next   uint32 // of the last chunk, what was not handed out yet
	free   [Ranks + 1]uint32
}

func (a *arena) reset() { a.chunks.Store(new([]*[chunk]atomic.Uint64)) }

// at is the word i of a block. A reader whose mask is of another block may ask beyond the block's end; that stays
// inside the chunk, and the head tells the reader to try again.
func (a *arena) at(block uint32, i int) *atomic.Uint64 {
	return &(*a.chunks.Load())[block/chunk][(int(block)+i)%chunk]
}

// alloc hands out a block of n words; what they contain is left over from others.
func (a *arena) alloc(n int) uint32 {
	if b := a.free[n]; b != 0 {
		a.free[n] = uint32(a.at(b, 0).Load())
		return b
	}
	if left := int(-a.next % chunk); left < n {
		if left > 0 {
			a.release(a.next, left)
		}
		a.grow()
	}
	b := a.next
	a.next += uint32(n)
	return b
}

func (a *arena) grow() {
	d := *a.chunks.Load()
	a.next = uint32(len(d)) * chunk
	if len(d) == 0 {
		a.next = 1
	}
	d = append(d, new([chunk]atomic.Uint64)) // in place: readers of the shorter directory look no further than its end
	a.chunks.Store(&d)
}

// release takes a block of n words back.
func (a *arena) release(block uint32, n int) {
	if n == 0 {
		return
	}
	a.at(block, 0).Store(uint64(a.free[n]))
	a.free[n] = block
}
