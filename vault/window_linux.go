package vault

import (
	"os"
	"runtime/debug"
	"syscall"
)

// window is the beginning of a file in memory, so that reading a key from it needs no call to the system. What is written to the
// file, zeros over a key too, is what stands here: the system has but one of it.
type window []byte

// leastWindow reaches over a million keys, also those that are made later.
const leastWindow = 64 << 20

// openWindow gives none where the system has no room for one.
func openWindow(f *os.File) window {
	info, err := f.Stat()
	if err != nil {
		return nil
	}
	length := max(2*info.Size(), leastWindow)
	if int64(int(length)) != length {
		return nil
	}
	w, err := syscall.Mmap(int(f.Fd()), 0, int(length), syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		return nil
	}
	return w
}

// read is false where the window does not reach, or the disk fails.
func (w window) read(to []byte, at int64) (ok bool) {
	if at < 0 || at+int64(len(to)) > int64(len(w)) {
		return false
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true)) // of a page that cannot be read, or lies behind the end of the file
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	copy(to, w[at:])
	return true
}

// close is for when nobody reads any more.
func (w *window) close() {
	if *w != nil {
		_ = syscall.Munmap(*w) // what was mapped by us is given back
	}
	*w = nil
}
