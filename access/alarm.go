package access

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/id"
)

const alarmsSchema = `create table alarms (
	id text primary key,
	kind text not null,
	account text not null,
	actor text not null,
	began bigint not null,
	until bigint not null,
	ended bigint not null,
	reviewed bigint not null,
	reviewer text not null,
	sealed bytea not null
)`

// AlarmKind is what another person must look at.
type AlarmKind string

// The alarms: what lets somebody rise, or become somebody else; and what makes the log, or people's data, less safe.
const (
	AlarmElevation AlarmKind = "elevation"     // somebody broke the glass
	AlarmAccount   AlarmKind = "account"       // an account was made
	AlarmRole      AlarmKind = "role"          // one has other roles
	AlarmLink      AlarmKind = "setup link"    // a link was given that makes whoever opens it somebody
	AlarmReset     AlarmKind = "reset"         // password and factor were taken, and such a link was given
	AlarmFactor    AlarmKind = "second factor" // whoever opened a link set up a second factor, or codes go to another address
	AlarmDownloads AlarmKind = "downloads"     // somebody takes more away than one person does
	AlarmWitness   AlarmKind = "witness"       // one that cosigns the log refuses, or signs something else
)

// alarming are the changes of accounts that raise an alarm.
var alarming = map[string]AlarmKind{changeRole: AlarmRole, changeLink: AlarmLink, changeReset: AlarmReset, changeFirstFactor: AlarmFactor, changeMail: AlarmFactor, changeEmail: AlarmFactor}

// Alarm is something that another person looks at. It stays open until they say what they found.
type Alarm struct {
	ID       string     `json:"id"`
	Kind     AlarmKind  `json:"kind"`
	Account  string     `json:"account"` // whom it is about, "" for nobody
	Actor    string     `json:"actor"`   // who did it
	Began    time.Time  `json:"began"`
	Until    *time.Time `json:"until,omitempty"` // of an elevation
	Ended    *time.Time `json:"ended,omitempty"` // of an elevation: when it was over
	Reviewed *time.Time `json:"reviewed,omitempty"`
	Reviewer string     `json:"reviewer,omitempty"`
	Words    *Words     `json:"words,omitempty"` // for those who may review
}

// Words are what people wrote about an alarm.
type Words struct {
	Why   string `json:"why,omitempty"`   // whoever broke the glass, or what the program saw
	Found string `json:"found,omitempty"` // whoever looked at it
}

const alarmLabel = "alarm"

// alarm raises one in the transaction of what it is about, and names it in the content of that entry.
func (a *Accounts) alarm(ctx context.Context, tx *db.Tx, content map[string]any, kind AlarmKind, account, actor string) error {
	one := &Alarm{ID: id.New("alm_", a.clock.Now()), Kind: kind, Account: account, Actor: actor, Began: a.clock.Now(), Words: &Words{}}
	content["alarm"] = one.ID
	return a.raise(ctx, tx, one)
}

// AlarmOf raises an alarm that the program itself has, and about nobody, in a transaction of others; it gives its id. While
// the same one is open it is that one, and not another.
func (a *Accounts) AlarmOf(ctx context.Context, tx *db.Tx, kind AlarmKind, why string) (string, error) {
	open := ""
	err := a.readAlarms(ctx, tx, "where reviewed = 0 and kind = $1", []any{string(kind)}, func(one *Alarm) {
		if one.Words.Why == why {
			open = one.ID
		}
	})
	if err != nil || open != "" {
		return open, err
	}
	one := &Alarm{ID: id.New("alm_", a.clock.Now()), Kind: kind, Actor: program, Began: a.clock.Now(), Words: &Words{Why: why}}
	return one.ID, a.raise(ctx, tx, one)
}

func (a *Accounts) raise(ctx context.Context, tx *db.Tx, one *Alarm) error {
	tx.OnCommit(func() { a.count(1) })
	_, err := tx.Exec(ctx, `insert into alarms (id, kind, account, actor, began, until, ended, reviewed, reviewer, sealed) values ($1, $2, $3, $4, $5, $6, 0, 0, '', $7)`,
		one.ID, string(one.Kind), one.Account, one.Actor, one.Began.Unix(), unix(one.Until), a.sealWords(one))
	return err
}

func (a *Accounts) sealWords(one *Alarm) []byte {
	b, _ := json.Marshal(one.Words) // strings always can be
	return a.vault.Seal(alarmLabel, []byte(one.ID), b)
}

func unix(t *time.Time) int64 {
	if t == nil {
		return 0
	}
	return t.Unix()
}

func (a *Accounts) count(n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.alarms += n
}

// OpenAlarms is how many nobody has looked at.
func (a *Accounts) OpenAlarms() int {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.alarms
}

// Alarms gives those that are open or, with all, every one; the newest first. What people wrote is for those who may review.
func (a *Accounts) Alarms(ctx context.Context, by Caller, all bool) ([]Alarm, error) {
	if err := Allowed(by, AlarmRead); err != nil {
		return nil, err
	}
	where := "where reviewed = 0 order by began desc, id desc"
	if all {
		where = "order by began desc, id desc"
	}
	words := Allowed(by, AlarmReview) == nil
	out := []Alarm{}
	err := a.db.Read(ctx, func(tx *db.Tx) error {
		out = out[:0]
		return a.readAlarms(ctx, tx, where, nil, func(one *Alarm) {
			if !words {
				one.Words = nil
			}
			out = append(out, *one)
		})
	})
	return out, err
}

