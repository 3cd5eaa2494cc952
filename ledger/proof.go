package ledger

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
)

// proofFormat names what a Proof is, for whoever finds one years later.
const proofFormat = "ombud-ledger-proof/v1"

// Proof shows that an entry is in the tree of a signed checkpoint. It needs nothing else but the public key, and tells
// nothing of actor, subject and content but the commitments.
type Proof struct {
	Format      string      `json:"format"`
	ID          int64       `json:"id"`
	Meta        string      `json:"meta"`        // the exact bytes the leaf is made of
	Commitments [3][]byte   `json:"commitments"` // actor, subject, content
	Path        []tlog.Hash `json:"path"`        // from the leaf up
	Checkpoint  string      `json:"checkpoint"`
}

// Prove makes the proof of an entry against a checkpoint that covers it, one it makes if need be. The path is verified
// against the checkpoint on the way: damage gives fault.Integrity, never a wrong proof.
func (l *Ledger) Prove(ctx context.Context, id int64) (Proof, error) {
	c, err := l.Checkpoint(ctx)
	if err != nil {
		return Proof{}, err
	}
	if id < 1 || id > c.Size {
		return Proof{}, fault.New(fault.NotFound, "there is no ledger entry %d", id)
	}
	root, err := tlog.ParseHash(c.Root)
	if err != nil {
		return Proof{}, fmt.Errorf("reading our own checkpoint: %w", err)
	}
	p := Proof{Format: proofFormat, ID: id, Checkpoint: c.Note}
	err = l.c.DB.Read(ctx, func(tx *db.Tx) error {
		return p.fill(ctx, tx, tlog.Tree{N: c.Size, Hash: root})
	})
	return p, err
}

func (p *Proof) fill(ctx context.Context, tx *db.Tx, tree tlog.Tree) error {
	rows, err := tx.Query(ctx, "select "+columns+" from ledger_entries where id = $1", p.ID)
	if err != nil {
		return err
	}
	defer rows.Close()
	var s stored
	there := rows.Next()
	if err := rows.Err(); err != nil { // a store that does not answer is no damage
		return fmt.Errorf("reading entry %d: %w", p.ID, err)
	}
	if !there || s.scan(rows) != nil {
		return damaged("entry %d is missing or cannot be read", p.ID)
	}
	rows.Close()
	leaf, err := s.check()
	if err != nil {
		return damaged("entry %d: %v", p.ID, err)
	}
	p.Meta = string(s.meta.encode())
	p.Commitments = split(s.commitments)
	path, err := tlog.ProveRecord(tree.N, p.ID-1, tlog.TileHashReader(tree, &tileSource{ctx: ctx, tx: tx}))
	if err != nil {
		return damaged("no path leads from entry %d to the checkpoint: %v", p.ID, err)
	}
	p.Path = path
	if err := tlog.CheckRecord(tlog.RecordProof(path), tree.N, tree.Hash, p.ID-1, leaf); err != nil {
		return damaged("entry %d is not in the checkpoint", p.ID)
	}
	return nil
}

// split parts the commitments of an entry.
func split(commitments []byte) (out [3][]byte) {
	for i := range out {
		out[i] = commitments[i*tlog.HashSize : (i+1)*tlog.HashSize]
	}
	return out
}

// VerifyProof checks a proof as JSON with the public key alone. Anything short of a valid proof is fault.Integrity.
func VerifyProof(proof []byte, pub ed25519.PublicKey) error {
	var p Proof
	d := json.NewDecoder(bytes.NewReader(proof))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil || p.Format != proofFormat || d.More() {
		return fault.New(fault.Integrity, "this is not a proof of a ledger entry")
	}
	v, err := verifierOf(pub)
	if err != nil {
		return err
	}
	head, err := openNote([]byte(p.Checkpoint), v)
	if err != nil {
		return err
	}
	var m struct{ Revision int64 }
	if err := json.Unmarshal([]byte(p.Meta), &m); err != nil || m.Revision&(1<<epochShift-1) != p.ID {
		return fault.New(fault.Integrity, "the proof's entry is not the one it names")
	}
	var commitments []byte
	for _, c := range p.Commitments {
		if len(c) != tlog.HashSize {
			return fault.New(fault.Integrity, "the proof's commitments are incomplete")
		}
		commitments = append(commitments, c...)
	}
	if p.ID < 1 || p.ID > head.size {
		return fault.New(fault.Integrity, "the proof's checkpoint does not reach its entry")
	}
	leaf := leafOf([]byte(p.Meta), commitments)
	if err := tlog.CheckRecord(tlog.RecordProof(p.Path), head.size, head.root, p.ID-1, leaf); err != nil {
		return fault.New(fault.Integrity, "the entry is not in the tree of the checkpoint")
	}
	return nil
}
