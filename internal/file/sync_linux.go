package file

import (
	"errors"
	"os"
	"syscall"
)

// SyncData forces what was written over to the disk, and of the file's own data only what is needed to read it.
func SyncData(f *os.File) error {
	for {
		if err := syscall.Fdatasync(int(f.Fd())); !errors.Is(err, syscall.EINTR) {
			return os.NewSyscallError("fdatasync", err)
		}
	}
}
