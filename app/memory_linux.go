package app

import (
	"errors"

	"golang.org/x/sys/unix"

	"github.com/ombudhq/ombud/internal/fault"
)

// keepMemory keeps what this process knows out of core dumps, and out of reach of other processes of its user.
func keepMemory() error {
	err := errors.Join(unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}), unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0))
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "core dumps cannot be switched off")
	}
	return nil
}
