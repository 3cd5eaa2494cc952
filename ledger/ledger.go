package ledger

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/ombudhq/ombud/internal/bucket"
	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/witness"
	"github.com/ombudhq/ombud/vault"
)

// schema: leaves and tiles are never changed once they are complete; payload becomes NULL when it is erased.
const schema = `create table ledger_entries (
	id integer primary key,
	revision bigint not null,
	minute bigint not null,
	kind text not null,
	result text not null,
	commitments bytea not null,
	payload bytea
);
create table ledger_tiles (
	level bigint not null,
	n bigint not null,
	hashes bytea not null,
	primary key (level, n)
)`

// subjects lets one person's entries be found by the opaque id of a subject; keyed tokens stay sealed. The column lies
// outside the leaf, so that it can be erased; what an entry commits to is the subject in its payload.
const subjects = `alter table ledger_entries add column subject text;
create index ledger_entries_subject on ledger_entries (subject, id) where subject is not null`

// registers lets the few entries of a register be found among all others: what people were shown is read from them.
const registers = `create index ledger_entries_registers on ledger_entries (kind, id) where kind = 'purpose.changed'`

var entries = db.NewTable("ledger_entries", db.Column{Name: "id", Type: "bigint"}, db.Column{Name: "revision", Type: "bigint"},
	db.Column{Name: "minute", Type: "bigint"}, db.Column{Name: "kind", Type: "text"}, db.Column{Name: "result", Type: "text"},
	db.Column{Name: "commitments", Type: "bytea"}, db.Column{Name: "payload", Type: "bytea"}, db.Column{Name: "subject", Type: "text"})

var tiles = db.NewReplacing("ledger_tiles", 2, db.Column{Name: "level", Type: "bigint"}, db.Column{Name: "n", Type: "bigint"},
	db.Column{Name: "hashes", Type: "bytea"})

// Config says where a ledger lives.
type Config struct {
	DB    *db.DB
	Vault *vault.Vault
	Clock clock.Clock // nil is the system's
	// Heads are directories outside the database, best on another machine, that hold checkpoints and suppression ledger.
	Heads []string
	// Buckets are where heads go beyond their folder, by the folder, which is then a copy.
	Buckets map[string]*bucket.Bucket
	// Witnesses cosign checkpoints (Cosign, RunWitnesses). Without any nobody does.
	Witnesses []*witness.Witness
	// Alarm raises one in a transaction, for a witness that refuses, and gives its id; nil raises none.
	Alarm func(ctx context.Context, tx *db.Tx, why string) (string, error)
	// Origin is the first line of each checkpoint; default is the name of the vault's key.
	Origin string
	// Restored opens a store that is older than what is known of it outside, or that nobody outside knows: it begins a new
	// epoch, and what the store does not know is to be done again before anybody is answered (Lost, Missing, Rejoin).
	Restored bool
	// Years is how long entries stay readable, where longer than the default: Verify tells expired from erased by it.
	Years Years
	// Log takes what Run cannot answer to anybody; nil discards.
	Log *slog.Logger
}

// Ledger appends entries and gives checkpoints and proofs. It is safe for concurrent use.
type Ledger struct {
	c        Config
	verifier note.Verifier
	places   *vault.Tokens // see placed
	epoch    int64
	pending  edge   // with what the transaction under way appends; only the store's writer touches it
	unkept   []Act  // that are to be kept outside; only the store's writer touches it
	ready    *ready // of unkept; see prepare

	owned, ownedKept []owned // what the table of whose entries they are does not know; see pending and edge

	mu      sync.Mutex
	edge    edge    // what is durable
	kept    actsEnd // what is durable outside; only the store's writer changes it
	loss    *Loss
	changed chan struct{} // closed, and made anew, whenever edge moves

	stood map[string]int64 // where a witness stands; only Cosign touches it

	headsMu sync.Mutex
	heads   []*head
	last    Checkpoint

	newest atomic.Pointer[Checkpoint] // that every head has
}

// Open reads the edge of the tree and compares it with the newest checkpoint of each of Heads. Where the store has fewer
// entries, or others, it refuses with fault.Integrity; Verify then says which. A store has one Ledger at a time: it alone
// knows the edge.
func Open(ctx context.Context, c Config) (*Ledger, error) {
	l, err := prepare(c)
	if err != nil {
		return nil, err
	}
	if err := c.DB.Migrate(ctx, "ledger", schema, subjects, actsSchema, retention, whose, spans, actsByNumber, lists, registers); err != nil {
		return nil, err
	}
	if l.heads, err = openHeads(ctx, c, l.verifier); err != nil {
		return nil, err
	}
	if err := c.DB.Read(ctx, func(tx *db.Tx) error { return l.readTail(ctx, tx) }); err != nil {
		return nil, err
	}
	err = l.compare(ctx)
	if c.Restored && (err == nil || fault.KindOf(err) == fault.Integrity) || errors.Is(err, errCut) {
		l.pending = l.edge
		return l, l.begin(err)
	}
	if err != nil {
		return nil, err
	}
	l.pending = l.edge
	return l, l.settleActs(ctx)
}

// compare refuses a store that is not what is known of it outside.
func (l *Ledger) compare(ctx context.Context) error {
	if err := l.openActs(); err != nil {
		return err
	}
	return l.c.DB.Read(ctx, func(tx *db.Tx) error {
		err := l.compareActs(ctx, tx)
		if err == nil {
			return l.compareHeads(ctx, tx)
		}
		if errors.Is(err, errCut) && l.compareHeads(ctx, tx) != nil {
			return l.sameLine(ctx, tx) // a checkpoint covers what the store lacks
		}
		return err
	})
}

