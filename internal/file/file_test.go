package file_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
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

// TestNamed: only what lies there under such a name, in order, whatever the folder itself is called.
func TestNamed(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data[1]*")
	if got, err := file.Named(dir, "a-", ""); err != nil || got != nil {
		t.Errorf("no folder: %v, %v", got, err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a-2.old", "a-1.old", "a-", "b-1.old", "a.old"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ begin, end, want string }{{"a-", ".old", "a-1.old a-2.old"}, {"a-", "", "a- a-1.old a-2.old"}, {"", ".old", "a-1.old a-2.old a.old b-1.old"}, {"a-", "-", ""}} {
		var names []string
		got, err := file.Named(dir, c.begin, c.end)
		for _, path := range got {
			names = append(names, filepath.Base(path))
			if filepath.Dir(path) != dir {
				t.Errorf("%s is elsewhere", path)
			}
		}
		if strings.Join(names, " ") != c.want || err != nil {
			t.Errorf("%q…%q: %v, %v", c.begin, c.end, names, err)
		}
	}
}
