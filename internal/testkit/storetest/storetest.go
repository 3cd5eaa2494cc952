// Package storetest gives tests an empty own store of each engine, by its address, as --store takes it.
package storetest

import (
	"path/filepath"
	"testing"

	"github.com/ombudhq/ombud/internal/testkit/pgtest"
)

// Engines that can hold the own store.
const (
	SQLite   = "sqlite"
	Postgres = "postgres"
)

// Address is that of a store that nobody has opened yet; it goes with the test.
func Address(t testing.TB, engine string) string {
	t.Helper()
	if engine == Postgres {
		return pgtest.DSN(t)
	}
	return filepath.Join(t.TempDir(), "own", "own #1%?.db")
}

// Each runs a test once on each engine, one after the other.
func Each(t *testing.T, fn func(t *testing.T, engine string)) {
	for _, engine := range []string{SQLite, Postgres} {
		t.Run(engine, func(t *testing.T) { fn(t, engine) })
	}
}
