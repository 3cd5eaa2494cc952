package db

import (
	"bytes"
	"errors"
	"testing"
)

// TestRewrite: every value is given once, in order, also rows added meanwhile; what fn leaves alone and what somebody else
// changed meanwhile stays.
func TestRewrite(t *testing.T) {
	each(t, func(t *testing.T, d *DB) {
		if err := d.Migrate(ctx, "notes", notesSchema); err != nil {
			t.Fatal(err)
		}
		add := func(id int64, body []byte) error {
			return d.Write(ctx, func(tx *Tx) error {
				_, err := tx.Exec(ctx, "insert into notes (id, body) values ($1, $2) on conflict (id) do update set body = excluded.body", id, body)
				return err
			})
		}
		const n = 2*rewritten + 7
		var errs []error
		for i := range int64(n) {
			errs = append(errs, add(i+1, []byte{byte(i), 0}))
		}
		errs = append(errs, add(n+1, nil)) // none is not asked for
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
		var seen []int64
		done, err := Rewrite(ctx, d, Bytes{Table: "notes", Key: "id", Name: "body"}, func(id int64, _, body []byte) ([]byte, error) {
			seen = append(seen, id)
			switch id {
			case 3:
				return nil, add(id, []byte("mine"))
			case 4:
				return []byte("lost"), add(id, []byte("theirs"))
			case 5:
				return nil, add(n+2, []byte{(n + 1) % 256, 0})
			}
			return append(body, 1), nil
		})
		if err != nil || done != n+1-3 || len(seen) != n+1 || seen[len(seen)-1] != n+2 {
			t.Fatalf("%d of %d, %v", done, len(seen), err)
		}
		for _, note := range readNotes(t, d) {
			want := []byte{byte(note.id - 1), 0, 1}
			switch note.id {
			case 3:
				want = []byte("mine")
			case 4:
				want = []byte("theirs")
			case 5:
				want = []byte{4, 0}
			case n + 1:
				want = nil
			}
			if !bytes.Equal(note.body, want) {
				t.Errorf("%d: %q, want %q", note.id, note.body, want)
			}
		}
		refuse := errors.New("no")
		if _, err := Rewrite(ctx, d, Bytes{Table: "notes", Key: "id", Name: "body"}, func(int64, []byte, []byte) ([]byte, error) { return nil, refuse }); !errors.Is(err, refuse) {
			t.Errorf("%v", err)
		}
	})
}
