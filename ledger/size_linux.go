package ledger

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// sizeAt gives the size of the file that lies at a path; false when it is not the one of info, or cannot be told. It does not ask
// when the file was changed: after that question Linux dates the next change to the nanosecond, which to force it takes as long
// again as half of the data.
func sizeAt(path string, info os.FileInfo) (int64, bool) {
	was, ok := info.Sys().(*syscall.Stat_t)
	var now unix.Statx_t
	if !ok || unix.Statx(unix.AT_FDCWD, path, 0, unix.STATX_INO|unix.STATX_SIZE, &now) != nil {
		return 0, false
	}
	return int64(now.Size), now.Ino == was.Ino && unix.Mkdev(now.Dev_major, now.Dev_minor) == was.Dev
}
