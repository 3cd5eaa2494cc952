package ledger

import (
	"bytes"
	"errors"
	"math"
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

// endOfActs is how long a file is without the zeros at its end; more than that where it cannot be told.
func endOfActs(path string) int64 {
	f, err := os.Open(path)
	if err != nil {
		return math.MaxInt64
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return math.MaxInt64
	}
	var b [room]byte
	for end := info.Size(); end > 0; end -= min(end, room) {
		part := b[:min(end, room)]
		if _, err := f.ReadAt(part, end-int64(len(part))); err != nil {
			return math.MaxInt64
		}
		if n := len(bytes.TrimRight(part, "\x00")); n > 0 {
			return end - int64(len(part)-n)
		}
	}
	return 0
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

// handActs writes groups over what was filled ahead, and hands them to the disk. It is false where that is not enough to have them
// there when the store is forced to it, and then they go by addActs.
func (h *head) handActs(b []byte, offset int64) bool {
	f, size, known, err := h.openActs()
	if err != nil || !known || !h.carried {
		return false
	}
	if left, err := roomLeft(f, b, offset, size, true); err != nil || left < len(b) {
		return false
	}
	h.size = -1 // unless it is written as it should be
	_, err = f.WriteAt(b, offset)
	if err == nil {
		err = file.WriteOut(f, offset, len(b))
	}
	if err == nil {
		h.size = size
	}
	return err == nil
}

// takeBackActs cuts off groups that were written at the end, whole or torn.
func (h *head) takeBackActs(b []byte, offset int64) {
	f, size, known, err := h.openActs()
	if err != nil {
		return
	}
	if _, err := roomLeft(f, b, offset, size, known); err == nil && size > offset {
		h.size = -1
		_ = errors.Join(f.Truncate(offset), f.Sync()) // what stays is as after a power cut
	}
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
	h.file, h.size, h.carried = f, -1, h.carries(f)
	return f, h.info.Size(), false, nil
}

// writeActs writes over what was filled ahead, and gives the size of the file then. What finds no room makes the file longer, from
// its end on: so of several groups, which never find any, a crash leaves the first ones, and none without those before it. In a file
// that is not known there is no room: what reads as zeros need not be blocks that can be written over, as in a file that was copied.
func writeActs(f *os.File, b []byte, offset, size int64, known bool) (int64, error) {
	left, err := roomLeft(f, b, offset, size, known)
	if err != nil {
		return 0, err
	}
	if known && len(b) <= left {
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
