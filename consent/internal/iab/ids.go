package iab

import (
	"encoding/json"
	"iter"
	"slices"
)

// IDs is a set of small ids, 1 to 64: purposes and special features.
type IDs uint64

// NewIDs makes the set of these ids; others than 1 to 64 are left out.
func NewIDs(ids ...int) IDs {
	var s IDs
	for _, id := range ids {
		if id >= 1 && id <= 64 {
			s |= 1 << (id - 1)
		}
	}
	return s
}

// Has says whether an id is in the set.
func (s IDs) Has(id int) bool { return id >= 1 && id <= 64 && s>>(id-1)&1 == 1 }

// All gives the ids in order.
func (s IDs) All() iter.Seq[int] {
	return func(yield func(int) bool) {
		for id := 1; id <= 64; id++ {
			if s.Has(id) && !yield(id) {
				return
			}
		}
	}
}

// MarshalJSON gives the ids as a list.
func (s IDs) MarshalJSON() ([]byte, error) {
	return json.Marshal(slices.AppendSeq([]int{}, s.All()))
}

// IDs is a bit field of n bits, at most 64, the first of them for id 1.
func (c *Coder) IDs(field string, n int, v *IDs) {
	var bits uint64
	for i := range n {
		bits = bits<<1 | uint64(*v>>i)&1
	}
	if c.writing && n < 64 && *v>>n != 0 {
		c.Fail(field, "has an id that it has no bit for")
	}
	bits = c.Bits(field, n, bits)
	*v = 0
	for i := range n {
		*v |= IDs(bits>>(n-1-i)&1) << i
	}
}
