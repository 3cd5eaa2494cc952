package ledger

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/vault"
)

// Sealed is an entry that was encoded, salted, committed to and encrypted, which is most of the work of appending it. It
// needs no transaction, so that many callers do it at once, and only its place in the tree is left to the store's writer.
type Sealed struct {
	kind, result, subject string
	commitments, payload  []byte
}

// Seal makes an entry ready to be appended, with the call it came by (WithOrigin) in the context.
func (l *Ledger) Seal(ctx context.Context, e Entry) (*Sealed, error) {
	return l.seal(e, ctx.Value(originKey{}))
}

func (l *Ledger) seal(e Entry, origin any) (*Sealed, error) {
	if !isName(e.Kind) || !isName(e.Result) {
		return nil, fmt.Errorf("ledger entry of kind %.64q, result %.64q cannot be written", e.Kind, e.Result)
	}
	r := scratches.Get().(*scratch)
	defer r.free()
	p, err := newPayload(r, e, e.told(origin), l.via(origin))
	if err != nil {
		return nil, err
	}
	r.plain = p.append(r.plain[:0])
	c := p.commit(make([]byte, 0, len(r.plain)+besidePayload))
	sealed, err := l.sealPayload(e.Slot, c, r.plain)
	return &Sealed{e.Kind, e.Result, e.Subject, c, sealed}, err
}

// besidePayload is the room for what an entry has beside its payload: commitments, twice while it is sealed, what sealing adds,
// and the tag.
const besidePayload = 2*3*sha256.Size + 4 + len(payloadLabel) + 64

// sealPayload encrypts a payload, behind the commitments, under the key of whom it is about. Of somebody who was forgotten there
// is none any more: what is told of them is committed to, and erased already.
func (l *Ledger) sealPayload(slot vault.Slot, commitments, payload []byte) ([]byte, error) {
	if slot == 0 {
		return l.c.Vault.Seal(payloadLabel, commitments, payload), nil
	}
	both, err := l.c.Vault.AppendFor(commitments, slot, payloadLabel, commitments, payload)
	switch {
	case errors.Is(err, vault.ErrForgotten):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return both[len(commitments):], nil
}

// placed binds a sealed payload to the leaf of its entry, by the first bytes of a token of the leaf behind it: the leaf holds
// the place in the tree, so a caller could not seal under it. Where nothing could be sealed there is nothing. What was sealed
// has room behind it, and is placed anew where its transaction runs again.
func (l *Ledger) placed(leaf tlog.Hash, sealed []byte) []byte {
	if sealed == nil {
		return nil
	}
	tag := l.places.Of("", leaf[:])
	return append(sealed, tag[:tagSize]...)
}

// openPayload decrypts the payload of an entry. Entries of before were sealed under the leaf itself.
func (l *Ledger) openPayload(s *stored, leaf tlog.Hash) ([]byte, error) {
	if cut := len(s.payload) - tagSize; cut > 0 {
		if tag := l.places.Of("", leaf[:]); hmac.Equal(tag[:tagSize], s.payload[cut:]) {
			return l.c.Vault.OpenIn(s.room, payloadLabel, s.commitments, s.payload[:cut])
		}
	}
	return l.c.Vault.OpenIn(s.room, leafLabelled, leaf[:], s.payload)
}

// present is the payload under the present root key. It may have been sealed under a former one, when that was rotated since: who
// seals again what is there does not find what is still on its way.
func (l *Ledger) present(s *Sealed) ([]byte, error) {
	if s.payload == nil {
		return nil, nil
	}
	again, err := l.c.Vault.Reseal(payloadLabel, s.commitments, s.payload)
	if err != nil {
		return nil, fmt.Errorf("a ledger entry was on its way for too long: %w", err)
	}
	if again != nil {
		return again, nil
	}
	return s.payload, nil
}

// AppendSealed is Append of an entry that was sealed before. What was sealed is appended once.
func (l *Ledger) AppendSealed(tx *db.Tx, s *Sealed) (Position, error) {
	id := l.pending.size + 1
	m := meta{kind: s.kind, result: s.result, minute: l.c.Clock.Now().Unix() / 60, revision: l.revision(id)}
	if !m.valid() {
		return Position{}, errors.New("a ledger entry of this moment cannot be written")
	}
	payload, err := l.present(s)
	if err != nil {
		return Position{}, err
	}
	leaf := m.leaf(s.commitments)
	subject := db.Cell{}
	if findable(s.subject) {
		subject = db.OfText(s.subject)
	}
	err = tx.Insert(entries, db.OfInt(id), db.OfInt(m.revision), db.OfInt(m.minute), db.OfText(m.kind), db.OfText(m.result),
		db.OfBlob(s.commitments), db.OfBlob(l.placed(leaf, payload)), subject)
	if err != nil {
		return Position{}, fmt.Errorf("writing a ledger entry: %w", err)
	}
	if l.pending.size == l.edge.size { // the first of its commit
		tx.OnRollback(l.forget)
		tx.OnSettled(l.publish)
	}
	for _, t := range l.pending.add(leaf) {
		if err := tx.Insert(tiles, db.OfInt(int64(t.level)), db.OfInt(t.n), db.OfBlob(joinHashes(t.hashes))); err != nil {
			return Position{}, fmt.Errorf("writing a tile of the ledger: %w", err)
		}
	}
	return Position{ID: id, Revision: m.revision}, l.noteWhose(tx, s.subject, id)
}
