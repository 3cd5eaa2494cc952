package event

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/id"
)

// State is how far a message came.
type State string

const (
	Pending  State = "pending"  // not there yet
	Received State = "received" // the target has it
	Acted    State = "acted"    // the target acknowledged that it acted
	Dead     State = "dead"     // given up after three days; can be replayed
)

// Propagation is the record of one message to one target. Times that did not come are zero.
type Propagation struct {
	ID       string    `json:"id"`
	Target   string    `json:"target"`
	Type     string    `json:"type"`
	Subject  string    `json:"subject,omitempty"`
	Revision int64     `json:"revision"`
	State    State     `json:"state"`
	Late     bool      `json:"late"` // the deadline passed without an acknowledgement; stays when it comes late
	Attempts int       `json:"attempts"`
	Error    string    `json:"error,omitempty"` // kind of the last failure
	Created  time.Time `json:"created"`
	NextTry  time.Time `json:"next_try,omitzero"` // while pending
	Deadline time.Time `json:"deadline,omitzero"`
	Received time.Time `json:"received,omitzero"`
	Changed  time.Time `json:"changed"`
}

func (w row) public() Propagation {
	p := Propagation{
		ID: w.id, Target: w.target, Type: w.kind, Subject: w.subject, Revision: w.revision, State: State(w.state), Late: w.alarmed,
		Attempts: w.attempts, Error: w.failure, Created: instant(w.created), Deadline: instant(w.deadline),
		Received: instant(w.received), Changed: instant(w.changed),
	}
	if p.State == Pending {
		p.NextTry = instant(w.next)
	}
	return p
}

// Get gives one propagation; fault.NotFound when there is none.
func (r *Relay) Get(ctx context.Context, id string) (Propagation, error) {
	var w row
	if err := r.stored(ctx, id); err != nil {
		return Propagation{}, err
	}
	err := r.c.DB.Read(ctx, func(tx *db.Tx) (err error) {
		w, err = one(ctx, tx, id)
		return err
	})
	return w.public(), err
}

// Filter narrows a list. Empty fields do not.
type Filter struct {
	Target string
	State  State
	Late   bool   // only those that are late and still not acted on
	Before string // only those made before the one with this id
	Limit  int    // at most 500; 0 is 50
}

// List gives propagations, the newest first. The next page is Before the id of the last one.
func (r *Relay) List(ctx context.Context, f Filter) (out []Propagation, err error) {
	var where []string
	var args []any
	add := func(condition string, arg any) {
		args = append(args, arg)
		where = append(where, fmt.Sprintf(condition, len(args)))
	}
	if f.Target != "" {
		add("target = $%d", f.Target)
	}
	if f.State != "" {
		add("state = $%d", string(f.State))
	}
	if f.Before != "" {
		add("id < $%d", f.Before)
	}
	if f.Late {
		where = append(where, "alarmed = true and state <> 'acted'")
	}
	text := "select " + columns + " from propagations"
	if len(where) > 0 {
		text += " where " + strings.Join(where, " and ")
	}
	args = append(args, min(cmp.Or(f.Limit, 50), 500))
	text += fmt.Sprintf(" order by id desc limit $%d", len(args))
	err = r.c.DB.Read(ctx, func(tx *db.Tx) error {
		rows, err := scanAll(tx.Query(ctx, text, args...))
		out = make([]Propagation, 0, len(rows))
		for _, w := range rows {
			out = append(out, w.public())
		}
		return err
	})
	return out, err
}

// Status is how things stand with one target. The counts are of what is kept.
type Status struct {
	Target       string        `json:"target"`
	Pending      int64         `json:"pending"`
	Received     int64         `json:"received"` // and not acted on, also where nobody waits for that
	Acted        int64         `json:"acted"`
	Dead         int64         `json:"dead"`
	Late         int64         `json:"late"`                   // past their deadline and not acted on
	Oldest       time.Time     `json:"oldest,omitzero"`        // when the oldest pending message was made
	Due          time.Time     `json:"due,omitzero"`           // the first deadline of a pending message
	NextTry      time.Time     `json:"next_try,omitzero"`      // when the next attempt is due
	P50          time.Duration `json:"p50_ns"`                 // time to received, of the newest 2,000 of the last 30 days
	P99          time.Duration `json:"p99_ns"`                 //
	FailingSince time.Time     `json:"failing_since,omitzero"` // nothing was taken since the first failure then
	DisabledAt   time.Time     `json:"disabled_at,omitzero"`
	Reason       string        `json:"reason,omitempty"` // kind of the failure it began or ended with
}

