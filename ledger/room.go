package ledger

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"

	"github.com/ombudhq/ombud/internal/file"
)

// room is how much a file of acts is filled ahead. To make the file longer costs as much as some acts; with this much, some
// eighty of them share that.
const room = 64 << 10

var zeros [room]byte

func isZero(b []byte) bool {
	for len(b) > room {
		if !bytes.Equal(b[:room], zeros[:]) {
			return false
		}
		b = b[room:]
	}
	return bytes.Equal(b, zeros[:len(b)])
}

// addActs adds groups to the file of acts, which must end there, and answers when they are on the disk.
func (h *head) addActs(b []byte, offset int64) error {
	f, size, known, err := h.openActs()
	h.size = -1 // unless it is written as it should be
	if err == nil {
		size, err = writeActs(f, b, offset, size, known)
	}
	if err == nil && offset == 0 {
		err = errors.Join(file.SyncDir(h.dir), file.SyncDir(filepath.Dir(h.dir)))
	}
	if err == nil {
		h.size = size
	}
	return err
}

// openActs gives the file of acts and its size, and whether that is how we left it. It stays open for as long as it is.
func (h *head) openActs() (f *os.File, size int64, known bool, err error) {
	path := filepath.Join(h.dir, actsFile)
	if h.file != nil {
		if size, same := sizeAt(path, h.info); same && size == h.size {
			return h.file, size, true, nil
		}
		h.file.Close() // all that was written was forced to the disk
		h.file = nil
	}
	if err := os.MkdirAll(h.dir, 0o700); err != nil {
		return nil, 0, false, err
	}
	if f, err = os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return nil, 0, false, err
	}
	if h.info, err = f.Stat(); err != nil {
		return nil, 0, false, errors.Join(err, f.Close())
	}
	h.file = f
	return f, h.info.Size(), false, nil
}

// writeActs writes over what was filled ahead, and gives the size of the file then. What finds no room makes the file longer, from
// its end on: so of several groups, which never find any, a crash leaves the first ones, and none without those before it.
func writeActs(f *os.File, b []byte, offset, size int64, known bool) (int64, error) {
	left, err := roomLeft(f, b, offset, size, known)
	if err != nil {
		return 0, err
	}
	if len(b) <= left {
		_, err = f.WriteAt(b, offset)
		return size, errors.Join(err, file.SyncData(f))
	}
	if left > 0 {
		if err := f.Truncate(offset); err != nil {
			return 0, err
		}
	}
	_, err = f.WriteAt(append(b[:len(b):len(b)], zeros[:]...), offset)
	return offset + int64(len(b)) + room, errors.Join(err, f.Sync())
}

// roomLeft is how much was filled ahead behind the offset. What stands there instead of zeros is what an earlier try left of b,
// whole or torn; anything else is somebody else's. Of a file that is known it is enough to look where b goes.
func roomLeft(f *os.File, b []byte, offset, size int64, known bool) (int, error) {
	changed := errors.New("somebody else changed it")
	left := size - offset
	if left < 0 || left > int64(len(b)+room) {
		return 0, changed
	}
	look := left
	if known {
		look = min(left, int64(len(b)))
	}
	there := make([]byte, look)
	if _, err := f.ReadAt(there, offset); err != nil {
		return 0, err
	}
	n := min(len(b), len(there))
	for i, c := range there[:n] {
		if c != 0 && c != b[i] {
			return 0, changed
		}
	}
	if !isZero(there[n:]) {
		return 0, changed
	}
	return int(left), nil
}
