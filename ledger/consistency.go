package ledger

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"io"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
)

// consistencyFormat names what a Consistency is, for whoever finds one years later.
const consistencyFormat = "ombud-ledger-consistency/v1"

// Consistency shows that the tree of one signed checkpoint is the beginning of that of another: nothing that the older
// one covered was changed since. It needs nothing else but the public key.
type Consistency struct {
	Format     string      `json:"format"`
	From       int64       `json:"from"` // entries of the older checkpoint
	To         int64       `json:"to"`
	Path       []tlog.Hash `json:"path"` // as in RFC 6962, section 2.1.2
	Older      string      `json:"older"`
	Checkpoint string      `json:"checkpoint"`
}

// ProveConsistency proves that the ledger goes on from a checkpoint somebody kept; of several, as a head holds them, from
// the newest. One that this ledger's key did not sign, or that the ledger does not continue, is fault.Integrity.
func (l *Ledger) ProveConsistency(ctx context.Context, kept []byte) (Consistency, error) {
	last, err := newestOf(kept)
	if err != nil {
		return Consistency{}, err
	}
	older := []byte(last.note)
	from, err := openNote(older, l.verifier)
	if err != nil {
		return Consistency{}, err
	}
	c, err := l.Checkpoint(ctx)
	if err != nil {
		return Consistency{}, err
	}
	if from.size > c.Size {
		return Consistency{}, damaged("the checkpoint holds %d entries, the store only %d", from.size, c.Size)
	}
	root, err := tlog.ParseHash(c.Root)
	if err != nil {
		return Consistency{}, err
	}
	tree := tlog.Tree{N: c.Size, Hash: root}
	out := Consistency{Format: consistencyFormat, From: from.size, To: c.Size, Older: string(older), Checkpoint: c.Note}
	err = l.c.DB.Read(ctx, func(tx *db.Tx) error {
		path, err := tlog.ProveTree(tree.N, from.size, tlog.TileHashReader(tree, &tileSource{ctx: ctx, tx: tx}))
		if err != nil {
			return damaged("no path leads from the older checkpoint to this one: %v", err)
		}
		out.Path = append([]tlog.Hash{}, path...)
		return nil
	})
	if err != nil {
		return Consistency{}, err
	}
	if tlog.CheckTree(tlog.TreeProof(out.Path), tree.N, tree.Hash, from.size, from.root) != nil {
		return Consistency{}, damaged("the first %d entries are not those of the checkpoint", from.size)
	}
	return out, nil
}

// newestOf is the last of the checkpoints that somebody kept.
func newestOf(kept []byte) (last keptHead, err error) {
	r := &headReader{in: bufio.NewReaderSize(bytes.NewReader(kept), window)}
	for {
		next, err := r.next()
		if errors.Is(err, io.EOF) && last.size > 0 {
			return last, nil
		}
		if errors.Is(err, io.EOF) {
			return last, fault.New(fault.Invalid, "this is not a checkpoint")
		}
		if err != nil {
			return last, err
		}
		last = next
	}
}

// VerifyConsistency checks a proof as JSON with the public key alone. Anything short of a valid proof is fault.Integrity.
func VerifyConsistency(proof []byte, pub ed25519.PublicKey) error {
	var p Consistency
	d := json.NewDecoder(bytes.NewReader(proof))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil || p.Format != consistencyFormat || d.More() {
		return fault.New(fault.Integrity, "this is not a proof that one checkpoint goes on from another")
	}
	v, err := verifierOf(pub)
	if err != nil {
		return err
	}
	from, err := openNote([]byte(p.Older), v)
	if err != nil {
		return err
	}
	to, err := openNote([]byte(p.Checkpoint), v)
	if err != nil {
		return err
	}
	if from.size != p.From || to.size != p.To || from.size > to.size ||
		tlog.CheckTree(tlog.TreeProof(p.Path), to.size, to.root, from.size, from.root) != nil {
		return fault.New(fault.Integrity, "the newer checkpoint does not go on from the older one")
	}
	return nil
}
