package db

import "context"

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
	Bytes []byte // of Text and Blob; the store's own, and valid until the next row
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