func prepare(c Config) (*Ledger, error) {
	if c.Clock == nil {
		c.Clock = clock.System{}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	pub := c.Vault.PublicKey()
	if c.Origin == "" {
		c.Origin = vault.KeyName(pub)
	}
	v, err := verifierOf(pub)
	if err != nil {
		return nil, err
	}
	return &Ledger{c: c, verifier: v, places: c.Vault.Tokens(placeLabel), epoch: 1, changed: make(chan struct{}), stood: map[string]int64{}}, nil
}

// readTail reads what only the newest entries tell.
func (l *Ledger) readTail(ctx context.Context, tx *db.Tx) error {
	if err := l.readEdge(ctx, tx); err != nil {
		return err
	}
	return l.readOwned(ctx, tx)
}

// readEdge rebuilds the edge from the tiles and the rows behind the last full tile of leaves.
func (l *Ledger) readEdge(ctx context.Context, tx *db.Tx) error {
	var size int64
	if err := tx.QueryRow(ctx, "select coalesce(max(id), 0) from ledger_entries").Scan(&size); err != nil {
		if isDamage(ctx, err) {
			return damaged("it cannot be read")
		}
		return fmt.Errorf("reading the size of the ledger: %w", err)
	}
	if size < 0 || size >= 1<<epochShift {
		return damaged("its last entry has an impossible number")
	}
	var err error
	if l.edge, err = (&tileSource{ctx: ctx, tx: tx}).edgeAt(size); err != nil {
		return err
	}
	return l.readEpoch(ctx, tx)
}

// readEpoch takes the epoch of the last entry, for that is never lower than any before it.
func (l *Ledger) readEpoch(ctx context.Context, tx *db.Tx) error {
	if l.edge.size == 0 {
		return nil
	}
	var revision int64
	err := tx.QueryRow(ctx, "select revision from ledger_entries where id = $1", l.edge.size).Scan(&revision)
	if err != nil {
		return fmt.Errorf("reading the last revision: %w", err)
	}
	l.epoch = revision >> epochShift
	if l.epoch < 1 || l.epoch > maxEpoch || revision != l.revision(l.edge.size) {
		return damaged("its last revision does not fit its number")
	}
	return nil
}

func (l *Ledger) revision(id int64) int64 { return l.epoch<<epochShift | id }

func damaged(why string, args ...any) *fault.Error {
	return fault.New(fault.Integrity, "the ledger is damaged: %s", fmt.Sprintf(why, args...)).
		Then("Run ombud audit verify to see which entries are affected.")
}

// isDamage tells an error of reading that no later try will mend: the file is damaged, or the table is not ours any more.
func isDamage(ctx context.Context, err error) bool {
	return err != nil && ctx.Err() == nil && fault.KindOf(err) != fault.Unavailable
}

// Append writes an entry in the transaction of what it tells. The position holds if the transaction commits; until then
// it may still become another, so give it to nobody. When Append fails the transaction must fail too.
func (l *Ledger) Append(tx *db.Tx, e Entry) (Position, error) {
	s, err := l.seal(e, tx.Value(originKey{}))
	if err != nil {
		return Position{}, err
	}
	return l.AppendSealed(tx, s)
}

// Next is where the next entry of this transaction will stand, under the conditions of Append.
func (l *Ledger) Next(*db.Tx) Position {
	id := l.pending.size + 1
	return Position{ID: id, Revision: l.revision(id)}
}

// forget undoes what was appended since the last commit. The store undoes a whole transaction or nothing, so the first
// call undoes all, and the others of it find nothing left to undo.
func (l *Ledger) forget() {
	l.takeBack()
	l.pending, l.owned, l.unkept, l.ready = l.snapshot(), l.ownedKept, nil, nil
}

// publish makes what was appended visible. All that is pending is durable, and all memory follows it, when the first of these
// calls comes.
func (l *Ledger) publish() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ownedKept = l.owned
	if l.edge.size == l.pending.size {
		return
	}
	l.edge = l.pending
	close(l.changed)
	l.changed = make(chan struct{})
}

// Changed gives a channel that is closed when the next entry is durable. Take it before reading, so that nothing is missed.
func (l *Ledger) Changed() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.changed
}

// Head is the revision of the newest durable entry, which decisions obey; of an empty ledger, that before the first.
func (l *Ledger) Head() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.revision(l.edge.size)
}

// snapshot is the durable edge.
func (l *Ledger) snapshot() edge {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.edge
}

// Tree is size and root of the tree after the last commit.
func (l *Ledger) Tree() tlog.Tree {
	e := l.snapshot()
	return tlog.Tree{N: e.size, Hash: e.root()}
}

// RootAt is the root that the tree had when it held so many entries, going by rows and tiles as they are.
func (l *Ledger) RootAt(ctx context.Context, size int64) (root tlog.Hash, err error) {
	err = l.c.DB.Read(ctx, func(tx *db.Tx) error {
		root, err = (&tileSource{ctx: ctx, tx: tx}).rootAt(size)
		return err
	})
	return root, err
}

// Size is the number of durable entries.
func (l *Ledger) Size() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.edge.size
}

func joinHashes(hs []tlog.Hash) []byte {
	b := make([]byte, 0, len(hs)*tlog.HashSize)
	for _, h := range hs {
		b = append(b, h[:]...)
	}
	return b
}

// subjectPrefix begins the opaque id of a subject.
const subjectPrefix = "sub_"

// findable tells whether the subject column holds a subject.
func findable(subject string) bool { return strings.HasPrefix(subject, subjectPrefix) }
