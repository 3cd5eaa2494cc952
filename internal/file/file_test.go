package file_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/ombudhq/ombud/internal/file"
)

var errFull = errors.New("the disk is full")

// TestSave: a file is there as a whole or as it was, private, and nothing else is left.
func TestSave(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	text := func(s string, err error) func(io.Writer) error {
		return func(w io.Writer) error {
			io.WriteString(w, s)
			return err
		}
	}
	if err := file.Save(path, text("one", nil)); err != nil {
		t.Fatal(err)
	}
	if err := file.Save(path, text("two", errFull)); !errors.Is(err, errFull) {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil || string(got) != "one" {
		t.Fatal(string(got), err)
	}
	if err := file.Save(path, text("three", nil)); err != nil {
		t.Fatal(err)
	}
	entries, _ := os.ReadDir(dir)
	info, err := os.Stat(path)
	if got, _ := os.ReadFile(path); err != nil || string(got) != "three" || info.Mode().Perm() != 0o600 || len(entries) != 1 {
		t.Fatal(string(got), info.Mode(), entries, err)
	}
	if err := file.Save(filepath.Join(dir, "missing", "file"), text("", nil)); err == nil {
		t.Error("no directory, no error")
	}
}
