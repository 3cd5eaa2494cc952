//go:build !linux

package file

import (
	"errors"
	"os"
)

// Carries tells whether SyncData of log also makes durable what WriteOut wrote of f: nowhere here.
func Carries(log, f *os.File) bool { return false }

// WriteOut is for where Carries is true.
func WriteOut(*os.File, int64, int) error { return errors.ErrUnsupported }

// BeginWriteOut begins to write out what was written, where that can be asked for.
func BeginWriteOut(*os.File) {}
