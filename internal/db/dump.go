package db

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/ombudhq/ombud/internal/fault"
)

// A dump is a sequence of records, each a byte that says which, then its parts: a schema step ('S': feature, number, text),
// a table ('T': name, number of columns, their names), a row of it ('R': its values), the end ('E': number of rows). Texts
// come after their length; values after a byte that says their type. It says nothing of the engine.
const dumpFormat = "ombud-store/v1\n"

// maxDumpText bounds one value, so that a damaged length asks for no memory.
const maxDumpText = 1 << 30

var madeTable = regexp.MustCompile(`(?i)(create|drop) table (?:if not exists )?([a-z_]+)`)

// Dump writes the whole store, as the snapshot of tx has it, for Fill, and gives the number of rows in each table.
func Dump(ctx context.Context, tx *Tx, out io.Writer) (map[string]int64, error) {
	d := &dumper{w: bufio.NewWriterSize(out, 64<<10), rows: map[string]int64{}}
	d.w.WriteString(dumpFormat)
	tables, err := d.steps(ctx, tx)
	if err != nil {
		return nil, err
	}
	total := int64(0)
	for _, t := range tables {
		if err := d.table(ctx, tx, t); err != nil {
			return nil, fmt.Errorf("copying %s: %w", t, err)
		}
		total += d.rows[t]
	}
	d.w.WriteByte('E')
	d.int(total)
	return d.rows, d.w.Flush()
}

// dumper writes records; its writer keeps the first error.
type dumper struct {
	w    *bufio.Writer
	rows map[string]int64
}

func (d *dumper) int(n int64)   { d.w.Write(binary.AppendVarint(nil, n)) }
func (d *dumper) text(s string) { d.int(int64(len(s))); d.w.WriteString(s) }

// steps writes the schema and gives the tables it makes, without those that a later part of it drops.
func (d *dumper) steps(ctx context.Context, tx *Tx) (tables []string, err error) {
	var applied, kept int64
	err = tx.QueryRow(ctx, "select (select count(*) from schema_steps), (select count(*) from schema_texts)").Scan(&applied, &kept)
	if err != nil {
		return nil, err
	}
	if applied != kept {
		return nil, fault.New(fault.Unavailable, "this store was made by a version that cannot be backed up")
	}
	rows, err := tx.Query(ctx, "select feature, step, body from schema_texts order by n")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var feature, text string
		var n int64
		if err := rows.Scan(&feature, &n, &text); err != nil {
			return nil, err
		}
		d.w.WriteByte('S')
		d.text(feature)
		d.int(n)
		d.text(text)
		for _, m := range madeTable.FindAllStringSubmatch(text, -1) {
			if strings.EqualFold(m[1], "create") {
				tables = append(tables, m[2])
			} else {
				tables = slices.DeleteFunc(tables, func(t string) bool { return t == m[2] })
			}
		}
	}
	return tables, rows.Err()
}

func (d *dumper) table(ctx context.Context, tx *Tx, name string) error {
	rows, err := tx.Query(ctx, "select * from "+quoteName(name))
	if err != nil {
		return err
	}
	defer rows.Close()
	columns, err := rows.rows.Columns()
	if err != nil {
		return err
	}
	d.w.WriteByte('T')
	d.text(name)
	d.int(int64(len(columns)))
	for _, c := range columns {
		d.text(c)
	}
	values, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	for d.rows[name] = 0; rows.Next(); d.rows[name]++ {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		d.w.WriteByte('R')
		for _, v := range values {
			if err := d.value(v); err != nil {
				return err
			}
		}
	}
	return rows.Err()
}

func (d *dumper) value(v any) error {
	switch v := v.(type) {
	case nil:
		return d.w.WriteByte('0')
	case int64:
		d.w.WriteByte('i')
		d.int(v)
	case string:
		d.w.WriteByte('t')
		d.text(v)
	case []byte:
		d.w.WriteByte('b')
		d.text(string(v))
	default:
		return fmt.Errorf("a column holds %T", v)
	}
	return nil
}

func quoteName(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
