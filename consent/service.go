package consent

import (
	"context"
	"encoding/binary"
	"errors"
	"iter"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ombudhq/ombud/consent/internal/index"
	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/id"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/purpose"
	"github.com/ombudhq/ombud/subject"
	"github.com/ombudhq/ombud/vault"
)

// Config says what a service works with.
type Config struct {
	DB           *db.DB
	Vault        *vault.Vault
	Ledger       *ledger.Ledger
	Clock        clock.Clock
	People       *subject.People
	Facts        *subject.Facts
	Suppressions *subject.Suppressions
	Shreds       *subject.Shreds // nil opens the list
	Purposes     *purpose.Register
	// Snapshot is the file that makes a start quick; "" keeps none.
	Snapshot string
	// CopyEvery is how many entries after a copy of the snapshot in the store the next is made; default 100,000.
	CopyEvery int64
	// Organization and Jurisdictions are those of the controller: receipts name it, and the law depends on where it is.
	Organization  string
	Jurisdictions []string
	Log           *slog.Logger // nil discards
}

// Service records and decides. It is safe for concurrent use.
type Service struct {
	cfg    Config
	where  atomic.Pointer[place]
	index  *index.Index
	latest atomic.Int64 // minutes of the newest question: a clock set back makes nothing valid again
	seen   atomic.Int64 // revision that the index has reached
	saved  atomic.Int64 // revision of the snapshot file
	copied atomic.Int64 // revision of its copy in the store; 0 when it must be made anew
	stale  atomic.Bool  // the file leads from identities to a person who is forgotten
	feed   feed
	ring   ring

	logging atomic.Pointer[Logging]
	queue   chan func(context.Context) error // what no answer waits for
	dropped atomic.Int64
	signals sync.Map // people whose opt-out is on its way
	tally   tally

	asideMu sync.RWMutex
	asides  map[asideKey]aside

	drafts map[asideKey]state // of commands of the commit under way; only the store's writer touches it
}

// place is what depends on the configuration.
type place struct {
	organization  string
	jurisdictions []string
}

type asideKey struct {
	person subject.Number
	rank   int
}

const schema = `create table consent_pending (
	token bytea not null primary key,
	person bigint not null,
	revision bigint not null,
	lapses bigint not null
);
create table consent_sweep (
	id bigint not null primary key,
	minute bigint not null
)`

// Open loads the index: from the snapshot and what came after it, or from the whole ledger.
func Open(ctx context.Context, c Config) (*Service, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.CopyEvery == 0 {
		c.CopyEvery = 100_000
	}
	if err := errors.Join(c.DB.Migrate(ctx, "consent", schema, receivedSchema, owedSchema, pendingIndex, owedByRevision), c.DB.Migrate(ctx, "consent-copy", copySchema)); err != nil {
		return nil, err
	}
	if c.Shreds == nil {
		var err error
		if c.Shreds, err = subject.OpenShreds(ctx, c.DB, c.Vault, c.Ledger, c.Clock); err != nil {
			return nil, err
		}
	}
	s := &Service{cfg: c, index: index.New(), asides: map[asideKey]aside{}, drafts: map[asideKey]state{},
		queue: make(chan func(context.Context) error, laterLength)}
	s.Log(Logging{})
	s.Place(c.Organization, c.Jurisdictions)
	if err := s.load(ctx); err != nil {
		return nil, err
	}
	c.Suppressions.OnSuppress(s.erased)
	return s, nil
}

// Place says who the controller is and where, as the configuration has it now.
func (s *Service) Place(organization string, jurisdictions []string) {
	old := s.where.Swap(&place{organization: organization, jurisdictions: jurisdictions})
	if old != nil && !slices.Equal(old.jurisdictions, jurisdictions) {
		s.PurposesChanged() // the law there may answer otherwise
	}
}

// Revision is the newest that every decision takes into account.
func (s *Service) Revision() int64 { return s.seen.Load() }

// rank is the place of a purpose in the index, also of one that is no longer declared.
func (s *Service) rank(id string) (int, bool) {
	r, ok := s.cfg.Purposes.Now().Known(id)
	if !ok || r.Rank >= index.Ranks {
		return 0, false
	}
	return r.Rank, true
}

