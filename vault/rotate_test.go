package vault

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/ombudhq/ombud/internal/fault"
)

var today = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func quietly(int, int) {}

// manySlots makes three buckets, and seals for a slot of each; one of them is shredded.
func manySlots(t *testing.T, v *Vault) (sealed map[Slot][]byte, gone Slot) {
	t.Helper()
	if err := v.KeepFree(2*perBucket + 10); err != nil {
		t.Fatal(err)
	}
	sealed = map[Slot][]byte{}
	for _, s := range []Slot{1, 2, perBucket - 1, perBucket, 2*perBucket + 5} {
		sealed[s] = sealFor(t, v, s)
	}
	if err := v.Shred(2); err != nil {
		t.Fatal(err)
	}
	return sealed, 2
}

func wantOpen(t *testing.T, v *Vault, sealed map[Slot][]byte, gone Slot) {
	t.Helper()
	for s, b := range sealed {
		if err := opensAs(v, b); s == gone && !errors.Is(err, ErrForgotten) || s != gone && err != nil {
			t.Errorf("slot %d: %v", s, err)
		}
	}
}

func copyDir(t *testing.T, from string) string {
	t.Helper()
	to := t.TempDir()
	names, err := os.ReadDir(from)
	for _, n := range names {
		b, e := os.ReadFile(filepath.Join(from, n.Name()))
		err = errors.Join(err, e, os.WriteFile(filepath.Join(to, n.Name()), b, 0o600))
	}
	if err != nil {
		t.Fatal(err)
	}
	return to
}

func TestRotate(t *testing.T) {
	dir := t.TempDir()
	v := again(t, dir)
	sealed, gone := manySlots(t, v)
	if a, err := v.Ages(t.Context(), today); err != nil || !a.Rotated.Equal(today) || a.Version != "1" || a.Buckets != 3 {
		t.Fatalf("%+v, %v", a, err)
	}
	before := copyDir(t, dir)
	later := today.AddDate(1, 0, 0)
	steps := 0
	out, err := v.Rotate(t.Context(), later, func(done, of int) {
		steps++
		if of != 3 || done > of {
			t.Errorf("%d of %d", done, of)
		}
	})
	if err != nil || out.Moved != 3 || out.From != "1" || out.Version != "2" || out.Kept || out.Resumed || steps == 0 {
		t.Fatalf("%+v, %v", out, err)
	}
	wantOpen(t, v, sealed, gone)
	next := again(t, dir)
	wantOpen(t, next, sealed, gone)
	if a, err := next.Ages(t.Context(), later); err != nil || a.Running != nil || !a.Rotated.Equal(later) || a.Version != "2" {
		t.Errorf("%+v, %v", a, err)
	}
	// Former files open nothing together with any of those there are now.
	for mix := range 16 {
		into := copyDir(t, dir)
		for i, name := range []string{keyFile, anchorFile, rootFile, slotsFile} {
			if mix>>i&1 == 1 {
				b, err := os.ReadFile(filepath.Join(before, name))
				if err = errors.Join(err, os.WriteFile(filepath.Join(into, name), b, 0o600)); err != nil {
					t.Fatal(err)
				}
			}
		}
		// Only the whole opens: what there is now, or what there was.
		if err := opensAs(again(t, into), sealed[1]); (err == nil) != (mix == 0 || mix == 15) {
			t.Errorf("mix %04b: %v", mix, err)
		}
	}
	for _, name := range []string{keyFile, anchorFile} {
		old, err1 := os.ReadFile(filepath.Join(before, name))
		b, err2 := os.ReadFile(filepath.Join(dir, name))
		if err := errors.Join(err1, err2); err != nil || bytes.Contains(b, old[len(pairMagic)+8:][:32]) {
			t.Errorf("%s still holds what it held: %v", name, err)
		}
	}
}

