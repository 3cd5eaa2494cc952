package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ombudhq/ombud/internal/db"
)

// KindExpired is the entry that tells which entries lost what could be read of them, because their time was over.
const KindExpired = "ledger.expired"

// Class groups the kinds of entries that stay readable equally long.
type Class string

// The classes. State is what decisions rest on: consents, restrictions, objections and purposes. It does not go by the
// calendar, for the newest of it is in force however old it is.
const (
	Security   Class = "security"   // who may do what, keys, the log itself
	Access     Class = "access"     // who saw or used what
	Compliance Class = "compliance" // everything else
	State      Class = "state"
)

// Classes are those that go by the calendar.
func Classes() []Class { return []Class{Security, Access, Compliance} }

// accessVerbs and the words of classes are the second and the first half of kinds.
var (
	accessVerbs   = []string{"read", "viewed", "revealed", "accessed", "exported", "minimised", "made"}
	accessWords   = []string{"data", "decision", "ledger", "package", "purpose"}
	securityWords = []string{"account", "session", "key", "backup", "ledger", "propagation", "vault", "role", "policy"}
	stateWords    = []string{"consent", "purpose", "restriction", "objection"}
)

// ClassOf is the class of a kind.
func ClassOf(kind string) Class {
	word, verb, _ := strings.Cut(kind, ".")
	switch {
	case slices.Contains(accessWords, word) && slices.Contains(accessVerbs, verb):
		return Access
	case slices.Contains(securityWords, word):
		return Security
	case slices.Contains(stateWords, word):
		return State
	}
	return Compliance
}

// Years says how long entries of a class stay readable.
type Years map[Class]int

// DefaultYears is how long they do at least: a promise of ours, whatever law asks for less.
func DefaultYears() Years { return Years{Security: 7, Access: 1, Compliance: 10} }

// before is the minute before which entries of a class have had their time; 0 for none.
func (y Years) before(c Class, now time.Time) int64 {
	if c == State {
		return 0
	}
	return now.AddDate(-max(y[c], DefaultYears()[c]), 0, 0).Unix() / 60
}

// retention: upto is the last entry that was looked at for a class. The clock's row says when it was looked at last, and
// since when it has gone evenly.
const retention = `create table ledger_retention (
	class text not null primary key,
	upto bigint not null
);
create table ledger_clock (
	id bigint not null primary key,
	at bigint not null,
	even bigint not null
)`

const (
	expireChunk = 4096               // entries that one transaction looks at
	steadyStep  = 48 * time.Hour     // more than this between two looks, or a step back, may be a clock that was set
	steadyFor   = 7 * 24 * time.Hour // how long it must go evenly then
)

// Expiry is what one call of Expire did.
type Expiry struct {
	Expired map[Class]int64
	Waits   time.Time // zero, or until when nothing expires, because the clock may have been set
}

// Expire destroys what can be read of entries whose time is over: sealed payload and subject. Leaves stay, and with them
// every proof. Each transaction that destroys holds the entry that tells of it. After a jump of the clock nothing is
// destroyed for a week: a wrong year would destroy too early, and that cannot be undone. Call it more often than every
// other day.
func (l *Ledger) Expire(ctx context.Context, y Years) (out Expiry, err error) {
	out.Expired = map[Class]int64{}
	if out.Waits, err = l.clockWaits(ctx); err != nil || !out.Waits.IsZero() {
		return out, err
	}
	for _, c := range Classes() {
		for more := true; more; {
			var n int64
			err := l.c.DB.Write(ctx, func(tx *db.Tx) (err error) {
				n, more, err = l.expire(ctx, tx, c, y.before(c, l.c.Clock.Now()))
				return err
			})
			if err != nil {
				return out, fmt.Errorf("expiring entries: %w", err)
			}
			out.Expired[c] += n
		}
	}
	return out, nil
}

// clockWaits looks at the clock and gives until when it is not to be trusted.
func (l *Ledger) clockWaits(ctx context.Context) (until time.Time, err error) {
	err = l.c.DB.Write(ctx, func(tx *db.Tx) error {
		until = time.Time{}
		now := l.c.Clock.Now()
		var at, even int64
		err := tx.QueryRow(ctx, "select at, even from ledger_clock where id = 1").Scan(&at, &even)
		if err != nil && !errors.Is(err, db.ErrNoRows) {
			return fmt.Errorf("reading the clock of before: %w", err)
		}
		if err == nil {
			if step := now.Sub(time.Unix(at, 0)); step < -time.Minute || step > steadyStep {
				even = now.Unix()
			}
		}
		if end := time.Unix(even, 0).Add(steadyFor); now.Before(end) {
			until = end
		}
		_, err = tx.Exec(ctx, `insert into ledger_clock (id, at, even) values (1, $1, $2)
			on conflict (id) do update set at = excluded.at, even = excluded.even`, now.Unix(), even)
		return err
	})
	return until, err
}

// expire looks at the next entries of a class; more is false where one comes whose time is not over.
func (l *Ledger) expire(ctx context.Context, tx *db.Tx, c Class, before int64) (n int64, more bool, err error) {
	var upto int64
	err = tx.QueryRow(ctx, "select upto from ledger_retention where class = $1", string(c)).Scan(&upto)
	if err != nil && !errors.Is(err, db.ErrNoRows) {
		return 0, false, err
	}
	due, last, more, err := dueOf(ctx, tx, c, upto, before)
	if err != nil || last == upto {
		return 0, false, err
	}
	for _, id := range due {
		if err := l.disown(ctx, tx, id); err != nil {
			return 0, false, err
		}
		if _, err := tx.Exec(ctx, "update ledger_entries set payload = null, subject = null where id = $1", id); err != nil {
			return 0, false, err
		}
	}
	_, err = tx.Exec(ctx, `insert into ledger_retention (class, upto) values ($1, $2)
		on conflict (class) do update set upto = excluded.upto`, string(c), last)
	if err != nil || len(due) == 0 {
		return 0, more, err
	}
	_, err = l.Append(tx, Entry{Kind: KindExpired, Result: "done", Actor: "ombud", Content: map[string]any{
		"class": c, "entries": len(due), "from": due[0], "to": due[len(due)-1], "before": time.Unix(before*60, 0).UTC()}})
	return int64(len(due)), more, err
}

// dueOf gives the entries of a class behind one, and the last that was looked at. It stops before the first whose time is
// not over.
func dueOf(ctx context.Context, tx *db.Tx, c Class, upto, before int64) (due []int64, last int64, more bool, err error) {
	rows, err := tx.Query(ctx, "select id, minute, kind, payload is null from ledger_entries where id > $1 order by id limit $2", upto, expireChunk)
	if err != nil {
		return nil, upto, false, err
	}
	defer rows.Close()
	seen := 0
	for last = upto; rows.Next(); seen++ {
		var id, minute int64
		var kind string
		var gone bool
		if err := rows.Scan(&id, &minute, &kind, &gone); err != nil {
			return nil, upto, false, err
		}
		if minute >= before {
			return due, last, false, rows.Err()
		}
		if last = id; ClassOf(kind) == c && !gone {
			due = append(due, id)
		}
	}
	return due, last, seen == expireChunk, rows.Err()
}

// hadItsTime tells whether an entry may be unreadable for its age alone.
func (s *stored) hadItsTime(y Years, now time.Time) bool {
	return s.meta.minute < y.before(ClassOf(s.meta.kind), now)
}
