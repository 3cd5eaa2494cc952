package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/ombudhq/ombud/cli"
	"github.com/ombudhq/ombud/internal/fault"
)

// lock is the ownership of a data directory. The kernel frees it however the process ends.
type lock struct{ file *os.File }

// takeLock takes DIR/lock or answers *cli.Owned with what the owner wrote into it.
func takeLock(dir string, me cli.Owner) (*lock, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the data directory cannot be locked: %v", errors.Unwrap(err))
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		owner := readOwner(f)
		f.Close()
		return nil, &cli.Owned{Dir: dir, Owner: owner}
	}
	if err := writeOwner(f, me); err != nil {
		f.Close()
		return nil, fault.Wrap(fault.Unavailable, err, "the data directory cannot be written")
	}
	return &lock{f}, nil
}

func (l *lock) release() error { return l.file.Close() }

// readOwner may find nothing: the owner writes after it has locked.
func readOwner(f *os.File) cli.Owner {
	var o cli.Owner
	_ = json.NewDecoder(f).Decode(&o)
	return o
}

func writeOwner(f *os.File, me cli.Owner) error {
	b, err := json.Marshal(me)
	if err != nil {
		return fmt.Errorf("naming the owner: %w", err)
	}
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err = f.WriteAt(append(b, '\n'), 0)
	return err
}

func ownerNow(command string, now time.Time) cli.Owner {
	return cli.Owner{PID: os.Getpid(), Since: now.Truncate(time.Second), Command: command}
}
