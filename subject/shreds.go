package subject

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/vault"
)

// Shredded is the kind under which shredded keys are kept outside the store.
const Shredded = "shred"

const shredsSchema = `create table shreds (
	slot bigint not null primary key,
	at bigint not null,
	closed bigint
)`

// Shreds is the list of keys that are to be destroyed, in the store: what it says is done even where the process is killed,
// or the keys are put back from an older copy. It is safe for concurrent use.
type Shreds struct {
	db     *db.DB
	vault  *vault.Vault
	ledger *ledger.Ledger
	clock  clock.Clock
	untidy atomic.Bool // the files of the store may hold what was deleted; at the start, that of a killed process
}

// OpenShreds prepares the list. Call Finish before anybody is answered.
func OpenShreds(ctx context.Context, d *db.DB, v *vault.Vault, l *ledger.Ledger, c clock.Clock) (*Shreds, error) {
	s := &Shreds{db: d, vault: v, ledger: l, clock: c}
	s.untidy.Store(true)
	return s, d.Migrate(ctx, "shreds", shredsSchema)
}

// shredAct is what is kept of shredded keys: their slots, which name nobody.
type shredAct struct {
	Slots []vault.Slot `json:"slots"`
}

// Add destroys the keys of slots, in the transaction that forgets whose they were: they are overwritten after its commit
// and before its answer. The slot 0 is passed over.
func (s *Shreds) Add(ctx context.Context, tx *db.Tx, slots ...vault.Slot) error {
	var act shredAct
	for _, slot := range slots {
		if slot != 0 {
			act.Slots = append(act.Slots, slot)
		}
	}
	if len(act.Slots) == 0 {
		return nil
	}
	if err := s.ledger.Keep(tx, Shredded, act); err != nil {
		return err
	}
	return s.add(ctx, tx, act.Slots)
}

func (s *Shreds) add(ctx context.Context, tx *db.Tx, slots []vault.Slot) error {
	for _, slot := range slots {
		_, err := tx.Exec(ctx, "insert into shreds (slot, at) values ($1, $2) on conflict (slot) do update set closed = null", int64(slot), s.clock.Now().UnixMilli())
		if err != nil {
			return fmt.Errorf("noting a key to be destroyed: %w", err)
		}
	}
	tx.BeforeAnswer(func() error { return s.vault.Shred(slots...) })
	return nil
}

// Again destroys keys again that an older store does not know to be destroyed.
func (s *Shreds) Again(ctx context.Context, tx *db.Tx, a ledger.Act) error {
	var act shredAct
	if err := json.Unmarshal(a.Body, &act); err != nil {
		return fmt.Errorf("reading an act: %w", err)
	}
	return s.add(ctx, tx, act.Slots)
}

// Finish destroys what the list names and still has a key: a killed process did not get to it, or the keys were put back.
func (s *Shreds) Finish(ctx context.Context) error {
	all, err := s.list(ctx, "select slot from shreds order by slot")
	if err != nil {
		return err
	}
	var left []vault.Slot
	for _, slot := range all {
		gone, err := s.vault.Forgotten(slot)
		if err != nil && !errors.Is(err, vault.ErrDamaged) { // that is one which is overwritten in part
			return fmt.Errorf("looking for a key that was destroyed: %w", err)
		}
		if !gone {
			left = append(left, slot)
		}
	}
	if len(left) == 0 {
		return nil
	}
	return s.db.Write(ctx, func(tx *db.Tx) error { return s.add(ctx, tx, left) })
}

// Close makes every copy of destroyed keys useless that was made before, and gives how many keys it was about; then what was
// deleted with them, such as blind indexes, leaves the files of the store too. Call it each minute, and before anything is
// certified. Where nothing was destroyed since the last time it costs one look.
func (s *Shreds) Close(ctx context.Context) (int, error) {
	open, err := s.list(ctx, "select slot from shreds where closed is null order by slot")
	if err == nil && len(open) > 0 {
		s.untidy.Store(true)
		err = s.close(ctx, open)
	}
	if err != nil || !s.untidy.Load() {
		return 0, err
	}
	done, err := s.db.Tidy(ctx)
	if done {
		s.untidy.Store(false)
	}
	return len(open), err
}

func (s *Shreds) close(ctx context.Context, open []vault.Slot) error {
	if err := s.vault.CloseSlots(ctx, open...); err != nil {
		return err
	}
	return s.db.Write(ctx, func(tx *db.Tx) error {
		for _, slot := range open {
			if _, err := tx.Exec(ctx, "update shreds set closed = $2 where slot = $1", int64(slot), s.clock.Now().UnixMilli()); err != nil {
				return fmt.Errorf("noting a destroyed key: %w", err)
			}
		}
		return nil
	})
}

func (s *Shreds) list(ctx context.Context, query string) (out []vault.Slot, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		out = nil
		rows, err := tx.Query(ctx, query)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var slot int64
			if err := rows.Scan(&slot); err != nil {
				return err
			}
			out = append(out, vault.Slot(slot))
		}
		return rows.Err()
	})
	return out, err
}