// durable is the state of a person and a purpose after the last commit.
func (s *Service) durable(n subject.Number, rank int) state {
	_, word, _ := s.index.Look(index.Number(n), rank)
	s.asideMu.RLock()
	defer s.asideMu.RUnlock()
	return state{word, s.asides[asideKey{n, rank}]}
}

// current is the state that a command sees: what is durable, and what the commands before it in the same commit made of
// it. Only the store's writer may ask.
func (s *Service) current(n subject.Number, rank int) state {
	if st, ok := s.drafts[asideKey{n, rank}]; ok {
		return st
	}
	return s.durable(n, rank)
}

// put appends an entry, and changes the index as it says once it is durable. d is what was foreseen of it, or nil.
func (s *Service) put(tx *db.Tx, n subject.Number, bound []subject.Bound, e ledger.Entry, d *draft) (ledger.Position, error) {
	at := s.cfg.Ledger.Next(tx)
	changes, err := s.effects(e.Kind, n, at.Revision, e.Content, s.current)
	if err != nil {
		return at, err
	}
	if at, err = s.append(tx, n, e, d); err != nil {
		return at, err
	}
	when := actAt(e.Content)
	if len(s.drafts) == 0 { // the first of its commit
		tx.OnRollback(func() { clear(s.drafts) })
		tx.OnCommit(func() { clear(s.drafts) })
	}
	for _, c := range changes {
		s.drafts[asideKey{c.person, c.rank}] = c.state
	}
	revision := at.Revision
	tx.OnCommit(func() {
		s.bind(bound)
		s.count(when, changes, s.durable)
		s.apply(changes)
		s.reached(revision, n, changes)
	})
	return at, nil
}

// apply changes the index. The word comes last: who sees it sees what lies aside too.
func (s *Service) apply(changes []change) {
	for _, c := range changes {
		key := asideKey{c.person, c.rank}
		s.asideMu.Lock()
		if c.state.aside.empty() {
			delete(s.asides, key)
		} else {
			s.asides[key] = c.state.aside
		}
		s.asideMu.Unlock()
		s.index.Set(index.Number(c.person), c.rank, c.state.word)
	}
}

func (s *Service) bind(bound []subject.Bound) {
	for _, b := range bound {
		s.bindOne(b)
	}
}

func (s *Service) bindOne(b subject.Bound) { s.index.Bind(short(b.Key), index.Number(b.Person)) }

// standing goes through everybody who was not erased.
func (s *Service) standing() iter.Seq[index.Number] {
	return func(yield func(index.Number) bool) {
		for n := range s.index.People() {
			if s.index.Flags(n)&index.Erased == 0 && !yield(n) {
				return
			}
		}
	}
}

// flagged is the person that a key leads to now, with what holds for them. Who was erased is nobody any more, and comes back as
// somebody else.
func (s *Service) flagged(k index.Key) (subject.Number, index.Flags, bool) {
	n, ok := s.index.Find(k)
	if !ok {
		return 0, 0, false
	}
	s.index.Touch(n) // all of it: a question follows
	f := s.index.Flags(n)
	return subject.Number(n), f, f&index.Erased == 0
}

func short(k subject.Key) index.Key { return index.Key(k[:12]) }

// reached tells everybody who waits that a revision is in the index.
func (s *Service) reached(revision int64, n subject.Number, changes []change) {
	var room [2]notice
	for _, n := range noticesOf(room[:0], revision, n, changes) {
		s.feed.publish(n)
	}
	for old := s.seen.Load(); old < revision; old = s.seen.Load() {
		if s.seen.CompareAndSwap(old, revision) {
			return
		}
	}
}

