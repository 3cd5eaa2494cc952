package postgres

import (
	"encoding/hex"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ombudhq/ombud/connector"
)

// reader turns rows of the wire into values, with one string for all cells of a row.
type reader struct {
	row    []connector.Value
	buffer []byte
	ends   []int
}

// read gives a row of these columns; the slice is the reader's, its strings are the caller's.
func (r *reader) read(columns []*connector.Column, raw [][]byte) []connector.Value {
	r.buffer, r.row, r.ends = r.buffer[:0], r.row[:0], r.ends[:0]
	for i, c := range columns {
		r.buffer = appendCell(r.buffer, c, raw[i])
		r.ends = append(r.ends, len(r.buffer))
	}
	all, from := string(r.buffer), 0
	for i, c := range columns {
		v := connector.Value{Kind: c.Kind, S: all[from:r.ends[i]]}
		if raw[i] == nil {
			v = connector.Value{}
		}
		r.row, from = append(r.row, v), r.ends[i]
	}
	return r.row
}

// appendCell writes a cell as Value.S wants it. Most are what the server wrote.
func appendCell(b []byte, c *connector.Column, raw []byte) []byte {
	switch c.Kind {
	case connector.Bytes:
		if len(raw) >= 2 && raw[0] == '\\' && raw[1] == 'x' {
			if b, err := hex.AppendDecode(b, raw[2:]); err == nil {
				return b
			}
		}
	case connector.Bool:
		if len(raw) == 1 {
			return strconv.AppendBool(b, raw[0] == 't')
		}
	case connector.Float:
		if raw != nil {
			if f, err := strconv.ParseFloat(string(raw), floatBits(c)); err == nil {
				return strconv.AppendFloat(b, f, 'g', -1, floatBits(c))
			}
		}
	}
	return append(b, raw...)
}

func floatBits(c *connector.Column) int {
	if base(c) == "real" {
		return 32
	}
	return 64
}

// wire is a value as PostgreSQL reads its type.
func wire(v connector.Value) string {
	switch v.Kind {
	case connector.Bytes:
		return `\x` + hex.EncodeToString([]byte(v.S))
	case connector.Float:
		if f, err := strconv.ParseFloat(v.S, 64); err == nil && math.IsInf(f, 0) {
			return strings.Replace(v.S, "Inf", "Infinity", 1)
		}
	}
	return v.S
}

// wireBytes is wire for a parameter; nil is NULL.
func wireBytes(v connector.Value) []byte {
	if v.IsNull() {
		return nil
	}
	return append([]byte{}, wire(v)...)
}

// array writes part i of each key as an array literal.
func array(keys []connector.Key, i int) []byte {
	b := make([]byte, 0, 16*len(keys)+2)
	b = append(b, '{')
	for n, k := range keys {
		if n > 0 {
			b = append(b, ',')
		}
		b = appendElement(b, k[i])
	}
	return append(b, '}')
}

func appendElement(b []byte, v connector.Value) []byte {
	switch v.Kind {
	case connector.Null:
		return append(b, "NULL"...)
	case connector.Int, connector.Decimal, connector.UUID, connector.Bool:
		return append(b, v.S...)
	}
	b = append(b, '"')
	for _, c := range []byte(wire(v)) {
		if c == '"' || c == '\\' {
			b = append(b, '\\')
		}
		b = append(b, c)
	}
	return append(b, '"')
}

// storable reports whether PostgreSQL can hold the text at all.
func storable(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }
