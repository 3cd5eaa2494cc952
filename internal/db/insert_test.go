package db

import (
	"bytes"
	"errors"
	"fmt"
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
					return tx.Insert(notes, OfInt(i), Cell{}, OfBlob(nil))
				}
				return tx.Insert(notes, OfInt(i), OfText("word"), OfBlob([]byte{byte(i)}))
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
			func(tx *Tx) error { return tx.Insert(notes, OfInt(1), OfText("a"), Cell{}) },
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
				return tx.Insert(notes, OfInt(id), OfText("x"), Cell{})
			}
		}
		errs := d.group(one(1), one(2), one(1), one(3), func(tx *Tx) error { return tx.Insert(notes, OfInt(4)) })
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
				if err := tx.Insert(table, OfInt(i), OfBool(i < 3)); err != nil {
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

// TestRefusedInOneTableIsKeptInNone: the rows of a commit are one transaction, whatever tables they are of.
func TestRefusedInOneTableIsKeptInNone(t *testing.T) {
	words := NewTable("words", Column{"word", "text"})
	each(t, func(t *testing.T, d *DB) {
		if err := d.Migrate(ctx, "notes", notesSchema, "create table words (word text primary key)"); err != nil {
			t.Fatal(err)
		}
		both := func(id int64) error {
			return d.Write(ctx, func(tx *Tx) error {
				return errors.Join(tx.Insert(notes, OfInt(id), Cell{}, Cell{}), tx.Insert(words, OfText("once")))
			})
		}
		if err := both(1); err != nil {
			t.Fatal(err)
		}
		if err := both(2); err == nil || d.Err() != nil || len(readNotes(t, d)) != 1 {
			t.Errorf("%v, %v, %d notes", err, d.Err(), len(readNotes(t, d)))
		}
	})
}

// TestRowsTakeThePlaceOfOthers: also of those of the same commit, and the last stands.
func TestRowsTakeThePlaceOfOthers(t *testing.T) {
	table := NewReplacing("notes", 1, notes.columns...)
	each(t, func(t *testing.T, d *DB) {
		if err := d.Migrate(ctx, "notes", notesSchema); err != nil {
			t.Fatal(err)
		}
		put := func(word string, ids ...int64) func(*Tx) error {
			return func(tx *Tx) error {
				for _, id := range ids {
					if err := tx.Insert(table, OfInt(id), OfText(word), OfBlob(nil)); err != nil {
						return err
					}
				}
				return tx.Insert(notes, OfInt(1000+ids[0]), OfText("beside"), OfBlob([]byte{}))
			}
		}
		err := errors.Join(errors.Join(d.group(put("a", 1, 2, 3), put("b", 2))...), d.Write(ctx, put("c", 3, 3)))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range readNotes(t, d) {
			got = append(got, fmt.Sprint(r.id, " ", *r.word))
		}
		want := []string{"1 a", "2 b", "3 c", "1001 beside", "1002 beside", "1003 beside"}
		if !slices.Equal(got, want) {
			t.Errorf("the store has %q", got)
		}
	})
}
