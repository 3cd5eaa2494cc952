//go:build !linux

package ledger

import "os"

func sizeAt(path string, info os.FileInfo) (int64, bool) {
	now, err := os.Stat(path)
	if err != nil {
		return 0, false
	}
	return now.Size(), os.SameFile(now, info)
}
