package plan

import (
	"testing"

	"github.com/ombudhq/ombud/connector"
)

// TestWhatARunRemembers: the journal of few rows, however many commits it took to write, and in the order
// of its chunks; nothing of one whose rows left memory, nor of one that has become too long.
func TestWhatARunRemembers(t *testing.T) {
	write := func(small bool, bytes ...int) *recent {
		j := &journal{small: small}
		for n, size := range bytes {
			c := chunk{ordinal: n, system: "shop", acts: []act{{verb: connector.Delete}}}
			j.remember([]chunk{c}, []sealedChunk{{ordinal: n, body: make([]byte, size)}})
			j.begun = true
		}
		return j.recent
	}
	r := write(true, recentBytes/2, recentBytes/2)
	if r == nil || len(r.chunks) != 2 {
		t.Fatalf("a small journal is remembered as %+v", r)
	}
	for n, h := range r.allHeads() {
		if h.ordinal != n || r.chunks[n].ordinal != n || h.done || h.idle {
			t.Errorf("head %d is %+v", n, h)
		}
	}
	for name, r := range map[string]*recent{"rows that left memory": write(false, 1, 1), "much": write(true, recentBytes, 1), "much, then little": write(true, recentBytes, 1, 1)} {
		if r != nil {
			t.Errorf("%s: remembered", name)
		}
	}
}
