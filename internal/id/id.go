// Package id makes the ids of the public contract: a prefix and 26 characters that sort by time.
package id

import (
	"crypto/rand"
	"encoding/binary"
	"strings"
	"time"
)

const alphabet = "0123456789abcdefghjkmnpqrstvwxyz" // Crockford's, in lower case

// New is prefix + 26 characters: 48 bits of milliseconds, then 80 random ones.
func New(prefix string, now time.Time) string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], uint64(now.UnixMilli())<<16)
	_, _ = rand.Read(b[6:]) // never fails: it ends the process instead
	return prefix + encode(b)
}

// Encode is the id that stands for 128 bits.
func Encode(prefix string, b [16]byte) string {
	var room [64]byte
	return string(Append(room[:0], prefix, b))
}

// Append is Encode behind what to holds, without an allocation where there is room.
func Append(to []byte, prefix string, b [16]byte) []byte {
	out := digits(b)
	return append(append(to, prefix...), out[:]...)
}

// Decode gives back what Encode wrote; false when s is not such an id.
func Decode(prefix, s string) (b [16]byte, ok bool) {
	rest, ok := strings.CutPrefix(s, prefix)
	if !ok || len(rest) != 26 || rest[0] > '7' {
		return b, false
	}
	var hi, lo uint64
	for i := range len(rest) {
		d := strings.IndexByte(alphabet, rest[i])
		if d < 0 {
			return b, false
		}
		hi = hi<<5 | lo>>59
		lo = lo<<5 | uint64(d)
	}
	binary.BigEndian.PutUint64(b[:8], hi)
	binary.BigEndian.PutUint64(b[8:], lo)
	return b, true
}

func encode(b [16]byte) string {
	out := digits(b)
	return string(out[:])
}

// digits writes 128 bits as 26 characters, the first of which holds 3 bits.
func digits(b [16]byte) (out [26]byte) {
	hi, lo := binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])
	middle := hi<<4 | lo>>60
	for i := range 12 { // none waits for another
		out[25-i] = alphabet[lo>>(5*i)&31]
		out[13-i] = alphabet[middle>>(5*i)&31]
	}
	out[1], out[0] = alphabet[hi>>56&31], alphabet[hi>>61]
	return out
}

// Floor is the smallest id that New can make from t on: ids made earlier sort before it.
func Floor(prefix string, t time.Time) string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], uint64(t.UnixMilli())<<16)
	return prefix + encode(b)
}
