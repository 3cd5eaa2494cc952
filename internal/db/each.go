package db

import (
	"context"
	"unsafe"
)

// Kind is what a Cell holds.
type Kind uint8

// The kinds of cells; Other is one that no column of ours has.
const (
	Null Kind = iota
	Int
	Text
	Blob
	Other
)

// Cell is one column of a row as the store holds it: nothing is converted into another kind.
type Cell struct {
	Kind  Kind
	Int   int64
	Bytes []byte // of Text and Blob; what is read is the store's own, and valid until the next row
}

// OfInt is a cell of a bigint.
func OfInt(n int64) Cell { return Cell{Kind: Int, Int: n} }

// OfBool is a cell of a boolean.
func OfBool(is bool) Cell {
	if is {
		return OfInt(1)
	}
	return OfInt(0)
}

// OfText is a cell of a text.
func OfText(s string) Cell {
	return Cell{Kind: Text, Bytes: unsafe.Slice(unsafe.StringData(s), len(s))} // nobody changes what is in a cell
}

// OfBlob is a cell of bytes; nil is NULL.
func OfBlob(b []byte) Cell {
	if b == nil {
		return Cell{}
	}
	return Cell{Kind: Blob, Bytes: b}
}

// Each gives every row of a query to fn, on a snapshot of its own. It is for those who read very many: on SQLite a row costs a
// third of what Query and Scan take. An error of fn ends it and comes back as it is. fn must not change what a cell holds, nor
// keep it. ctx is looked at before the first row.
func (d *DB) Each(ctx context.Context, text string, args []int64, fn func(row []Cell) error) error {
	select {
	case <-d.done:
		return errClosed()
	default:
	}
	if f, ok := d.engine.(*file); ok {
		return f.each(ctx, text, args, fn)
	}
	return d.Read(ctx, func(tx *Tx) error {
		given := make([]any, len(args))
		for i, a := range args {
			given[i] = a
		}
		rows, err := tx.Query(ctx, text, given...)
		if err != nil {
			return err
		}
		defer rows.Close()
		return rows.each(fn)
	})
}

func (r *Rows) each(fn func(row []Cell) error) error {
	names, err := r.rows.Columns()
	if err != nil {
		return err
	}
	values, into, row := make([]any, len(names)), make([]any, len(names)), make([]Cell, len(names))
	for i := range values {
		into[i] = &values[i]
	}
	for r.Next() {
		if err := r.Scan(into...); err != nil {
			return err
		}
		for i, v := range values {
			row[i] = cellOf(v)
		}
		if err := fn(row); err != nil {
			return err
		}
	}
	return r.Err()
}

func cellOf(v any) Cell {
	switch v := v.(type) {
	case nil:
		return Cell{}
	case int64:
		return Cell{Kind: Int, Int: v}
	case string:
		return Cell{Kind: Text, Bytes: []byte(v)}
	case []byte:
		return Cell{Kind: Blob, Bytes: v}
	}
	return Cell{Kind: Other}
}
