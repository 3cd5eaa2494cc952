package iab

import (
	"cmp"
	"encoding/json"
	"iter"
	"slices"
)

// Range is the ids from First to Last, both included.
type Range struct{ First, Last uint16 }

// Set is a set of ids from 1 to 65535, kept as ranges, so that it is small whatever the ids are. It never changes. A
// set that was read remembers how it was written, so that writing it gives the same bits; Equal does not look at that.
type Set struct {
	ranges []Range // in order, no two touch
	form   *form   // nil: the shortest
}

// form is one way of several to write the same set.
type form struct {
	bitfield bool
	max      uint16  // the length of the bit field, or what was claimed to be the highest id
	entries  []entry // when they are not simply the ranges
}

// entry is one item of a range coding.
type entry struct {
	Range
	group bool
}

// NewSet makes the set of these ids; 0 is left out, it is no id.
func NewSet(ids ...uint16) Set {
	ranges := make([]Range, len(ids))
	for i, id := range ids {
		ranges[i] = Range{id, id}
	}
	return SetOf(ranges...)
}

// SetOf makes the set of the ids in these ranges, which may overlap; 0 is left out, as are ranges that end before
// they begin.
func SetOf(ranges ...Range) Set {
	ranges = slices.Clone(ranges)
	slices.SortFunc(ranges, func(a, b Range) int { return cmp.Compare(a.First, b.First) })
	var s Set
	for _, r := range ranges {
		r.First = max(r.First, 1)
		last := len(s.ranges) - 1
		switch {
		case r.First > r.Last:
		case last >= 0 && uint32(r.First) <= uint32(s.ranges[last].Last)+1:
			s.ranges[last].Last = max(s.ranges[last].Last, r.Last)
		default:
			s.ranges = append(s.ranges, r)
		}
	}
	return s
}

// Has says whether an id is in the set.
func (s Set) Has(id uint16) bool {
	i, found := slices.BinarySearchFunc(s.ranges, id, func(r Range, id uint16) int { return cmp.Compare(r.First, id) })
	return found || i > 0 && id <= s.ranges[i-1].Last
}

// Len counts the ids.
func (s Set) Len() int {
	n := 0
	for _, r := range s.ranges {
		n += int(r.Last-r.First) + 1
	}
	return n
}

// Max is the highest id, 0 in the empty set.
func (s Set) Max() uint16 {
	if len(s.ranges) == 0 {
		return 0
	}
	return s.ranges[len(s.ranges)-1].Last
}

// Ranges gives the ids as ranges, in order, no two of which touch.
func (s Set) Ranges() []Range { return slices.Clone(s.ranges) }

// All gives the ids in order.
func (s Set) All() iter.Seq[uint16] {
	return func(yield func(uint16) bool) {
		for _, r := range s.ranges {
			for id := int(r.First); id <= int(r.Last); id++ {
				if !yield(uint16(id)) {
					return
				}
			}
		}
	}
}

// MarshalJSON gives the ranges as pairs of their first and last id: [[1,5],[9,9]].
func (s Set) MarshalJSON() ([]byte, error) {
	pairs := make([][2]uint16, len(s.ranges))
	for i, r := range s.ranges {
		pairs[i] = [2]uint16{r.First, r.Last}
	}
	return json.Marshal(pairs)
}

// Equal says whether both have the same ids, however they were written.
func (s Set) Equal(other Set) bool { return slices.Equal(s.ranges, other.ranges) }

// entries gives what a range coding lists.
func (s Set) entries() []entry {
	if s.form != nil && s.form.entries != nil {
		return s.form.entries
	}
	out := make([]entry, len(s.ranges))
	for i, r := range s.ranges {
		out[i] = entry{r, r.First != r.Last}
	}
	return out
}

// of makes the set that these entries list, and remembers them when they are not simply its ranges.
func of(entries []entry) Set {
	ranges := make([]Range, len(entries))
	for i, e := range entries {
		ranges[i] = e.Range
	}
	s := SetOf(ranges...)
	plain := slices.Equal(s.entries(), entries)
	if s.form = (&form{}); !plain {
		s.form.entries = entries
	}
	return s
}
