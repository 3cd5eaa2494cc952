package request

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ombudhq/ombud/internal/id"
)

// nameless opens a file in the folder that has no name yet.
func nameless(dir string) (*os.File, error) {
	fd, err := unix.Open(dir, unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), filepath.Join(dir, "package")), nil
}

// giveName links the file into the folder under a name that nothing else has.
func giveName(f *os.File, dir string) (string, error) {
	name := filepath.Join(dir, id.New(temporaryPackage, time.Time{}))
	from := fmt.Sprintf("/proc/self/fd/%d", f.Fd())
	return name, unix.Linkat(unix.AT_FDCWD, from, unix.AT_FDCWD, name, unix.AT_SYMLINK_FOLLOW)
}
