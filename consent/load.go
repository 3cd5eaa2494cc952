package consent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/ombudhq/ombud/consent/internal/index"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/subject"
)

// load fills the index.
func (s *Service) load(ctx context.Context) error {
	from, err := s.loadSnapshot(ctx)
	if err != nil {
		s.cfg.Log.Warn("the snapshot of the decision index cannot be used; it is rebuilt from the ledger", "error", err)
		s.index, from = index.New(), 0
		clear(s.asides)
		s.tally.days = nil
	}
	if err := s.loadPeople(ctx, from == 0); err != nil {
		return err
	}
	if err := s.replay(ctx, from); err != nil {
		return err
	}
	for _, n := range s.cfg.Facts.Numbers() {
		s.flag(n)
	}
	s.seen.Store(s.cfg.Ledger.Head())
	s.feed.gone = s.seen.Load()
	return nil
}

// loadPeople takes in who was erased, and all identities where no snapshot brought them. Flags of a snapshot are of its
// time: they come from the store.
func (s *Service) loadPeople(ctx context.Context, all bool) error {
	for n := range s.index.People() {
		if f, _, _ := s.index.State(n); f != 0 {
			s.index.SetFlags(n, 0)
		}
	}
	return s.cfg.DB.Read(ctx, func(tx *db.Tx) error {
		if all {
			if err := s.cfg.People.Each(ctx, tx, s.bindOne); err != nil {
				return err
			}
		}
		return s.cfg.People.Erased(ctx, tx, func(n subject.Number, again bool) {
			if again {
				s.index.SetFlags(index.Number(n), index.Suppressed)
				return
			}
			s.index.SetFlags(index.Number(n), index.Erased)
		})
	})
}

// replay takes in the entries after one.
func (s *Service) replay(ctx context.Context, from int64) error {
	const chunk = 4096
	fresh := from > 0 // the people of these entries may have got identities after the snapshot
	for {
		rows, err := s.cfg.Ledger.Since(ctx, from, chunk)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if err := s.replayRow(r); err != nil {
				return errors.Join(fault.New(fault.Integrity, "the consents of the ledger cannot be read"), err)
			}
			from = r.ID
		}
		if fresh {
			if err := s.bindPeople(ctx, rows); err != nil {
				return err
			}
		}
		if len(rows) < chunk {
			return nil
		}
	}
}

// bindPeople takes in the identities of those whom entries are about.
func (s *Service) bindPeople(ctx context.Context, rows []ledger.Row) error {
	done := map[string]bool{}
	return s.cfg.DB.Read(ctx, func(tx *db.Tx) error {
		for _, r := range rows {
			n, ok := s.cfg.People.Number(r.Subject)
			if !ok || done[r.Subject] {
				continue
			}
			done[r.Subject] = true
			if err := s.cfg.People.Keys(ctx, tx, n, s.bindOne); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Service) replayRow(r ledger.Row) error {
	if r.Kind == kindExpired {
		return s.replayExpired(r)
	}
	content, err := decode(r)
	if err != nil || content == nil {
		return err
	}
	n, ok := s.cfg.People.Number(r.Subject)
	if !ok {
		return fmt.Errorf("entry %d is about nobody", r.ID)
	}
	changes, err := s.effects(r.Kind, n, r.Revision, content, s.durable)
	if err != nil {
		return fmt.Errorf("entry %d: %w", r.ID, err)
	}
	s.count(actAt(content), changes, s.durable)
	s.apply(changes)
	return nil
}

// replayExpired counts a consent that lapsed.
func (s *Service) replayExpired(r ledger.Row) error {
	var c lapsed
	if r.Erased {
		return nil
	}
	if err := json.Unmarshal(r.Content, &c); err != nil {
		return fmt.Errorf("entry %d: %w", r.ID, err)
	}
	if rank, ok := s.rank(c.Purpose); ok {
		s.tally.add(rank, c.At, Count{No: 1})
	}
	return nil
}
