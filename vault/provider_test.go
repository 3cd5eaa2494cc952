package vault

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/ombudhq/ombud/internal/fault"
)

func openKeyFile(t *testing.T, path string) *KeyFile {
	t.Helper()
	k, err := OpenKeyFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestKeyFileWrapsAndForgets(t *testing.T) {
	ctx, path := t.Context(), filepath.Join(t.TempDir(), "keys", "kek")
	k := openKeyFile(t, path)
	key, aad := bytes.Repeat([]byte{7}, 32), []byte("root")
	first, err := k.Wrap(ctx, key, aad)
	if err != nil {
		t.Fatal(err)
	}
	again := openKeyFile(t, path)
	if got, err := again.Unwrap(ctx, first, aad); err != nil || !bytes.Equal(got, key) {
		t.Fatalf("it came back as another: %v", err)
	}
	if _, err := k.Unwrap(ctx, first, []byte("other")); fault.KindOf(err) != fault.Integrity {
		t.Errorf("bound to something else: %v", err)
	}
	for i := range first {
		changed := bytes.Clone(first)
		changed[i] ^= 1
		if _, err := k.Unwrap(ctx, changed, aad); fault.KindOf(err) != fault.Integrity {
			t.Fatalf("byte %d changed: %v", i, err)
		}
	}
	version, err := k.Rotate(ctx)
	if err != nil || version != "2" {
		t.Fatalf("version %s, %v", version, err)
	}
	if got, err := openKeyFile(t, path).Unwrap(ctx, first, aad); err != nil || !bytes.Equal(got, key) {
		t.Errorf("the older version does not unwrap: %v", err)
	}
	if _, err := k.Rotate(ctx); fault.KindOf(err) != fault.Conflict {
		t.Errorf("a third version: %v", err)
	}
	if err := k.Destroy(ctx, "1"); fault.KindOf(err) != fault.Conflict {
		t.Errorf("the newest was destroyed: %v", err)
	}
	before, _ := os.ReadFile(path)
	if err := errors.Join(k.Destroy(ctx, "2"), k.Destroy(ctx, "2")); err != nil {
		t.Fatal(err)
	}
	for name, p := range map[string]*KeyFile{"same": k, "opened again": openKeyFile(t, path)} {
		if _, err := p.Unwrap(ctx, first, aad); fault.KindOf(err) != fault.Integrity {
			t.Errorf("%s: a destroyed version unwraps: %v", name, err)
		}
	}
	after, _ := os.ReadFile(path)
	if old := before[len(pairMagic)+8 : len(pairMagic)+40]; bytes.Contains(after, old) || len(after) != len(before) {
		t.Error("the destroyed version still lies in the file")
	}
}

func TestKeyFileRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(path string) error
		kind  fault.Kind
	}{
		"readable by others": {func(p string) error { return os.Chmod(p, 0o640) }, fault.Invalid},
		"cut":                {func(p string) error { return os.Truncate(p, 100) }, fault.Integrity},
		"changed":            {func(p string) error { return overwrite(p, []byte{1}, 20) }, fault.Integrity},
	} {
		path := filepath.Join(t.TempDir(), "kek")
		openKeyFile(t, path)
		if err := c.spoil(path); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenKeyFile(path); fault.KindOf(err) != c.kind || err == nil {
			t.Errorf("%s: %v, want %v", name, err, c.kind)
		}
	}
}

// TestTornRotation: a block that a crash left half written is none, and goes with the next destruction.
func TestTornRotation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kek")
	openKeyFile(t, path)
	torn := newVersioned(2)
	if err := overwrite(path, torn.block()[:30], pairBlock); err != nil {
		t.Fatal(err)
	}
	k := openKeyFile(t, path)
	if v, _ := k.Version(t.Context()); v != "1" {
		t.Fatalf("version %s", v)
	}
	if err := k.Destroy(t.Context(), "1"); err != nil {
		t.Fatal(err)
	}
	if b, _ := os.ReadFile(path); bytes.Contains(b, torn.secret[:10]) {
		t.Error("half a secret still lies in the file")
	}
}
