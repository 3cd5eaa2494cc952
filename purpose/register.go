package purpose

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/minimise"
	"github.com/ombudhq/ombud/ledger"
)

const schema = `create table purposes (
	id text primary key,
	rank bigint not null unique,
	source text not null,
	body text not null
)`

// Source says where a purpose is written, and so where it can be changed.
type Source string

// The two.
const (
	InFile Source = "ombud.yaml"
	ByAPI  Source = "api"
)

// Rule is a purpose with what decisions need to know of its history.
type Rule struct {
	Purpose
	Source  Source `json:"source"`
	Rank    int    `json:"rank"`              // its place in the index, never given to another
	Retired bool   `json:"retired,omitempty"` // no longer declared: unknown to decisions
	// Since is, per category, the ledger entry from which consents cover it.
	Since map[string]int64 `json:"since,omitempty"`
	// After is the ledger entry from which consents count at all (Reconsent).
	After int64 `json:"after,omitempty"`
}

// Set is the register at one moment. It does not change.
type Set struct {
	byID   map[string]*Rule
	byRank []*Rule
	sums   map[string]string // of texts of notices
}

// Rule finds a purpose that is declared.
func (s *Set) Rule(id string) (*Rule, bool) {
	r, ok := s.byID[id]
	if !ok || r.Retired {
		return nil, false
	}
	return r, true
}

// Known finds a purpose, also one that is no longer declared.
func (s *Set) Known(id string) (*Rule, bool) {
	r, ok := s.byID[id]
	return r, ok
}

// Ranked finds a purpose by its place, retired ones too; nil when the place is empty.
func (s *Set) Ranked(rank int) *Rule {
	if rank < 0 || rank >= len(s.byRank) {
		return nil
	}
	return s.byRank[rank]
}

// Ever are the purposes there ever were, retired ones too, in the order of their places.
func (s *Set) Ever() []*Rule {
	return slices.DeleteFunc(slices.Clone(s.byRank), func(r *Rule) bool { return r == nil })
}

// All are the declared purposes, sorted by id.
func (s *Set) All() []*Rule {
	out := make([]*Rule, 0, len(s.byID))
	for _, id := range slices.Sorted(maps.Keys(s.byID)) {
		if r := s.byID[id]; !r.Retired {
			out = append(out, r)
		}
	}
	return out
}

// Sum is the SHA-256 of the text of a notice, in hexadecimal, which is kept for those declared.
func (s *Set) Sum(text string) string {
	if known, ok := s.sums[text]; ok {
		return known
	}
	return sum(text)
}

func sum(text string) string {
	b := sha256.Sum256([]byte(text))
	return hex.EncodeToString(b[:])
}

// roomy is what makes Go look a key of a map up by its hash: one of eight keys or fewer is searched from the first to the last, and
// where that ends no processor foresees. It halves what a decision takes to find its purpose.
const roomy = 16

func newSet(rules []*Rule) *Set {
	s := &Set{byID: make(map[string]*Rule, max(len(rules), roomy)), sums: map[string]string{}}
	for _, r := range rules {
		for _, n := range r.Notices {
			s.sums[n.Text] = sum(n.Text)
		}
		s.byID[r.ID] = r
		for len(s.byRank) <= r.Rank {
			s.byRank = append(s.byRank, nil)
		}
		s.byRank[r.Rank] = r
	}
	return s
}

// Register keeps the purposes. It is safe for concurrent use.
type Register struct {
	db     *db.DB
	ledger *ledger.Ledger
	mu     sync.Mutex // one change at a time
	set    atomic.Pointer[Set]
	coming *Set // with what the commit under way changes; nil where it changes nothing; only the store's writer touches it
}

// Open reads the register.
func Open(ctx context.Context, d *db.DB, l *ledger.Ledger) (*Register, error) {
	if err := d.Migrate(ctx, "purposes", schema); err != nil {
		return nil, err
	}
	r := &Register{db: d, ledger: l}
	var rules []*Rule
	err := d.Read(ctx, func(tx *db.Tx) error {
		rows, err := tx.Query(ctx, "select body from purposes order by rank")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var body string
			rule := &Rule{}
			if err := rows.Scan(&body); err != nil {
				return err
			}
			if err := json.Unmarshal([]byte(body), rule); err != nil {
				return fault.New(fault.Integrity, "the register of purposes is damaged")
			}
			rules = append(rules, rule)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("reading the purposes: %w", err)
	}
	r.set.Store(newSet(rules))
	return r, nil
}

// Now is the register as it is.
func (r *Register) Now() *Set { return r.set.Load() }

// In is the register as the transaction under way sees it: with what was changed before it in the same commit. Only the store's
// writer may ask.
func (r *Register) In(*db.Tx) *Set {
	if r.coming != nil {
		return r.coming
	}
	return r.Now()
}

// Sync takes in the purposes of ombud.yaml: those it no longer names are retired, and consents to them answer no until
// they are named again.
func (r *Register) Sync(ctx context.Context, actor string, file []Purpose) error {
	return r.change(ctx, actor, func(old *Set) ([]*Rule, error) {
		var next []*Rule
		named := map[string]bool{}
		for _, p := range file {
			named[p.ID] = true
			next = append(next, &Rule{Purpose: p, Source: InFile})
		}
		for _, rule := range old.All() {
			if rule.Source == InFile && !named[rule.ID] {
				retired := *rule
				retired.Retired = true
				next = append(next, &retired)
			}
		}
		return next, nil
	})
}

// Put makes or changes a purpose that ombud.yaml does not name.
func (r *Register) Put(ctx context.Context, actor string, p Purpose) error {
	if err := p.check(); err != nil {
		return err
	}
	return r.change(ctx, actor, func(old *Set) ([]*Rule, error) {
		if was, ok := old.Rule(p.ID); ok && was.Source == InFile {
			return nil, fault.New(fault.Conflict, "purpose %s is declared in ombud.yaml", p.ID).Then("Change it there.")
		}
		return []*Rule{{Purpose: p, Source: ByAPI}}, nil
	})
}

// change writes the rules that differ from what is, with one ledger entry, and makes them the register.
func (r *Register) change(ctx context.Context, actor string, rules func(old *Set) ([]*Rule, error)) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	old := r.Now()
	wanted, err := rules(old)
	if err != nil {
		return err
	}
	rank := len(old.byRank)
	var changed []*Rule
	for _, rule := range wanted {
		if inherit(rule, old.byID[rule.ID], &rank) {
			changed = append(changed, rule)
		}
	}
	if len(changed) == 0 {
		return nil
	}
	return r.db.Write(ctx, func(tx *db.Tx) error {
		if err := r.write(ctx, tx, actor, old, changed); err != nil {
			return err
		}
		r.coming = merged(old, changed)
		tx.OnRollback(func() { r.coming = nil })
		tx.OnCommit(func() { // before any command of the next commit
			r.set.Store(r.coming)
			r.coming = nil
		})
		return nil
	})
}

