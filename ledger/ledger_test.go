package ledger

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ombudhq/ombud/internal/bucket"
	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/testkit/storetest"
	"github.com/ombudhq/ombud/internal/witness"
	"github.com/ombudhq/ombud/vault"
)

// place is a ledger on a real store.
type place struct {
	store string
	t     testing.TB
	dir   string
	heads string
	more  []string // further heads
	db    *db.DB
	vault *vault.Vault
	l     *Ledger
	clock *clock.Fake

	buckets   map[string]*bucket.Bucket
	witnesses []*witness.Witness
}

func newPlace(t testing.TB) *place { return newPlaceIn(t, storetest.SQLite) }

func newPlaceIn(t testing.TB, engine string) *place {
	t.Helper()
	dir := t.TempDir()
	p := &place{t: t, store: filepath.Join(dir, "ombud.db"), dir: dir, heads: filepath.Join(dir, "heads"), clock: clock.NewFake(time.Date(2026, 11, 21, 4, 6, 30, 0, time.UTC))}
	if engine == storetest.Postgres {
		p.store = storetest.Address(t, engine)
	}
	p.open()
	t.Cleanup(func() { p.db.Close() })
	return p
}

// each runs a test on a new ledger in a store of each engine.
func each(t *testing.T, fn func(t *testing.T, p *place)) {
	storetest.Each(t, func(t *testing.T, engine string) { fn(t, newPlaceIn(t, engine)) })
}

func (p *place) config() Config {
	return Config{DB: p.db, Vault: p.vault, Clock: p.clock, Heads: append([]string{p.heads}, p.more...), Buckets: p.buckets, Witnesses: p.witnesses}
}

// tryOpen opens what is on the disk now.
func (p *place) tryOpen() (err error) {
	ctx := context.Background()
	if p.vault, err = vault.Open(vault.Config{Dir: filepath.Join(p.dir, "keys")}); err != nil {
		return err
	}
	if p.db, err = db.Open(ctx, db.Config{Path: p.store, Clock: p.clock}); err != nil {
		return err
	}
	p.l, err = Open(ctx, p.config())
	return err
}

func (p *place) open() {
	p.t.Helper()
	if err := p.tryOpen(); err != nil {
		p.t.Fatal(err)
	}
}

func entry(i int) Entry {
	return Entry{Kind: "test.happened", Result: "ok", Actor: "local:tester", Subject: fmt.Sprintf("token-%d", i),
		Content: map[string]any{"n": i, "text": "plainly-readable-secret"}}
}

func (p *place) append(n int) {
	p.t.Helper()
	err := p.db.Write(context.Background(), func(tx *db.Tx) error {
		for i := range n {
			if _, err := p.l.Append(tx, entry(i)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *place) checkpoint() Checkpoint {
	p.t.Helper()
	c, err := p.l.Checkpoint(context.Background())
	if err != nil {
		p.t.Fatal(err)
	}
	return c
}

func (p *place) verify(o VerifyOptions) (Report, error) {
	return Verify(context.Background(), p.config(), o)
}

func (p *place) mustVerify() Report {
	p.t.Helper()
	r, err := p.verify(VerifyOptions{})
	if err != nil || !r.OK {
		p.t.Fatalf("%+v, %v", r, err)
	}
	return r
}

func soak() bool { return os.Getenv("OMBUD_SOAK") != "" }

func TestAppendAndVerify(t *testing.T) {
	each(t, func(t *testing.T, p *place) {
		if r := p.mustVerify(); r.Size != 0 {
			t.Errorf("%+v", r)
		}
		p.append(3)
		p.append(300)
		c := p.checkpoint()
		p.append(1)
		r := p.mustVerify()
		if r.Entries != 304 || r.CheckpointSize != 303 || r.Uncovered != 1 || c.Size != 303 {
			t.Errorf("%+v", r)
		}
		p.db.Close()
		p.open()
		p.append(1)
		if r := p.mustVerify(); r.Entries != 305 || r.Uncovered != 2 {
			t.Errorf("%+v", r)
		}
	})
}

// TestOf finds one person's entries by a column that the leaf does not commit to: one that was changed is noticed.
func TestOf(t *testing.T) {
	each(t, func(t *testing.T, p *place) {
		changed := p.l.Changed()
		err := p.db.Write(t.Context(), func(tx *db.Tx) error {
			for _, subject := range []string{"sub_a", "sub_b", "", "sub_a"} {
				if _, err := p.l.Append(tx, Entry{Kind: "test", Result: "ok", Subject: subject}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		<-changed
		if got, err := p.l.Of(t.Context(), "sub_a"); err != nil || len(got) != 2 || got[0].ID != 1 || got[1].ID != 4 {
			t.Fatalf("%+v, %v", got, err)
		}
		if got, err := p.l.Since(t.Context(), 2, 10); err != nil || len(got) != 2 || got[0].ID != 3 || got[1].Revision != p.l.Head() {
			t.Fatalf("%+v, %v", got, err)
		}
		if _, err := p.l.Tail(t.Context(), 1, TailOptions{}); err != nil {
			t.Fatal(err)
		}
		err = p.db.Write(t.Context(), func(tx *db.Tx) error {
			_, err := tx.Exec(t.Context(), "update ledger_entries set subject = 'sub_a' where id = 2")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.l.Of(t.Context(), "sub_a"); fault.KindOf(err) != fault.Integrity {
			t.Errorf("an entry of somebody else was given out: %v", err)
		}
	})
}

// TestNewsComesLast: who hears of an entry asks at once, so all that a commit tells memory is there before anybody can hear.
func TestNewsComesLast(t *testing.T) {
	p := newPlace(t)
	p.append(1)
	head, changed := p.l.Head(), p.l.Changed()
	err := p.db.Write(t.Context(), func(tx *db.Tx) error {
		_, err := p.l.Append(tx, entry(1))
		tx.OnCommit(func() { // it is in the store, and memory is about to learn of it
			rows, err := p.l.Since(t.Context(), 1, 10)
			select {
			case <-changed:
				t.Error("it was told already")
			default:
			}
			if len(rows) != 0 || err != nil || p.l.Head() != head {
				t.Errorf("%d entries, head %d of %d, %v", len(rows), p.l.Head(), head, err)
			}
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	<-changed
	if rows, err := p.l.Since(t.Context(), 1, 10); len(rows) != 1 || err != nil {
		t.Errorf("%d entries, %v", len(rows), err)
	}
}
