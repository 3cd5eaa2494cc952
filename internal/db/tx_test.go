package db

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
)

func TestPlaceholdersByNumber(t *testing.T) {
	each(t, func(t *testing.T, d *DB) {
		err := d.Write(ctx, func(tx *Tx) error {
			n, err := tx.Exec(ctx, "insert into t (v, id) values ($2, $1) on conflict (id) do update set v = $2", 7, "x")
			if err != nil || n != 1 {
				t.Errorf("%d, %v", n, err)
			}
			var v string
			if err := tx.QueryRow(ctx, "update t set v = v || $2 where id = $1 returning v", 7, "y").Scan(&v); err != nil || v != "xy" {
				t.Errorf("%q, %v", v, err)
			}
			if err := tx.QueryRow(ctx, "select v from t where id = $1", 8).Scan(&v); !errors.Is(err, ErrNoRows) {
				t.Errorf("got %v", err)
			}
			return nil
		})
		if err != nil || !slices.Equal(values(t, d), []string{"xy"}) {
			t.Error(err, values(t, d))
		}
	})
}

func TestReadIsASnapshot(t *testing.T) {
	each(t, func(t *testing.T, d *DB) {
		err := d.Read(ctx, func(tx *Tx) error {
			var before, after int
			if err := tx.QueryRow(ctx, "select count(*) from t").Scan(&before); err != nil {
				return err
			}
			if err := d.Write(ctx, func(tx *Tx) error { return insert(tx, "a") }); err != nil {
				return err
			}
			if err := tx.QueryRow(ctx, "with x as (select * from t) select count(*) from x").Scan(&after); err != nil {
				return err
			}
			if before != 0 || after != 0 {
				t.Errorf("saw %d, then %d", before, after)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		if err := d.Read(ctx, func(tx *Tx) error { return insert(tx, "b") }); err == nil {
			t.Error("a reader wrote")
		}
		if err := d.Read(ctx, func(tx *Tx) error { _ = insert(tx, "b"); return nil }); err == nil {
			t.Error("a failed statement was passed over")
		}
		if len(values(t, d)) != 1 {
			t.Error("the reader is unusable afterwards")
		}
	})
}

// Rows of one text may be open twice, and forgotten.
func TestRowsNested(t *testing.T) {
	each(t, func(t *testing.T, d *DB) {
		err := d.Write(ctx, func(tx *Tx) error {
			for _, v := range []string{"a", "b", "c"} {
				if err := insert(tx, v); err != nil {
					return err
				}
			}
			seen := ""
			outer, err := tx.Query(ctx, "select v from t order by v")
			if err != nil {
				return err
			}
			for outer.Next() {
				inner, err := tx.Query(ctx, "select v from t order by v")
				if err != nil {
					return err
				}
				var a, b string
				inner.Next()
				if err := errors.Join(outer.Scan(&a), inner.Scan(&b)); err != nil {
					return err
				}
				seen += a + b // inner stays open
			}
			if seen != "aabaca" {
				t.Errorf("saw %q", seen)
			}
			return outer.Err()
		})
		if err != nil || len(values(t, d)) != 3 {
			t.Error(err)
		}
		var kept *Tx
		d.Read(ctx, func(tx *Tx) error { kept = tx; return nil })
		if _, err := kept.Query(ctx, "select 1"); err == nil {
			t.Error("a transaction works after its end")
		}
	})
}

func TestRowsOutliveTheNextStatement(t *testing.T) {
	each(t, func(t *testing.T, d *DB) {
		const n = 1000
		err := d.Write(ctx, func(tx *Tx) error {
			_, err := tx.Exec(ctx, `with recursive n (i) as (select 1 union all select i + 1 from n where i < $1)
				insert into t (id, v) select i, 'value ' || i from n`, n)
			if err != nil {
				return err
			}
			rows, err := tx.Query(ctx, "select id, v from t order by id")
			if err != nil {
				return err
			}
			for want := 1; want <= n; want++ {
				var id, count int
				var v string
				if !rows.Next() || rows.Scan(&id, &v) != nil || id != want || v != fmt.Sprint("value ", want) {
					return fmt.Errorf("row %d is %d, %q", want, id, v)
				}
				if err := tx.QueryRow(ctx, "select count(*) from t").Scan(&count); err != nil || count != n {
					return fmt.Errorf("%d rows: %w", count, err)
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}

// What a store gives back is what it got, in every type the product uses, on both engines.
func TestValuesComeBack(t *testing.T) {
	each(t, func(t *testing.T, d *DB) {
		type word string
		var (
			n     int64
			text  word
			none  sql.NullString
			empty string
			b, nb []byte
		)
		err := d.Write(ctx, func(tx *Tx) error {
			if err := tx.c.script(ctx, "create table v (n bigint, w text, none text, empty text, b bytea, nb bytea)"); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, "insert into v values ($1, $2, $3, $4, $5, $6)", math.MinInt64, "æ\n'", nil, "", []byte{0, 255, '7'}, []byte(nil))
			if err != nil {
				return err
			}
			return tx.QueryRow(ctx, "select n, w, none, empty, b, nb from v where ($1 = '' or w = $1) and n < $2 limit $3", "", 0, 1).
				Scan(&n, &text, &none, &empty, &b, &nb)
		})
		if err != nil || n != math.MinInt64 || text != "æ\n'" || none.Valid || empty != "" || !bytes.Equal(b, []byte{0, 255, '7'}) || nb != nil {
			t.Errorf("%d %q %v %q %v %v: %v", n, text, none, empty, b, nb, err)
		}
	})
}
