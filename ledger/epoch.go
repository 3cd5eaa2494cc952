package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
)

// Loss is what an older store does not know. Every revision given out from now on is greater than any before it.
type Loss struct {
	Epoch   int64  `json:"epoch"` // the new one
	Head    int64  `json:"head"`  // revision of the store's newest entry
	Size    int64  `json:"size"`  // entries of the store
	Root    string `json:"root"`
	Known   int64  `json:"known"`      // entries that outside is known of, of the line that ended; what lies above Size is lost
	Theirs  string `json:"known_root"` // the root then
	Outside int64  `json:"acts"`       // acts the suppression ledger held
	Reason  string `json:"reason"`     // what Open would have refused it for
}

// Lost is what the store did not know when this ledger was opened with Restored; nil otherwise.
func (l *Ledger) Lost() *Loss { return l.loss }

// Missing gives the acts that the store does not know, in order: each is to be done again, in one transaction that ends
// with Rejoin, before anybody is answered.
func (l *Ledger) Missing(fn func(Act) error) error {
	if l.loss == nil || len(l.heads) == 0 {
		return nil
	}
	_, err := readActs(filepath.Join(l.heads[0].dir, actsFile), l.verifier, func(g *actGroup) error {
		for _, a := range g.acts {
			if a.Revision <= l.loss.Head || a.Kind == kindEpoch {
				continue
			}
			body, err := l.c.Vault.Open(actLabel, a.aad(), a.sealed)
			if err != nil {
				return err
			}
			a.Body = body
			if err := fn(a); err != nil {
				return fmt.Errorf("doing act %d again: %w", a.number, err)
			}
		}
		return nil
	})
	return err
}

// Rejoin notes in the store how far the suppression ledger reached when the store was brought to it, and appends the entry
// that tells of the loss. It belongs to the transaction that does the missing acts again: without its commit the store is
// an older one still.
func (l *Ledger) Rejoin(ctx context.Context, tx *db.Tx, actor string, content any) (Position, error) {
	if _, err := tx.Exec(ctx, "delete from ledger_acts"); err != nil {
		return Position{}, fmt.Errorf("rejoining the suppression ledger: %w", err)
	}
	known := l.unkept // those of this transaction stay
	if l.kept.last > 0 {
		known = append([]Act{{Revision: l.kept.revision, Kind: kindEpoch, number: l.kept.last, sealed: []byte{}}}, known...)
	}
	for _, a := range known {
		if err := a.insert(tx); err != nil {
			return Position{}, fmt.Errorf("rejoining the suppression ledger: %w", err)
		}
	}
	return l.Append(tx, Entry{Kind: "ledger.restored", Result: "done", Actor: actor, Content: content})
}

// Epoch counts how often an older store was taken up again, from 1.
func (l *Ledger) Epoch() int64 { return l.epoch }

// Acts is the number of acts the suppression ledger holds.
func (l *Ledger) Acts() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.kept.last
}

// begin starts a new epoch from the store as it is: durable outside first, so that no revision is ever given twice. The
// checkpoints of the line that ended are put aside.
func (l *Ledger) begin(reason error) error {
	l.loss = &Loss{Head: l.revision(l.edge.size), Size: l.edge.size, Root: l.edge.root().String(), Outside: l.kept.last}
	if reason != nil {
		l.loss.Reason = reason.Error()
	}
	known, newest := l.kept.head, max(l.epoch, l.kept.epoch())
	for _, h := range l.heads {
		if newest = max(newest, h.newest.epoch); h.newest.size > known.size {
			known = h.newest.treeHead
		}
	}
	l.epoch, l.unkept = newest+1, nil
	if l.epoch > maxEpoch {
		return fault.New(fault.Unavailable, "this store was restored too often")
	}
	l.loss.Epoch, l.loss.Known = l.epoch, known.size
	if known.size > 0 {
		l.loss.Theirs = known.root.String()
	}
	if err := l.putAside(newest); err != nil {
		return fault.Wrap(fault.Unavailable, err, "the files outside the own store cannot be changed: %v", err)
	}
	if err := l.completeActs(); err != nil {
		return err
	}
	return l.keepEpoch(epochBody{Cut: !l.c.Restored})
}

// keepEpoch writes the act that begins the epoch.
func (l *Ledger) keepEpoch(body epochBody) error {
	if len(l.heads) == 0 {
		return nil
	}
	b, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encoding an act: %w", err)
	}
	a := Act{Revision: l.revision(l.edge.size), Kind: kindEpoch, number: l.kept.last + 1}
	a.sealed = l.c.Vault.Seal(actLabel, a.aad(), b)
	l.unkept = []Act{a}
	if err := l.send(); err != nil {
		return fault.Wrap(fault.Unavailable, err, "the new epoch cannot be kept outside the own store: %v", err)
	}
	return nil
}

// putAside renames the checkpoints of the line that ended, and cuts off what is no longer part of the suppression ledger
// after a copy was made of it.
func (l *Ledger) putAside(epoch int64) error {
	suffix := fmt.Sprintf(".epoch-%d", epoch)
	for _, h := range l.heads {
		for _, name := range []string{headsFile, cosignedFile} {
			path := filepath.Join(h.dir, name)
			if err := os.Rename(path, path+suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
				return err
			}
		}
		if err := h.cutActs(suffix); err != nil {
			return err
		}
		h.newest = keptHead{}
	}
	l.last = Checkpoint{}
	return nil
}

// cutActs leaves what is good of a damaged file.
func (h *head) cutActs(suffix string) error {
	path := filepath.Join(h.dir, actsFile)
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) || err == nil && isZero(b[h.acts.offset:]) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := os.WriteFile(path+suffix, b, 0o600); err != nil {
		return err
	}
	return os.Truncate(path, h.acts.offset)
}
