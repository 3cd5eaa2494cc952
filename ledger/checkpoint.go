package ledger

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/vault"
)

// Interval is how often Run looks whether the ledger has grown.
const Interval = time.Second

// keptMark begins the line of a checkpoint that tells how many acts the suppression ledger held, and in which epoch.
const keptMark = "ombud-kept"

// Checkpoint is the signed head of the tree. The zero Checkpoint is that of an empty ledger, which nobody signs.
type Checkpoint struct {
	Size int64  `json:"size"`
	Root string `json:"root"` // base64
	Note string `json:"note"` // C2SP checkpoint, as it is kept outside
}

// Checkpoint signs the head of what is durable now, and adds it to each of Heads, on the disk, before it answers. A head
// that has it already is left alone; when nothing has grown, the last one is given again.
func (l *Ledger) Checkpoint(ctx context.Context) (Checkpoint, error) {
	l.headsMu.Lock()
	defer l.headsMu.Unlock()
	if err := ctx.Err(); err != nil {
		return Checkpoint{}, err
	}
	e := l.snapshot()
	if e.size == 0 {
		return Checkpoint{}, nil
	}
	if l.last.Size != e.size {
		c, err := l.sign(e.size, e.root())
		if err != nil {
			return Checkpoint{}, err
		}
		l.last = c
	}
	var errs []error
	for _, h := range l.heads {
		errs = append(errs, h.add(l.last))
		if h.far != nil {
			errs = append(errs, h.far.add(ctx, h.dir, l.epoch, l.last))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return Checkpoint{}, fault.Wrap(fault.Unavailable, err, "a checkpoint cannot be kept outside the database")
	}
	last := l.last
	l.newest.Store(&last)
	return last, nil
}

// Newest is the last checkpoint that this process gave and kept outside; the zero Checkpoint before the first. It signs nothing and
// waits for nothing, so that it can go out with every answer: while Run runs it is hardly older than Interval.
func (l *Ledger) Newest() Checkpoint {
	if c := l.newest.Load(); c != nil {
		return *c
	}
	return Checkpoint{}
}

func (l *Ledger) sign(size int64, root tlog.Hash) (Checkpoint, error) {
	text := fmt.Sprintf("%s\n%d\n%s\n", l.c.Origin, size, root)
	l.mu.Lock()
	if l.kept.last > 0 {
		text += fmt.Sprintf("%s %d %d\n", keptMark, l.kept.last, l.kept.epoch())
	}
	l.mu.Unlock()
	msg, err := note.Sign(&note.Note{Text: text}, signer{l.verifier, l.c.Vault})
	if err != nil {
		return Checkpoint{}, fmt.Errorf("signing a checkpoint: %w", err)
	}
	return Checkpoint{Size: size, Root: root.String(), Note: string(msg)}, nil
}

// signer signs notes with the vault's key.
type signer struct {
	note.Verifier
	vault *vault.Vault
}

func (s signer) Sign(msg []byte) ([]byte, error) { return s.vault.Sign(msg), nil }

func verifierOf(pub ed25519.PublicKey) (note.Verifier, error) {
	line, err := vault.VerifierKey(pub)
	if err != nil {
		return nil, err
	}
	v, err := note.NewVerifier(line)
	if err != nil {
		return nil, fmt.Errorf("reading a public key: %w", err)
	}
	return v, nil
}

// treeHead is size and root of the tree, as a checkpoint tells them, and how far the suppression ledger reached by then.
type treeHead struct {
	size  int64
	root  tlog.Hash
	acts  int64
	epoch int64 // 0 where there were no acts
}

// parseHead reads the text of a checkpoint: origin, size, root, and perhaps lines of others, as signed.
func parseHead(text string) (treeHead, bool) {
	lines := strings.SplitN(text, "\n", 4)
	if len(lines) < 4 || lines[0] == "" {
		return treeHead{}, false
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size <= 0 || size >= 1<<epochShift || strconv.FormatInt(size, 10) != lines[1] {
		return treeHead{}, false
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil || root.String() != lines[2] {
		return treeHead{}, false
	}
	h := treeHead{size: size, root: root}
	if mark, ok := strings.CutPrefix(lines[3], keptMark+" "); ok {
		_, err = fmt.Sscanf(mark, "%d %d\n", &h.acts, &h.epoch)
	}
	return h, err == nil
}

// openNote verifies a checkpoint and reads it.
func openNote(msg []byte, v note.Verifier) (treeHead, error) {
	n, err := note.Open(msg, note.VerifierList(v))
	if err != nil {
		return treeHead{}, fault.Wrap(fault.Integrity, err, "a checkpoint is not signed by this key")
	}
	if _, err := base64.StdEncoding.Strict().DecodeString(n.Sigs[0].Base64); err != nil {
		return treeHead{}, fault.New(fault.Integrity, "the signature of a checkpoint is not written as it was")
	}
	h, ok := parseHead(n.Text)
	if !ok {
		return treeHead{}, fault.New(fault.Integrity, "a signed note is not a checkpoint")
	}
	return h, nil
}

// Run keeps checkpoints coming: one each Interval if the ledger has grown, and one when ctx ends. What fails meanwhile is
// logged and tried again; the error is that of the last one.
func (l *Ledger) Run(ctx context.Context) error {
	for {
		select {
		case <-l.c.Clock.After(Interval):
			if _, err := l.Checkpoint(ctx); err != nil && ctx.Err() == nil {
				l.c.Log.Error("no checkpoint outside the database", "error", err)
			}
		case <-ctx.Done():
			_, err := l.Checkpoint(context.WithoutCancel(ctx))
			return err
		}
	}
}
