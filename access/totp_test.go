package access

import (
	"runtime"
	"testing"
	"time"
)

// TestCodesOfRFC6238: the vectors of appendix B, in six digits.
func TestCodesOfRFC6238(t *testing.T) {
	secret := []byte("12345678901234567890")
	for at, want := range map[int64]string{59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130"} {
		if got := code(secret, at/30); got != want {
			t.Errorf("at %d: %s, want %s", at, got, want)
		}
	}
}

// TestStepOf: a clock may be one step off, a code is good once, and none that is older than one that was used.
func TestStepOf(t *testing.T) {
	secret, now := []byte("12345678901234567890"), time.Unix(1111111111, 0)
	n := now.Unix() / 30
	for off, want := range map[int64]bool{-2: false, -1: true, 0: true, 1: true, 2: false} {
		if got := stepOf(secret, code(secret, n+off), now, 0); (got == n+off) != want {
			t.Errorf("%d steps off: %d", off, got)
		}
	}
	for off, want := range map[int64]bool{-1: false, 0: false, 1: true} {
		if got := stepOf(secret, code(secret, n+off), now, n) != 0; got != want {
			t.Errorf("%d steps off, after this one was used: %v", off, got)
		}
	}
	for _, bad := range []string{"", "0", "05047", "0504711", "O50471"} {
		if stepOf(secret, bad, now, 0) != 0 {
			t.Errorf("%q is taken", bad)
		}
	}
}

// TestPasswordHashes: parameters stand in each hash, so that older ones still open; what is damaged opens to nobody.
func TestPasswordHashes(t *testing.T) {
	const older = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$"
	phc := present.seal("correct horse battery")
	if !matches(phc, "correct horse battery") || matches(phc, "correct horse batterz") || phc == present.seal("correct horse battery") {
		t.Error("a hash does not tell passwords apart, or has no salt")
	}
	for _, bad := range []string{"", "$", older, older + "!", "$argon2i$v=19$m=8,t=1,p=1$c2FsdA$aGFzaA", "$argon2id$v=19$m=8,t=0,p=1$c2FsdA$aGFzaA", "$argon2id$v=16$m=8,t=1,p=1$c2FsdA$aGFzaA"} {
		if matches(bad, "correct horse battery") {
			t.Errorf("%s opens", bad)
		}
	}
}

// TestHasherQueue: a few at once, some wait, and one more is refused at once.
func TestHasherQueue(t *testing.T) {
	h := &hasher{queue: make(chan struct{}, 3), turns: make(chan struct{}, 1)}
	stay, in := make(chan struct{}), make(chan struct{}, 3)
	done := make(chan error, 3)
	for range 3 {
		go func() { done <- h.turn(t.Context(), func() { in <- struct{}{}; <-stay }) }()
	}
	<-in
	for len(h.queue) < 3 { // the other two queue up
		runtime.Gosched()
	}
	if err := h.turn(t.Context(), func() { t.Error("it ran") }); err == nil {
		t.Error("the fourth is not refused")
	}
	if len(in) > 0 {
		t.Error("two run at once")
	}
	close(stay)
	for range 3 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// TestPasswordCost is what was asked for, at least: 19 MiB, two passes.
func TestPasswordCost(t *testing.T) {
	if present.memory < 19<<10 || present.time < 2 || newHasher().cost != present {
		t.Errorf("%+v", present)
	}
}