// TestRotationDiesAtEveryStep: wherever it is cut off, everything opens, and the next one ends it.
func TestRotationDiesAtEveryStep(t *testing.T) {
	dir := t.TempDir()
	first := again(t, dir)
	sealed, gone := manySlots(t, first)
	if _, err := first.Ages(t.Context(), today); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	for n, done := 1, false; !done; n++ {
		into := copyDir(t, dir)
		v, err := Open(Config{Dir: into, Hook: diesAt(n)})
		if err != nil {
			t.Fatal(err)
		}
		func() {
			defer func() { _ = recover() }()
			if _, err := v.Rotate(t.Context(), today, quietly); err != nil {
				t.Fatal(err)
			}
			done = true
		}()
		next := again(t, into)
		wantOpen(t, next, sealed, gone)
		if done {
			t.Logf("%d steps", n-1)
			break
		}
		out, err := next.Rotate(t.Context(), today.AddDate(0, 0, 1), quietly)
		if err != nil || out.Version == "1" || out.Running != nil {
			t.Fatalf("killed at step %d: %+v, %v", n, out, err)
		}
		wantOpen(t, again(t, into), sealed, gone)
		if versions := versionsIn(t, filepath.Join(into, keyFile)); versions != 1 {
			t.Fatalf("killed at step %d: %d versions are left", n, versions)
		}
	}
}

func versionsIn(t *testing.T, path string) (n int) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Count(b, []byte(pairMagic))
}

// TestRotationIsNoDowntime: people are met, read and shredded meanwhile.
func TestRotationIsNoDowntime(t *testing.T) {
	v := again(t, t.TempDir())
	sealed, gone := manySlots(t, v)
	var all sync.WaitGroup
	stop := make(chan struct{})
	for i := range 3 {
		all.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				s, err := v.NewSlot()
				if err != nil {
					t.Error(err)
					return
				}
				b, err := v.SealFor(s, "people.name", []byte("row"), secretOf(s))
				if err = errors.Join(err, opensAs(v, b), opensAs(v, sealed[1])); err != nil {
					t.Errorf("slot %d: %v", s, err)
				}
				if n%8 == i {
					if err := v.Shred(s); err != nil || !errors.Is(opensAs(v, b), ErrForgotten) {
						t.Errorf("slot %d was not shredded: %v", s, err)
					}
				}
			}
		})
	}
	for range 5 {
		if _, err := v.Rotate(t.Context(), today, quietly); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	all.Wait()
	wantOpen(t, v, sealed, gone)
}

// fixed is a provider with one version for ever; Unwrap counts.
type fixed struct {
	Provider
	asked int
}

func (f *fixed) Name() string                           { return "fixed" }
func (f *fixed) Rotate(context.Context) (string, error) { return "", ErrFixed }
func (f *fixed) Destroy(context.Context, string) error  { return fmt.Errorf("no: %w", ErrFixed) }
func (f *fixed) Unwrap(ctx context.Context, w, aad []byte) ([]byte, error) {
	f.asked++
	return f.Provider.Unwrap(ctx, w, aad)
}

func TestRotateWhereVersionsAreKept(t *testing.T) {
	dir := t.TempDir()
	key, err := OpenKeyFile(filepath.Join(dir, "elsewhere"))
	if err != nil {
		t.Fatal(err)
	}
	p := &fixed{Provider: key}
	v, err := Open(Config{Dir: dir, Provider: p})
	if err != nil {
		t.Fatal(err)
	}
	sealed, gone := manySlots(t, v)
	out, err := v.Rotate(t.Context(), today, quietly)
	if err != nil || !out.Kept || out.Moved != 3 || out.Provider != "fixed" {
		t.Errorf("%+v, %v", out, err)
	}
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	next, err := Open(Config{Dir: dir, Provider: p})
	if err != nil {
		t.Fatal(err)
	}
	wantOpen(t, next, sealed, gone)
	if p.asked != 1 {
		t.Errorf("the provider was asked to unwrap %d times", p.asked)
	}
}

