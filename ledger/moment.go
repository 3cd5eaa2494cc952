package ledger

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/ombudhq/ombud/internal/db"
)

// Moment is where the ledger stood in a snapshot of the store.
type Moment struct {
	Checkpoint
	Head int64 // revision of the newest entry
	Acts int64 // that the suppression ledger held at least
}

// At gives, signed, where the ledger stands in a snapshot. An empty ledger has no note.
func (l *Ledger) At(ctx context.Context, tx *db.Tx) (Moment, error) {
	m := Moment{Acts: l.Acts()}
	err := tx.QueryRow(ctx, "select id, revision from ledger_entries order by id desc limit 1").Scan(&m.Size, &m.Head)
	if errors.Is(err, db.ErrNoRows) {
		return m, nil
	}
	if err != nil {
		return m, fmt.Errorf("reading the size of the ledger: %w", err)
	}
	root, err := (&tileSource{ctx: ctx, tx: tx}).rootAt(m.Size)
	if err == nil {
		m.Checkpoint, err = l.sign(m.Size, root)
	}
	return m, err
}

// Outside tells how far what lies in heads reaches: the newest revision it knows of and the number of acts, all verified.
// Damage is fault.Integrity.
func Outside(ctx context.Context, c Config) (head, acts int64, err error) {
	l, err := prepare(c)
	if err != nil {
		return 0, 0, err
	}
	if l.heads, err = openHeads(ctx, c, l.verifier); err != nil {
		return 0, 0, err
	}
	if err := l.openActs(); err != nil {
		return 0, 0, err
	}
	size, epoch := l.kept.head.size, max(1, l.kept.epoch())
	for _, h := range l.heads {
		size, epoch = max(size, h.newest.size), max(epoch, h.newest.epoch)
	}
	return epoch<<epochShift | size, l.kept.last, nil
}

// TreeOf gives size and root of the tree that a store holds, whatever is known of it outside. It writes nothing.
func TreeOf(ctx context.Context, c Config) (tlog.Tree, error) {
	l, err := prepare(c)
	if err != nil {
		return tlog.Tree{}, err
	}
	if err := c.DB.Read(ctx, func(tx *db.Tx) error { return l.readEdge(ctx, tx) }); err != nil {
		return tlog.Tree{}, err
	}
	return l.Tree(), nil
}
