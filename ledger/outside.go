package ledger

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/witness"
)

// outside is a file of checkpoints on its way along the entries of a verification.
type outside struct {
	headReader
	cur    keptHead            // the next to compare with
	fits   keptHead            // the last that fitted, not verified
	signed map[string]keptHead // by witness: the last that fitted and bears its name, not verified
	done   bool                // there is no next one
}

// openHeads opens the checkpoints to compare with. A file that a Heads directory does not hold is passed over: then nobody
// vouches, and the report says so. The one named by the options must be there.
func (v *verification) openHeads(o VerifyOptions) error {
	var paths []string
	for _, dir := range v.l.c.Heads {
		paths = append(paths, filepath.Join(dir, headsFile))
		if len(v.l.c.Witnesses) > 0 {
			paths = append(paths, filepath.Join(dir, cosignedFile))
		}
	}
	if o.Checkpoint != "" {
		paths = []string{o.Checkpoint}
	}
	for _, p := range paths {
		f, err := os.Open(p)
		if errors.Is(err, fs.ErrNotExist) && o.Checkpoint == "" {
			continue
		}
		if err != nil {
			return fault.Wrap(fault.Invalid, err, "the checkpoints in %s cannot be read", filepath.Base(p))
		}
		h := &outside{headReader: headReader{in: bufio.NewReaderSize(f, window), file: f}}
		v.heads = append(v.heads, h)
		if err := v.advance(h); err != nil {
			return err
		}
		if h.done && o.Checkpoint != "" && v.found == nil {
			return fault.New(fault.Invalid, "%s holds no checkpoint", filepath.Base(p))
		}
	}
	if o.Checkpoint == "" {
		if err := v.openActs(); err != nil {
			return err
		}
	}
	v.due = v.nextSize()
	return nil
}

// openActs reads the suppression ledgers, as far as they go while nothing is being committed: what comes behind is of entries that
// may not be there yet, or never. Each must be whole, and its last group is a checkpoint like others.
func (v *verification) openActs() error {
	ends := make([]int64, len(v.l.c.Heads))
	v.l.c.DB.Quiet(func() {
		for i, dir := range v.l.c.Heads {
			ends[i] = endOfActs(filepath.Join(dir, actsFile))
		}
	})
	for i, dir := range v.l.c.Heads {
		end, err := readActsTo(ends[i], filepath.Join(dir, actsFile), v.l.verifier, nil)
		if fault.KindOf(err) == fault.Integrity {
			v.headFault(err)
			continue
		}
		if err != nil {
			return err
		}
		if end.head.size > 0 {
			none := headReader{in: bufio.NewReader(strings.NewReader("")), file: io.NopCloser(nil)}
			v.heads = append(v.heads, &outside{headReader: none, cur: keptHead{end.head, string(end.note)}})
			v.r.CheckpointSize = max(v.r.CheckpointSize, end.head.size)
		}
	}
	return nil
}

func (v *verification) close() {
	for _, h := range v.heads {
		h.file.Close() // only read
	}
}

// advance moves to the next checkpoint of a file; sizes never go down in one.
func (v *verification) advance(h *outside) error {
	before := h.cur.size
	cur, err := h.next()
	if errors.Is(err, io.EOF) {
		h.done = true
		return nil
	}
	if err == nil && cur.size < before {
		err = errHeads()
	}
	if err != nil && fault.KindOf(err) == fault.Integrity {
		h.done = true
		v.headFault(err)
		return nil
	}
	h.cur = cur
	v.r.CheckpointSize = max(v.r.CheckpointSize, cur.size)
	return err
}

// headFault keeps that something is wrong with a checkpoint, unless something worse is known; the reading goes on.
func (v *verification) headFault(err error) {
	if v.found == nil {
		v.found = &suspicion{0, 0, err.Error()}
	}
}

// nextSize is the size at which the next comparison is due; 0 for none.
func (v *verification) nextSize() (size int64) {
	for _, h := range v.heads {
		if !h.done && (size == 0 || h.cur.size < size) {
			size = h.cur.size
		}
	}
	return size
}

// compareHeads compares the tree so far with each checkpoint of its size. Signatures are verified where it matters: of a
// checkpoint that does not fit, here, and of the newest that fits, at the end.
func (v *verification) compareHeads() error {
	root := v.edge.root()
	for _, h := range v.heads {
		for !h.done && h.cur.size == v.edge.size {
			if h.cur.root == root {
				h.fits, v.good = h.cur, h.cur.size
				h.bears(v.l.c.Witnesses)
			} else if _, err := openNote([]byte(h.cur.note), v.l.verifier); err != nil {
				v.headFault(err)
			} else {
				return v.misfit(h.cur.size)
			}
			if err := v.advance(h); err != nil {
				return err
			}
		}
	}
	v.due = v.nextSize()
	return nil
}

// bears notes whose names the checkpoint bears that fits.
func (h *outside) bears(list []*witness.Witness) {
	for _, w := range list {
		if strings.Contains(h.cur.note, "\n"+signatureMark+w.Name()+" ") {
			if h.signed == nil {
				h.signed = map[string]keptHead{}
			}
			h.signed[w.Name()] = h.cur
		}
	}
}

// misfit reports that the tree is not the one somebody outside holds a checkpoint of.
func (v *verification) misfit(size int64) error {
	from := v.good + 1
	v.found = &suspicion{from, size, fmt.Sprintf("entries %d to %d are not those of the checkpoint outside", from, size)}
	return errFound
}

// unreached gives the size of a checkpoint that the last entry did not reach: it holds more than there are; 0 for none.
func (v *verification) unreached() int64 {
	for _, h := range v.heads {
		if h.done {
			continue
		}
		if _, err := openNote([]byte(h.cur.note), v.l.verifier); err != nil {
			v.headFault(err)
			continue
		}
		return h.cur.size
	}
	return 0
}

// finishHeads verifies the newest checkpoint that fits in each file, reads the rest of the files, and settles what is
// vouched for.
func (v *verification) finishHeads() error {
	v.good = 0
	for _, h := range v.heads {
		for !h.done {
			if err := v.advance(h); err != nil {
				return err
			}
		}
		if h.fits.size == 0 {
			continue
		}
		if _, err := openNote([]byte(h.fits.note), v.l.verifier); err != nil {
			v.headFault(err)
			continue
		}
		v.good = max(v.good, h.fits.size)
	}
	return nil
}
