//go:build !linux

package file

import "os"

// SyncData forces what was written to the disk.
func SyncData(f *os.File) error { return f.Sync() }
