package db

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/ombudhq/ombud/internal/fault"
)

// batchRows is how many rows one statement of a Fill inserts.
const batchRows = 50

// Fill puts what Dump wrote into this store, which must be new: the schema step by step, then every row in one transaction.
// It gives the number of rows in each table. What is no whole dump is fault.Integrity, and no row is kept.
func (d *DB) Fill(ctx context.Context, in io.Reader) (map[string]int64, error) {
	f := &filler{db: d, r: bufio.NewReaderSize(in, 64<<10)}
	head := make([]byte, len(dumpFormat))
	if _, err := io.ReadFull(f.r, head); err != nil || string(head) != dumpFormat {
		return nil, errDump(err)
	}
	if err := f.isNew(ctx); err != nil {
		return nil, err
	}
	kind, err := f.steps(ctx)
	if err != nil {
		return nil, err
	}
	once := false
	err = d.Write(ctx, func(tx *Tx) error {
		if once {
			return errors.New("the store was written meanwhile")
		}
		once, f.rows = true, map[string]int64{}
		return f.tables(ctx, tx, kind)
	})
	return f.rows, err
}

func errDump(cause error) error {
	return fault.Wrap(fault.Integrity, cause, "what is to be restored is not a whole store")
}

type filler struct {
	db   *DB
	r    *bufio.Reader
	rows map[string]int64
}

// isNew refuses a store that anything was ever put into.
func (f *filler) isNew(ctx context.Context) error {
	return f.db.Write(ctx, func(tx *Tx) error {
		for _, t := range []string{stepsTable, textsTable} {
			if _, err := tx.Exec(ctx, t); err != nil {
				return err
			}
		}
		var n int
		if err := tx.QueryRow(ctx, "select count(*) from schema_steps").Scan(&n); err != nil {
			return err
		}
		if n > 0 {
			return fault.New(fault.Conflict, "the store to restore into is not empty").Then("Name a new one with --store, or an empty --data.")
		}
		return nil
	})
}

// steps applies the schema and gives the kind of the record that follows it.
func (f *filler) steps(ctx context.Context) (byte, error) {
	for {
		kind, err := f.r.ReadByte()
		if err != nil || kind != 'S' {
			return kind, err
		}
		feature, err1 := f.text()
		n, err2 := f.int()
		text, err3 := f.text()
		if err := errors.Join(err1, err2, err3); err != nil {
			return 0, err
		}
		if err := f.db.applyStep(ctx, feature, int(n), text); err != nil {
			return 0, fmt.Errorf("schema step %d of %s: %w", n, feature, err)
		}
	}
}

func (f *filler) int() (int64, error) {
	n, err := binary.ReadVarint(f.r)
	if err != nil {
		return 0, errDump(err)
	}
	return n, nil
}

func (f *filler) text() (string, error) {
	n, err := f.int()
	if err != nil || n < 0 || n > maxDumpText {
		return "", errDump(err)
	}
	var b strings.Builder
	if m, err := io.CopyN(&b, f.r, n); err != nil || m != n {
		return "", errDump(err)
	}
	return b.String(), nil
}

func (f *filler) tables(ctx context.Context, tx *Tx, kind byte) error {
	var b *batch
	total := int64(0)
	for {
		var err error
		switch kind {
		case 'T':
			err = b.flush(ctx, tx, true)
			if b, err = f.table(ctx, tx, err); err == nil {
				f.rows[b.name] = 0
			}
		case 'R':
			if b == nil {
				return errDump(nil)
			}
			if err = f.row(b); err == nil {
				err = b.flush(ctx, tx, false)
			}
			f.rows[b.name]++
			total++
		case 'E':
			n, err := f.int()
			if err == nil && n != total {
				err = errDump(nil)
			}
			return errors.Join(err, b.flush(ctx, tx, true))
		default:
			err = errDump(nil)
		}
		if err != nil {
			return err
		}
		if kind, err = f.r.ReadByte(); err != nil {
			return errDump(err)
		}
	}
}

func (f *filler) table(ctx context.Context, tx *Tx, before error) (*batch, error) {
	name, err := f.text()
	n, err2 := f.int()
	if err := errors.Join(before, err, err2); err != nil {
		return nil, err
	}
	if n < 1 || n > 1000 {
		return nil, errDump(nil)
	}
	b := &batch{name: name}
	for range n {
		c, err := f.text()
		if err != nil {
			return nil, err
		}
		b.columns = append(b.columns, quoteName(c))
	}
	_, err = tx.Exec(ctx, "delete from "+quoteName(name)) // what a step put there
	return b, err
}

func (f *filler) row(b *batch) error {
	for range b.columns {
		kind, err := f.r.ReadByte()
		if err != nil {
			return errDump(err)
		}
		var v any
		switch kind {
		case '0':
		case 'i':
			v, err = f.int()
		case 't':
			v, err = f.text()
		case 'b':
			var s string
			s, err = f.text()
			v = []byte(s)
		default:
			err = errDump(nil)
		}
		if err != nil {
			return err
		}
		b.values = append(b.values, v)
	}
	return nil
}

// batch are rows of a table on their way in.
type batch struct {
	name    string
	columns []string
	values  []any
}

// flush inserts the rows when there are enough of them, or it is the end.
func (b *batch) flush(ctx context.Context, tx *Tx, end bool) error {
	if b == nil || len(b.values) == 0 {
		return nil
	}
	n := len(b.values) / len(b.columns)
	if n < batchRows && !end {
		return nil
	}
	var rows []string
	for i := range n {
		var places []string
		for j := range b.columns {
			places = append(places, fmt.Sprintf("$%d", i*len(b.columns)+j+1))
		}
		rows = append(rows, "("+strings.Join(places, ", ")+")")
	}
	text := "insert into " + quoteName(b.name) + " (" + strings.Join(b.columns, ", ") + ") values " + strings.Join(rows, ", ")
	_, err := tx.Exec(ctx, text, b.values...)
	b.values = slices.Delete(b.values, 0, len(b.values))
	return err
}
