package file

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Batch writes many files below one folder, each as a whole, and makes them durable together.
type Batch struct {
	Dir  string
	dirs map[string]bool // whose names are not durable yet
}

// Put writes a file, by its path below Dir, unless it holds just that. What a reader finds is the former file or the new
// one; a power cut before Sync may bring the former back.
func (b *Batch) Put(name string, content []byte) (written bool, err error) {
	path := filepath.Join(b.Dir, name)
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, content) {
		return false, nil
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return false, fmt.Errorf("saving %s: %w", name, err)
	}
	tmp, err := os.CreateTemp(dir, filepath.Base(path)+".new-*") // mode 0600
	if err != nil {
		return false, fmt.Errorf("saving %s: %w", name, err)
	}
	_, err = tmp.Write(content)
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		os.Remove(tmp.Name())
		return false, fmt.Errorf("saving %s: %w", name, err)
	}
	b.note(dir)
	return true, nil
}

// note remembers a folder, and those it may just have been made in.
func (b *Batch) note(dir string) {
	if b.dirs == nil {
		b.dirs = map[string]bool{filepath.Clean(b.Dir): true, filepath.Dir(filepath.Clean(b.Dir)): true}
	}
	for ; !b.dirs[dir]; dir = filepath.Dir(dir) {
		b.dirs[dir] = true
	}
}

// Sync makes durable what was put.
func (b *Batch) Sync() error {
	for dir := range b.dirs {
		if err := SyncDir(dir); err != nil {
			return fmt.Errorf("saving into %s: %w", filepath.Base(b.Dir), err)
		}
	}
	b.dirs = nil
	return nil
}
