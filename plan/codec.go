package plan

import (
	"encoding/binary"
	"slices"

	"github.com/ombudhq/ombud/connector"
)

// The forms in which rows lie in files and in the journal. They are cut from a string, so that all the
// cells of a row share one piece of memory; the bytes were authenticated before, so they are ours.

func appendRecord(b []byte, r *record) []byte {
	b = binary.AppendVarint(b, int64(r.path))
	b = binary.AppendVarint(b, int64(r.via))
	b = append(b, boolByte(r.reached), boolByte(r.seed))
	b = appendInts(binary.AppendUvarint(b, uint64(len(r.refs))), r.refs)
	return appendValues(b, r.cells)
}

// cutRecord puts a row into a record, in place of what was in it.
func cutRecord(r *record, s string) {
	r.clear()
	r.path, s = cutInt(s)
	r.via, s = cutInt(s)
	r.reached, r.seed, s = s[0] == 1, s[1] == 1, s[2:]
	n, s := cutUint(s)
	for range n {
		var e int32
		e, s = cutInt(s)
		r.refs = append(r.refs, e)
	}
	r.cells, _ = cutValues(r.cells, s)
}

func appendValues(b []byte, vs []connector.Value) []byte {
	b = binary.AppendUvarint(b, uint64(len(vs)))
	for _, v := range vs {
		b = append(b, byte(v.Kind))
		b = binary.AppendUvarint(b, uint64(len(v.S)))
		b = append(b, v.S...)
	}
	return b
}

// cutValues puts values into room that is there, where it is enough.
func cutValues(room []connector.Value, s string) ([]connector.Value, string) {
	n, s := cutUint(s)
	vs := slices.Grow(room[:0], int(n))[:n]
	for i := range vs {
		vs[i].Kind = connector.Kind(s[0])
		l, rest := cutUint(s[1:])
		vs[i].S, s = rest[:l], rest[l:]
	}
	return vs, s
}

func appendInts(b []byte, list []int32) []byte {
	for _, n := range list {
		b = binary.AppendVarint(b, int64(n))
	}
	return b
}

func cutInts(s string) []int32 {
	var out []int32
	for s != "" {
		var n int32
		n, s = cutInt(s)
		out = append(out, n)
	}
	return out
}

func cutUint(s string) (uint64, string) {
	n := uint64(0)
	for i := 0; i < len(s); i++ {
		n |= uint64(s[i]&0x7f) << (7 * i)
		if s[i] < 0x80 {
			return n, s[i+1:]
		}
	}
	return n, ""
}

func cutInt(s string) (int32, string) {
	u, s := cutUint(s)
	return int32(int64(u>>1) ^ -int64(u&1)), s
}

func boolByte(v bool) byte {
	if v {
		return 1
	}
	return 0
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendStrings(b []byte, ss []string) []byte {
	b = binary.AppendUvarint(b, uint64(len(ss)))
	for _, s := range ss {
		b = appendString(b, s)
	}
	return b
}

func appendKeys(b []byte, ks []connector.Key) []byte {
	b = binary.AppendUvarint(b, uint64(len(ks)))
	for _, k := range ks {
		b = appendValues(b, k)
	}
	return b
}

func appendRows(b []byte, rows [][]connector.Value) []byte {
	b = binary.AppendUvarint(b, uint64(len(rows)))
	for _, r := range rows {
		b = appendValues(b, r)
	}
	return b
}

// reader cuts what the append functions wrote. The bytes were authenticated before: they are ours.
type reader struct{ b string }

func (r *reader) uint() (n uint64) {
	n, r.b = cutUint(r.b)
	return n
}

func (r *reader) byte() byte {
	c := r.b[0]
	r.b = r.b[1:]
	return c
}

func (r *reader) string() string {
	n := r.uint()
	s := r.b[:n]
	r.b = r.b[n:]
	return s
}

func (r *reader) strings() []string {
	var out []string
	for range r.uint() {
		out = append(out, r.string())
	}
	return out
}

func (r *reader) values() []connector.Value {
	var vs []connector.Value
	vs, r.b = cutValues(nil, r.b)
	return vs
}

func (r *reader) keys() []connector.Key {
	var out []connector.Key
	for range r.uint() {
		out = append(out, r.values())
	}
	return out
}

func (r *reader) rows() [][]connector.Value {
	var out [][]connector.Value
	for range r.uint() {
		out = append(out, r.values())
	}
	return out
}
