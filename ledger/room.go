package ledger

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
)

// room is how much a file of acts is filled ahead.
const room = 8 << 10

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
	f, size, err := h.openActs()
	if err == nil {
		err = writeActs(f, b, offset, size)
	}
	if err == nil && offset == 0 {
		err = errors.Join(syncDir(h.dir), syncDir(filepath.Dir(h.dir)))
	}
	return err
}

// openActs gives the file of acts and its size. It stays open as long as it is the one that lies there.
func (h *head) openActs() (f *os.File, size int64, err error) {
	path := filepath.Join(h.dir, actsFile)
	now, err := os.Stat(path)
	if err == nil && h.file != nil && os.SameFile(now, h.info) {
		return h.file, now.Size(), nil
	}
	if h.file != nil {
		h.file.Close() // all that was written was forced to the disk
		h.file = nil
	}
	if err := os.MkdirAll(h.dir, 0o700); err != nil {
		return nil, 0, err
	}
	if f, err = os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return nil, 0, err
	}
	if now, err = f.Stat(); err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	h.file, h.info = f, now
	return f, now.Size(), nil
}

// writeActs writes over what was filled ahead. What finds no room makes the file longer, from its end on: so of several groups, which
// never find any, a crash leaves the first ones, and none without those before it.
func writeActs(f *os.File, b []byte, offset, size int64) error {
	left, err := roomLeft(f, b, offset, size)
	if err != nil {
		return err
	}
	if len(b) <= left {
		_, err = f.WriteAt(b, offset)
		return errors.Join(err, syncData(f))
	}
	if left > 0 {
		if err := f.Truncate(offset); err != nil {
			return err
		}
	}
	_, err = f.WriteAt(append(b[:len(b):len(b)], zeros[:]...), offset)
	return errors.Join(err, f.Sync())
}

// roomLeft is how much was filled ahead behind the offset. What stands there instead of zeros is what an earlier try left of b,
// whole or torn; anything else is somebody else's.
func roomLeft(f *os.File, b []byte, offset, size int64) (int, error) {
	changed := errors.New("somebody else changed it")
	left := size - offset
	if left < 0 || left > int64(len(b)+room) {
		return 0, changed
	}
	tail := make([]byte, left)
	if _, err := f.ReadAt(tail, offset); err != nil {
		return 0, err
	}
	n := min(len(b), len(tail))
	for i, c := range tail[:n] {
		if c != 0 && c != b[i] {
			return 0, changed
		}
	}
	if !isZero(tail[n:]) {
		return 0, changed
	}
	return len(tail), nil
}
