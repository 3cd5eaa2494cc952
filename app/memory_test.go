//go:build linux

package app_test

import (
	"os"
	"regexp"
	"testing"

	"golang.org/x/sys/unix"
)

// TestServeLeavesNoCore: a server that dies leaves no memory behind, and lets no other process of its user read it.
func TestServeLeavesNoCore(t *testing.T) {
	dir := t.TempDir()
	shop(t, dir)
	s := serve(t, dir)
	defer s.stop()
	limits, err := os.ReadFile("/proc/self/limits")
	if err != nil || !regexp.MustCompile(`(?m)^Max core file size +0 +0 `).Match(limits) {
		t.Errorf("%v: %s", err, limits)
	}
	if dumpable, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0); err != nil || dumpable != 0 {
		t.Errorf("dumpable %d, %v", dumpable, err)
	}
}
