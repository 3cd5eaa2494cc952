package ledger

import (
	"context"
	"crypto/hmac"
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
	p, err := newPayload(e, e.told(origin), l.via(origin))
	if err != nil {
		return nil, err
	}
	c := p.commitments()
	sealed, err := l.sealPayload(e.Slot, c, p.encode())
	return &Sealed{e.Kind, e.Result, e.Subject, c, sealed}, err
}

// sealPayload encrypts a payload under the key of whom it is about. Of somebody who was forgotten there is none any more: what
// is told of them is committed to, and erased already.
func (l *Ledger) sealPayload(slot vault.Slot, commitments, payload []byte) ([]byte, error) {
	if slot == 0 {
		return l.c.Vault.Seal(payloadLabel, commitments, payload), nil
	}
	sealed, err := l.c.Vault.SealFor(slot, payloadLabel, commitments, payload)
	if errors.Is(err, vault.ErrForgotten) {
		return nil, nil
	}
	return sealed, err
}

// placed binds a sealed payload to the leaf of its entry, by the first bytes of a token of the leaf behind it: the leaf holds
// the place in the tree, so a caller could not seal under it.
func (l *Ledger) placed(leaf tlog.Hash, sealed []byte) []byte {
	tag := l.places.Of("", leaf[:])
	return append(sealed[:len(sealed):len(sealed)], tag[:tagSize]...)
}

// beside is what lies beside the leaf; nothing where nothing could be sealed.
func (l *Ledger) beside(leaf tlog.Hash, sealed []byte) any {
	if sealed == nil {
		return nil
	}
	return l.placed(leaf, sealed)
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
	ctx := context.Background() // the store does not interrupt writes
	err = tx.Insert(entries, id, m.revision, m.minute, m.kind, m.result, s.commitments, l.beside(leaf, payload), findable(s.subject))
	if err != nil {
		return Position{}, fmt.Errorf("writing a ledger entry: %w", err)
	}
	tx.OnRollback(l.forget)
	tx.OnSettled(l.publish)
	for _, t := range l.pending.add(leaf) {
		if _, err := tx.Exec(ctx, upsertTile, t.level, t.n, joinHashes(t.hashes)); err != nil {
			return Position{}, fmt.Errorf("writing a tile of the ledger: %w", err)
		}
	}
	return Position{ID: id, Revision: m.revision}, l.noteWhose(tx, s.subject, id)
}
