package db

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"testing"

	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/testkit/storetest"
)

const (
	dumped     = "create table kinds (id integer primary key, v text not null, b bytea, n bigint)"
	dumpedMore = "alter table kinds add column late text; create index kinds_v on kinds (v); create table empty (id bigint)"
)

func filled(t *testing.T, engine string) *DB {
	t.Helper()
	d := opened(t, storetest.Address(t, engine))
	if err := d.Migrate(ctx, "first", dumped, dumpedMore); err != nil {
		t.Fatal(err)
	}
	err := d.Write(ctx, func(tx *Tx) error {
		for i := range 120 {
			var b any
			if i%3 > 0 {
				b = bytes.Repeat([]byte{byte(i), 0, 0xff}, i%5)
			}
			if _, err := tx.Exec(ctx, "insert into kinds (id, v, b, n) values ($1, $2, $3, $4)", i+1, fmt.Sprint("æ\n", i), b, -int64(i)<<40); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func dumpOf(t *testing.T, d *DB) []byte {
	t.Helper()
	var b bytes.Buffer
	err := d.Read(ctx, func(tx *Tx) error {
		_, err := Dump(ctx, tx, &b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestDumpFillsEitherEngine: what comes out of one goes into the other, and comes out the same again.
func TestDumpFillsEitherEngine(t *testing.T) {
	for _, from := range []string{storetest.SQLite, storetest.Postgres} {
		for _, to := range []string{storetest.SQLite, storetest.Postgres} {
			t.Run(from+" to "+to, func(t *testing.T) {
				whole := dumpOf(t, filled(t, from))
				d := opened(t, storetest.Address(t, to))
				rows, err := d.Fill(ctx, bytes.NewReader(whole))
				if err != nil || rows["kinds"] != 120 || len(rows) != 2 {
					t.Fatalf("%v, %v", rows, err)
				}
				if got := dumpOf(t, d); !bytes.Equal(got, whole) {
					t.Errorf("%d bytes came back of %d", len(got), len(whole))
				}
				if err := d.Migrate(ctx, "first", dumped, dumpedMore, "create table third (id bigint)"); err != nil {
					t.Errorf("the next step: %v", err)
				}
				if _, err := d.Fill(ctx, bytes.NewReader(whole)); fault.KindOf(err) != fault.Conflict {
					t.Errorf("into a store that is not empty: %v", err)
				}
			})
		}
	}
}

// TestFillRefusesWhatIsNotWhole: cut anywhere, no row of it is kept.
func TestFillRefusesWhatIsNotWhole(t *testing.T) {
	whole := dumpOf(t, filled(t, storetest.SQLite))
	for _, n := range []int{0, 5, len(dumpFormat) + 1, len(whole) / 2, len(whole) - 1} {
		d := opened(t, storetest.Address(t, storetest.SQLite))
		if _, err := d.Fill(ctx, io.LimitReader(bytes.NewReader(whole), int64(n))); err == nil {
			t.Errorf("%d bytes of %d were taken", n, len(whole))
		}
		_ = d.Read(ctx, func(tx *Tx) error {
			var rows int
			if err := tx.QueryRow(context.Background(), "select count(*) from kinds").Scan(&rows); err == nil && rows > 0 {
				t.Errorf("of %d bytes, %d rows were kept", n, rows)
			}
			return nil
		})
	}
}

// TestDumpIsOneMoment: what is written meanwhile is wholly in it or not at all.
func TestDumpIsOneMoment(t *testing.T) {
	each(t, func(t *testing.T, d *DB) {
		var b bytes.Buffer
		err := d.Read(ctx, func(tx *Tx) error {
			var n int
			if err := tx.QueryRow(ctx, "select count(*) from t").Scan(&n); err != nil {
				return err
			}
			if err := d.Write(ctx, func(tx *Tx) error { return insert(tx, "late") }); err != nil {
				return err
			}
			rows, err := Dump(ctx, tx, &b)
			if rows["t"] != 0 {
				t.Errorf("%d rows of another moment", rows["t"])
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