// person finds the person of identities, or makes one, in a command.
func (s *Service) person(ctx context.Context, tx *db.Tx, who []keyed) (subject.Number, []subject.Bound, error) {
	var known subject.Number
	var unknown []subject.Identity
	for _, k := range who {
		n, _, ok := s.flagged(k.key)
		switch {
		case !ok:
			unknown = append(unknown, k.Identity)
		case known != 0 && known != n:
			return 0, nil, errTwoPeople()
		default:
			known = n
		}
	}
	if len(unknown) == 0 {
		return known, nil, nil
	}
	n, unknown, err := s.cfg.People.Resolve(ctx, tx, unknown)
	if err != nil {
		return 0, nil, err
	}
	if n != 0 && known != 0 && n != known {
		return 0, nil, errTwoPeople()
	}
	if n = max(n, known); n == 0 {
		suppressed := slices.ContainsFunc(who, func(k keyed) bool { _, ok := s.cfg.Suppressions.Erased(k.Identity); return ok })
		if n, err = s.cfg.People.Add(ctx, tx, suppressed); err != nil {
			return 0, nil, err
		}
		if suppressed {
			tx.OnCommit(func() { s.index.SetFlags(index.Number(n), index.Suppressed) })
		}
	}
	bound, err := s.cfg.People.Bind(ctx, tx, n, unknown)
	return n, bound, err
}

func errTwoPeople() error {
	return fault.New(fault.Conflict, "these identities belong to two people").Then("Give those of one person only.")
}

// erased forgets people, in the transaction that completes their erasure, and gives all keys that led to them.
func (s *Service) erased(ctx context.Context, tx *db.Tx, keys []subject.Key) (all []subject.Key, err error) {
	at := s.cfg.Ledger.Next(tx)
	for _, k := range keys {
		n, err := s.cfg.People.Find(ctx, tx, k)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			continue
		}
		bound, err := s.forget(ctx, tx, n, at.Revision)
		if err == nil {
			err = s.cfg.Shreds.Add(ctx, tx, n.Slot())
		}
		if err != nil {
			return nil, err
		}
		for _, b := range bound {
			all = append(all, b.Key)
		}
	}
	return all, nil
}

// forget takes a person out of the store, and gives what led to them.
func (s *Service) forget(ctx context.Context, tx *db.Tx, n subject.Number, revision int64) ([]subject.Bound, error) {
	bound, err := s.cfg.People.Forget(ctx, tx, n)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(s.cfg.Facts.Forget(ctx, tx, n), s.cfg.Ledger.Forget(ctx, tx, s.cfg.People.ID(n)), forgetPending(ctx, tx, n)); err != nil {
		return nil, err
	}
	tx.OnCommit(func() {
		for _, b := range bound {
			s.index.Unbind(short(b.Key))
		}
		s.index.SetFlags(index.Number(n), index.Erased)
		s.copied.Store(0) // it leads from these identities to a number still
		s.stale.Store(true)
	})
	tx.OnSettled(func() { s.reached(revision, n, nil) }) // others are forgotten at the same revision
	return bound, nil
}

// conIDSize is the length of a consent's id.
const conIDSize = len("con_") + 26

// conID is the id of the consent that an entry gave.
func conID(revision int64) string { return string(appendConID(make([]byte, 0, conIDSize), revision)) }

func appendConID(to []byte, revision int64) []byte {
	var b [16]byte
	binary.BigEndian.PutUint64(b[8:], uint64(revision))
	return id.Append(to, "con_", b)
}

// revisionOf is the revision behind a consent's id.
func revisionOf(consentID string) (int64, bool) {
	b, ok := id.Decode("con_", consentID)
	var hi, lo uint64
	for i := range 8 {
		hi, lo = hi<<8|uint64(b[i]), lo<<8|uint64(b[8+i])
	}
	return int64(lo), ok && hi == 0 && lo < 1<<53
}

// entryOf is the number of an entry within its epoch.
func entryOf(revision int64) int64 { return revision & (1<<40 - 1) }

// Await waits until the index has reached a revision; fault.Unavailable when it does not in time.
func (s *Service) Await(ctx context.Context, revision int64, within time.Duration) error {
	if s.seen.Load() >= revision {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for {
		changed := s.cfg.Ledger.Changed()
		if s.cfg.Ledger.Head() >= revision { // it may be another feature's entry
			s.reachedHead(revision)
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fault.New(fault.Unavailable, "revision %d is not here yet", revision).Then("Ask again.")
		}
	}
}

// reachedHead notes a revision whose commit, and all before it, the index has seen.
func (s *Service) reachedHead(revision int64) {
	for old := s.seen.Load(); old < revision; old = s.seen.Load() {
		if s.seen.CompareAndSwap(old, revision) {
			return
		}
	}
}
