// Package file writes files as a whole: what a reader finds is what was there before, or all of what is new.
package file

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Save writes a file as a whole: when it returns nil, path names what write wrote and a power cut does not undo that;
// when it returns an error, path is what it was before, unless the error is of making the change of name durable. The
// file is readable by its owner only. What a killed Save leaves behind is called path.new-*.
func Save(path string, write func(io.Writer) error) error {
	dir, name := filepath.Split(path)
	tmp, err := os.CreateTemp(dir, name+".new-*") // mode 0600
	if err != nil {
		return fmt.Errorf("saving %s: %w", name, err)
	}
	err = fill(tmp, write)
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		os.Remove(tmp.Name())
		return fmt.Errorf("saving %s: %w", name, err)
	}
	if err := SyncDir(filepath.Clean(dir)); err != nil {
		return fmt.Errorf("saving %s: %w", name, err)
	}
	return nil
}

// fill writes, makes durable and closes.
func fill(f *os.File, write func(io.Writer) error) error {
	b := bufio.NewWriterSize(f, 64<<10)
	err := write(b)
	if err == nil {
		err = b.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}

// Named gives the paths of what lies in a folder under names that begin and end so, in order; nothing where there is no folder.
// Unlike filepath.Glob it takes the folder's own name as it is.
func Named(dir, begin, end string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		if name := e.Name(); len(name) >= len(begin)+len(end) && strings.HasPrefix(name, begin) && strings.HasSuffix(name, end) {
			out = append(out, filepath.Join(dir, name))
		}
	}
	return out, nil
}

// SyncDir makes names that were given, changed or taken in a folder durable.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if e := d.Close(); err == nil {
		err = e
	}
	return err
}
