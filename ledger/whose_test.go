package ledger

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/ombudhq/ombud/internal/db"
)

// TestWhose: a subject's entries are found whether or not the table has taken them up, after a rollback over the end of a
// stride, and by a program that starts anew.
func TestWhose(t *testing.T) {
	each(t, func(t *testing.T, p *place) {
		want := map[string][]int64{}
		refused := errors.New("refused")
		write := func(n int, outcome error) {
			t.Helper()
			got := map[string][]int64{}
			err := p.db.Write(t.Context(), func(tx *db.Tx) error {
				clear(got)
				for i := range n {
					who := fmt.Sprintf("sub_0123456789ab%d", i%7) // alike as far as the table goes
					if i%2 == 0 {
						who = fmt.Sprintf("sub_%d", i%7)
					}
					at, err := p.l.Append(tx, Entry{Kind: "a.done", Result: "ok", Subject: who})
					if err != nil {
						return err
					}
					got[who] = append(got[who], at.ID)
				}
				return outcome
			})
			if !errors.Is(err, outcome) {
				t.Fatal(err)
			}
			for who, ids := range got {
				if outcome == nil {
					want[who] = append(want[who], ids...)
				}
			}
		}
		find := func() {
			t.Helper()
			for who, ids := range want {
				rows, err := p.l.Of(t.Context(), who)
				got := []int64{}
				for _, r := range rows {
					got = append(got, r.ID)
				}
				if err != nil || !slices.Equal(got, ids) {
					t.Errorf("%s: %d entries, want %d, %v", who, len(got), len(ids), err)
				}
				slices.Reverse(got)
				if found := p.search(Question{Subjects: []string{who}}); !slices.Equal(found, got) {
					t.Errorf("%s: searched %d entries, want %d", who, len(found), len(ids))
				}
			}
		}
		write(whoseStride-100, nil)
		p.db.Close()
		p.open()
		write(200, refused)
		write(whoseStride+50, nil)
		find()
		p.db.Close()
		p.open()
		find()
	})
}

// TestNobodysEntries: an entry that is forgotten leaves nothing in the table, whether it was taken up or would be.
func TestNobodysEntries(t *testing.T) {
	p := newPlace(t)
	write := func(n int) {
		t.Helper()
		err := p.db.Write(t.Context(), func(tx *db.Tx) error {
			for range n {
				if _, err := p.l.Append(tx, Entry{Kind: "a.done", Result: "ok", Subject: "sub_1"}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	write(whoseStride + 10)
	old, young := int64(7), int64(whoseStride+7)
	err := p.db.Write(t.Context(), func(tx *db.Tx) error {
		return errors.Join(p.l.disown(t.Context(), tx, old), p.l.disown(t.Context(), tx, young))
	})
	if err != nil {
		t.Fatal(err)
	}
	write(whoseStride)
	var left, all int
	err = p.db.Read(t.Context(), func(tx *db.Tx) error {
		return tx.QueryRow(t.Context(), "select coalesce(sum(case when id = $1 or id = $2 then 1 else 0 end), 0), count(*) from ledger_whose", old, young).Scan(&left, &all)
	})
	if err != nil || left != 0 || all != 2*whoseStride-2 {
		t.Errorf("%d of %d, %v", left, all, err)
	}
}
