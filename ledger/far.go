package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"sync"

	"golang.org/x/mod/sumdb/note"

	"github.com/ombudhq/ombud/internal/bucket"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/file"
)

// far is the bucket that a head's folder is a copy of. Objects in it are written once, so that a bucket which locks them
// holds what nobody can take back:
//
//	EPOCH/suppressions/OFFSET     the file of acts, in pieces that follow each other
//	EPOCH/checkpoints/2^40-SIZE   a checkpoint; the newest comes first
//	epochs/EPOCH                  begun: its pieces hold all acts of those before
//
// What is written goes to the folder first, and to the bucket before it is answered. At a start the folder is brought to
// what the bucket holds, so that whoever rolls the machine back is told from outside.
type far struct {
	b *bucket.Bucket

	mu     sync.Mutex
	epoch  int64 // whose pieces are written; 0 before the first
	offset int64 // of the file of acts: how much of it is there
	begun  bool
	newest int64 // size of the newest checkpoint that we know there
}

// fetch brings a folder to what the bucket holds.
func (f *far) fetch(ctx context.Context, dir string, v note.Verifier) error {
	epochs, err := f.b.List(ctx, "epochs/", 0)
	if err != nil || len(epochs) == 0 {
		return err
	}
	f.epoch, err = strconv.ParseInt(path.Base(epochs[len(epochs)-1].Key), 10, 64)
	if err != nil || f.epoch < 1 || f.epoch > maxEpoch {
		return errFar("it holds something that is no epoch")
	}
	f.begun = true
	if err := f.fetchActs(ctx, filepath.Join(dir, actsFile)); err != nil {
		return err
	}
	return f.fetchNewest(ctx, dir, v)
}

func (f *far) fetchActs(ctx context.Context, name string) error {
	pieces, err := f.b.List(ctx, f.folder("suppressions"), 0)
	if err != nil {
		return err
	}
	have, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fault.Wrap(fault.Unavailable, err, "the suppression ledger cannot be read")
	}
	if end := bytes.IndexByte(have, 0); end >= 0 {
		have = have[:end]
	}
	from := len(have)
	for i, p := range pieces {
		if at, err := strconv.ParseInt(path.Base(p.Key), 10, 64); err != nil || at != f.offset {
			return errFar("a piece of the suppression ledger is missing")
		}
		if f.offset += p.Size; f.offset <= int64(from) && i < len(pieces)-1 {
			continue // the hashes of what follows vouch for it
		}
		body, err := f.b.Get(ctx, p.Key)
		if err != nil {
			return err
		}
		start := f.offset - p.Size
		known := have[min(start, int64(len(have))):min(f.offset, int64(len(have)))]
		if int64(len(body)) != p.Size || !bytes.HasPrefix(body, known) {
			return errFar("the suppression ledger in it is not the one here")
		}
		have = append(have, body[len(known):]...)
	}
	if len(have) == from {
		return nil
	}
	return saveTail(name, have[from:], int64(from))
}

// saveTail writes behind what a file holds, on the disk.
func saveTail(name string, b []byte, at int64) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(b, at)
	return errors.Join(err, f.Sync(), f.Close(), file.SyncDir(filepath.Dir(name)))
}

// fetchNewest adds the newest checkpoint of the bucket, where the folder has an older one.
func (f *far) fetchNewest(ctx context.Context, dir string, v note.Verifier) error {
	first, err := f.b.List(ctx, f.folder("checkpoints"), 1)
	if err != nil || len(first) == 0 {
		return err
	}
	body, err := f.b.Get(ctx, first[0].Key)
	if err != nil {
		return err
	}
	h, err := openNote(body, v)
	if err != nil {
		return err
	}
	f.newest = h.size
	here, err := readNewest(filepath.Join(dir, headsFile))
	if err != nil {
		return err
	}
	one := &head{dir: dir, newest: here}
	return one.add(Checkpoint{Size: h.size, Root: h.root.String(), Note: string(body)})
}

func (f *far) folder(name string) string { return fmt.Sprintf("%04d/%s/", f.epoch, name) }

// push brings the file of acts up to an offset into the bucket.
func (f *far) push(ctx context.Context, dir string, epoch, upto int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.pushed(ctx, dir, epoch, upto)
}

func (f *far) pushed(ctx context.Context, dir string, epoch, upto int64) error {
	if f.epoch != epoch {
		f.epoch, f.offset, f.begun, f.newest = epoch, 0, false, 0
	}
	if upto > f.offset {
		b, err := readPiece(filepath.Join(dir, actsFile), f.offset, upto)
		if err != nil {
			return err
		}
		if err := f.b.Put(ctx, fmt.Sprintf("%s%013d", f.folder("suppressions"), f.offset), b); err != nil {
			return err
		}
		f.offset = upto
	}
	if f.begun {
		return nil
	}
	err := f.b.Put(ctx, fmt.Sprintf("epochs/%04d", epoch), []byte("begun\n"))
	f.begun = err == nil
	return err
}

func readPiece(name string, from, to int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b := make([]byte, to-from)
	_, err = f.ReadAt(b, from)
	return b, err
}

// add puts a checkpoint of the present epoch.
func (f *far) add(ctx context.Context, dir string, epoch int64, c Checkpoint) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.pushed(ctx, dir, epoch, 0); err != nil || f.newest >= c.Size {
		return err
	}
	err := f.b.Put(ctx, fmt.Sprintf("%s%013d", f.folder("checkpoints"), int64(1)<<epochShift-c.Size), []byte(c.Note))
	if err == nil {
		f.newest = c.Size
	}
	return err
}

func errFar(why string) error {
	return fault.New(fault.Integrity, "the bucket of the heads is not what was written: %s", why).
		Then("If the folder beside the data was damaged, remove it: it is fetched anew. Else bring the objects back that were there.")
}
