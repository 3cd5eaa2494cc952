package event

import (
	"fmt"
	"math/bits"
	"strings"
	"time"

	"github.com/ombudhq/ombud/internal/db"
)

// schema: times are milliseconds, 0 is never. since begins the three days of retries. Few indexes, for each costs every
// delivery twice; that of what is pending is partial, so that it stays as small as the work.
const schema = `create table propagations (
	id text primary key,
	target text not null,
	revision bigint not null,
	type text not null,
	subject text not null,
	state text not null,
	attempts bigint not null,
	since bigint not null,
	next_at bigint not null,
	deadline bigint not null,
	alarmed boolean not null,
	error text not null,
	created_at bigint not null,
	received_at bigint not null,
	changed_at bigint not null
);
create index propagations_state on propagations (target, state, id);
create index propagations_pending on propagations (target, subject, revision, next_at) where state = 'pending';
create index propagations_deadline on propagations (deadline) where deadline > 0 and alarmed = false and state <> 'acted';
create index propagations_late on propagations (target, id) where alarmed = true and state <> 'acted';
create table propagation_cursor (
	name text primary key,
	revision bigint not null
);
create table propagation_targets (
	target text primary key,
	failing_since bigint not null,
	disabled_at bigint not null,
	reason text not null
)`

// seedSchema holds what ids are made with.
const seedSchema = `create table propagation_seed (seed bytea not null)`

const columns = `id, target, revision, type, subject, state, attempts, since, next_at, deadline, alarmed, error,
	created_at, received_at, changed_at`

// row is a line of propagations.
type row struct {
	id, target, kind, subject, state, failure                   string
	revision, since, next, deadline, created, received, changed int64
	attempts                                                    int
	alarmed                                                     bool

	batch *batch // that is or was on its way to the store with this row; nil for a row that was read from there
	at    int    // its place in the batch
}

var propagations = db.NewTable("propagations", db.Column{Name: "id", Type: "text"}, db.Column{Name: "target", Type: "text"},
	db.Column{Name: "revision", Type: "bigint"}, db.Column{Name: "type", Type: "text"}, db.Column{Name: "subject", Type: "text"},
	db.Column{Name: "state", Type: "text"}, db.Column{Name: "attempts", Type: "bigint"}, db.Column{Name: "since", Type: "bigint"},
	db.Column{Name: "next_at", Type: "bigint"}, db.Column{Name: "deadline", Type: "bigint"}, db.Column{Name: "alarmed", Type: "boolean"},
	db.Column{Name: "error", Type: "text"}, db.Column{Name: "created_at", Type: "bigint"}, db.Column{Name: "received_at", Type: "bigint"},
	db.Column{Name: "changed_at", Type: "bigint"})

// insert writes a row that is new.
func (w *row) insert(tx *db.Tx) error {
	return tx.Insert(propagations, db.OfText(w.id), db.OfText(w.target), db.OfInt(w.revision), db.OfText(w.kind), db.OfText(w.subject),
		db.OfText(w.state), db.OfInt(int64(w.attempts)), db.OfInt(w.since), db.OfInt(w.next), db.OfInt(w.deadline), db.OfBool(w.alarmed),
		db.OfText(w.failure), db.OfInt(w.created), db.OfInt(w.received), db.OfInt(w.changed))
}

func (w *row) scan(r interface{ Scan(...any) error }) error {
	return r.Scan(&w.id, &w.target, &w.revision, &w.kind, &w.subject, &w.state, &w.attempts, &w.since, &w.next,
		&w.deadline, &w.alarmed, &w.failure, &w.created, &w.received, &w.changed)
}

func scanAll(rows *db.Rows, err error) ([]row, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []row
	for rows.Next() {
		var w row
		if err := w.scan(rows); err != nil {
			return nil, fmt.Errorf("reading a propagation: %w", err)
		}
		out = append(out, w)
	}
	return out, rows.Err()
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func instant(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// portion is the largest power of two that n holds, at most 64: statements of few sizes stay prepared.
func portion(n int) int { return min(64, 1<<(bits.Len(uint(n))-1)) }

// lists repeats a pattern n times with growing numbers for its ?, from first on.
func lists(pattern string, n, first int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		for _, c := range pattern {
			if c != '?' {
				b.WriteRune(c)
				continue
			}
			fmt.Fprintf(&b, "$%d", first)
			first++
		}
	}
	return b.String()
}

// texts holds a statement for each portion.
type texts [7]string

func newTexts(head, pattern, tail string, first int) (t texts) {
	for i := range t {
		t[i] = head + lists(pattern, 1<<i, first) + tail
	}
	return t
}

func (t *texts) of(n int) string { return t[bits.Len(uint(n))-1] }
