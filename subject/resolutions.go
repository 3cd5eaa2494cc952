package subject

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/id"
	"github.com/ombudhq/ombud/internal/once"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/vault"
)

const resolutionsSchema = `create table resolutions (
	id text primary key,
	pseudonym text not null,
	because bytea not null,
	asked bigint not null,
	asked_by text not null,
	approved bigint,
	approved_by text,
	shown bigint
)`

const (
	resolutionLabel = "resolutions/because"
	// resolutionLasts is how long an approval waits for whoever asked.
	resolutionLasts = time.Hour
)

// Resolution is the wish to know who a pseudonym is. Who asks says why; somebody else approves it, once there are accounts;
// then it is shown once, to who asked, and each of the three is an entry.
type Resolution struct {
	ID         string     `json:"id"`
	Pseudonym  string     `json:"pseudonym"`
	Because    string     `json:"because"`
	Asked      time.Time  `json:"asked"`
	AskedBy    string     `json:"asked_by"`
	Approved   *time.Time `json:"approved,omitempty"`
	ApprovedBy string     `json:"approved_by,omitempty"`
	Shown      *time.Time `json:"shown,omitempty"`
}

// State is where it stands.
func (r Resolution) State() string {
	switch {
	case r.Shown != nil:
		return "shown"
	case r.Approved != nil:
		return "approved"
	}
	return "waiting"
}

// mayResolve judges by the policies, with the reason that is given.
func mayResolve(who access.Caller, because string) error {
	call := who.Call()
	call.Justification = because
	return access.Allowed(who.Calling(call), access.PseudonymResolve)
}

// alone tells that there is nobody else who could approve: no account exists.
func alone(who access.Caller) bool { return who.Role == access.Local }

// Ask asks who a pseudonym is. fault.Denied to those whose role does not know it; fault.Invalid without a reason in words.
func (s *Pseudonyms) Ask(ctx context.Context, who access.Caller, pseudonym, because string) (r Resolution, err error) {
	if was, err := once.Was(ctx, &r); was || err != nil {
		return r, err
	}
	because = access.Justification(because)
	if because == "" {
		return Resolution{}, fault.New(fault.Invalid, "say why: 8 characters at least").Then("It stands in the log.")
	}
	if err := mayResolve(who, because); err != nil {
		return Resolution{}, err
	}
	now := s.clock.Now().UTC().Truncate(time.Millisecond)
	r = Resolution{ID: id.New("res_", now), Pseudonym: pseudonym, Because: because, Asked: now, AskedBy: who.Actor}
	err = s.db.Write(ctx, func(tx *db.Tx) error {
		n, err := s.person(ctx, tx, pseudonym)
		if err != nil {
			return err
		}
		sealed, err := s.vault.SealFor(n.Slot(), resolutionLabel, []byte(r.ID), []byte(because))
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "insert into resolutions (id, pseudonym, because, asked, asked_by) values ($1, $2, $3, $4, $5)",
			r.ID, pseudonym, sealed, now.UnixMilli(), who.Actor)
		if err != nil {
			return fmt.Errorf("keeping a resolution: %w", err)
		}
		if err := once.Done(tx, r); err != nil {
			return err
		}
		return s.tell(tx, "pseudonym.asked", who, n, r)
	})
	return r, err
}

// tell writes an entry about the person, whom only the entry's sealed part names.
func (s *Pseudonyms) tell(tx *db.Tx, kind string, who access.Caller, n Number, r Resolution) error {
	_, err := s.ledger.Append(tx, ledger.Entry{Kind: kind, Result: "done", Actor: who.Actor, Subject: s.people.ID(n), Slot: n.Slot(),
		Content: map[string]any{"resolution": r.ID, "pseudonym": r.Pseudonym, "justification": r.Because}})
	return err
}

