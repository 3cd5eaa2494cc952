// Package wait is for tests of what comes by itself.
package wait

import (
	"testing"
	"time"
)

// patience is longer than a busy machine keeps anybody waiting. Nothing is proven by it: what must come soon is a test of
// an injected clock.
const patience = 2 * time.Minute

// Until returns when it is so, and fails the test when that never comes.
func Until(t testing.TB, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); !is(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("not in %v: %s", patience, what)
		}
	}
}
