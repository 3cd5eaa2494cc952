package ledger

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/ombudhq/ombud/internal/db"
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
