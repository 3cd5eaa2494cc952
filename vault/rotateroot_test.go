package vault

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/internal/fault"
)

func nothing(context.Context) (int, error) { return 0, nil }

// wantSame: signatures, tokens and ids of a vault are those of another, and what was sealed opens.
func wantSame(t *testing.T, v *Vault, was *ring, sealed ...[]byte) {
	t.Helper()
	other := fromRing(was)
	if !v.PublicKey().Equal(other.PublicKey()) {
		t.Error("it signs with another key")
	}
	for _, label := range lasting() {
		if *v.in().now().lasting[label] != *was.lasting[label] {
			t.Errorf("the key of %s is another", label)
		}
	}
	for n, b := range sealed {
		if got, err := v.Open("l", []byte("aad"), b); err != nil || string(got) != "plain" {
			t.Errorf("value %d: %q, %v", n, got, err)
		}
	}
}

// ringLike is a ring that outlives the vault it is of.
func ringLike(r *ring) *ring {
	root := r.root
	taken, former, err := decodeRing(r.encode())
	if err != nil {
		panic(err)
	}
	return newRing(root, r.generation, taken, former)
}

// TestRotateRoot: after two rotations everything that was sealed opens, tokens and signatures are the same, what is sealed is
// sealed under the newest, and no former root key is left in the folder.
func TestRotateRoot(t *testing.T) {
	dir := t.TempDir()
	v := again(t, dir)
	was := ringLike(v.in().now())
	all := [][]byte{v.Seal("l", []byte("aad"), []byte("plain"))}
	slot := newSlots(t, v, 1)[0]
	person := sealFor(t, v, slot)
	for n := range 2 {
		former := ringLike(v.in().now())
		turn, err := v.RotateRoot(t.Context(), today, func(context.Context) (int, error) { return n, nil })
		if err != nil || turn.Again != n || turn.To != fmt.Sprint(n+2) || turn.Resumed {
			t.Fatalf("%+v, %v", turn, err)
		}
		all = append(all, v.Seal("l", []byte("aad"), []byte("plain")))
		wantSame(t, v, was, all...)
		if v.in().now().root == former.root || bytes.Equal(former.seals[former.generation].k1[:], v.in().now().seals[former.generation+1].k1[:]) {
			t.Error("the root key is the same, or seals the same")
		}
		if err := v.Close(); err != nil {
			t.Fatal(err)
		}
		v = again(t, dir)
		wantSame(t, v, was, all...)
		if err := opensAs(v, person); err != nil {
			t.Error(err)
		}
		wantGone(t, dir, former)
	}
	if a, err := v.Ages(t.Context(), today); err != nil || a.Root.Generation != 3 || a.Root.Former != 2 || len(a.Untold) != 2 || a.Root.Running != nil {
		t.Errorf("%+v, %v", a.Root, err)
	}
	for i, b := range all {
		fresh, err := v.Reseal("l", []byte("aad"), b)
		if err != nil || (fresh == nil) != (i == 2) {
			t.Fatalf("%d: %v, %v", i, fresh, err)
		}
		if fresh != nil {
			all[i] = fresh
		}
	}
	if fresh, err := v.Reseal("l", nil, person); err != nil || fresh != nil {
		t.Errorf("what is under a slot was sealed again: %v", err)
	}
	if n, err := v.RetireRoots(t.Context(), today, nothing); err != nil || n != 2 {
		t.Fatal(n, err)
	}
	for _, v := range []*Vault{v, again(t, dir)} {
		wantSame(t, v, was, all...)
		if _, err := v.Open("l", []byte("aad"), fromRing(was).Seal("l", []byte("aad"), nil)); fault.KindOf(err) != fault.Integrity || !strings.Contains(err.Error(), "retired") {
			t.Errorf("under a retired key: %v", err)
		}
	}
}

// wantGone: no file of the folder holds a root key, and none of what it sealed opens with another.
func wantGone(t *testing.T, dir string, former *ring) {
	t.Helper()
	names, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		b, err := os.ReadFile(filepath.Join(dir, n.Name()))
		if err != nil || bytes.Contains(b, []byte(hex.EncodeToString(former.root[:]))) || bytes.Contains(b, former.root[:]) ||
			strings.Contains(n.Name(), nextFile) || strings.Contains(n.Name(), oldFile) {
			t.Errorf("%s holds a former root key, or is left: %v", n.Name(), err)
		}
	}
}

