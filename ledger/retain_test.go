package ledger

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/ombudhq/ombud/internal/db"
)

// appendKinds appends an entry of each kind.
func (p *place) appendKinds(kinds ...string) {
	p.t.Helper()
	err := p.db.Write(context.Background(), func(tx *db.Tx) error {
		for _, k := range kinds {
			if _, err := p.l.Append(tx, Entry{Kind: k, Result: "ok", Actor: "a", Subject: "sub_00000000000000000000000000", Content: map[string]any{"x": 1}}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		p.t.Fatal(err)
	}
}

// steady moves the clock as far, and looks at it every day.
func (p *place) steady(years, days int, y Years) (out Expiry) {
	p.t.Helper()
	end := p.clock.Now().AddDate(years, 0, days)
	for p.clock.Now().Before(end) {
		p.clock.Advance(24 * time.Hour)
		one, err := p.l.Expire(context.Background(), y)
		if err != nil {
			p.t.Fatal(err)
		}
		if !one.Waits.IsZero() {
			p.t.Fatalf("a clock that goes evenly is waited for until %s", one.Waits)
		}
		for c, n := range one.Expired {
			if out.Expired == nil {
				out.Expired = map[Class]int64{}
			}
			out.Expired[c] += n
		}
	}
	return out
}

// readable are the entries that can be read.
func (p *place) readable() (out []int64) {
	p.t.Helper()
	rows, err := p.l.Tail(context.Background(), 1000, TailOptions{})
	if err != nil {
		p.t.Fatal(err)
	}
	for _, r := range rows {
		if !r.Erased && r.Kind != KindExpired {
			out = append(out, r.ID)
		}
	}
	return out
}

func TestEntriesHaveTheirTime(t *testing.T) {
	each(t, func(t *testing.T, p *place) {
		p.appendKinds("ledger.read", "session.began", "request.completed", "consent.given")
		p.checkpoint()
		proof, err := p.l.Prove(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct {
			years, days int
			want        string
			expired     int64
		}{
			{0, 364, "[1 2 3 4]", 0}, {0, 3, "[2 3 4]", 1}, {6, -4, "[2 3 4]", 1}, {0, 3, "[3 4]", 2}, {3, 0, "[4]", 4}, // what told of the first expiry had its time too

		} {
			p.steady(step.years, step.days, nil)
			if got := fmt.Sprint(p.readable()); got != step.want {
				t.Errorf("%s: %s can be read, want %s", p.clock.Now().Format(time.DateOnly), got, step.want)
			}
			if r := p.mustVerify(); r.Erased != step.expired || r.Expired != step.expired {
				t.Errorf("%+v, want %d expired", r, step.expired)
			}
		}
		after, err := p.l.Prove(t.Context(), 1)
		if err != nil || after.Meta != proof.Meta || string(after.Commitments[2]) != string(proof.Commitments[2]) {
			t.Errorf("the leaf is another, or cannot be proven: %v", err)
		}
		told, err := p.l.Tail(t.Context(), 10, TailOptions{Kind: KindExpired})
		if err != nil || len(told) != 4 {
			t.Errorf("%d entries tell of it, %v", len(told), err)
		}
		var left int
		err = p.db.Read(t.Context(), func(tx *db.Tx) error {
			return tx.QueryRow(t.Context(), "select count(*) from ledger_entries where payload is null and subject is not null").Scan(&left)
		})
		if err != nil || left > 0 {
			t.Errorf("%d expired entries are still found by their subject, %v", left, err)
		}
	})
}

// TestLongerWins: what the law of a company asks for goes before the default, and nothing makes it shorter.
func TestLongerWins(t *testing.T) {
	p := newPlace(t)
	p.appendKinds("ledger.read", "request.completed")
	y := Years{Access: 6, Compliance: 2}
	if p.steady(5, 360, y); fmt.Sprint(p.readable()) != "[1 2]" {
		t.Errorf("%v can be read after 6 years less 5 days", p.readable())
	}
	if p.steady(1, 0, y); fmt.Sprint(p.readable()) != "[2]" {
		t.Errorf("%v can be read after 7 years", p.readable())
	}
}

// TestNothingExpiresAfterAJump: a clock that is set forward, or back, destroys nothing for a week, and after a real pause
// it goes on.
func TestNothingExpiresAfterAJump(t *testing.T) {
	for _, jump := range []time.Duration{3 * 365 * 24 * time.Hour, -time.Hour} {
		p := newPlace(t)
		p.appendKinds("ledger.read")
		p.steady(0, 364, nil)
		p.clock.Set(p.clock.Now().Add(jump))
		from := p.clock.Now()
		for range 6 {
			out, err := p.l.Expire(t.Context(), nil)
			if err != nil || out.Waits.IsZero() || len(p.readable()) != 1 {
				t.Fatalf("%s: %+v, %v", jump, out, err)
			}
			p.clock.Advance(24 * time.Hour)
		}
		if jump < 0 {
			continue
		}
		p.clock.Advance(24 * time.Hour)
		if out, err := p.l.Expire(t.Context(), nil); err != nil || out.Expired[Access] != 1 {
			t.Errorf("%s after the jump: %+v, %v", p.clock.Now().Sub(from), out, err)
		}
	}
}

// TestManyExpire takes more than one transaction, and an entry for each.
func TestManyExpire(t *testing.T) {
	p := newPlace(t)
	for range 3 {
		kinds := make([]string, expireChunk/2)
		for i := range kinds {
			kinds[i] = "ledger.read"
		}
		p.appendKinds(kinds...)
	}
	p.steady(0, 364, nil)
	out := p.steady(0, 3, nil)
	if out.Expired[Access] != 3*expireChunk/2 || len(p.readable()) != 0 {
		t.Errorf("%+v", out)
	}
	p.mustVerify()
}
