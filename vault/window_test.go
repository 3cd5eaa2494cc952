package vault

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/ombudhq/ombud/internal/fault"
)

// TestWindow: a key is read as it lies in the file: what was written a moment ago, nothing where the file ends or was cut short.
func TestWindow(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	page := bytes.Repeat([]byte{7}, 4096)
	if err := os.WriteFile(path, page, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := openWindow(f)
	defer w.close()
	to := make([]byte, 64)
	if !w.read(to, 64) {
		t.Skip("there is none here")
	}
	if _, err := f.WriteAt([]byte{8}, 64); err != nil || !w.read(to, 64) || to[0] != 8 || to[1] != 7 {
		t.Errorf("what was written is not seen: %v, %v", to[:2], err)
	}
	if w.read(to, 4096) || w.read(to, 1<<40) || w.read(to, -1) {
		t.Error("it reads where there is no file")
	}
	if _, err := f.WriteAt(page, 4096); err != nil || !w.read(to, 4096) || to[0] != 7 {
		t.Errorf("what the file grew by is not seen: %v, %v", to[:1], err)
	}
	if err := f.Truncate(0); err != nil || w.read(to, 64) {
		t.Errorf("it reads from a file that is gone: %v", err)
	}
}

// TestKeysCutShort: a file of keys that ends early is a failure of the disk, and nobody was forgotten by it.
func TestKeysCutShort(t *testing.T) {
	dir := t.TempDir()
	v := again(t, dir)
	slot := newSlots(t, v, 1)[0]
	person := sealFor(t, v, slot)
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	v = again(t, dir)
	if err := v.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(dir, slotsFile), int64(slot)*slotSize-1); err != nil {
		t.Fatal(err)
	}
	if err := opensAs(v, person); fault.KindOf(err) != fault.Unavailable || errors.Is(err, ErrForgotten) {
		t.Errorf("%v", err)
	}
}
