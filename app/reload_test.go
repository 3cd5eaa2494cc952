package app

import (
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/internal/clock"
)

func openHere(t *testing.T) (*App, *clock.Fake, func(string)) {
	t.Helper()
	dir, c := t.TempDir(), clock.NewFake(time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC))
	a, err := Open(t.Context(), Config{DataDir: filepath.Join(dir, "ombud-data"), ConfigPath: filepath.Join(dir, "ombud.yaml"), Clock: c})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	return a, c, func(text string) {
		if err := os.WriteFile(filepath.Join(dir, "ombud.yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestRecent: who asks often gets a changed configuration within a second, and the former one while it has faults.
func TestRecent(t *testing.T) {
	a, c, write := openHere(t)
	name := func() (string, error) {
		p, err := a.recent(t.Context(), c.Now())
		defer a.release(p)
		return p.Catalog.Config().Organization.Name, err
	}
	want := func(what, want string, fails bool) {
		t.Helper()
		if got, err := name(); got != want || (err != nil) != fails {
			t.Errorf("%s: %q, %v; want %q", what, got, err, want)
		}
	}
	want("at first", "", false)
	write("organization: {name: New}\n")
	c.Advance(refreshed - 1)
	want("within the second", "", false)
	c.Advance(1)
	want("after it", "New", false)
	write("organisation: typo\n")
	c.Advance(refreshed)
	want("with a fault", "New", true)
	want("told once a second", "New", false)
	c.Advance(-time.Hour)
	write("organization: {name: Mended}\n")
	want("a clock set back", "Mended", false)
}

// TestPartsStayOpenWhileUsed, by as many as use them, and are closed after the last of them.
func TestPartsStayOpenWhileUsed(t *testing.T) {
	a, _, write := openHere(t)
	first := a.take()
	_, release := a.hold(first)
	write("organization: {name: New}\n")
	if err := a.refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if a.release(first); first.closed.Load() {
		t.Error("closed while somebody holds them")
	}
	if release(); !first.closed.Load() {
		t.Error("former parts stay open for ever")
	}
	if p := a.take(); p == first || p.closed.Load() {
		t.Error("former parts were given")
	}
}

// TestPartsAtOnce: whoever takes parts in the moment they are replaced has open ones.
func TestPartsAtOnce(t *testing.T) {
	a, c, _ := openHere(t)
	var wg sync.WaitGroup
	var over atomic.Bool
	for range 4 {
		wg.Go(func() {
			for !over.Load() {
				p := a.take()
				if p.closed.Load() {
					t.Error("closed parts were given")
				}
				a.release(p)
			}
		})
	}
	for range 20_000 {
		a.mu.Lock()
		a.replace(&Parts{Catalog: catalog.Open(t.Context(), &catalog.Config{}, openers(), c)})
		a.mu.Unlock()
	}
	over.Store(true)
	wg.Wait()
	if n := a.newest.Load().users.Load(); n != 0 {
		t.Errorf("%d users are counted who are none", n)
	}
}