// TestRootDiesAtEveryStep: wherever a rotation of the root key is cut off, the next start opens everything, and goes on.
func TestRootDiesAtEveryStep(t *testing.T) {
	points := map[string]bool{}
	for n, done := 1, false; !done; n++ {
		dir := t.TempDir()
		v := again(t, dir)
		was := ringLike(v.in().now())
		all := [][]byte{v.Seal("l", []byte("aad"), []byte("plain"))}
		if _, err := v.Ages(t.Context(), today); err != nil {
			t.Fatal(err)
		}
		v.in().slots.Load().c.Hook = diesAt(n)
		v.in().config.Hook = v.in().slots.Load().c.Hook
		func() {
			defer func() {
				if p := recover(); p != nil {
					points[fmt.Sprint(p)] = true
				}
			}()
			if _, err := v.RotateRoot(t.Context(), today, nothing); err != nil {
				t.Fatal(err)
			}
			done = true
		}()
		all = append(all, v.Seal("l", []byte("aad"), []byte("plain")))
		next := again(t, dir)
		if _, err := os.Stat(filepath.Join(dir, rootKeyFile+nextFile)); err == nil {
			t.Errorf("step %d: a root key that never took its place is left", n)
		}
		wantSame(t, next, was, all...)
		a, err := next.Ages(t.Context(), today)
		if err != nil || !done && a.Root.Running == nil && len(a.Untold) == 0 {
			t.Fatalf("step %d: it is not known that a rotation was begun: %+v, %v", n, a.Root, err)
		}
		if a.Root.Running != nil {
			turn, err := next.RotateRoot(t.Context(), today, nothing)
			if err != nil || !turn.Resumed || turn.To != "2" {
				t.Fatalf("step %d: %+v, %v", n, turn, err)
			}
		}
		wantSame(t, next, was, all...)
		if next.in().now().generation != 2 {
			t.Errorf("step %d: generation %d", n, next.in().now().generation)
		}
		wantGone(t, dir, was)
	}
	for _, p := range []string{"vault.ages", "root.key", "root.ring", "root.linked", "root.replaced", "root.adopted", "root.again"} {
		if !points[p] {
			t.Errorf("it never died at %s", p)
		}
	}
}

// TestRootAgainAfterAnError: a rotation that failed is begun again by the same process, with a root key and a ring that belong
// together.
func TestRootAgainAfterAnError(t *testing.T) {
	dir := t.TempDir()
	v := again(t, dir)
	was, sealed := ringLike(v.in().now()), v.Seal("l", []byte("aad"), []byte("plain"))
	way := filepath.Join(dir, ringFile+nextFile) // where no file can be put
	if err := os.MkdirAll(filepath.Join(way, "full"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := v.RotateRoot(t.Context(), today, nothing); fault.KindOf(err) != fault.Unavailable {
		t.Fatalf("%v", err)
	}
	wantSame(t, v, was, sealed)
	if err := os.RemoveAll(way); err != nil {
		t.Fatal(err)
	}
	if turn, err := v.RotateRoot(t.Context(), today, nothing); err != nil || !turn.Resumed {
		t.Fatalf("%+v, %v", turn, err)
	}
	wantSame(t, again(t, dir), was, sealed, v.Seal("l", []byte("aad"), []byte("plain")))
}

// TestRootAndRingBelongTogether: a former root key beside the ring of a later one opens nothing, and neither does one without
// its ring.
func TestRootAndRingBelongTogether(t *testing.T) {
	dir := t.TempDir()
	v := again(t, dir)
	former, err := os.ReadFile(filepath.Join(dir, rootKeyFile))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.RotateRoot(t.Context(), today, nothing); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(dir string) error{
		"former root": func(d string) error { return os.WriteFile(filepath.Join(d, rootKeyFile), former, 0o600) },
		"no ring":     func(d string) error { return os.Remove(filepath.Join(d, ringFile)) },
		"ring cut":    func(d string) error { return os.Truncate(filepath.Join(d, ringFile), 40) },
	} {
		spoiled := copyDir(t, dir)
		if err := spoil(spoiled); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(Config{Dir: spoiled}); fault.KindOf(err) != fault.Integrity {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Open(Config{Dir: copyDir(t, dir), ReadOnly: true}); err != nil {
		t.Error(err)
	}
}

// TestRotationIsToldOnce: a rotation that ended stays in Untold until it was told, also beside another.
func TestRotationIsToldOnce(t *testing.T) {
	v := again(t, t.TempDir())
	_, err := v.Rotate(t.Context(), today, quietly)
	_, err2 := v.RotateRoot(t.Context(), today, nothing)
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	for left := 2; left >= 0; left-- {
		a, err := v.Ages(t.Context(), today)
		if err != nil || len(a.Untold) != left {
			t.Fatalf("%+v, want %d, %v", a.Untold, left, err)
		}
		if left > 0 {
			if err := v.Told(t.Context(), a.Untold[0]); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestOnlyLastingLabels: a label that would be another after a rotation is refused before it can be.
func TestOnlyLastingLabels(t *testing.T) {
	v := again(t, t.TempDir())
	for name, use := range map[string]func(){"MAC": func() { v.MAC("new") }, "Tokens": func() { v.Tokens("new") }, "Numbers": func() { v.Numbers("new") }} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s takes any label", name)
				}
			}()
			use()
		}()
	}
}