// Reserve makes purposes known that are not, as retired ones: an act that is done again after a restore may name what
// ombud.yaml has yet to declare again. It belongs to the start, when nobody else changes the register.
func (r *Register) Reserve(ctx context.Context, tx *db.Tx, ids []string) error {
	old := r.Now()
	rank := len(old.byRank)
	var fresh []*Rule
	for _, id := range ids {
		if _, ok := old.Known(id); !ok && !slices.ContainsFunc(fresh, func(f *Rule) bool { return f.ID == id }) {
			fresh = append(fresh, &Rule{Purpose: Purpose{ID: id, Basis: Consent}, Source: InFile, Rank: rank, Retired: true})
			rank++
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	r.set.Store(merged(old, fresh))
	tx.OnRollback(func() { r.set.Store(old) })
	return r.write(ctx, tx, "ombud", old, fresh)
}

// inherit takes over what a rule keeps of its past; false when nothing changed.
func inherit(rule, was *Rule, rank *int) bool {
	if was == nil {
		rule.Rank = *rank
		*rank++
		return true
	}
	rule.Rank, rule.Since, rule.After = was.Rank, was.Since, was.After
	a, errA := json.Marshal(rule)
	b, errB := json.Marshal(was)
	return errA != nil || errB != nil || !bytes.Equal(a, b)
}

func (r *Register) write(ctx context.Context, tx *db.Tx, actor string, old *Set, changed []*Rule) error {
	at := r.ledger.Next(tx).ID
	for _, rule := range changed {
		rule.history(old.byID[rule.ID], at)
		body, err := json.Marshal(rule)
		if err != nil {
			return fmt.Errorf("encoding a purpose: %w", err)
		}
		_, err = tx.Exec(ctx, `insert into purposes (id, rank, source, body) values ($1, $2, $3, $4)
			on conflict (id) do update set source = excluded.source, body = excluded.body`, rule.ID, rule.Rank, string(rule.Source), string(body))
		if err != nil {
			return err
		}
	}
	_, err := r.ledger.Append(tx, ledger.Entry{Kind: "purpose.changed", Result: "done", Actor: actor, Content: map[string]any{"purposes": changed}})
	return err
}

// history notes from which entry on consents cover what is new.
func (rule *Rule) history(was *Rule, at int64) {
	since := map[string]int64{}
	for _, c := range rule.Categories {
		if was != nil && slices.Contains(was.Categories, c) {
			since[c] = was.Since[c]
		} else if was != nil {
			since[c] = at
		}
	}
	rule.Since = since
	if was != nil && rule.Reconsent != "" && rule.Reconsent != was.Reconsent {
		rule.After = at
	}
}

func merged(old *Set, changed []*Rule) *Set {
	byID := maps.Clone(old.byID)
	for _, rule := range changed {
		byID[rule.ID] = rule
	}
	return newSet(slices.Collect(maps.Values(byID)))
}

// Stripped notes in the ledger that fields were left out of a record, by their names.
func (r *Register) Stripped(ctx context.Context, actor, id string, fields []string) error {
	if len(fields) == 0 {
		return nil
	}
	return r.db.Write(ctx, func(tx *db.Tx) error {
		_, err := r.ledger.Append(tx, ledger.Entry{Kind: "purpose.minimised", Result: "ok", Actor: actor,
			Content: map[string]any{"purpose": id, "stripped": fields}})
		return err
	})
}

// Minimise passes on what a purpose may see of a record, and names what it left out. A purpose that is not declared, or
// declares no fields, sees nothing.
func (s *Set) Minimise(id string, record map[string]any) (passed map[string]any, stripped []string) {
	var allowed []string
	if rule, ok := s.Rule(id); ok {
		allowed = rule.FieldNames()
	}
	return minimise.Filter(record, allowed)
}