func TestRotateAndInterrupt(t *testing.T) {
	v := again(t, t.TempDir())
	manySlots(t, v)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := v.Rotate(over, today, quietly); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("interrupted: %v", err)
	}
	if out, err := v.Rotate(t.Context(), today, quietly); err != nil || !out.Resumed {
		t.Errorf("it did not go on: %+v, %v", out, err)
	}
}

// TestAgesAreReadWhileBucketsAreMade: who gives out numbers and who looks at all the files wait for each other in one order.
func TestAgesAreReadWhileBucketsAreMade(t *testing.T) {
	v := open(t, t.TempDir())
	done := make(chan error, 1)
	go func() { done <- v.KeepFree(40 * perBucket) }()
	for {
		if _, err := v.Ages(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
			return
		default:
		}
	}
}

// TestRotateSparing: what opens the copy of before is destroyed with the next copy, and not before; by whoever asks for a rotation
// at once.
func TestRotateSparing(t *testing.T) {
	for name, asked := range map[string]bool{"a copy is made": false, "somebody asks for a rotation": true} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			key, err := OpenKeyFile(filepath.Join(t.TempDir(), "elsewhere"))
			if err != nil {
				t.Fatal(err)
			}
			v, err := Open(Config{Dir: dir, Provider: key})
			if err != nil {
				t.Fatal(err)
			}
			sealed, gone := manySlots(t, v)
			if out, err := v.RotateSparing(t.Context(), today, quietly); err != nil || out.Kept || out.Spared {
				t.Fatalf("without a copy: %+v, %v", out, err)
			}
			noted := func(version string) Ages {
				t.Helper()
				err := v.NoteCopy(t.Context(), Copied{At: today, Buckets: 3, Version: version})
				a, aerr := v.Ages(t.Context(), today)
				if err = errors.Join(err, aerr); err != nil {
					t.Fatal(err)
				}
				return a
			}
			noted("2")
			before := copyDir(t, dir)
			opens := func(dir string) error {
				t.Helper()
				v, err := Open(Config{Dir: dir, Provider: key})
				if err != nil {
					t.Fatal(err)
				}
				return opensAs(v, sealed[1])
			}
			if out, err := v.RotateSparing(t.Context(), today, quietly); err != nil || !out.Kept || !out.Spared || out.Version != "3" {
				t.Fatalf("%+v, %v", out, err)
			}
			if a := noted("2"); !a.Spared || opens(before) != nil { // one that was under way
				t.Errorf("the copy there is opens no more: %+v", a)
			}
			if asked {
				if out, err := v.Rotate(t.Context(), today, quietly); err != nil || out.Kept || out.Version != "4" {
					t.Fatalf("%+v, %v", out, err)
				}
			} else if a := noted("3"); a.Spared {
				t.Errorf("%+v", a)
			}
			if opens(before) == nil {
				t.Error("the version before was not destroyed")
			}
			wantOpen(t, v, sealed, gone)
		})
	}
}

// refusing is a provider that makes no version for us.
type refusing struct{ Provider }

func (refusing) Rotate(context.Context) (string, error) {
	return "", fault.New(fault.Denied, "the provider refuses")
}

// TestRotationThatIsRefused was not begun: the keys are copied as before.
func TestRotationThatIsRefused(t *testing.T) {
	dir := t.TempDir()
	key, err := OpenKeyFile(filepath.Join(dir, keyFile))
	if err != nil {
		t.Fatal(err)
	}
	v, err := Open(Config{Dir: dir, Provider: refusing{key}})
	if err != nil {
		t.Fatal(err)
	}
	manySlots(t, v)
	if _, err := v.Rotate(t.Context(), today, quietly); fault.KindOf(err) != fault.Denied {
		t.Errorf("%v", err)
	}
	if _, err := v.Copy(t.Context(), today, func(string, int64, io.Reader) error { return nil }); err != nil {
		t.Errorf("the keys cannot be copied any more: %v", err)
	}
}
