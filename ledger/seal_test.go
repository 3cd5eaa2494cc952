package ledger

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ombudhq/ombud/internal/db"
)

// TestSealedBefore: what a caller sealed stands where the writer put it, and cannot be moved to another place.
func TestSealedBefore(t *testing.T) {
	each(t, func(t *testing.T, p *place) {
		ctx := WithOrigin(t.Context(), Origin{Role: "service", Session: "s"})
		first, err := p.l.Seal(ctx, entry(1))
		second, err2 := p.l.Seal(ctx, entry(2))
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		p.append(2)
		err = p.db.Write(ctx, func(tx *db.Tx) error {
			if _, err := p.l.AppendSealed(tx, second); err != nil {
				return err
			}
			_, err := p.l.AppendSealed(tx, first)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		rows, err := p.l.Since(ctx, 2, 10)
		if err != nil || len(rows) != 2 {
			t.Fatal(rows, err)
		}
		got := []any{rows[0].Subject, rows[1].Subject, rows[1].Actor, rows[1].Via.Role, string(rows[1].Content)}
		want := []any{"token-2", "token-1", "local:tester", "service", `{"n":1,"text":"plainly-readable-secret"}`}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
		p.mustVerify()
		swap := `update ledger_entries set commitments = (select commitments from ledger_entries where id = 4),
			payload = (select payload from ledger_entries where id = 4) where id = 3`
		if err := p.db.Write(ctx, func(tx *db.Tx) error { _, err := tx.Exec(ctx, swap); return err }); err != nil {
			t.Fatal(err)
		}
		if r, err := p.verify(VerifyOptions{}); err == nil || r.FirstBad != 3 {
			t.Errorf("%+v, %v", r, err)
		}
	})
}

// TestPayloadUnderTheLeaf: what was sealed before callers sealed can be read.
func TestPayloadUnderTheLeaf(t *testing.T) {
	p := newPlace(t)
	p.append(3)
	err := p.db.Write(t.Context(), func(tx *db.Tx) error {
		rows, err := tx.Query(context.Background(), "select "+columns+" from ledger_entries where id = 2")
		if err != nil {
			return err
		}
		defer rows.Close()
		var s stored
		rows.Next()
		if err := s.scan(rows); err != nil {
			return err
		}
		leaf, err := s.check()
		if err != nil {
			return err
		}
		plain, err := p.l.openPayload(&s, leaf)
		if err != nil {
			return err
		}
		old := p.vault.Seal(leafLabelled, leaf[:], plain)
		if bytes.Equal(old, s.payload) {
			t.Error("nothing changes")
		}
		rows.Close()
		_, err = tx.Exec(context.Background(), "update ledger_entries set payload = $1 where id = 2", old)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	p.mustVerify()
}

// TestMinutes: a minute is written in a leaf as it always was, whatever the year.
func TestMinutes(t *testing.T) {
	for _, minute := range []int64{0, 1, 59, 28_800_000, 29_719_999, 4_223_371_679, 4_223_371_680, maxMinute - 1} {
		want := time.Unix(minute*60, 0).UTC().Format(`{"at":"2006-01-02T15:04Z"`)
		if got := (meta{minute: minute}).encode(); !strings.HasPrefix(string(got), want) {
			t.Errorf("minute %d: %s, want %s", minute, got, want)
		}
	}
}
