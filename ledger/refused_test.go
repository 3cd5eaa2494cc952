package ledger

import (
	"bytes"
	"errors"
	"runtime"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/testkit/storetest"
)

// TestRefusedActIsTakenBack: an act whose commit is refused, by a server that had all of it, is in no file, and the next finds its
// place.
func TestRefusedActIsTakenBack(t *testing.T) {
	each(t, func(t *testing.T, p *place) {
		p.must(p.db.Migrate(t.Context(), "test", "create table once (v bigint not null unique)"))
		once := db.NewTable("once", db.Column{Name: "v", Type: "bigint"})
		p.act(1)
		refused := func() error {
			return p.db.Write(t.Context(), func(tx *db.Tx) error {
				if err := p.l.Keep(tx, "test.suppressed", 2); err != nil {
					return err
				}
				_, err := p.l.Append(tx, entry(2))
				return errors.Join(err, tx.Insert(once, db.OfInt(1)), tx.Insert(once, db.OfInt(1)))
			})
		}
		before := kept(t, p.actsFile())
		for range 3 {
			if err := refused(); err == nil || fault.KindOf(err) == fault.Unavailable {
				t.Fatalf("answered with %v", err)
			}
			if after := kept(t, p.actsFile()); !bytes.Equal(before, after) {
				t.Fatalf("%d bytes are left of it", len(after)-len(before))
			}
		}
		p.act(3)
		p.mustVerify()
		if err := p.reopen(); err != nil || p.l.Acts() != 2 || p.l.Lost() != nil {
			t.Errorf("%d acts, %v", p.l.Acts(), err)
		}
	})
}

// TestVerifiedWhileCommitted: an act stands outside a moment before its commit is part of a server's store. Who verifies meanwhile
// misses nothing.
func TestVerifiedWhileCommitted(t *testing.T) {
	p := newPlaceIn(t, storetest.Postgres)
	p.act(1)
	before := len(kept(t, p.actsFile()))
	other, err := pgx.Connect(t.Context(), p.store)
	p.must(err)
	defer other.Close(t.Context())
	lock, err := other.Begin(t.Context())
	p.must(err)
	_, err = lock.Exec(t.Context(), "lock table ledger_acts in access exclusive mode")
	p.must(err)
	acted, verified := make(chan error, 1), make(chan error, 1)
	go func() { acted <- p.tryAct(2) }()
	for len(kept(t, p.actsFile())) == before {
		runtime.Gosched()
	}
	go func() {
		_, err := p.verify(VerifyOptions{})
		verified <- err
	}()
	for i := 0; i < 1_000_000 && len(verified) == 0; i++ { // it has all the time it would need
		runtime.Gosched()
	}
	p.must(lock.Rollback(t.Context()))
	if err := errors.Join(<-acted, <-verified); err != nil {
		t.Error(err)
	}
	p.mustVerify()
}
