package file_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/ombudhq/ombud/internal/file"
)

// TestBatch: files appear below the folder, private; one that holds just that is left alone.
func TestBatch(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	b := file.Batch{Dir: dir}
	for _, step := range []struct {
		content string
		written bool
	}{{"one", true}, {"one", false}, {"two", true}} {
		if written, err := b.Put("a/b/file", []byte(step.content)); err != nil || written != step.written {
			t.Fatalf("%s: %v, %v", step.content, written, err)
		}
	}
	if err := b.Sync(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "a", "b", "file")
	got, err := os.ReadFile(path)
	info, serr := os.Stat(path)
	if err != nil || serr != nil || string(got) != "two" || info.Mode().Perm() != 0o600 {
		t.Errorf("%q, %v, %v", got, err, serr)
	}
	if err := os.Mkdir(filepath.Join(dir, "taken"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Put("taken", []byte("x")); err == nil {
		t.Error("a folder was replaced")
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.new-*")); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}