// Status tells of every target that is configured or has messages, in the order of their ids.
func (r *Relay) Status(ctx context.Context) ([]Status, error) {
	var all map[string]*Status
	err := r.c.DB.Read(ctx, func(tx *db.Tx) error {
		all = r.configured()
		if err := counts(ctx, tx, all); err != nil {
			return err
		}
		for target, s := range all {
			if err := s.times(ctx, tx, target, r.c.Clock.Now()); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var out []Status
	for target, s := range all {
		if l := r.lane(target); l != nil && s.Pending > 0 {
			s.NextTry = l.notBefore(s.NextTry)
		}
		out = append(out, *s)
	}
	slices.SortFunc(out, func(a, b Status) int { return cmp.Compare(a.Target, b.Target) })
	return out, nil
}

func (r *Relay) configured() map[string]*Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := map[string]*Status{}
	for target := range r.lanes {
		all[target] = &Status{Target: target}
	}
	return all
}

// notBefore moves a time behind the lane's pause; a disabled target has no next try.
func (l *lane) notBefore(t time.Time) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.disabled {
		return time.Time{}
	}
	return instant(max(millis(t), l.until))
}

// The literals name the partial indexes. Each query gives a target, what is counted, and how many.
var countTexts = []string{
	"select target, state, count(*) from propagations group by target, state",
	"select target, 'late', count(*) from propagations where alarmed = true and state <> 'acted' group by target",
	"select target, 'due', min(deadline) from propagations where state = 'pending' and deadline > 0 group by target",
	"select target, 'next', min(next_at) from propagations where state = 'pending' group by target",
	"select target, 'failing', failing_since from propagation_targets",
	"select target, 'disabled', disabled_at from propagation_targets",
}

func counts(ctx context.Context, tx *db.Tx, all map[string]*Status) error {
	for _, text := range countTexts {
		rows, err := tx.Query(ctx, text)
		if err != nil {
			return err
		}
		for rows.Next() {
			var target, what string
			var n int64
			if err := rows.Scan(&target, &what, &n); err != nil {
				return fmt.Errorf("reading a count: %w", err)
			}
			if all[target] == nil {
				all[target] = &Status{Target: target}
			}
			all[target].set(what, n)
		}
		if err := rows.Err(); err != nil {
			return err
		}
	}
	return nil
}

func (s *Status) set(what string, n int64) {
	switch what {
	case string(Pending):
		s.Pending = n
	case string(Received):
		s.Received = n
	case string(Acted):
		s.Acted = n
	case string(Dead):
		s.Dead = n
	case "late":
		s.Late = n
	case "due":
		s.Due = instant(n)
	case "next":
		s.NextTry = instant(n)
	case "failing":
		s.FailingSince = instant(n)
	case "disabled":
		s.DisabledAt = instant(n)
	}
}

const measured = 2000

// times reads the reason of a failing target, the age of the oldest message, and how long messages took.
func (s *Status) times(ctx context.Context, tx *db.Tx, target string, now time.Time) error {
	if !s.FailingSince.IsZero() || !s.DisabledAt.IsZero() {
		if err := tx.QueryRow(ctx, "select reason from propagation_targets where target = $1", target).Scan(&s.Reason); err != nil {
			return err
		}
	}
	if s.Pending > 0 {
		var oldest int64
		if err := tx.QueryRow(ctx, `select created_at from propagations where target = $1 and state = 'pending'
			order by id limit 1`, target).Scan(&oldest); err != nil {
			return err
		}
		s.Oldest = instant(oldest)
	}
	since := id.Floor("prp_", now.Add(-30*day))
	var rows []row
	for _, state := range []State{Received, Acted} {
		some, err := scanAll(tx.Query(ctx, "select "+columns+` from propagations where target = $1 and state = $2 and id >= $3
			order by id desc limit $4`, target, string(state), since, measured))
		if err != nil {
			return err
		}
		rows = append(rows, some...)
	}
	slices.SortFunc(rows, func(a, b row) int { return cmp.Compare(b.id, a.id) })
	var took []time.Duration
	for _, w := range rows[:min(len(rows), measured)] {
		took = append(took, time.Duration(w.received-w.created)*time.Millisecond)
	}
	slices.Sort(took)
	s.P50, s.P99 = rank(took, 50), rank(took, 99)
	return nil
}

// rank is the nearest rank of a percentile.
func rank(sorted []time.Duration, percent int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[(len(sorted)*percent+99)/100-1]
}
