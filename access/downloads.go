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

// Downloads says how many packages and exports one person takes away in a while.
type Downloads struct {
	Most int           // 0 is 30
	In   time.Duration // 0 is an hour
}

func (d Downloads) orDefault() Downloads {
	if d.Most == 0 {
		d.Most = 30
	}
	if d.In == 0 {
		d.In = time.Hour
	}
	return d
}

// SetDownloads says how many that are; it takes effect at once.
func (a *Accounts) SetDownloads(d Downloads) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.downloads = d
}

// TakeAway counts that somebody takes a package or an export away, before they have it: the count is on the disk when it
// answers, so that a restart gives nobody more. fault.Busy at the limit, which raises an alarm.
func (a *Accounts) TakeAway(ctx context.Context, who Caller) error {
	a.mu.RLock()
	d := a.downloads.orDefault()
	a.mu.RUnlock()
	err := a.tries.count(ctx, limit{"download " + who.Actor, d.Most, d.In})
	if fault.KindOf(err) != fault.Busy {
		return err
	}
	var f *fault.Error
	out := fault.New(fault.Busy, "you took %d packages or exports away, the most in %d minutes; an alarm is raised", d.Most, int(d.In.Minutes()))
	if errors.As(err, &f) {
		out.Retry = f.Retry
		out = out.Then("Try again in %d minutes.", int(f.Retry.Minutes())+1)
	}
	if err := a.alarmDownloads(ctx, who, d); err != nil {
		return err
	}
	return out
}

// alarmDownloads raises an alarm about somebody at the limit, while none about them is open.
func (a *Accounts) alarmDownloads(ctx context.Context, who Caller, d Downloads) error {
	return a.db.Write(ctx, func(tx *db.Tx) error {
		open := false
		err := a.readAlarms(ctx, tx, "where reviewed = 0 and kind = $1 and actor = $2", []any{string(AlarmDownloads), who.Actor}, func(*Alarm) { open = true })
		if err != nil || open {
			return err
		}
		one := &Alarm{ID: id.New("alm_", a.clock.Now()), Kind: AlarmDownloads, Actor: who.Actor, Began: a.clock.Now(), Words: &Words{}}
		if account, ok := strings.CutPrefix(who.Actor, accountMark); ok {
			one.Account = account
		}
		if err := a.raise(ctx, tx, one); err != nil {
			return err
		}
		return a.note(tx, "download.limited", "alarm", who.Actor, map[string]any{"alarm": one.ID, "account": one.Account, "most": d.Most, "minutes": int(d.In.Minutes())})
	})
}
