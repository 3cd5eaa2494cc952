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
	errs, err := l.cosign(ctx)
	return errors.Join(append(errs, err)...)
}

// cosign tells of each witness why it did not, and what else failed.
func (l *Ledger) cosign(ctx context.Context) (refusals []error, err error) {
	refusals = make([]error, len(l.c.Witnesses))
	c, err := l.Checkpoint(ctx)
	if err != nil || c.Size == 0 {
		return refusals, err
	}
	lines, errs := "", []error{}
	for i, w := range l.c.Witnesses {
		var line string
		line, refusals[i] = l.cosignBy(ctx, w, c)
		lines += line
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
	return refusals, errors.Join(errs...)
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

// What a witness does, as its entries have it: it refuses, or lies, where it is there and does not cosign what the ledger
// holds; that is an alarm. One that cannot be asked is none.
const (
	cosigns = "ok"
	refuses = "refused"
	isAway  = "unavailable"
)

func doing(err error) string {
	switch {
	case err == nil:
		return cosigns
	case fault.KindOf(err) == fault.Denied || fault.KindOf(err) == fault.Integrity:
		return refuses
	}
	return isAway
}

// RunWitnesses asks the witnesses while the ledger grows, until ctx ends. That one begins or ceases to cosign is an entry;
// that one refuses is an alarm, and an error in the log. Nothing else waits for them.
func (l *Ledger) RunWitnesses(ctx context.Context) {
	was := make([]string, len(l.c.Witnesses))
	for i := range was {
		was[i] = cosigns
	}
	for len(l.c.Witnesses) > 0 {
		select {
		case <-l.c.Clock.After(witnessed):
		case <-ctx.Done():
			return
		}
		l.askWitnesses(ctx, was)
	}
}

// askWitnesses asks each once, and writes down which does something else than it did before.
func (l *Ledger) askWitnesses(ctx context.Context, was []string) {
	refusals, err := l.cosign(ctx)
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		l.c.Log.Error("what witnesses cosigned could not be kept", "error", err)
	}
	for i, w := range l.c.Witnesses {
		if is := doing(refusals[i]); is != was[i] && l.noteWitness(ctx, w.Name(), is, refusals[i]) {
			was[i] = is
		}
	}
}

// noteWitness writes down what a witness does now, with the alarm that it raises; false where that could not be.
func (l *Ledger) noteWitness(ctx context.Context, name, is string, why error) bool {
	e := Entry{Kind: KindWitness, Result: is, Actor: "ombud", Content: map[string]any{"witness": name}}
	if why != nil {
		e.Content = map[string]any{"witness": name, "error": why.Error()}
		l.c.Log.Error("a witness does not cosign what the ledger holds", "error", why)
	}
	err := l.c.DB.Write(ctx, func(tx *db.Tx) error {
		if is == refuses && l.c.Alarm != nil {
			id, err := l.c.Alarm(ctx, tx, why.Error())
			if err != nil {
				return err
			}
			e.Content = map[string]any{"witness": name, "error": why.Error(), "alarm": id}
		}
		_, err := l.Append(tx, e)
		return err
	})
	if err != nil {
		l.c.Log.Error("what a witness did could not be noted", "error", err)
	}
	return err == nil
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
