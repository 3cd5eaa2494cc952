package ledger

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/mod/sumdb/note"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/file"
)

// headsFile holds checkpoints, oldest first, each followed by an empty line. It is only ever appended to; a record that a
// crash cut short was never acknowledged, and is cut off before the next one.
const headsFile = "checkpoints"

// head is one place outside the database.
type head struct {
	dir    string
	newest keptHead // the last one we know on the disk; its root only as read at the start
	acts   actsEnd  // of the suppression ledger there, as read at the start
	far    *far     // the bucket that the folder is a copy of; nil for a folder alone

	file *os.File // of acts; nil while none is open
	info os.FileInfo
	size int64 // of it, as we left it; -1 where that is not known

	carries func(*os.File) bool // db.DB.Carries
	carried bool                // the file, by the store
}

// openHeads reads where each head stands, its bucket first.
func openHeads(ctx context.Context, c Config, v note.Verifier) ([]*head, error) {
	heads := make([]*head, len(c.Heads))
	for i, dir := range c.Heads {
		var beyond *far
		if b := c.Buckets[dir]; b != nil {
			beyond = &far{b: b}
			if err := beyond.fetch(ctx, dir, v); err != nil {
				return nil, err
			}
		}
		newest, err := readNewest(filepath.Join(dir, headsFile))
		if err != nil {
			return nil, err
		}
		if newest.size > 0 {
			if newest.treeHead, err = openNote([]byte(newest.note), v); err != nil {
				return nil, err
			}
		}
		heads[i] = &head{dir: dir, newest: newest, far: beyond, carries: c.DB.Carries}
	}
	return heads, nil
}

// compareHeads refuses a store that is not what the newest checkpoint of each head says.
func (l *Ledger) compareHeads(ctx context.Context, tx *db.Tx) error {
	src := &tileSource{ctx: ctx, tx: tx}
	for _, h := range l.heads {
		if h.newest.size == 0 {
			continue
		}
		if h.newest.size > l.edge.size {
			return damaged("a checkpoint outside holds %d entries, the store only %d", h.newest.size, l.edge.size)
		}
		root, err := src.rootAt(h.newest.size)
		if err != nil {
			return err
		}
		if root != h.newest.root {
			return damaged("the first %d entries are not those of the checkpoint outside", h.newest.size)
		}
		if h.newest.size == l.edge.size {
			l.last = Checkpoint{Size: h.newest.size, Root: root.String(), Note: h.newest.note}
		}
	}
	return nil
}

// add appends a checkpoint unless the head has it, and answers when it is on the disk.
func (h *head) add(c Checkpoint) error {
	if h.newest.size >= c.Size {
		return nil
	}
	if err := os.MkdirAll(h.dir, 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(h.dir, headsFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	end, err := wholeRecords(f)
	if err == nil {
		_, err = f.WriteAt([]byte(c.Note+"\n"), end)
	}
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if h.newest.size == 0 {
		if err := errors.Join(file.SyncDir(h.dir), file.SyncDir(filepath.Dir(h.dir))); err != nil {
			return err
		}
	}
	h.newest.size, h.newest.note = c.Size, c.Note
	return nil
}

// window is more than the longest record; what is looked for at the end of a file lies in it.
const window = 8192

// lastRecord finds the last whole record of a file: where it ends, and its note. A file without any ends at 0.
func lastRecord(f *os.File) (end int64, record []byte, err error) {
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, nil, err
	}
	from := max(0, size-window)
	b := make([]byte, size-from)
	if _, err := f.ReadAt(b, from); err != nil && !errors.Is(err, io.EOF) {
		return 0, nil, err
	}
	last := endOfRecords(b)
	if last < 0 && from > 0 {
		return 0, nil, errHeads()
	}
	if last < 0 {
		return 0, nil, nil
	}
	first := max(0, endOfRecords(b[:last-1]))
	return from + int64(last), b[first : last-1], nil
}

// endOfRecords finds where the last record that is followed by an empty line ends, that line included; -1 when there is
// none. A note's own empty line does not follow a signature.
func endOfRecords(b []byte) int {
	for end := len(b); ; {
		i := bytes.LastIndex(b[:end], []byte("\n\n"))
		if i < 0 {
			return -1
		}
		line := b[bytes.LastIndexByte(b[:i], '\n')+1 : i]
		if bytes.HasPrefix(line, []byte(signatureMark)) {
			return i + 2
		}
		end = i + 1
	}
}

// wholeRecords cuts a torn last record off and gives the file's length then.
func wholeRecords(f *os.File) (int64, error) {
	end, _, err := lastRecord(f)
	if err != nil {
		return 0, err
	}
	return end, f.Truncate(end)
}

// readNewest gives the last checkpoint of a file, not verified; none when there is no such file.
func readNewest(path string) (keptHead, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return keptHead{}, nil
	}
	if err != nil {
		return keptHead{}, fault.Wrap(fault.Unavailable, err, "a file of checkpoints cannot be read")
	}
	defer f.Close()
	_, record, err := lastRecord(f)
	if err != nil || record == nil {
		return keptHead{}, err
	}
	return parseKept(record)
}

// keptHead is a checkpoint as it lies in a file, not verified.
type keptHead struct {
	treeHead
	note string
}

const signatureMark = "— "

func errHeads() error {
	return fault.New(fault.Integrity, "a file of checkpoints holds something that is none")
}

func parseKept(record []byte) (keptHead, error) {
	i := bytes.Index(record, []byte("\n\n"+signatureMark))
	if i < 0 || !bytes.HasSuffix(record, []byte("\n")) {
		return keptHead{}, errHeads()
	}
	h, ok := parseHead(string(record[:i+1]))
	if !ok {
		return keptHead{}, errHeads()
	}
	return keptHead{h, string(record)}, nil
}

// headReader reads the checkpoints of a file one by one, whatever its size.
type headReader struct {
	in   *bufio.Reader
	file io.Closer
}

// next gives the next checkpoint, not verified, and io.EOF after the last. A torn last record is passed over; one that is
// whole but for the empty line after it counts, so that a single note in a file does. Anything else is fault.Integrity.
func (r *headReader) next() (keptHead, error) {
	record, err := readRecord(r.in)
	switch {
	case err == nil:
		return parseKept(record)
	case errors.Is(err, bufio.ErrBufferFull):
		return keptHead{}, errHeads()
	case !errors.Is(err, io.EOF):
		return keptHead{}, fault.Wrap(fault.Unavailable, err, "a file of checkpoints cannot be read")
	}
	if h, err := parseKept(record); err == nil {
		return h, nil
	}
	return keptHead{}, io.EOF
}

// readRecord reads a note up to and without the empty line after its signatures; io.EOF when that line is not there,
// bufio.ErrBufferFull when it is longer than any note of ours.
func readRecord(in *bufio.Reader) ([]byte, error) {
	var record []byte
	signed := false
	for len(record) < window {
		line, err := in.ReadSlice('\n')
		if err == nil && signed && len(line) == 1 {
			return record, nil
		}
		signed = signed || bytes.HasPrefix(line, []byte(signatureMark))
		record = append(record, line...)
		if err != nil {
			return record, err
		}
	}
	return nil, bufio.ErrBufferFull
}
