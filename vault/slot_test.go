package vault

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/ombudhq/ombud/internal/fault"
)

func newSlots(t testing.TB, v *Vault, n int) (out []Slot) {
	t.Helper()
	for range n {
		s, err := v.NewSlot()
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, s)
	}
	return out
}

// secretOf is what the tests seal for a slot.
func secretOf(s Slot) []byte { return fmt.Appendf(nil, "secret of %d", s) }

func sealFor(t testing.TB, v *Vault, s Slot) []byte {
	t.Helper()
	b, err := v.SealFor(s, "people.name", []byte("row"), secretOf(s))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func opensAs(v *Vault, sealed []byte) error {
	b, err := v.Open("people.name", []byte("row"), sealed)
	if err == nil && !bytes.Equal(b, secretOf(SlotOf(sealed))) {
		return errors.New("it opens as something else")
	}
	return err
}

// again opens the directory as a next start does, after the first was closed or killed.
func again(t testing.TB, dir string) *Vault {
	t.Helper()
	v, err := Open(Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = v.Close() }) // the test is over
	return v
}

func TestSealedForASlot(t *testing.T) {
	dir := t.TempDir()
	v := again(t, dir)
	list := newSlots(t, v, 3)
	sealed := sealFor(t, v, list[1])
	if err := opensAs(v, sealed); err != nil {
		t.Fatal(err)
	}
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	v = again(t, dir)
	for range 2 { // cold, then warm
		if err := opensAs(v, sealed); err != nil {
			t.Fatal(err)
		}
		for name, try := range map[string]func() ([]byte, error){
			"another column":        func() ([]byte, error) { return v.Open("people.mail", []byte("row"), sealed) },
			"another row":           func() ([]byte, error) { return v.Open("people.name", []byte("row2"), sealed) },
			"the boundary moved":    func() ([]byte, error) { return v.Open("people.namer", []byte("ow"), sealed) },
			"another person's slot": func() ([]byte, error) { return v.Open("people.name", []byte("row"), swapSlot(sealed, list[2])) },
			"cut":                   func() ([]byte, error) { return v.Open("people.name", []byte("row"), sealed[:20]) },
		} {
			if _, err := try(); fault.KindOf(err) != fault.Integrity {
				t.Errorf("%s: %v", name, err)
			}
		}
		for i := range sealed {
			changed := bytes.Clone(sealed)
			changed[i] ^= 1
			if opensAs(v, changed) == nil {
				t.Errorf("byte %d changed and still opened", i)
			}
		}
	}
	if next := newSlots(t, v, 1)[0]; next != list[2]+1 {
		t.Errorf("after %d comes %d", list[2], next)
	}
}

func swapSlot(sealed []byte, to Slot) []byte {
	b := bytes.Clone(sealed)
	b[3], b[4] = byte(to>>8), byte(to)
	return b
}

