package access_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/fault"
)

// again closes a house and opens it, as a restart does: without a chance to write anything last.
func (h *house) again() *house {
	h.t.Helper()
	must(h.t, h.place.db.Close())
	return openHouse(h.t, h.place.dir, h.place.clock)
}

// TestGuessesSurviveARestart: five guesses are five, however often the server was started between them, and the window ends
// when it would have ended.
func TestGuessesSurviveARestart(t *testing.T) {
	h := newHouse(t)
	h.admin()
	for i := range 5 {
		_, err := h.SignIn(t.Context(), "kari", fmt.Sprint("wrong horse ", i), "192.0.2.1")
		h.wantKind("a wrong password", err, fault.Denied)
		h = h.again()
	}
	_, err := h.SignIn(t.Context(), "kari", password, "192.0.2.1")
	h.wantKind("the right one, after five", err, fault.Busy)
	h.place.clock.Advance(15 * time.Minute)
	h = h.again()
	h.half("kari")
	for range 4 {
		_, err := h.SignIn(t.Context(), "kari", "wrong horse", "192.0.2.1")
		h.wantKind("a wrong password", err, fault.Denied)
	}
	h.half("kari")
	must(t, h.Tidy(t.Context()))
	h = h.again()
	for range 5 {
		_, err := h.SignIn(t.Context(), "kari", "wrong horse", "192.0.2.1")
		h.wantKind("what was right is taken back", err, fault.Denied)
	}
}

// TestAddressesAreCountedAcrossRestarts: what was right does not count against its address, what was wrong goes on counting.
func TestAddressesAreCountedAcrossRestarts(t *testing.T) {
	h := openHouse(t, t.TempDir(), clock.NewFake(start))
	looked := 0
	for i := range 60 {
		if i == 25 {
			h = h.again()
		}
		if _, err := h.SignIn(t.Context(), fmt.Sprint("name", i), "x", "192.0.2.1"); fault.KindOf(err) == fault.Denied {
			looked++
		}
	}
	if looked != 50 {
		t.Errorf("%d looked at", looked)
	}
}
