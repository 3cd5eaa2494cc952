package plan

import (
	"encoding/binary"

	"github.com/ombudhq/ombud/connector"
)

// chunk is acts of one system that belong into one transaction.
type chunk struct {
	ordinal int
	system  string
	acts    []act
}

// act is a connector.Act by names, with what the proof needs.
type act struct {
	dataset  string
	step     int // index of the plan's steps, in order
	verb     connector.Verb
	breaks   bool // sets references to NULL only so that rows can go; the rows are deleted by a later act
	together bool // in a cycle that only one statement, or checks at the end, can delete
	rows     []connector.Key
	expect   []string
	fence    []fence
	set      []string
	values   [][]connector.Value
	old      [][]connector.Value // of the set columns, per row; read again to prove that they changed
}

// fence is a reason for which rows were planned: their cells of the columns are one of the keys.
type fence struct {
	columns []string
	keys    []connector.Key
	lost    []string // those of the columns that the run itself has set to NULL before: they must be NULL
}

func (c chunk) encode() []byte {
	b := appendString(nil, c.system)
	b = binary.AppendUvarint(b, uint64(len(c.acts)))
	for _, a := range c.acts {
		b = a.append(b)
	}
	return b
}

func (a act) append(b []byte) []byte {
	b = appendString(b, a.dataset)
	b = binary.AppendUvarint(b, uint64(a.step))
	b = appendString(b, string(a.verb))
	b = append(b, boolByte(a.breaks), boolByte(a.together))
	b = appendKeys(b, a.rows)
	b = appendStrings(b, a.expect)
	b = binary.AppendUvarint(b, uint64(len(a.fence)))
	for _, f := range a.fence {
		b = appendStrings(appendKeys(appendStrings(b, f.columns), f.keys), f.lost)
	}
	b = appendStrings(b, a.set)
	return appendRows(appendRows(b, a.values), a.old)
}

func decodeChunk(ordinal int, b []byte) (chunk, error) {
	r := &reader{string(b)}
	c := chunk{ordinal: ordinal, system: r.string()}
	for range r.uint() {
		a := act{dataset: r.string(), step: int(r.uint()), verb: connector.Verb(r.string()), breaks: r.byte() == 1, together: r.byte() == 1, rows: r.keys(), expect: r.strings()}
		for range r.uint() {
			a.fence = append(a.fence, fence{r.strings(), r.keys(), r.strings()})
		}
		a.set = r.strings()
		a.values, a.old = r.rows(), r.rows()
		c.acts = append(c.acts, a)
	}
	return c, nil
}
