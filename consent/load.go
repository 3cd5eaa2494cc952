package consent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"sync"

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
		s.cfg.Log.Warn("the snapshot of the decision index cannot be used", "error", err)
	}
	if from == 0 {
		from = s.loadCopy(ctx)
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
		if s.index.Flags(n) != 0 {
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

// piece is a run of entries, opened.
type piece struct {
	rows     []ledger.Row
	contents []any
	err      error
}

const pieceLength = 2048

// replay takes in the entries after one. They are read and opened several pieces at a time, and taken in in order.
func (s *Service) replay(ctx context.Context, from int64) error {
	fresh := from > 0 // the people of these entries may have got identities after the snapshot
	ctx, cancel := context.WithCancel(ctx)
	var reading sync.WaitGroup
	defer reading.Wait()
	defer cancel()
	for ahead := range s.pieces(ctx, &reading, from) {
		p := <-ahead
		if p.err != nil {
			return p.err
		}
		for i, r := range p.rows {
			if err := s.replayRow(r, p.contents[i]); err != nil {
				return errors.Join(fault.New(fault.Integrity, "the consents of the ledger cannot be read"), err)
			}
		}
		if fresh {
			if err := s.bindPeople(ctx, p.rows); err != nil {
				return err
			}
		}
	}
	return nil
}

// pieces reads ahead, as far as there are processors, and gives the pieces after an entry in order.
func (s *Service) pieces(ctx context.Context, reading *sync.WaitGroup, from int64) <-chan chan piece {
	queue := make(chan chan piece, min(runtime.GOMAXPROCS(0), maxReaders))
	size := s.cfg.Ledger.Size()
	reading.Go(func() {
		defer close(queue)
		for ; from < size; from += pieceLength {
			ahead, at := make(chan piece, 1), from
			select {
			case queue <- ahead:
			case <-ctx.Done():
				return
			}
			reading.Go(func() { ahead <- s.piece(ctx, at, min(pieceLength, size-at)) })
		}
	})
	return queue
}

// maxReaders leaves the store one reader for whoever takes the pieces in.
const maxReaders = 2

func (s *Service) piece(ctx context.Context, from, n int64) (p piece) {
	if p.rows, p.err = s.cfg.Ledger.Since(ctx, from, int(n)); p.err != nil {
		return p
	}
	if int64(len(p.rows)) != n {
		p.err = fault.New(fault.Integrity, "the ledger has a gap after entry %d", from)
		return p
	}
	p.contents = make([]any, n)
	for i, r := range p.rows {
		if r.ID != from+int64(i)+1 {
			p.err = fault.New(fault.Integrity, "the ledger has a gap before entry %d", r.ID)
			return p
		}
		var err error
		if p.contents[i], err = decode(r); err != nil {
			p.err = errors.Join(fault.New(fault.Integrity, "the consents of the ledger cannot be read"), err)
			return p
		}
	}
	return p
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

func (s *Service) replayRow(r ledger.Row, content any) error {
	switch {
	case r.Kind == kindExpired:
		return s.replayExpired(r)
	case content == nil:
		return nil
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
