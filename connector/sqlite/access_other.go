//go:build !unix

package sqlite

import "os"

// mayWrite looks at the file's read-only mark.
func mayWrite(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().Perm()&0o200 != 0
}

// identity names a file whatever its path, as far as the system tells.
func identity(os.FileInfo) string { return "" }