// Approve says yes to what somebody else asked; fault.Denied to who asked.
func (s *Pseudonyms) Approve(ctx context.Context, who access.Caller, resolution string) (out Resolution, err error) {
	return out, s.change(ctx, resolution, func(tx *db.Tx, r Resolution, n Number) error {
		if err := mayResolve(who, r.Because); err != nil {
			return err
		}
		switch {
		case r.AskedBy == who.Actor:
			return fault.New(fault.Denied, "who asked does not approve").Then("Another person who may know looks at it.")
		case r.Approved != nil:
			return fault.New(fault.Conflict, "it was approved before")
		}
		now := s.clock.Now().UTC().Truncate(time.Millisecond)
		r.Approved, r.ApprovedBy = &now, who.Actor
		if _, err := tx.Exec(ctx, "update resolutions set approved = $2, approved_by = $3 where id = $1", r.ID, now.UnixMilli(), who.Actor); err != nil {
			return err
		}
		out = r
		return s.tell(tx, "pseudonym.approved", who, n, r)
	})
}

// Reveal shows who a pseudonym is, once, to who asked. The entry is durable before it answers.
func (s *Pseudonyms) Reveal(ctx context.Context, who access.Caller, resolution string) (ids []Identity, err error) {
	var person Number
	err = s.change(ctx, resolution, func(tx *db.Tx, r Resolution, n Number) error {
		if err := mayResolve(who, r.Because); err != nil {
			return err
		}
		now := s.clock.Now()
		switch {
		case r.AskedBy != who.Actor:
			return fault.New(fault.Denied, "it is shown to who asked, and nobody else")
		case r.Shown != nil:
			return fault.New(fault.Conflict, "it was shown before; ask anew, and say why")
		case r.Approved == nil && !alone(who):
			return fault.New(fault.Waiting, "somebody else must approve it first").Then("ombud pseudonym approve %s, as another account.", r.ID)
		case r.Approved != nil && now.Sub(*r.Approved) > resolutionLasts:
			return fault.New(fault.Conflict, "its approval is over; ask anew")
		}
		person = n
		if _, err := tx.Exec(ctx, "update resolutions set shown = $2 where id = $1", r.ID, now.UnixMilli()); err != nil {
			return err
		}
		return s.tell(tx, "pseudonym.revealed", who, n, r)
	})
	if err != nil {
		return nil, err
	}
	return s.people.Identities(ctx, person)
}

// change runs fn with a resolution and the person behind it.
func (s *Pseudonyms) change(ctx context.Context, resolution string, fn func(*db.Tx, Resolution, Number) error) error {
	return s.db.Write(ctx, func(tx *db.Tx) error {
		all, err := s.resolutions(ctx, tx, "where id = $1", resolution)
		if err == nil && len(all) == 0 {
			err = fault.New(fault.NotFound, "there is no such resolution")
		}
		if err != nil {
			return err
		}
		n, err := s.person(ctx, tx, all[0].Pseudonym)
		if err != nil {
			return err
		}
		return fn(tx, all[0], n)
	})
}

// Resolutions are those that were asked, the newest first: what was asked and why, and nobody's name.
func (s *Pseudonyms) Resolutions(ctx context.Context, who access.Caller) (out []Resolution, err error) {
	if err := access.Allowed(who, access.PseudonymRead); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		out, err = s.resolutions(ctx, tx, "order by asked desc, id desc limit 200")
		return err
	})
	return out, err
}

func (s *Pseudonyms) resolutions(ctx context.Context, tx *db.Tx, where string, args ...any) ([]Resolution, error) {
	rows, err := tx.Query(ctx, "select id, pseudonym, because, asked, asked_by, coalesce(approved, 0), coalesce(approved_by, ''), coalesce(shown, 0) from resolutions "+where, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := []Resolution{}
	for rows.Next() {
		var r Resolution
		var sealed []byte
		var asked, approved, shown int64
		if err := rows.Scan(&r.ID, &r.Pseudonym, &sealed, &asked, &r.AskedBy, &approved, &r.ApprovedBy, &shown); err != nil {
			return nil, fmt.Errorf("reading a resolution: %w", err)
		}
		because, err := s.vault.Open(resolutionLabel, []byte(r.ID), sealed)
		if errors.Is(err, vault.ErrForgotten) {
			because, err = []byte("forgotten"), nil
		}
		if err != nil {
			return nil, err
		}
		r.Because, r.Asked, r.Approved, r.Shown = string(because), time.UnixMilli(asked).UTC(), momentOf(approved), momentOf(shown)
		out = append(out, r)
	}
	return out, rows.Err()
}

func momentOf(ms int64) *time.Time {
	if ms == 0 {
		return nil
	}
	t := time.UnixMilli(ms).UTC()
	return &t
}
