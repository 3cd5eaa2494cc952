package ledger

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
)

// A commit and its acts are forced to the disk with each other, so a power cut leaves both, neither, or one of them. A store
// that knows more than the files outside gives them the rest at its next start (settleActs). Files that know more than the store
// look like those of a store that was rolled back, and are told from them by this: what the store lacks is all of the last commit
// that kept acts and nothing before it, and neither does a checkpoint cover it, as one does within a second of an answer, nor does
// a bucket hold it. Nobody was answered, then. As the last second cannot be known, what is safe either way is done: a new epoch
// begins, those acts are done again, and an entry tells of it, as after a restore (Lost, Missing, Rejoin).

// errCut is why a start begins a new epoch by itself.
var errCut = fault.New(fault.Integrity, "the machine stopped while a commit and the acts it kept outside were forced to the disk: the store lacks them")

// epochBody is the body of the act that begins an epoch.
type epochBody struct {
	Cut bool `json:"cut,omitempty"` // for errCut: where that start is cut short too, the next one goes on
}

// keptCommit is the last commit that kept acts, and where the file stood before them. What begins an epoch is none.
type keptCommit struct {
	size, epoch int64 // of the tree after it
	before      treeHead
	known       int64 // number of the last act before it
	offset      int64
}

// grow follows a file, whose end is e, into its next group. The groups of one commit stand on one head.
func (c *keptCommit) grow(e *actsEnd, g *actGroup) {
	if g.acts[0].Kind != kindEpoch && (g.head.size != e.head.size || g.head.root != e.head.root) {
		*c = keptCommit{g.head.size, g.acts[0].Revision >> epochShift, e.head, e.last, e.offset}
	}
}

// isCut tells whether the store, which knows of so many acts, stands where it stood before the last commit that kept any.
func (l *Ledger) isCut(ctx context.Context, tx *db.Tx, known int64) (bool, error) {
	c := &l.kept.commit
	if l.edge.size == 0 || l.edge.size < c.before.size || l.edge.size >= c.size || l.epoch != c.epoch || known != c.known {
		return false, nil
	}
	if open, err := l.unsettled(); err != nil || !open {
		return false, err
	}
	if c.before.size == 0 {
		return true, nil
	}
	root, err := (&tileSource{ctx: ctx, tx: tx}).rootAt(c.before.size)
	return root == c.before.root, err
}

// unsettled tells whether nothing shows that the last commit that kept acts was forced to the disk: it is in no bucket, where acts
// come afterwards, and what begins an epoch behind it does so for errCut.
func (l *Ledger) unsettled() (bool, error) {
	text, _, _ := bytes.Cut(l.kept.note, []byte("\n\n"+signatureMark))
	g, ok := parseGroup(string(text) + "\n")
	if !ok || g.acts[0].Kind != kindEpoch {
		beyond := func(h *head) bool { return h.far != nil && h.far.offset > l.kept.commit.offset }
		return ok && !slices.ContainsFunc(l.heads, beyond), nil
	}
	b, err := l.c.Vault.Open(actLabel, g.acts[0].aad(), g.acts[0].sealed)
	if err != nil {
		return false, err
	}
	var body epochBody
	if err := json.Unmarshal(b, &body); err != nil {
		return false, fmt.Errorf("reading an act: %w", err)
	}
	return body.Cut, nil
}
