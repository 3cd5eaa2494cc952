package ledger

import (
	"errors"
	"fmt"
	"slices"
	"strings"
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
	listed := noted(t, p)
	for _, gone := range []int64{old, young} {
		if listed[fmt.Sprintf("%d 1", gone)] {
			t.Errorf("entry %d is still listed", gone)
		}
	}
	if len(listed) != 2*whoseStride-2 {
		t.Errorf("%d are listed", len(listed))
	}
}

// noted is all that the lists hold.
func noted(t *testing.T, p *place) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	err := p.db.Read(t.Context(), func(tx *db.Tx) error {
		rows, err := tx.Query(t.Context(), "select list from ledger_lists")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var list string
			if err := rows.Scan(&list); err != nil {
				return err
			}
			for one := range strings.SplitSeq(strings.Trim(list, ","), ",") {
				all[one] = true
			}
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestSpans: a subject's entries are found in every span, also where a former version wrote the table, and none is left of one
// that is forgotten.
func TestSpans(t *testing.T) {
	each(t, func(t *testing.T, p *place) {
		var want []int64
		write := func(who string, n int) {
			t.Helper()
			err := p.db.Write(t.Context(), func(tx *db.Tx) error {
				for range n {
					at, err := p.l.Append(tx, Entry{Kind: "a.done", Result: "ok", Subject: who})
					if err != nil {
						return err
					}
					if who == "sub_her" {
						want = append(want, at.ID)
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		find := func() {
			t.Helper()
			rows, err := p.l.Of(t.Context(), "sub_her")
			got := []int64{}
			for _, r := range rows {
				got = append(got, r.ID)
			}
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("%d entries, want %d, %v", len(got), len(want), err)
			}
		}
		write("sub_her", 3)
		write("sub_him", whoseSpan-5)
		write("sub_her", 4) // the third is the first of a span
		write("sub_him", whoseStride)
		find()
		former(t, p)
		find()
		before := len(noted(t, p))
		err := p.db.Write(t.Context(), func(tx *db.Tx) error { return p.l.disown(t.Context(), tx, want[5]) })
		left := noted(t, p)
		if err != nil || len(left) != before-1 || left[fmt.Sprintf("%d her", want[5])] || !left[fmt.Sprintf("%d her", want[4])] {
			t.Errorf("%d of %d are left, %v", len(left), before, err)
		}
	})
}

// former makes the table what it was before there were spans, and opens the ledger.
func former(t *testing.T, p *place) {
	t.Helper()
	err := p.db.Write(t.Context(), func(tx *db.Tx) error {
		for _, text := range []string{
			"drop index ledger_entries_registers", "drop table ledger_lists", "create table ledger_whose (who text not null, id bigint not null, primary key (who, id))",
			"insert into ledger_whose (who, id) select substr(subject, 5, 12), id from ledger_entries where subject is not null and id <= (select max(id) / 4096 * 4096 from ledger_entries)",
			"delete from schema_steps where feature = 'ledger' and step >= 6",
		} {
			if _, err := tx.Exec(t.Context(), text); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	p.db.Close()
	p.open()
}
