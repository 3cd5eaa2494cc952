package consent

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/ombudhq/ombud/consent/internal/index"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/once"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/purpose"
	"github.com/ombudhq/ombud/subject"
)

const pendingIndex = `create index consent_pending_person on consent_pending (person)`

func (s *Service) keepPending(ctx context.Context, tx *db.Tx, hash string, n subject.Number, revision int64, lapses time.Time) error {
	token, err := hex.DecodeString(hash)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "insert into consent_pending (token, person, revision, lapses) values ($1, $2, $3, $4)",
		token, int64(n), revision, lapses.UnixMilli())
	return err
}

// forgetPending removes what waits for a person who is forgotten.
func forgetPending(ctx context.Context, tx *db.Tx, n subject.Number) error {
	_, err := tx.Exec(ctx, "delete from consent_pending where person = $1", int64(n))
	return err
}

// dropLapsed removes what nobody can confirm any more, so that it does not gather. Every answer had computed that already.
func (s *Service) dropLapsed(ctx context.Context, tx *db.Tx) error {
	now := s.cfg.Clock.Now()
	if _, err := tx.Exec(ctx, "delete from consent_pending where lapses <= $1", now.UnixMilli()); err != nil {
		return err
	}
	tx.OnCommit(func() {
		s.asideMu.Lock()
		defer s.asideMu.Unlock()
		for k, a := range s.asides {
			if a.pending == 0 || a.lapses >= index.MinuteOf(now) {
				continue
			}
			if a.pending, a.lapses = 0, 0; a.empty() {
				delete(s.asides, k)
			} else {
				s.asides[k] = a
			}
		}
	})
	return nil
}

// Confirm makes a pending consent a given one: the second yes of a double opt-in. A token counts once, for a week, and not
// after a withdrawal or a new notice that came between. It covers what the person was shown: no category that the purpose took
// on since.
func (s *Service) Confirm(ctx context.Context, token, actor string) (out Consent, err error) {
	if was, err := once.Was(ctx, &out); was || err != nil {
		return out, err
	}
	hash, err := hex.DecodeString(hashToken(token))
	if err != nil {
		return Consent{}, err
	}
	err = s.cfg.DB.Write(ctx, func(tx *db.Tx) error {
		if out, err = s.confirm(ctx, tx, hash, actor); err != nil {
			return err
		}
		return once.Done(tx, out)
	})
	return out, err
}

// Awaiting tells for which purpose a consent waits for the confirmation by this token, or waited until this same call confirmed
// it; fault.NotFound where none does.
func (s *Service) Awaiting(ctx context.Context, token string) (purposeID string, err error) {
	var made Consent
	if was, err := once.Was(ctx, &made); was || err != nil {
		return made.Purpose, err
	}
	hash, err := hex.DecodeString(hashToken(token))
	if err != nil {
		return "", err
	}
	err = s.cfg.DB.Read(ctx, func(tx *db.Tx) error {
		var revision int64
		err := tx.QueryRow(ctx, "select revision from consent_pending where token = $1", hash).Scan(&revision)
		if errors.Is(err, db.ErrNoRows) {
			return errToken()
		}
		if err != nil {
			return err
		}
		c, err := s.pendingContent(ctx, tx, revision)
		if err == nil {
			purposeID = c.Purpose
		}
		return err
	})
	return purposeID, err
}

func errToken() *fault.Error {
	return fault.New(fault.NotFound, "nothing waits for this confirmation").Then("It may have been confirmed, or have lapsed: ask again.")
}

func (s *Service) confirm(ctx context.Context, tx *db.Tx, hash []byte, actor string) (Consent, error) {
	var person, revision, lapses int64
	err := tx.QueryRow(ctx, "select person, revision, lapses from consent_pending where token = $1", hash).Scan(&person, &revision, &lapses)
	if errors.Is(err, db.ErrNoRows) {
		return Consent{}, errToken()
	}
	if err != nil {
		return Consent{}, err
	}
	now := s.instant()
	if end := time.UnixMilli(lapses); !now.Before(end) || s.Now() > index.MinuteOf(end) { // a clock set back makes nothing valid again
		return Consent{}, errToken()
	}
	c, err := s.pendingContent(ctx, tx, revision)
	if err != nil {
		return Consent{}, err
	}
	n := subject.Number(person)
	rule, ok := s.cfg.Purposes.In(tx).Rule(c.Purpose)
	if !ok {
		return Consent{}, fault.New(fault.Conflict, "the purpose is no longer declared")
	}
	switch {
	case rule.Basis != purpose.Consent:
		return Consent{}, fault.New(fault.Conflict, "the purpose leans on %s now: there is nothing to consent to", rule.Basis)
	case s.current(n, rule.Rank).lastWithdrawal() > revision:
		return Consent{}, fault.New(fault.Conflict, "the person withdrew after they asked for this").Then("Show the notice again.")
	case entryOf(revision) < rule.After:
		return Consent{}, fault.New(fault.Conflict, "consents to the notice that the person was shown no longer count").Then("Show the notice of now.")
	}
	c.Partial = slices.ContainsFunc(rule.Categories, func(name string) bool { return !covers(c.Categories, name) })
	if c.Expires, err = rule.Ends(now); err != nil {
		return Consent{}, err
	}
	c.Expires = c.Expires.Truncate(time.Minute)
	c.At, c.Confirms, c.Lapses, c.Token = now, conID(revision), time.Time{}, ""
	if _, err := tx.Exec(ctx, "delete from consent_pending where token = $1", hash); err != nil {
		return Consent{}, err
	}
	if s.index.Flags(index.Number(n))&index.Suppressed != 0 {
		if err := s.comeBack(ctx, tx, n); err != nil {
			return Consent{}, err
		}
	}
	at, err := s.put(tx, n, nil, ledger.Entry{Kind: kindGiven, Actor: actor, Content: c}, nil)
	if err != nil {
		return Consent{}, err
	}
	return c.consent(s.cfg.People.ID(n), at.Revision, Given), nil
}

// pendingContent reads what waits.
func (s *Service) pendingContent(ctx context.Context, tx *db.Tx, revision int64) (*given, error) {
	row, err := s.cfg.Ledger.One(ctx, tx, entryOf(revision))
	if err != nil {
		return nil, err
	}
	if row.Erased || row.Kind != kindPending {
		return nil, errToken()
	}
	c := &given{}
	return c, json.Unmarshal(row.Content, c)
}
