package db

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// pgRows are rows from the wire, or from memory once another statement needed the connection.
type pgRows struct {
	c      *pgConn
	ctx    context.Context // of the query
	live   pgx.Rows        // nil when all was read
	row    [][]byte        // the one to scan
	rest   [][][]byte      // kept from the wire
	fields []pgconn.FieldDescription
	err    error
}

// Next moves on.
func (r *pgRows) Next() bool {
	switch {
	case len(r.rest) > 0:
		r.row, r.rest = r.rest[0], r.rest[1:]
		return true
	case r.live == nil:
		return false
	case r.live.Next():
		r.row, r.fields = r.live.RawValues(), r.live.FieldDescriptions()
		return true
	}
	r.finish()
	return false
}

// Scan decodes the row as database/sql would.
func (r *pgRows) Scan(dest ...any) error {
	return pgx.ScanRow(r.c.c.TypeMap(), r.fields, r.row, dest...)
}

// Columns are the names of the columns, before the first row was asked for.
func (r *pgRows) Columns() ([]string, error) {
	var names []string
	for _, f := range r.live.FieldDescriptions() {
		names = append(names, f.Name)
	}
	return names, nil
}

// Close tells what ended the rows early.
func (r *pgRows) Close() error {
	if r.live != nil {
		r.finish()
	}
	if r.err != nil {
		return r.c.mapped(r.ctx, "reading rows", r.err)
	}
	return nil
}

// keep reads what is left; what is on the wire is only borrowed, so it is copied.
func (r *pgRows) keep() {
	r.row = cloneRow(r.row)
	for r.live.Next() {
		r.rest = append(r.rest, cloneRow(r.live.RawValues()))
	}
	r.fields = slices.Clone(r.live.FieldDescriptions())
	r.finish()
}

func (r *pgRows) finish() {
	r.live.Close()
	r.err, r.live, r.c.live = r.live.Err(), nil, nil
}

// cloneRow copies the cells into one piece of memory; nil stays nil.
func cloneRow(cells [][]byte) [][]byte {
	size := 0
	for _, cell := range cells {
		size += len(cell)
	}
	all, out := make([]byte, 0, size), make([][]byte, len(cells))
	for i, cell := range cells {
		if cell == nil {
			continue
		}
		at := len(all)
		all = append(all, cell...)
		out[i] = all[at:len(all):len(all)]
	}
	return out
}
