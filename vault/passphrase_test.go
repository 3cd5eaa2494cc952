package vault

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/ombudhq/ombud/internal/fault"
)

const phrase = "correct horse battery staple"

// openWith opens a folder with a passphrase.
func openWith(t *testing.T, dir, passphrase string) (*Vault, error) {
	t.Helper()
	v, err := Open(Config{Dir: dir, Passphrase: func() ([]byte, error) { return []byte(passphrase), nil }})
	if err == nil {
		t.Cleanup(func() { _ = v.Close() }) // the test is over
	}
	return v, err
}

// seal seals the root key, and tells when that failed.
func seal(t *testing.T, v *Vault, passphrase string) {
	t.Helper()
	if err := v.SealRoot(t.Context(), []byte(passphrase)); err != nil {
		t.Fatal(err)
	}
}

// wantNowhere: no file of the folder holds the root key as it is.
func wantNowhere(t *testing.T, dir string, root [32]byte) {
	t.Helper()
	names, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		b, err := os.ReadFile(filepath.Join(dir, n.Name()))
		if err != nil || bytes.Contains(b, root[:]) || bytes.Contains(b, []byte(hex.EncodeToString(root[:]))) || bytes.Contains(b, []byte(phrase)) {
			t.Errorf("%s holds the root key or the passphrase: %v", n.Name(), err)
		}
	}
}

// TestSealedRoot: a sealed root key opens by its passphrase alone, everything as before; it stays sealed when it is rotated, takes
// another passphrase, and can be left open again.
func TestSealedRoot(t *testing.T) {
	dir := t.TempDir()
	v := again(t, dir)
	was, all := ringLike(v.in().now()), [][]byte{v.Seal("l", []byte("aad"), []byte("plain"))}
	person := sealFor(t, v, newSlots(t, v, 1)[0])
	for _, short := range []string{"short", "fifteen letters"} {
		if err := v.SealRoot(t.Context(), []byte(short)); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q: %v", short, err)
		}
	}
	seal(t, v, phrase)
	wantNowhere(t, dir, was.root)
	if is, err := Sealed(Config{Dir: dir}); !is || err != nil || !v.RootSealed() {
		t.Errorf("it does not say that it is sealed: %v, %v", is, err)
	}
	if _, err := Open(Config{Dir: dir}); fault.KindOf(err) != fault.Waiting {
		t.Errorf("without a passphrase: %v", err)
	}
	if _, err := openWith(t, dir, phrase+" "); fault.KindOf(err) != fault.Denied {
		t.Errorf("with another: %v", err)
	}
	next, err := openWith(t, dir, phrase)
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, next, was, all...)
	if _, err := next.RotateRoot(t.Context(), today, nothing); err != nil {
		t.Fatal(err)
	}
	wantNowhere(t, dir, next.in().now().root)
	seal(t, next, "another passphrase, and longer")
	if _, err := openWith(t, dir, phrase); fault.KindOf(err) != fault.Denied {
		t.Errorf("with the former: %v", err)
	}
	last, err := openWith(t, dir, "another passphrase, and longer")
	if err != nil {
		t.Fatal(err)
	}
	if err := opensAs(last, person); err != nil {
		t.Error(err)
	}
	seal(t, last, "")
	wantSame(t, again(t, dir), was, all...)
}

// TestSealedFolderOpensNothing: beside the root key nothing in the folder opens what is about a person, also where the list of
// bucket keys was made when it was not yet so; older copies of that list open nothing either.
func TestSealedFolderOpensNothing(t *testing.T) {
	dir := t.TempDir()
	v := again(t, dir)
	person := sealFor(t, v, newSlots(t, v, 1)[0])
	s := v.in().slots.Load()
	s.root.bound = false
	if err := s.save(&s.root); err != nil { // as it was kept before
		t.Fatal(err)
	}
	if err := opensAs(again(t, dir), person); err != nil {
		t.Fatalf("a list of before is not read: %v", err)
	}
	loose, err := os.ReadFile(filepath.Join(dir, rootFile))
	if err != nil {
		t.Fatal(err)
	}
	seal(t, v, phrase)
	for name, list := range map[string][]byte{"as it is": nil, "with the list of before": loose} {
		stolen := copyDir(t, dir)
		raw := newRootKey()
		for _, gone := range []string{publicFile, ringFile} {
			_ = os.Remove(filepath.Join(stolen, gone))
		}
		if err := os.WriteFile(filepath.Join(stolen, rootKeyFile), rootText(&raw), 0o600); err != nil {
			t.Fatal(err)
		}
		if list != nil {
			if err := os.WriteFile(filepath.Join(stolen, rootFile), list, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := opensAs(again(t, stolen), person); fault.KindOf(err) != fault.Integrity {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSealDiesAtEveryStep: wherever sealing is cut off, the next start opens everything, with the passphrase or without.
func TestSealDiesAtEveryStep(t *testing.T) {
	points := map[string]bool{}
	for n, done := 1, false; !done; n++ {
		dir := t.TempDir()
		v := again(t, dir)
		was, sealed := ringLike(v.in().now()), v.Seal("l", []byte("aad"), []byte("plain"))
		v.in().config.Hook = diesAt(n)
		func() {
			defer func() {
				if p := recover(); p != nil {
					points[fmt.Sprint(p)] = true
				}
			}()
			seal(t, v, phrase)
			done = true
		}()
		next, err := openWith(t, dir, phrase)
		if err != nil {
			t.Fatalf("step %d: %v", n, err)
		}
		wantSame(t, next, was, sealed)
		if next.RootSealed() {
			wantNowhere(t, dir, was.root)
		}
	}
	for _, p := range []string{"root.key", "root.linked", "root.replaced", "root.adopted"} {
		if !points[p] {
			t.Errorf("it never died at %s", p)
		}
	}
}

// TestDamagedSeal: a header that asks for more than it may, and a file that was cut, are refused before they cost anything.
func TestDamagedSeal(t *testing.T) {
	dir := t.TempDir()
	v := again(t, dir)
	seal(t, v, phrase)
	path := filepath.Join(dir, rootKeyFile)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	costly := bytes.Clone(b)
	copy(costly[len(sealedMagic):], "\xff\xff\xff\xff\xff\xff\xff\xff")
	for name, text := range map[string][]byte{"costly": costly, "cut": b[:len(sealedMagic)+3], "no passes": append(append(bytes.Clone(b[:len(sealedMagic)]), 0, 0, 0, 0), b[len(sealedMagic)+4:]...)} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := openWith(t, dir, phrase); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}
