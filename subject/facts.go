package subject

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/id"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/vault"
)

// FactKind says which right a fact comes from.
type FactKind string

// The kinds.
const (
	Restriction FactKind = "restriction" // Art. 18: only what is allowed by name goes on
	Objection   FactKind = "objection"   // Art. 21, and opt-outs of United States law: what is named stops
)

// factTypes are the grounds of each kind.
var factTypes = map[FactKind][]string{
	Restriction: {"accuracy_dispute", "unlawful_processing", "legal_claims", "objection_pending"},
	Objection:   {"direct_marketing", "legitimate_interests", "public_task", "research", "statistics", "opt_out"},
}

// Fact is a restriction or an objection that stands, or stood.
type Fact struct {
	ID       string    `json:"id"`
	Kind     FactKind  `json:"kind"`
	Type     string    `json:"type"`
	Purposes []string  `json:"purposes,omitempty"` // those it stops; none means every one of its type
	Allowed  []string  `json:"allowed,omitempty"`  // purposes a restriction lets go on
	Because  string    `json:"because,omitempty"`
	Since    time.Time `json:"since"`
	Until    time.Time `json:"until,omitzero"`
	Ended    time.Time `json:"ended,omitzero"`
	Revision int64     `json:"revision"` // of the entry that made it
}

// Stands tells whether it holds at that moment: from when it was made, also where the clock was set back since, and an end
// that is set needs nobody to come by.
func (f *Fact) Stands(now time.Time) bool {
	return f.Ended.IsZero() && (f.Until.IsZero() || now.Before(f.Until))
}

// Stops tells whether a purpose is among those it names.
func (f *Fact) Stops(purpose string) bool {
	return len(f.Purposes) == 0 || slices.Contains(f.Purposes, purpose)
}

// FactInput is what somebody asks for.
type FactInput struct {
	Kind     FactKind
	Type     string
	Purposes []string
	Allowed  []string
	Because  string
	Until    time.Time
	Actor    string
}

const factsSchema = `create table facts (
	id text primary key,
	person bigint not null,
	revision bigint not null,
	since bigint not null,
	body bytea not null,
	ended bigint
);
create index facts_person on facts (person)`

const factLabel = "fact" // under which facts are sealed: reasons may name people

// Facts keeps restrictions and objections, and those that stand also in memory, for every decision asks for them. It is
// safe for concurrent use.
type Facts struct {
	db     *db.DB
	vault  *vault.Vault
	ledger *ledger.Ledger
	clock  clock.Clock
	people *People

	mu       sync.RWMutex
	standing map[Number][]Fact // not ended; lists are replaced, never changed
}

// OpenFacts reads what stands.
func OpenFacts(ctx context.Context, d *db.DB, v *vault.Vault, l *ledger.Ledger, c clock.Clock, p *People) (*Facts, error) {
	if err := d.Migrate(ctx, "facts", factsSchema); err != nil {
		return nil, err
	}
	f := &Facts{db: d, vault: v, ledger: l, clock: c, people: p, standing: map[Number][]Fact{}}
	err := d.Read(ctx, func(tx *db.Tx) error {
		return f.each(ctx, tx, "select id, person, revision, since, body, ended from facts where ended is null order by since, id",
			func(n Number, one Fact) { f.standing[n] = append(f.standing[n], one) })
	})
	return f, err
}

// Of are the facts about a person that have not ended, whether they hold or no longer: Stands tells.
func (f *Facts) Of(n Number) []Fact {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.standing[n]
}

// Numbers are the people about whom there are facts.
func (f *Facts) Numbers() []Number {
	f.mu.RLock()
	defer f.mu.RUnlock()
	out := make([]Number, 0, len(f.standing))
	for n := range f.standing {
		out = append(out, n)
	}
	return out
}

// All are the facts about a person, also those that ended.
func (f *Facts) All(ctx context.Context, n Number) (out []Fact, err error) {
	err = f.db.Read(ctx, func(tx *db.Tx) error {
		out = nil
		return f.each(ctx, tx, "select id, person, revision, since, body, ended from facts where person = $1 order by since, id",
			func(_ Number, one Fact) { out = append(out, one) }, int64(n))
	})
	return out, err
}

func (in FactInput) check(now time.Time) error {
	var faults []fault.Detail
	bad := func(where, message string) { faults = append(faults, fault.Detail{Where: where, Message: message}) }
	types, ok := factTypes[in.Kind]
	what := string(in.Kind)
	if !ok {
		what = "fact" // what was given instead is not repeated: it may be anything
		bad("kind", "restriction or objection")
	} else if !slices.Contains(types, in.Type) {
		bad("type", "one of: "+strings.Join(types, ", "))
	}
	if in.Kind == Objection && len(in.Allowed) > 0 {
		bad("allowed", "only a restriction lets purposes go on")
	}
	if !in.Until.IsZero() && !in.Until.After(now) {
		bad("until", "it is over already")
	}
	if len(faults) > 0 {
		return fault.New(fault.Invalid, "this %s cannot be recorded", what).With(faults...)
	}
	return nil
}