func TestNoncesNeverRepeat(t *testing.T) {
	v := again(t, t.TempDir())
	s := newSlots(t, v, 1)[0]
	seen := map[[gcmNonce]byte]bool{}
	for range 100_000 {
		b, err := v.SealFor(s, "l", nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		seen[[gcmNonce]byte(b[slotHeader:])] = true
	}
	if len(seen) != 100_000 {
		t.Errorf("%d nonces of 100,000 messages", len(seen))
	}
}

// TestSealedBehind: what stands before stays, with room behind it and without.
func TestSealedBehind(t *testing.T) {
	v := again(t, t.TempDir())
	slot := newSlots(t, v, 1)[0]
	for _, room := range []int{0, 1 << 10} {
		before := append(make([]byte, 0, 3+room), "aad"...)
		b, err := v.AppendFor(before, slot, "l", before, []byte("text"))
		if err != nil || string(b[:3]) != "aad" {
			t.Fatalf("room %d: %q, %v", room, b, err)
		}
		if plain, err := v.Open("l", before, b[3:]); err != nil || string(plain) != "text" {
			t.Errorf("room %d: %q, %v", room, plain, err)
		}
	}
}

func TestShreddedIsForgotten(t *testing.T) {
	dir := t.TempDir()
	v := again(t, dir)
	list := newSlots(t, v, 5)
	var sealed [][]byte
	for _, s := range list {
		sealed = append(sealed, sealFor(t, v, s))
	}
	k, err := v.SealFor(list[0], "people.name", []byte("row"), secretOf(list[0])) // warm
	if err = errors.Join(err, v.Shred(list[0], list[3]), v.Shred(list[0])); err != nil {
		t.Fatal(err)
	}
	check := func(when string, v *Vault) {
		t.Helper()
		for i, b := range append(sealed, k) {
			err := opensAs(v, b)
			if gone := i == 0 || i == 3 || i == 5; gone != errors.Is(err, ErrForgotten) || !gone && err != nil {
				t.Errorf("%s, %d: %v", when, i, err)
			}
		}
		if _, err := v.SealFor(list[3], "l", nil, nil); !errors.Is(err, ErrForgotten) {
			t.Errorf("%s: it seals for one who is forgotten: %v", when, err)
		}
	}
	check("at once", v)
	if err := errors.Join(v.Close()); err != nil {
		t.Fatal(err)
	}
	v = again(t, dir)
	check("after a start", v)
	if err := v.CloseSlots(t.Context(), list[0], list[3]); err != nil {
		t.Fatal(err)
	}
	check("after the close", v)
	check("after the next start", again(t, dir))
	if f, err := v.Forgotten(list[0]); !f || err != nil {
		t.Errorf("%v %v", f, err)
	}
	if f, err := v.Forgotten(list[1]); f || err != nil {
		t.Errorf("%v %v", f, err)
	}
}

// copyOf copies files of a directory of keys into a new one.
func copyOf(t *testing.T, dir string, names ...string) string {
	t.Helper()
	to := t.TempDir()
	for _, name := range names {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(to, name), b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return to
}

// TestNoOldCopyOpensAfterClose: whatever was copied before, with all there is now, nothing of the shredded opens; and of
// the old list and slots nothing at all, for the anchor they were sealed under is overwritten.
func TestNoOldCopyOpensAfterClose(t *testing.T) {
	dir := t.TempDir()
	v := again(t, dir)
	list := newSlots(t, v, 5000) // of two buckets
	gone, stays, far := list[10], list[11], list[4500]
	sealed := map[Slot][]byte{gone: sealFor(t, v, gone), stays: sealFor(t, v, stays), far: sealFor(t, v, far)}
	all := []string{"root", "ombud.pub", keyFile, markFile, slotsFile, rootFile, anchorFile}
	before := copyOf(t, dir, all...)
	if err := v.Shred(gone); err != nil {
		t.Fatal(err)
	}
	if err := opensAs(again(t, before), sealed[gone]); err != nil {
		t.Fatalf("the copy is no copy: %v", err)
	}
	if err := errors.Join(v.CloseSlots(t.Context(), gone), v.Close()); err != nil {
		t.Fatal(err)
	}
	parts := []string{slotsFile, rootFile}
	for mix := range 1<<len(parts) - 1 {
		into := copyOf(t, dir, all...)
		for i, name := range parts {
			if (mix+1)>>i&1 == 1 {
				b, err := os.ReadFile(filepath.Join(before, name))
				if err = errors.Join(err, os.WriteFile(filepath.Join(into, name), b, 0o600)); err != nil {
					t.Fatal(err)
				}
			}
		}
		mixed := again(t, into)
		if opensAs(mixed, sealed[gone]) == nil {
			t.Errorf("mix %d: an old copy opens what was shredded", mix+1)
		}
		if (mix+1)>>1&1 == 1 && opensAs(mixed, sealed[stays]) == nil {
			t.Errorf("mix %d: the old list opens", mix+1)
		}
	}
	for _, name := range []string{slotsFile, rootFile, anchorFile} {
		old, err1 := os.ReadFile(filepath.Join(before, name))
		b, err2 := os.ReadFile(filepath.Join(dir, name))
		piece := old[len(old)-32:]
		switch name {
		case slotsFile:
			piece = old[int(stays)*slotSize:][:slotSize]
		case anchorFile:
			piece = old[len(pairMagic)+8:][:32]
		}
		if err := errors.Join(err1, err2); err != nil || bytes.Contains(b, piece) {
			t.Errorf("%s still holds what it held: %v", name, err)
		}
	}
	now := again(t, dir)
	for _, s := range []Slot{stays, far} {
		if err := opensAs(now, sealed[s]); err != nil {
			t.Errorf("who was not shredded is gone: %v", err)
		}
	}
}

func TestReadOnlyChangesNothing(t *testing.T) {
	dir := t.TempDir()
	v := again(t, dir)
	list := newSlots(t, v, 2)
	sealed := sealFor(t, v, list[0])
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	before := filesOf(t, dir)
	r, err := Open(Config{Dir: dir, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	other := newSlots(t, r, perBucket)[perBucket-1]
	if err := errors.Join(opensAs(r, sealed), opensAs(r, sealFor(t, r, other)), r.Shred(list[0]), r.CloseSlots(t.Context(), list[0])); err != nil {
		t.Fatal(err)
	}
	if err := opensAs(r, sealed); !errors.Is(err, ErrForgotten) {
		t.Errorf("it does not forget: %v", err)
	}
	if err := r.Close(); err != nil || filesOf(t, dir) != before {
		t.Errorf("files were changed, %v", err)
	}
}

func filesOf(t *testing.T, dir string) string {
	t.Helper()
	var all bytes.Buffer
	names, err := os.ReadDir(dir)
	for _, n := range names {
		b, e := os.ReadFile(filepath.Join(dir, n.Name()))
		err = errors.Join(err, e)
		fmt.Fprintf(&all, "%s %x\n", n.Name(), b)
	}
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

func TestMillionKeysAreSmall(t *testing.T) {
	dir := t.TempDir()
	v := again(t, dir)
	if err := v.KeepFree(1_000_001); err != nil {
		t.Fatal(err)
	}
	s := newSlots(t, v, 1)[0]
	if err := errors.Join(opensAs(v, sealFor(t, v, s)), opensAs(v, sealFor(t, v, 17)), v.CloseSlots(t.Context(), 1, 5000, 999_999), v.Close()); err != nil {
		t.Fatal(err)
	}
	var size int64
	names, err := os.ReadDir(dir)
	for _, n := range names {
		info, e := n.Info()
		err = errors.Join(err, e)
		size += info.Size()
	}
	if t.Logf("%d bytes", size); err != nil || size > 70_000_000 || s != 1_000_001 {
		t.Errorf("slot %d, %d bytes, %v", s, size, err)
	}
}

// TestKeysAreWiped: the standard library keeps keys where they can be overwritten, and they are.
func TestKeysAreWiped(t *testing.T) {
	block, err := aes.NewCipher(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	aead := newWiper().open(bytes.Repeat([]byte{1}, 32))
	seal := func(a cipher.AEAD) string { return string(a.Seal(nil, make([]byte, gcmNonce), []byte("x"), nil)) }
	before, dump := seal(aead), fmt.Sprintf("%x", block)
	w := newWiper()
	w.wipe(aead)
	overwriteAt(block, w.block)
	if fmt.Sprintf("%x", block) == dump || func() (same bool) {
		defer func() { _ = recover() }() // a wiped one may not work at all
		return seal(aead) == before
	}() {
		t.Error("a key is still there after it was wiped")
	}
	c := newCache(ways * openedSize)
	for use := range Slot(6 * ways) {
		c.add(use/2+1, newWiper().open(bytes.Repeat([]byte{byte(use / 2)}, 32)))
	}
	n := 0
	for i := range c.sets {
		for j := range c.sets[i].keys {
			if c.sets[i].keys[j].slot != 0 {
				n++
			}
		}
	}
	if n != ways {
		t.Errorf("%d keys where %d have room", n, ways)
	}
}

// TestCacheKeepsWhatIsAskedForAgain: a key is taken in at its second use, is overwritten where it is not, and stays while
// others are used once.
func TestCacheKeepsWhatIsAskedForAgain(t *testing.T) {
	c := newCache(ways * openedSize)
	key := func() cipher.AEAD { return newWiper().open(bytes.Repeat([]byte{1}, 32)) }
	first := key()
	if c.add(1, first); c.set(1).find(1) != nil || !bytes.Equal(bytesAt(first, c.aead), make([]byte, c.aead)) {
		t.Error("a key that was used once is still in memory")
	}
	second := key()
	if c.add(1, second); c.set(1).find(1) != second {
		t.Error("a key that was used twice was not taken in")
	}
	for other := range Slot(20 * ways) {
		c.add(other+2, key())
	}
	if c.set(1).find(1) == nil {
		t.Error("keys that were used once drove out one that was used twice")
	}
}
