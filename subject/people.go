package subject

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/id"
	"github.com/ombudhq/ombud/vault"
)

// Key is the keyed blind index of an identity: who has the store but not the key can neither read it nor try names out.
type Key [16]byte

// Number is how the store names a person; outside, a person is its id. It is also the slot of the person's key, and so
// never given twice.
type Number uint32

// Slot is where the key lies under which everything about the person is sealed.
func (n Number) Slot() vault.Slot { return vault.Slot(n) }

// numberShift is where, in what an id is made of, the epoch of the number stands: after a restore numbers of the line that
// was lost are given anew, and must make other ids.
const numberShift = 32

// span is an epoch and the first number that was given in it.
type span struct {
	first Number
	epoch uint64
}

const peopleSchema = `create table people (
	number integer primary key,
	since bigint not null,
	erased bigint,
	suppressed bigint
);
create table identities (
	blind bytea not null primary key,
	person bigint not null,
	kind text not null,
	sealed bytea not null,
	since bigint not null
);
create index identities_person on identities (person)`

const peopleEpochs = `create table people_epochs (
	first bigint not null primary key,
	epoch bigint not null
)`

const identityLabel = "identity" // under which identities are sealed

// People is the register of those who said something about the processing of their data: an id, a number, and
// identities as blind index and ciphertext. It is safe for concurrent use.
type People struct {
	db     *db.DB
	vault  *vault.Vault
	clock  clock.Clock
	tokens *vault.Tokens
	ids    *vault.Numbers
	spans  atomic.Pointer[[]span] // in order, without the first epoch

	moved bool // see Moved
}

// OpenPeople prepares the register.
func OpenPeople(ctx context.Context, d *db.DB, v *vault.Vault, c clock.Clock) (*People, error) {
	if err := d.Migrate(ctx, "people", peopleSchema, peopleEpochs); err != nil {
		return nil, err
	}
	if err := d.Migrate(ctx, "pseudonyms", pseudonymsSchema); err != nil {
		return nil, err
	}
	p := &People{db: d, vault: v, clock: c, tokens: v.Tokens(vault.BlindIndex), ids: v.Numbers("sub")}
	var last int64
	err := d.Read(ctx, func(tx *db.Tx) error {
		if err := tx.QueryRow(ctx, "select coalesce(max(number), 0) from people").Scan(&last); err != nil {
			return fmt.Errorf("reading people: %w", err)
		}
		return p.readSpans(ctx, tx)
	})
	if err != nil {
		return nil, err
	}
	return p, v.KeepFree(vault.Slot(last + 1))
}

func (p *People) readSpans(ctx context.Context, tx *db.Tx) error {
	rows, err := tx.Query(ctx, "select first, epoch from people_epochs order by first")
	if err != nil {
		return fmt.Errorf("reading people: %w", err)
	}
	defer rows.Close()
	var spans []span
	for rows.Next() {
		var first, epoch int64
		if err := rows.Scan(&first, &epoch); err != nil {
			return fmt.Errorf("reading people: %w", err)
		}
		spans = append(spans, span{Number(first), uint64(epoch)})
	}
	p.spans.Store(&spans)
	return rows.Err()
}

// Restart says that the numbers from now on belong to an epoch of the ledger that begins: ids of people whom the line that
// was lost had made lead to nobody.
func (p *People) Restart(ctx context.Context, tx *db.Tx, epoch int64) error {
	var first int64
	err := tx.QueryRow(ctx, `insert into people_epochs (first, epoch) select coalesce(max(number), 0) + 1, $1 from people where true
		on conflict (first) do update set epoch = excluded.epoch returning first`, epoch).Scan(&first)
	if err != nil {
		return fmt.Errorf("beginning an epoch of people: %w", err)
	}
	was := p.spans.Load()
	tx.OnRollback(func() { p.spans.Store(was) })
	return p.readSpans(ctx, tx)
}

// made is what an id is made of.
func (p *People) made(n Number) uint64 {
	epoch := uint64(1)
	for _, s := range *p.spans.Load() {
		if n >= s.first {
			epoch = s.epoch
		}
	}
	return epoch<<numberShift | uint64(n)
}

// ID is how the world names a person: opaque, the same for as long as the root key lives.
func (p *People) ID(n Number) string { return id.Encode("sub_", p.ids.ID(p.made(n))) }

// AppendID is ID behind what b holds.
func (p *People) AppendID(b []byte, n Number) []byte {
	made := p.ids.Append(b, p.made(n)) // where its text will stand
	return id.Append(b, "sub_", [16]byte(made[len(b):]))
}

// Number is the number behind an id; false when the id is none of ours.
func (p *People) Number(s string) (Number, bool) {
	b, ok := id.Decode("sub_", s)
	if !ok {
		return 0, false
	}
	n, ok := p.ids.Number(b)
	return Number(n), ok && p.made(Number(n)) == n
}

// Key is the blind index of an identity. An ASCII value costs no allocation.
func (p *People) Key(i Identity) (k Key) {
	var buf [128]byte
	sum := p.tokens.Of(i.Kind, appendFolded(buf[:0], i.Value))
	copy(k[:], sum[:])
	return k
}

