//go:build !linux

package vault

import "os"

// window is none here: the file is read.
type window struct{}

func openWindow(*os.File) window { return window{} }

func (window) read([]byte, int64) bool { return false }

func (*window) close() {}
