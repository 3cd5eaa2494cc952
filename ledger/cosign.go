package ledger

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/witness"
)

// cosignedFile holds the checkpoints that witnesses cosigned, as headsFile does, with their lines behind ours.
const cosignedFile = "cosigned"

// KindWitness is the entry of a witness that does not cosign, or cosigns again after it did not.
const KindWitness = "ledger.witness"

// witnessed is how often RunWitnesses asks.
const witnessed = 10 * time.Second

// Witnessed is what a witness vouches for.
type Witnessed struct {
	Name string `json:"name"`
	Size int64  `json:"size"` // entries of the newest checkpoint it cosigned that fits; 0 for none
}

// Cosign has every witness cosign the head of what is durable now, and adds what they signed to each of Heads. One that
// refuses keeps nobody from anything: the others' lines are kept, and the error names it.
func (l *Ledger) Cosign(ctx context.Context) error {
	c, err := l.Checkpoint(ctx)
	if err != nil || c.Size == 0 || len(l.c.Witnesses) == 0 {
		return err
	}
	lines, errs := "", []error{}
	for _, w := range l.c.Witnesses {
		line, err := l.cosignBy(ctx, w, c)
		lines += line
		errs = append(errs, err)
	}
	for _, h := range l.heads {
		if lines == "" {
			break
		}
		err := appendRecord(filepath.Join(h.dir, cosignedFile), c.Note+lines)
		if errs = append(errs, err); err != nil {
			clear(l.stood) // what could not be kept is asked for again
		}
	}
	return errors.Join(errs...)
}

// cosignBy gives the line of a witness; none where it has signed this one already.
func (l *Ledger) cosignBy(ctx context.Context, w *witness.Witness, c Checkpoint) (string, error) {
	old := l.stood[w.Name()]
	if old == c.Size {
		return "", nil
	}
	line, err := l.ask(ctx, w, old, c)
	var at *witness.Stands
	if errors.As(err, &at) {
		if at.Size > c.Size {
			return "", damaged("the witness %s cosigned %d entries, the store holds only %d", w.Name(), at.Size, c.Size)
		}
		line, err = l.ask(ctx, w, at.Size, c)
	}
	if err != nil {
		return "", err
	}
	l.stood[w.Name()] = c.Size
	return line, nil
}

func (l *Ledger) ask(ctx context.Context, w *witness.Witness, old int64, c Checkpoint) (string, error) {
	var proof tlog.TreeProof
	root, err := tlog.ParseHash(c.Root)
	if err == nil && old > 0 {
		tree := tlog.Tree{N: c.Size, Hash: root}
		err = l.c.DB.Read(ctx, func(tx *db.Tx) (err error) {
			proof, err = tlog.ProveTree(tree.N, old, tlog.TileHashReader(tree, &tileSource{ctx: ctx, tx: tx}))
			return err
		})
	}
	if err != nil {
		return "", damaged("it does not prove that it goes on from %d entries", old)
	}
	return w.Cosign(ctx, old, proof, c.Note)
}

// appendRecord adds a note to a file of notes, on the disk when it answers.
func appendRecord(path, text string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "cosigned checkpoints cannot be kept")
	}
	end, err := wholeRecords(f)
	if err == nil {
		_, err = f.WriteAt([]byte(text+"\n"), end)
	}
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fault.Wrap(fault.Unavailable, err, "cosigned checkpoints cannot be kept")
	}
	return nil
}

// RunWitnesses asks the witnesses while the ledger grows, until ctx ends. That they begin or cease to refuse is an entry, and
// refusals are logged as errors; nothing else waits for them.
func (l *Ledger) RunWitnesses(ctx context.Context) {
	refused := false
	for len(l.c.Witnesses) > 0 {
		select {
		case <-l.c.Clock.After(witnessed):
		case <-ctx.Done():
			return
		}
		err := l.Cosign(ctx)
		if ctx.Err() != nil || (err != nil) == refused {
			continue
		}
		refused = err != nil
		e := Entry{Kind: KindWitness, Result: "ok", Actor: "ombud"}
		if refused {
			e.Result, e.Content = "refused", map[string]any{"error": err.Error()}
			l.c.Log.Error("a witness does not cosign what the ledger holds", "error", err)
		}
		if err := l.c.DB.Write(ctx, func(tx *db.Tx) error { _, err := l.Append(tx, e); return err }); err != nil {
			l.c.Log.Error("what a witness did could not be noted", "error", err)
		}
	}
}

// witnesses settles, for the report, what each vouches for: the cosigned checkpoints that fit.
func (v *verification) witnesses() {
	for _, w := range v.l.c.Witnesses {
		one := Witnessed{Name: w.Name()}
		for _, h := range v.heads {
			kept := h.signed[w.Name()]
			if _, err := note.Open([]byte(kept.note), note.VerifierList(w.Key)); err == nil {
				one.Size = max(one.Size, kept.size)
			}
		}
		v.r.Witnesses = append(v.r.Witnesses, one)
	}
}