// keyOf is Key for those who have no register.
func keyOf(v *vault.Vault, i Identity) (k Key) {
	sum := v.MAC(vault.BlindIndex, []byte(i.Kind), appendFolded(nil, i.Value))
	copy(k[:], sum[:])
	return k
}

// appendFolded appends Canonical, without allocating where the value is plain ASCII.
func appendFolded(b []byte, s string) []byte {
	start := len(b)
	b = append(b, strings.TrimSpace(s)...)
	var all byte
	for i, c := range b[start:] {
		if all |= c; c-'A' <= 'Z'-'A' {
			b[start+i] = c + 'a' - 'A'
		}
	}
	if all >= 0x80 {
		return append(b[:start], connector.Fold(s)...)
	}
	return b
}

// Bound is a key that came to lead to a person.
type Bound struct {
	Key    Key
	Person Number
}

// Resolve finds the person of identities that are known, and those identities that are not. Identities of two people
// are refused: which of them is meant is for a person to say.
func (p *People) Resolve(ctx context.Context, tx *db.Tx, ids []Identity) (n Number, unknown []Identity, err error) {
	for _, i := range ids {
		found, err := p.Find(ctx, tx, p.Key(i))
		switch {
		case err != nil:
			return 0, nil, err
		case found == 0:
			unknown = append(unknown, i)
		case n != 0 && found != n:
			return 0, nil, fault.New(fault.Conflict, "these identities belong to two people").Then("Give those of one person only.")
		default:
			n = found
		}
	}
	return n, unknown, nil
}

// Find gives the person that a key leads to; 0 for nobody.
func (p *People) Find(ctx context.Context, tx *db.Tx, k Key) (Number, error) {
	var n int64
	err := tx.QueryRow(ctx, "select person from identities where blind = $1", k[:]).Scan(&n)
	if errors.Is(err, db.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("looking for a person: %w", err)
	}
	return Number(n), nil
}

// Add makes a person, in the transaction of what it is made for. One who was erased before and did not say yes since is
// suppressed until Return.
func (p *People) Add(ctx context.Context, tx *db.Tx, suppressed bool) (Number, error) {
	slot, err := p.vault.NewSlot()
	if err != nil {
		return 0, err
	}
	var flag *int64
	if suppressed {
		one := int64(1)
		flag = &one
	}
	_, err = tx.Exec(ctx, "insert into people (number, since, suppressed) values ($1, $2, $3)", int64(slot), p.clock.Now().UnixMilli(), flag)
	if err != nil {
		return 0, fmt.Errorf("making a person: %w", err)
	}
	return Number(slot), nil
}

// Suppressed tells whether a person was erased before they became known again, and said no yes since.
func (p *People) Suppressed(ctx context.Context, tx *db.Tx, n Number) (is bool, err error) {
	err = tx.QueryRow(ctx, "select count(*) > 0 from people where number = $1 and suppressed is not null", int64(n)).Scan(&is)
	if err != nil {
		return false, fmt.Errorf("reading a person: %w", err)
	}
	return is, nil
}

// Return ends the suppression of a person who said yes again.
func (p *People) Return(ctx context.Context, tx *db.Tx, n Number) error {
	_, err := tx.Exec(ctx, "update people set suppressed = null where number = $1", int64(n))
	return err
}

// Moved tells whether the commit under way lets keys lead to somebody else than before, or to nobody: what memory has of them is
// older. Only the store's writer may ask.
func (p *People) Moved() bool { return p.moved }

func (p *People) moves(tx *db.Tx) {
	p.moved = true
	tx.OnCommit(p.settled)
	tx.OnRollback(p.settled)
}

func (p *People) settled() { p.moved = false }

// Bind lets identities lead to a person.
func (p *People) Bind(ctx context.Context, tx *db.Tx, n Number, ids []Identity) ([]Bound, error) {
	p.moves(tx)
	bound := make([]Bound, 0, len(ids))
	for _, i := range ids {
		k := p.Key(i)
		sealed, err := p.vault.SealFor(n.Slot(), identityLabel, k[:], []byte(i.Value))
		if err != nil {
			return nil, err
		}
		_, err = tx.Exec(ctx, "insert into identities (blind, person, kind, sealed, since) values ($1, $2, $3, $4, $5) on conflict do nothing",
			k[:], int64(n), i.Kind, sealed, p.clock.Now().UnixMilli())
		if err != nil {
			return nil, fmt.Errorf("keeping an identity: %w", err)
		}
		bound = append(bound, Bound{k, n})
	}
	return bound, nil
}

// BindKeys lets keys lead to a person whose identities are not known, for what is done again after a restore.
func (p *People) BindKeys(ctx context.Context, tx *db.Tx, n Number, keys []Key) ([]Bound, error) {
	p.moves(tx)
	bound := make([]Bound, 0, len(keys))
	for _, k := range keys {
		_, err := tx.Exec(ctx, "insert into identities (blind, person, kind, sealed, since) values ($1, $2, '', $3, $4) on conflict do nothing",
			k[:], int64(n), []byte{}, p.clock.Now().UnixMilli())
		if err != nil {
			return nil, fmt.Errorf("keeping a key: %w", err)
		}
		bound = append(bound, Bound{k, n})
	}
	return bound, nil
}
