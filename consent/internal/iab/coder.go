// Package iab is the ground that the IAB's two string formats share: base64url text read and written as bits, six to
// a character, and the sets of ids in their several codings. A segment is described once, as a function or table that
// names its fields to a Coder; the same description reads and writes.
//
// Texts come from anybody: nothing is allocated from a length that the text only claims, and faults name the segment
// and the field but never show the text, which is personal data.
package iab

import (
	"strings"
	"time"

	"github.com/ombudhq/ombud/internal/fault"
)

// MaxText is the longest text that is looked at; the longest honest ones have a few kilobytes.
const MaxText = 256 << 10

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// Coder reads or writes the fields of one segment in order. After the first fault every call is a no-op.
type Coder struct {
	segment string
	writing bool
	text    string // when reading
	at      int    // bits read or written
	out     []byte // values of six bits, when writing
	bad     *fault.Detail
}

// Read reads one segment as fields describes it and gives the number of characters of padding behind it. What follows
// the last field must be zero.
func Read(segment, text string, fields func(*Coder)) (padding int, bad *fault.Detail) {
	c := &Coder{segment: segment, text: text}
	switch {
	case text == "":
		c.Fail("", "is empty")
	case !isBase64(text):
		c.Fail("", "is not base64url")
	}
	fields(c)
	return c.rest(), c.bad
}

// Write writes one segment as fields describes it, with so many characters of padding behind it.
func Write(segment string, padding int, fields func(*Coder)) (text string, bad *fault.Detail) {
	c := &Coder{segment: segment, writing: true}
	if fields(c); c.bad != nil {
		return "", c.bad
	}
	for i, v := range c.out {
		c.out[i] = alphabet[v]
	}
	return string(c.out) + strings.Repeat("A", padding), nil
}

// Peek gives the first n bits of a segment, which tell what it is; false when it is too short.
func Peek(text string, n int) (uint64, bool) {
	c := &Coder{text: text[:min(len(text), (n+5)/6)]}
	if !isBase64(c.text) {
		return 0, false
	}
	v := c.Bits("", n, 0)
	return v, c.bad == nil
}

func isBase64(text string) bool {
	for i := range len(text) {
		if strings.IndexByte(alphabet, text[i]) < 0 {
			return false
		}
	}
	return true
}

// Fail notes a fault of a field; the first one counts.
func (c *Coder) Fail(field, problem string) {
	if c.bad != nil {
		return
	}
	where := c.segment
	if field != "" {
		where += "." + field
	}
	c.bad = &fault.Detail{Where: where, Message: problem}
}

// OK is false after a fault.
func (c *Coder) OK() bool { return c.bad == nil }

// Reading is true when values come from a text.
func (c *Coder) Reading() bool { return !c.writing }

// More says whether n more bits can be read.
func (c *Coder) More(n int) bool { return c.at+n <= 6*len(c.text) }

// Bits reads n bits, at most 64, as one number; when writing it writes v and gives it back.
func (c *Coder) Bits(field string, n int, v uint64) uint64 {
	switch {
	case c.bad != nil:
		return 0
	case c.writing:
		return c.put(field, n, v)
	case !c.More(n):
		c.Fail(field, "the text ends before or within it")
		return 0
	}
	v = 0
	for end := c.at + n; c.at < end; {
		width := min(6-c.at%6, end-c.at)
		six := uint64(strings.IndexByte(alphabet, c.text[c.at/6]))
		v = v<<width | six>>(6-c.at%6-width)&(1<<width-1)
		c.at += width
	}
	return v
}

func (c *Coder) put(field string, n int, v uint64) uint64 {
	if n < 64 && v>>n != 0 {
		c.Fail(field, "is too large")
		return 0
	}
	for left := n; left > 0; {
		if c.at%6 == 0 {
			c.out = append(c.out, 0)
		}
		width := min(6-c.at%6, left)
		c.out[c.at/6] |= byte(v>>(left-width)&(1<<width-1)) << (6 - c.at%6 - width)
		c.at, left = c.at+width, left-width
	}
	return v
}

// rest checks that nothing but zeros follows and counts the characters that no field has touched.
func (c *Coder) rest() int {
	padding := len(c.text) - (c.at+5)/6
	for c.bad == nil && c.at < 6*len(c.text) {
		if c.Bits("", min(6-c.at%6, 6*len(c.text)-c.at), 0) != 0 {
			c.Fail("", "has more behind its last field")
		}
	}
	return padding
}

// Uint is a number of n bits.
func Uint[T ~uint8 | ~uint16](c *Coder, field string, n int, v *T) {
	*v = T(c.Bits(field, n, uint64(*v)))
}

// Const is a number of n bits that has one value.
func (c *Coder) Const(field string, n int, want uint64) {
	if c.Bits(field, n, want) != want {
		c.Fail(field, "has another value than this segment must have")
	}
}

// Bool is one bit.
func (c *Coder) Bool(field string, v *bool) {
	var bit uint64
	if *v {
		bit = 1
	}
	*v = c.Bits(field, 1, bit) == 1
}

// Time is 36 bits: tenths of a second since 1970. Written, it must have no finer part.
func (c *Coder) Time(field string, v *time.Time) {
	if c.Reading() {
		*v = time.UnixMilli(int64(c.Bits(field, 36, 0)) * 100).UTC()
		return
	}
	ms := v.UnixMilli()
	if ms < 0 || v.Nanosecond()%1e8 != 0 {
		c.Fail(field, "is not a whole tenth of a second after 1970")
	}
	c.Bits(field, 36, uint64(max(ms, 0))/100)
}

// Letters is two capitals, six bits each: a language or a country.
func (c *Coder) Letters(field string, v *string) {
	if c.writing && len(*v) != 2 {
		c.Fail(field, "is not two letters")
		return
	}
	var two [2]byte
	for i := range two {
		var letter uint64
		if c.writing {
			letter = uint64((*v)[i] - 'A')
		}
		if letter = c.Bits(field, 6, letter&63); letter > 25 || c.writing && ((*v)[i] < 'A' || (*v)[i] > 'Z') {
			c.Fail(field, "is not two letters")
		}
		two[i] = 'A' + byte(letter)
	}
	*v = string(two[:])
}
