package db

import (
	"bytes"
	"errors"
	"slices"
	"testing"
)

var notes = NewTable("notes", Column{"id", "bigint"}, Column{"word", "text"}, Column{"body", "bytea"})

const notesSchema = "create table notes (id integer primary key, word text, body bytea)"

type note struct {
	id   int64
	word *string
	body []byte
}

func readNotes(t *testing.T, d *DB) (out []note) {
	t.Helper()
	err := d.Read(ctx, func(tx *Tx) error {
		rows, err := tx.Query(ctx, "select id, word, body from notes order by id")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var n note
			if err := rows.Scan(&n.id, &n.word, &n.body); err != nil {
				return err
			}
			out = append(out, n)
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestInsertedTogether(t *testing.T) {
	each(t, func(t *testing.T, d *DB) {
		if err := d.Migrate(ctx, "notes", notesSchema); err != nil {
			t.Fatal(err)
		}
		const n = 200 // more than one statement's
		var fns []func(*Tx) error
		for i := range int64(n) {
			fns = append(fns, func(tx *Tx) error {
				if i%3 == 0 {
					return tx.Insert(notes, i, nil, nil)
				}
				return tx.Insert(notes, i, "word", []byte{byte(i)})
			})
		}
		if err := errors.Join(d.group(fns...)...); err != nil {
			t.Fatal(err)
		}
		got := readNotes(t, d)
		if len(got) != n {
			t.Fatalf("%d rows", len(got))
		}
		for i, r := range got {
			if r.id != int64(i) || (r.word == nil) != (i%3 == 0) || i%3 != 0 && !bytes.Equal(r.body, []byte{byte(i)}) {
				t.Fatalf("row %d: %v", i, r)
			}
		}
	})
}

func TestInsertIsSeenByTheNextStatement(t *testing.T) {
	each(t, func(t *testing.T, d *DB) {
		if err := d.Migrate(ctx, "notes", notesSchema); err != nil {
			t.Fatal(err)
		}
		seen := 0
		err := errors.Join(d.group(
			func(tx *Tx) error { return tx.Insert(notes, int64(1), "a", nil) },
			func(tx *Tx) error { return tx.QueryRow(ctx, "select count(*) from notes").Scan(&seen) },
		)...)
		if err != nil || seen != 1 {
			t.Errorf("%d rows seen, %v", seen, err)
		}
	})
}

// TestOnlyTheRefusedInsertFails: that a row is refused comes out when all are sent, and yet its command alone fails.
func TestOnlyTheRefusedInsertFails(t *testing.T) {
	each(t, func(t *testing.T, d *DB) {
		if err := d.Migrate(ctx, "notes", notesSchema); err != nil {
			t.Fatal(err)
		}
		undone := 0
		one := func(id int64) func(*Tx) error {
			return func(tx *Tx) error {
				tx.OnRollback(func() { undone++ })
				return tx.Insert(notes, id, "x", nil)
			}
		}
		errs := d.group(one(1), one(2), one(1), one(3), func(tx *Tx) error { return tx.Insert(notes, int64(4)) })
		if errs[0] != nil || errs[1] != nil || errs[2] == nil || errs[3] != nil || errs[4] == nil || d.Err() != nil {
			t.Errorf("%v, %v", errs, d.Err())
		}
		ids := []int64{}
		for _, r := range readNotes(t, d) {
			ids = append(ids, r.id)
		}
		if !slices.Equal(ids, []int64{1, 2, 3}) || undone == 0 {
			t.Errorf("kept %v, %d undone", ids, undone)
		}
		if err := d.Write(ctx, one(5)); err != nil {
			t.Error(err)
		}
		if err := d.Write(ctx, one(5)); err == nil || len(readNotes(t, d)) != 4 {
			t.Error("a row came twice")
		}
	})
}

func TestInsertedBooleans(t *testing.T) {
	table := NewTable("flags", Column{"id", "bigint"}, Column{"loud", "boolean"})
	each(t, func(t *testing.T, d *DB) {
		if err := d.Migrate(ctx, "flags", "create table flags (id integer primary key, loud boolean not null)"); err != nil {
			t.Fatal(err)
		}
		var n int
		err := d.Write(ctx, func(tx *Tx) error {
			for i := range int64(5) {
				if err := tx.Insert(table, i, i < 3); err != nil {
					return err
				}
			}
			return tx.QueryRow(ctx, "select count(*) from flags where loud = true").Scan(&n)
		})
		if err != nil || n != 3 {
			t.Errorf("%d are true, %v", n, err)
		}
	})
}
