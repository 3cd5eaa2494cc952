package ledger

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
)

// payloads are what lies beside the leaves.
func (p *place) payloads() (out [][]byte) {
	p.t.Helper()
	err := p.db.Read(p.t.Context(), func(tx *db.Tx) error {
		rows, err := tx.Query(p.t.Context(), "select payload from ledger_entries order by id")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var b []byte
			if err := rows.Scan(&b); err != nil {
				return err
			}
			out = append(out, b)
		}
		return rows.Err()
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return out
}

// TestReseal: after a new root key every entry is sealed under it, root and leaves are the same, all opens without the former
// key, and what was damaged stays to be found.
func TestReseal(t *testing.T) {
	p := newPlace(t)
	p.append(5)
	before, tree := p.payloads(), p.l.Tree()
	again := func(ctx context.Context) (int, error) { return p.l.Reseal(ctx, func(int64, int64) {}) }
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	turn, err := p.vault.RotateRoot(t.Context(), now, again)
	if err != nil || turn.Again != 5 {
		t.Fatal(turn, err)
	}
	for i, b := range p.payloads() {
		if bytes.Equal(b, before[i]) {
			t.Errorf("entry %d is as it was", i+1)
		}
	}
	put := func(id int, payload []byte) {
		err := p.db.Write(t.Context(), func(tx *db.Tx) error {
			_, err := tx.Exec(t.Context(), "update ledger_entries set payload = $1 where id = $2", payload, id)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	put(2, before[1]) // sealed when the rotation began, and written when it had passed
	if n, err := p.vault.RetireRoots(t.Context(), now, again); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	if p.l.Tree() != tree {
		t.Error("the tree is another")
	}
	p.mustVerify()
	put(3, before[2])
	if n, err := again(t.Context()); err != nil || n != 0 {
		t.Errorf("%d, %v", n, err)
	}
	if _, err := Verify(t.Context(), p.config(), VerifyOptions{}); err == nil {
		t.Error("an entry that does not open is not found")
	}
}

// TestRotatedOnTheWay: what was sealed before the root key was rotated, and is written after what was there was sealed again,
// needs no former key; where the former key is gone by then, it is refused instead of written as something that never opens.
func TestRotatedOnTheWay(t *testing.T) {
	p := newPlace(t)
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	again := func(ctx context.Context) (int, error) { return p.l.Reseal(ctx, func(int64, int64) {}) }
	none := func(context.Context) (int, error) { return 0, nil }
	sealed := func() *Sealed {
		s, err := p.l.Seal(t.Context(), entry(1))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	write := func(s *Sealed) error {
		return p.db.Write(t.Context(), func(tx *db.Tx) error {
			_, err := p.l.AppendSealed(tx, s)
			return err
		})
	}
	late, later := sealed(), sealed()
	if _, err := p.vault.RotateRoot(t.Context(), now, again); err != nil {
		t.Fatal(err)
	}
	if err := write(late); err != nil {
		t.Fatal(err)
	}
	if n, err := p.vault.RetireRoots(t.Context(), now, none); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	if err := write(later); fault.KindOf(err) != fault.Integrity {
		t.Errorf("its key is gone: %v", err)
	}
	p.append(1)
	if rep := p.mustVerify(); rep.Entries != 2 || rep.Erased != 0 {
		t.Errorf("%+v", rep)
	}
}

// TestRetiredIsSaid: a copy from before the keys that sealed it were retired is not called changed, as one that was rehearsed would
// be.
func TestRetiredIsSaid(t *testing.T) {
	p := newPlace(t)
	p.append(3)
	none := func(context.Context) (int, error) { return 0, nil }
	now := p.clock.Now()
	if _, err := p.vault.RotateRoot(t.Context(), now, none); err != nil {
		t.Fatal(err)
	}
	p.mustVerify()
	if _, err := p.vault.RetireRoots(t.Context(), now, none); err != nil {
		t.Fatal(err)
	}
	if r, err := p.verify(VerifyOptions{}); fault.KindOf(err) != fault.Integrity || r.FirstBad != 1 || !strings.Contains(r.Problem, "was retired") {
		t.Errorf("%+v, %v", r, err)
	}
}
