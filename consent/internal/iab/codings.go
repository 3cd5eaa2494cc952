package iab

// maxEntries is what the 12 bits in front of a list can count to.
const maxEntries = 1<<12 - 1

// MaxOrRanges is a set as TCF writes its vendors (GPP calls it OptimizedIntRange): the highest id, one bit, and then a
// bit field of that length or a list of ranges.
func (c *Coder) MaxOrRanges(field string, s *Set) {
	c.optimized(field, s, false, true)
}

// MaxOrFibonacci is the same with the list in Fibonacci coding. No specification has it, but GPP's reference library
// writes it where the specification asks for Optimized.
func (c *Coder) MaxOrFibonacci(field string, s *Set) {
	c.optimized(field, s, true, true)
}

// Optimized is GPP's OptimizedRange: one bit, and then a list of ranges in Fibonacci coding, or a bit field behind its
// length.
func (c *Coder) Optimized(field string, s *Set) {
	c.optimized(field, s, true, false)
}

func (c *Coder) optimized(field string, s *Set, fibonacci, maxFirst bool) {
	list, highest := !s.bitfield(fibonacci), s.max()
	if maxFirst {
		Uint(c, field+".MaxVendorId", 16, &highest)
	}
	c.Bool(field+".IsRangeEncoding", &list)
	switch {
	case !list && !maxFirst:
		Uint(c, field+".Length", 16, &highest)
		fallthrough
	case !list:
		c.bitfield(field+".BitField", s, highest)
	default:
		c.list(field, s, fibonacci)
	}
	if c.Reading() && c.OK() && list && maxFirst {
		s.form.max = highest
		if s.Max() > highest {
			c.Fail(field+".MaxVendorId", "is lower than an id in the list")
		}
	}
}

// Ranges is a list of ranges alone, as in a publisher restriction.
func (c *Coder) Ranges(field string, s *Set) { c.list(field, s, false) }

// Fibonacci is GPP's Range(Fibonacci): a list in which each number is the distance from the one before.
func (c *Coder) Fibonacci(field string, s *Set) { c.list(field, s, true) }

// bitfield says whether the set is to be written as a bit field: as it was, or as is shorter.
func (s Set) bitfield(fibonacci bool) bool {
	if s.form != nil {
		return s.form.bitfield
	}
	return s.shorterAsBits(fibonacci)
}

// Plain says whether a set that was read was written as any encoder would: in the shorter coding, with nothing that
// need not be there.
func (s Set) Plain(fibonacci bool) bool {
	f := s.form
	return f == nil || f.entries == nil && f.bitfield == s.shorterAsBits(fibonacci) && (f.max == 0 || f.max == s.Max())
}

func (s Set) shorterAsBits(fibonacci bool) bool {
	size, at := 12, uint16(0)
	for _, r := range s.ranges {
		switch {
		case fibonacci:
			if size += 1 + fibonacciLen(r.First-at); r.First != r.Last {
				size += fibonacciLen(r.Last - r.First)
			}
		case r.First != r.Last:
			size += 33
		default:
			size += 17
		}
		at = r.Last
	}
	return size > int(s.Max()) || len(s.ranges) > maxEntries
}

// max is the highest id that is claimed.
func (s Set) max() uint16 {
	if s.form != nil {
		return max(s.form.max, s.Max())
	}
	return s.Max()
}

func (c *Coder) bitfield(field string, s *Set, length uint16) {
	if c.writing {
		for id := range int(length) {
			in := s.Has(uint16(id + 1))
			c.Bool(field, &in)
		}
		return
	}
	var ranges []Range
	for id := 1; id <= int(length) && c.OK(); id++ {
		if c.Bits(field, 1, 0) == 0 {
			continue
		}
		if n := len(ranges); n > 0 && int(ranges[n-1].Last) == id-1 {
			ranges[n-1].Last++
		} else {
			ranges = append(ranges, Range{uint16(id), uint16(id)})
		}
	}
	*s = Set{ranges, &form{bitfield: true, max: length}}
}

func (c *Coder) list(field string, s *Set, fibonacci bool) {
	entries := s.entries()
	if len(entries) > maxEntries {
		c.Fail(field+".NumEntries", "has more than 4095 ranges")
		return
	}
	n := int(c.Bits(field+".NumEntries", 12, uint64(len(entries))))
	if c.Reading() {
		entries = nil
	}
	at := uint16(0)
	for i := 0; i < n && c.OK(); i++ {
		var e entry
		if c.writing {
			e = entries[i]
		}
		c.entry(field, &e, fibonacci, at)
		if at = e.Last; c.Reading() {
			entries = append(entries, e)
		}
	}
	if c.Reading() && c.OK() {
		*s = of(entries)
	}
}

// entry is one item of a list: a single id or a group. Fibonacci numbers count from at, the id last seen.
func (c *Coder) entry(field string, e *entry, fibonacci bool, at uint16) {
	c.Bool(field+".IsARange", &e.group)
	if e.First = c.id(field+".StartOrOnlyVendorId", e.First, fibonacci, at); !e.group {
		e.Last = e.First
		return
	}
	e.Last = c.id(field+".EndVendorId", e.Last, fibonacci, e.First)
	if e.Last < e.First {
		c.Fail(field+".EndVendorId", "is lower than the start of its range")
	}
}

func (c *Coder) id(field string, id uint16, fibonacci bool, at uint16) uint16 {
	if !fibonacci {
		if Uint(c, field, 16, &id); id == 0 {
			c.Fail(field, "is 0, which is no id")
		}
		return id
	}
	if c.writing && id <= at {
		c.Fail(field, "is not in order")
		return 0
	}
	n := uint32(at) + uint32(c.Number(field, id-at))
	if n > 1<<16-1 {
		c.Fail(field, "is higher than an id can be")
		return 0
	}
	return uint16(n)
}

// Number is a number from 1 to 65535 in Fibonacci coding: one bit for each Fibonacci number in it, the smallest first,
// and a 1 behind the last.
func (c *Coder) Number(field string, v uint16) uint16 {
	if c.writing {
		c.putNumber(field, v)
		return v
	}
	sum, before := uint32(0), false
	for a, b := uint32(1), uint32(2); c.OK(); a, b = b, a+b {
		bit := c.Bits(field, 1, 0) == 1
		if bit && before {
			return uint16(sum)
		}
		if bit {
			sum += a
		}
		if before = bit; sum > 1<<16-1 || a > 1<<16 {
			c.Fail(field, "is higher than an id can be")
		}
	}
	return 0
}

func (c *Coder) putNumber(field string, v uint16) {
	if v == 0 {
		c.Fail(field, "is 0, which has no Fibonacci coding")
		return
	}
	code, bits := uint64(1), fibonacciLen(v)
	numbers := []uint32{1, 2}
	for len(numbers) < bits-1 {
		numbers = append(numbers, numbers[len(numbers)-1]+numbers[len(numbers)-2])
	}
	left := uint32(v)
	for i := bits - 2; i >= 0; i-- {
		if numbers[i] <= left {
			left -= numbers[i]
			code |= 1 << (bits - 1 - i)
		}
	}
	c.Bits(field, bits, code)
}

// fibonacciLen is the number of bits that the coding of v has.
func fibonacciLen(v uint16) int {
	n := 1
	for a, b := uint32(1), uint32(2); a <= uint32(v); a, b = b, a+b {
		n++
	}
	return n
}
