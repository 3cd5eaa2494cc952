package app

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

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
		p, err := a.recent(t.Context())
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

// TestPartsStayOpenWhileUsed, whoever replaces them meanwhile, and are closed after the last use.
func TestPartsStayOpenWhileUsed(t *testing.T) {
	a, _, write := openHere(t)
	first := a.take()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 2000 {
				p := a.take()
				if p.closed.Load() {
					t.Error("closed parts were given")
				}
				_, release := a.hold(p)
				a.release(p)
				if p.closed.Load() {
					t.Error("closed while it was held")
				}
				release()
			}
		})
	}
	for i := range 20 {
		write(fmt.Sprintf("organization: {name: N%d}\n", i))
		if err := a.refresh(t.Context()); err != nil {
			t.Error(err)
		}
	}
	wg.Wait()
	if first.closed.Load() || a.newest.Load().users.Load() != 0 {
		t.Error("parts in use were closed, or unused ones are counted")
	}
	if a.release(first); !first.closed.Load() {
		t.Error("former parts stay open for ever")
	}
}
