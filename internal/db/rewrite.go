package db

import (
	"context"
	"fmt"
	"strings"
)

// rewritten is how many rows Rewrite reads at once.
const rewritten = 256

// Bytes is a column of bytes that is to be written anew, in a table whose rows have a key.
type Bytes struct {
	Table, Key, Name string
	Beside           string // a further column of bytes that fn is given; "" for none
}

// Rewrite gives every value of a column to fn, in order of the keys, with its key and what lies beside it, and stores what
// fn gives instead; nil leaves it as it is. Others write meanwhile: a value that was changed since it was read is left to
// whoever changed it, and rows that were added are reached too. It gives how many were replaced.
func Rewrite[K string | int64](ctx context.Context, d *DB, c Bytes, fn func(key K, beside, value []byte) ([]byte, error)) (n int, err error) {
	var after K
	for {
		rows, err := readColumn(ctx, d, c, after)
		if err != nil || len(rows) == 0 {
			return n, err
		}
		after = rows[len(rows)-1].key
		changed := rows[:0]
		for _, r := range rows {
			if r.fresh, err = fn(r.key, r.beside, r.value); err != nil {
				return n, err
			}
			if r.fresh != nil {
				changed = append(changed, r)
			}
		}
		done, err := writeColumn(ctx, d, c, changed)
		if n += done; err != nil {
			return n, err
		}
	}
}

type columnRow[K any] struct {
	key                  K
	beside, value, fresh []byte
}

func readColumn[K any](ctx context.Context, d *DB, c Bytes, after K) (out []columnRow[K], err error) {
	beside := "null"
	if c.Beside != "" {
		beside = quoteName(c.Beside)
	}
	key, name := quoteName(c.Key), quoteName(c.Name)
	text := fmt.Sprintf("select %s, %s, %s from %s where %s is not null and %s > $1 order by %s limit %d",
		key, beside, name, quoteName(c.Table), name, key, key, rewritten)
	err = d.Read(ctx, func(tx *Tx) error {
		out = nil
		rows, err := tx.Query(ctx, text, after)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var r columnRow[K]
			if err := rows.Scan(&r.key, &r.beside, &r.value); err != nil {
				return err
			}
			out = append(out, r)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("reading %s of %s: %w", c.Name, c.Table, err)
	}
	return out, nil
}

func writeColumn[K any](ctx context.Context, d *DB, c Bytes, rows []columnRow[K]) (n int, err error) {
	if len(rows) == 0 {
		return 0, nil
	}
	name := quoteName(c.Name)
	text := strings.Join([]string{"update", quoteName(c.Table), "set", name, "= $2 where", quoteName(c.Key), "= $1 and", name, "= $3"}, " ")
	err = d.Write(ctx, func(tx *Tx) error {
		n = 0
		for _, r := range rows {
			done, err := tx.Exec(ctx, text, r.key, r.fresh, r.value)
			if err != nil {
				return err
			}
			n += int(done)
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("writing %s of %s: %w", c.Name, c.Table, err)
	}
	return n, nil
}
