package consent

import (
	"context"
	"errors"
	"time"

	"github.com/ombudhq/ombud/consent/internal/index"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/subject"
)

// lapsed is the content of an entry that tells of a consent whose time was over. It changes nothing: every question had
// computed that already.
type lapsed struct {
	At      time.Time `json:"at"` // when it ended
	Purpose string    `json:"purpose"`
	Consent string    `json:"consent"`
}

// expireBatch bounds the entries of one commit.
const expireBatch = 256

// Expiring is a consent that ends by itself.
type Expiring struct {
	Subject   string    `json:"subject"`
	Purpose   string    `json:"purpose"`
	ConsentID string    `json:"consent_id"`
	Ends      time.Time `json:"ends"`
	person    subject.Number
}

// Between are the consents that end by themselves from one minute on and before another, in no order. It goes through
// the whole index.
func (s *Service) Between(from, to index.Minute) []Expiring {
	var out []Expiring
	set := s.cfg.Purposes.Now()
	for n := range s.standing() {
		for rank, word := range s.index.Words(n) {
			e := word.Expiry()
			if e == index.NotGiven || e == index.Never || e < from || e >= to {
				continue
			}
			if rule := set.Ranked(rank); rule != nil {
				out = append(out, Expiring{s.cfg.People.ID(subject.Number(n)), rule.ID, conID(int64(word.Revision())), e.Time(), subject.Number(n)})
			}
		}
	}
	return out
}

// EndingBefore are the consents that stand now and will have ended at a moment.
func (s *Service) EndingBefore(end time.Time) []Expiring {
	return s.Between(s.Now()+1, index.MinuteOf(end))
}

// Expire writes an entry for each consent that ended since it was last called, so that services hear of it, and what it leaves
// is owed as after a withdrawal; what nobody confirmed in time is dropped. It may be called as often or as seldom as one likes.
func (s *Service) Expire(ctx context.Context) error {
	until := s.Now() + 1
	var from int64
	err := s.cfg.DB.Read(ctx, func(tx *db.Tx) error {
		err := tx.QueryRow(ctx, "select minute from consent_sweep where id = 1").Scan(&from)
		if errors.Is(err, db.ErrNoRows) {
			return nil
		}
		return err
	})
	if err != nil || index.Minute(from) >= until {
		return err
	}
	list := s.Between(index.Minute(from), until)
	for len(list) > 0 {
		batch := list[:min(expireBatch, len(list))]
		list = list[len(batch):]
		if err := s.cfg.DB.Write(ctx, func(tx *db.Tx) error { return s.tellExpired(ctx, tx, batch) }); err != nil {
			return err
		}
	}
	return s.cfg.DB.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "insert into consent_sweep (id, minute) values (1, $1) on conflict (id) do update set minute = excluded.minute", int64(until))
		return errors.Join(err, s.dropLapsed(ctx, tx))
	})
}

// tellExpired writes the entries of a batch; of a consent that was followed by something else meanwhile, none. A sweep
// that was cut off tells of some again: services hear at least once.
func (s *Service) tellExpired(ctx context.Context, tx *db.Tx, batch []Expiring) error {
	for _, e := range batch {
		rank, ok := s.rank(e.Purpose)
		if st := s.current(e.person, rank); !ok || conID(int64(st.word.Revision())) != e.ConsentID {
			continue
		}
		content := lapsed{At: e.Ends, Purpose: e.Purpose, Consent: e.ConsentID}
		at, err := s.cfg.Ledger.Append(tx, ledger.Entry{Kind: kindExpired, Result: "ok", Actor: "ombud", Subject: e.Subject, Slot: e.person.Slot(), Content: content})
		if err == nil {
			err = owe(tx, e.person, at.Revision)
		}
		if err != nil {
			return err
		}
		tx.OnCommit(func() {
			s.tally.add(rank, e.Ends, Count{No: 1})
			s.reached(at.Revision, e.person, nil)
		})
	}
	return nil
}