func (a *Accounts) readAlarms(ctx context.Context, tx *db.Tx, rest string, args []any, each func(*Alarm)) error {
	rows, err := tx.Query(ctx, `select id, kind, account, actor, began, until, ended, reviewed, reviewer, sealed from alarms `+rest, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		one := Alarm{Words: &Words{}}
		var began, until, ended, reviewed int64
		var sealed []byte
		if err := rows.Scan(&one.ID, &one.Kind, &one.Account, &one.Actor, &began, &until, &ended, &reviewed, &one.Reviewer, &sealed); err != nil {
			return fmt.Errorf("reading an alarm: %w", err)
		}
		one.Began, one.Until, one.Ended, one.Reviewed = time.Unix(began, 0).UTC(), timeOf(until), timeOf(ended), timeOf(reviewed)
		open, err := a.vault.Open(alarmLabel, []byte(one.ID), sealed)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(open, one.Words); err != nil {
			return fmt.Errorf("reading an alarm: %w", err)
		}
		each(&one)
	}
	return rows.Err()
}

// Review closes an alarm with what the reviewer found. Nobody reviews what they did or what is about them, and an elevation
// is over first: fault.Denied and fault.Conflict. While there is no account, who is at the machine closes what the program raised.
func (a *Accounts) Review(ctx context.Context, ref, found string, by Caller) (out Alarm, err error) {
	if err := Allowed(by, AlarmReview); err != nil {
		return Alarm{}, err
	}
	if found = Justification(found); found == "" {
		return Alarm{}, errWhy("found", "say what you found")
	}
	err = a.db.Write(ctx, func(tx *db.Tx) error {
		one, err := a.oneAlarm(ctx, tx, ref)
		switch {
		case err != nil:
			return err
		case by.Session == "" && !a.alone(by, one) || one.Actor == by.Actor || accountMark+one.Account == by.Actor:
			return fault.New(fault.Denied, "nobody reviews what they did, or what is about them").Then("Another %s or %s does.", Officer, Auditor)
		case one.Reviewed != nil:
			return fault.New(fault.Conflict, "this was reviewed before")
		case one.Kind == AlarmElevation && one.Ended == nil:
			return fault.New(fault.Conflict, "this elevation goes on").Then("End it, or wait for its end.")
		}
		if err := a.mayReview(ctx, tx, by); err != nil {
			return err
		}
		now := a.clock.Now().Truncate(time.Second).UTC()
		one.Words.Found, one.Reviewed, one.Reviewer = found, &now, by.Actor
		if _, err := tx.Exec(ctx, `update alarms set reviewed = $2, reviewer = $3, sealed = $4 where id = $1`, one.ID, now.Unix(), by.Actor, a.sealWords(one)); err != nil {
			return err
		}
		out = *one
		tx.OnCommit(func() { a.count(-1) })
		return a.note(tx, "alarm.reviewed", "done", by.Actor, map[string]any{"alarm": one.ID, "kind": one.Kind, "account": one.Account, "found": found})
	})
	return out, err
}

// alone tells that nobody else could look at an alarm: the program raised it, there is no account, and who is at the machine
// reviews it.
func (a *Accounts) alone(by Caller, one *Alarm) bool {
	return by.Role == Local && one.Actor == program && !a.Any()
}

// program is the actor of alarms that nobody's act raised.
const program = "ombud"

// mayReview keeps out a reviewer who is under an open alarm themself, while somebody else can review: else whoever makes
// two accounts would let one clear the other.
func (a *Accounts) mayReview(ctx context.Context, tx *db.Tx, by Caller) error {
	suspect := map[string]bool{}
	if err := a.readAlarms(ctx, tx, "where reviewed = 0", nil, func(one *Alarm) { suspect[one.Account] = true }); err != nil {
		return err
	}
	others := false
	err := a.readAll(ctx, tx, func(r *record) {
		c := Caller{Actor: r.actor(), Role: r.Role, Also: joinRoles(r.Also), Session: "as if", rules: by.rules}
		others = others || r.Enabled && r.Factor != nil && !suspect[r.ID] && Allowed(c, AlarmReview) == nil
	})
	if err == nil && others && suspect[strings.TrimPrefix(by.Actor, accountMark)] {
		err = fault.New(fault.Denied, "your own account waits for a review; until then you review nobody").Then("Another %s or %s does.", Officer, Auditor)
	}
	return err
}

func (a *Accounts) oneAlarm(ctx context.Context, tx *db.Tx, ref string) (*Alarm, error) {
	var found *Alarm
	err := a.readAlarms(ctx, tx, "where id = $1", []any{ref}, func(one *Alarm) { found = one })
	if err == nil && found == nil {
		err = fault.New(fault.NotFound, "there is no such alarm")
	}
	return found, err
}

func errWhy(where, what string) error {
	return fault.New(fault.Invalid, "a few words are needed").With(fault.Detail{Where: where, Message: fmt.Sprintf("%s, in %d characters to %d bytes", what, shortestWhy, longestWhy)})
}

// readStanding counts what is open, and finds the elevations that go on.
func (a *Accounts) readStanding(ctx context.Context, tx *db.Tx) error {
	a.alarms = 0
	return a.readAlarms(ctx, tx, "where reviewed = 0", nil, func(one *Alarm) {
		a.alarms++
		if one.Kind == AlarmElevation && one.Ended == nil {
			a.elevated[one.Account] = unix(one.Until)
		}
	})
}