// Add makes a fact about a person, in a transaction of the caller's; it holds for every decision after the commit.
func (f *Facts) Add(ctx context.Context, tx *db.Tx, n Number, in FactInput) (Fact, error) {
	now := f.clock.Now().UTC()
	if err := in.check(now); err != nil {
		return Fact{}, err
	}
	one := Fact{ID: id.New("fact_", now), Kind: in.Kind, Type: in.Type, Purposes: in.Purposes, Allowed: in.Allowed, Because: in.Because,
		Since: now.Truncate(time.Millisecond), Until: in.Until.UTC().Truncate(time.Millisecond)}
	at, err := f.record(ctx, tx, n, one, string(in.Kind)+wasAdded, in.Actor)
	if err != nil {
		return Fact{}, err
	}
	one.Revision = at.Revision
	return one, f.insert(ctx, tx, n, one)
}

func (f *Facts) insert(ctx context.Context, tx *db.Tx, n Number, one Fact) error {
	body, err := json.Marshal(one)
	if err != nil {
		return fmt.Errorf("encoding a fact: %w", err)
	}
	sealed, err := f.vault.SealFor(n.Slot(), factLabel, []byte(one.ID), body)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "insert into facts (id, person, revision, since, body) values ($1, $2, $3, $4, $5)",
		one.ID, int64(n), one.Revision, one.Since.UnixMilli(), sealed)
	if err != nil {
		return err
	}
	tx.OnCommit(func() { f.replace(n, func(list []Fact) []Fact { return append(list, one) }) })
	return nil
}

// End ends a fact. Whoever has restricted processing is told before it is lifted (Art. 18(3)): that is for the caller.
func (f *Facts) End(ctx context.Context, tx *db.Tx, factID, actor string) (Number, Fact, error) {
	n, one, err := f.end(ctx, tx, factID, f.clock.Now().UTC())
	if err != nil {
		return 0, Fact{}, err
	}
	at, err := f.record(ctx, tx, n, one, string(one.Kind)+wasEnded, actor)
	one.Revision = at.Revision
	return n, one, err
}

func (f *Facts) end(ctx context.Context, tx *db.Tx, factID string, at time.Time) (n Number, one Fact, err error) {
	err = f.each(ctx, tx, "select id, person, revision, since, body, ended from facts where id = $1 and ended is null",
		func(of Number, found Fact) { n, one = of, found }, factID)
	if err != nil {
		return 0, Fact{}, err
	}
	if one.ID == "" {
		return 0, Fact{}, fault.New(fault.NotFound, "no such restriction or objection stands")
	}
	one.Ended = at
	if _, err := tx.Exec(ctx, "update facts set ended = $2 where id = $1", factID, at.UnixMilli()); err != nil {
		return 0, Fact{}, err
	}
	tx.OnCommit(func() {
		f.replace(n, func(list []Fact) []Fact { return slices.DeleteFunc(list, func(x Fact) bool { return x.ID == factID }) })
	})
	return n, one, nil
}

// Forget removes every fact about a person who is forgotten.
func (f *Facts) Forget(ctx context.Context, tx *db.Tx, n Number) error {
	if _, err := tx.Exec(ctx, "delete from facts where person = $1", int64(n)); err != nil {
		return fmt.Errorf("forgetting facts: %w", err)
	}
	tx.OnCommit(func() { f.replace(n, func([]Fact) []Fact { return nil }) })
	return nil
}

// replace gives a person another list; the lists given out stay as they are.
func (f *Facts) replace(n Number, change func([]Fact) []Fact) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if list := change(slices.Clone(f.standing[n])); len(list) > 0 {
		f.standing[n] = list
	} else {
		delete(f.standing, n)
	}
}

// record keeps the act and writes its one entry.
func (f *Facts) record(ctx context.Context, tx *db.Tx, n Number, one Fact, kind, actor string) (ledger.Position, error) {
	one.Because = ""
	if err := f.keep(ctx, tx, n, one, kind); err != nil {
		return ledger.Position{}, err
	}
	return f.append(tx, n, one, kind, actor)
}

// append writes the entry: what and until when, not why.
func (f *Facts) append(tx *db.Tx, n Number, one Fact, kind, actor string) (ledger.Position, error) {
	one.Because = ""
	return f.ledger.Append(tx, ledger.Entry{Kind: kind, Result: "done", Actor: actor, Subject: f.people.ID(n), Slot: n.Slot(), Content: one})
}

func (f *Facts) each(ctx context.Context, tx *db.Tx, query string, fn func(Number, Fact), args ...any) error {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("reading facts: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var factID string
		var n, revision, since int64
		var sealed []byte
		var ended *int64
		if err := rows.Scan(&factID, &n, &revision, &since, &sealed, &ended); err != nil {
			return fmt.Errorf("reading facts: %w", err)
		}
		body, err := f.vault.Open(factLabel, []byte(factID), sealed)
		if errors.Is(err, vault.ErrForgotten) {
			continue
		}
		if err != nil {
			return err
		}
		var one Fact
		if err := json.Unmarshal(body, &one); err != nil {
			return errors.Join(fault.New(fault.Integrity, "the restrictions and objections are damaged"), err)
		}
		if one.Revision = revision; ended != nil {
			one.Ended = time.UnixMilli(*ended).UTC()
		}
		fn(Number(n), one)
	}
	return rows.Err()
}
