package access

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/id"
)

// An elevation goes on for at most this long, and for defaultElevation where nothing else is said.
const (
	longestElevation = time.Hour
	defaultElevation = 30 * time.Minute
)

// Elevate breaks the glass: for a while, whoever is signed in may do what policies open in an emergency. It takes written
// words, raises an alarm at once, ends by itself, and is reviewed by another person. fault.Conflict while one goes on.
func (a *Accounts) Elevate(ctx context.Context, who Caller, because string, long time.Duration) (Alarm, error) {
	if err := Allowed(who, ElevationTake); err != nil {
		return Alarm{}, err
	}
	account, ok := strings.CutPrefix(who.Actor, accountMark)
	if !ok || who.Session == "" {
		return Alarm{}, errHalfOver()
	}
	if long == 0 {
		long = defaultElevation
	}
	if because = Justification(because); because == "" || long < time.Minute || long > longestElevation {
		return Alarm{}, errWhy("because", "say what the emergency is; it goes on for a minute to an hour")
	}
	now := a.clock.Now().Truncate(time.Second).UTC()
	until := now.Add(long)
	one := Alarm{ID: id.New("alm_", now), Kind: AlarmElevation, Account: account, Actor: who.Actor, Began: now, Until: &until, Words: &Words{Why: because}}
	err := a.db.Write(ctx, func(tx *db.Tx) error {
		running, err := a.running(ctx, tx, account)
		if err != nil {
			return err
		}
		if running != nil {
			return fault.New(fault.Conflict, "an elevation of yours goes on already")
		}
		if err := a.raise(ctx, tx, &one); err != nil {
			return err
		}
		tx.OnCommit(func() { a.setElevated(account, until.Unix()) })
		return a.note(tx, "elevation.began", "alarm", who.Actor, map[string]any{"alarm": one.ID, "account": account, "until": until, "justification": because})
	})
	return one, err
}

func (a *Accounts) setElevated(account string, until int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if until == 0 {
		delete(a.elevated, account)
		return
	}
	a.elevated[account] = until
}

func (a *Accounts) running(ctx context.Context, tx *db.Tx, account string) (found *Alarm, err error) {
	err = a.readAlarms(ctx, tx, "where account = $1 and kind = $2 and ended = 0", []any{account, string(AlarmElevation)}, func(one *Alarm) { found = one })
	return found, err
}

// ElevatedUntil tells until when an elevation of the caller goes on; false when none does.
func (a *Accounts) ElevatedUntil(who Caller) (time.Time, bool) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	until := a.elevated[strings.TrimPrefix(who.Actor, accountMark)]
	return time.Unix(until, 0).UTC(), a.clock.Now().Unix() < until
}

// EndElevation ends one before its time: the own one, or another's for whoever reviews it. fault.NotFound when none goes on.
func (a *Accounts) EndElevation(ctx context.Context, account string, by Caller) error {
	if by.Actor != accountMark+account {
		if err := Allowed(by, AlarmReview); err != nil {
			return err
		}
	}
	return a.endElevation(ctx, account, by.Actor, "ended by hand")
}

// StopElevation is EndElevation by the alarm that was raised. fault.NotFound when it is about no elevation that goes on.
func (a *Accounts) StopElevation(ctx context.Context, ref string, by Caller) error {
	var one *Alarm
	err := a.db.Read(ctx, func(tx *db.Tx) (err error) {
		one, err = a.oneAlarm(ctx, tx, ref)
		return err
	})
	if err != nil {
		return err
	}
	if one.Kind != AlarmElevation || one.Ended != nil {
		return fault.New(fault.NotFound, "no elevation that goes on raised this alarm")
	}
	return a.EndElevation(ctx, one.Account, by)
}

// EndOwnElevation ends the caller's own; fault.NotFound when none goes on.
func (a *Accounts) EndOwnElevation(ctx context.Context, who Caller) error {
	return a.EndElevation(ctx, strings.TrimPrefix(who.Actor, accountMark), who)
}

func (a *Accounts) endElevation(ctx context.Context, account, actor, because string) error {
	return a.db.Write(ctx, func(tx *db.Tx) error {
		one, err := a.running(ctx, tx, account)
		if err != nil {
			return err
		}
		if one == nil {
			return fault.New(fault.NotFound, "no elevation of this account goes on")
		}
		if _, err := tx.Exec(ctx, `update alarms set ended = $2 where id = $1`, one.ID, a.clock.Now().Unix()); err != nil {
			return err
		}
		tx.OnCommit(func() { a.setElevated(account, 0) })
		return a.note(tx, "elevation.ended", "done", actor, map[string]any{"alarm": one.ID, "account": account, "because": because})
	})
}

// sweepElevations writes down the end of those whose time is over. Nobody is elevated beyond it, swept or not.
func (a *Accounts) sweepElevations(ctx context.Context) error {
	var over []string
	a.mu.RLock()
	for account, until := range a.elevated {
		if a.clock.Now().Unix() >= until {
			over = append(over, account)
		}
	}
	a.mu.RUnlock()
	var errs []error
	for _, account := range over {
		if err := a.endElevation(ctx, account, "ombud", "its time is over"); fault.KindOf(err) != fault.NotFound {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
