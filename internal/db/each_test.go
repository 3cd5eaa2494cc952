package db

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/testkit/storetest"
)

// TestEach: cells are what the store holds, of every kind, as Query gives them; what ends the rows comes back.
func TestEach(t *testing.T) {
	each(t, func(t *testing.T, d *DB) {
		if err := d.Migrate(ctx, "cells", "create table cells (n bigint not null, t text, b bytea)"); err != nil {
			t.Fatal(err)
		}
		err := d.Write(ctx, func(tx *Tx) error {
			for n := range 5 {
				if _, err := tx.Exec(ctx, "insert into cells (n, t, b) values ($1, $2, $3)", int64(n)<<40, strings.Repeat("ü", n), []byte(strings.Repeat("\x00\xff", n+1))); err != nil {
					return err
				}
			}
			_, err := tx.Exec(ctx, "insert into cells (n) values (-1)")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		var got []Cell
		for range 2 { // the second time with what was prepared
			got = nil
			err = d.Each(ctx, "select n, t, b from cells where n < $1 order by n", []int64{3 << 40}, func(row []Cell) error {
				for _, c := range row {
					c.Bytes = slices.Clone(c.Bytes)
					got = append(got, c)
				}
				return nil
			})
			if err != nil || len(got) != 12 {
				t.Fatal(got, err)
			}
		}
		if got[0].Int != -1 || got[0].Kind != Int || got[1].Kind != Null || got[2].Kind != Null || got[9].Int != 2<<40 ||
			got[10].Kind != Text || string(got[10].Bytes) != "üü" || got[11].Kind != Blob || string(got[11].Bytes) != "\x00\xff\x00\xff\x00\xff" {
			t.Errorf("%v", got)
		}
		enough, rows := errors.New("enough"), 0
		err = d.Each(ctx, "select n from cells", nil, func([]Cell) error { rows++; return enough })
		if !errors.Is(err, enough) || rows != 1 {
			t.Errorf("%d rows, %v", rows, err)
		}
		if err := d.Each(ctx, "select n from nowhere", nil, nil); err == nil || fault.KindOf(err) == fault.Unavailable {
			t.Errorf("of a table that is not there: %v", err)
		}
		ended, end := context.WithCancel(ctx)
		end()
		if err := d.Each(ended, "select n from cells", nil, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("after the end of its context: %v", err)
		}
		if done, err := d.Tidy(ctx); err != nil || !done {
			t.Errorf("somebody still reads: %v, %v", done, err)
		}
		if err := errors.Join(d.Close(), d.Close()); err != nil {
			t.Fatal(err)
		}
		if err := d.Each(ctx, "select n from cells", nil, nil); fault.KindOf(err) != fault.Unavailable {
			t.Errorf("after Close: %v", err)
		}
	})
}

// TestEachBesideWriter: the rows are of one moment, and whoever writes does not wait.
func TestEachBesideWriter(t *testing.T) {
	each(t, func(t *testing.T, d *DB) {
		if err := d.Write(ctx, func(tx *Tx) error { return errors.Join(insert(tx, "a"), insert(tx, "b")) }); err != nil {
			t.Fatal(err)
		}
		var seen string
		err := d.Each(ctx, "select v from t order by v", nil, func(row []Cell) error {
			seen += string(row[0].Bytes)
			return d.Write(ctx, func(tx *Tx) error { return insert(tx, "c"+seen) })
		})
		if err != nil || seen != "ab" {
			t.Errorf("%q, %v", seen, err)
		}
	})
}

// TestEachOfDamage: a page that was overwritten is damage, and names no value.
func TestEachOfDamage(t *testing.T) {
	d := fresh(t, storetest.SQLite)
	err := d.Write(ctx, func(tx *Tx) error {
		for _, c := range "abcdefghijklmnop" {
			if err := insert(tx, strings.Repeat(string(c), 2000)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if done, err := d.Tidy(ctx); err != nil || !done {
		t.Fatal(done, err)
	}
	path := d.engine.(*file).path
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteAt(slices.Repeat([]byte{0xee}, int(info.Size())-4096), 4096)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	err = d.Each(ctx, "select v from t", nil, func([]Cell) error { return nil })
	if fault.KindOf(err) != fault.Integrity || strings.Contains(err.Error(), "aaa") {
		t.Errorf("a damaged file: %v", err)
	}
}
