package ledger

import (
	"bytes"
	"os"
	"slices"
	"testing"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
)

// cutPlace is a ledger of which a power cut can leave any part: store and file of acts as they were before an act, and after.
type cutPlace struct {
	*place
	stores, acts [2][]byte
}

func newCutPlace(t *testing.T, before func(*place), bodies ...int) *cutPlace {
	c := &cutPlace{place: newPlace(t)}
	c.append(3)
	before(c.place)
	c.keepCopy(0)
	c.act(bodies...)
	c.keepCopy(1)
	return c
}

func (c *cutPlace) keepCopy(n int) {
	c.t.Helper()
	c.db.Close()
	c.stores[n] = read(c.t, c.store)
	if _, err := os.Stat(c.actsFile()); err == nil {
		c.acts[n] = read(c.t, c.actsFile())
	}
	c.open()
}

// left puts back what a power cut left, of the store and outside.
func (c *cutPlace) left(store, outside []byte) {
	c.t.Helper()
	c.db.Close()
	write(c.t, c.store, store)
	if os.Remove(c.actsFile()); outside != nil {
		write(c.t, c.actsFile(), outside)
	}
}

var beforeCut = map[string]func(*place){
	"the first act":     func(*place) {},
	"after others":      func(p *place) { p.act(1); p.append(2); p.act(1, 1); p.append(1) },
	"after a restart":   func(p *place) { p.act(1); p.act(1); p.must(p.reopen()); p.append(1) },
	"after checkpoints": func(p *place) { p.act(1); p.checkpoint(); p.append(300); p.checkpoint(); p.append(1) },
	"after a restore":   func(p *place) { p.act(1); p.restored(); p.append(1) },
	"after a restore that kept an act": func(p *place) {
		p.act(1)
		p.db.Close()
		p.must(p.openRestored())
		p.must(p.db.Write(p.t.Context(), func(tx *db.Tx) error {
			if err := p.l.Keep(tx, "test.suppressed", 2); err != nil {
				return err
			}
			_, err := p.l.Rejoin(p.t.Context(), tx, "test", p.l.Lost())
			return err
		}))
		p.must(p.reopen())
	},
}

func (p *place) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// TestPowerCutWhileForced: whatever a power cut leaves of a commit and of the acts it kept outside, the next start needs nobody, and
// what stands on either side is there.
func TestPowerCutWhileForced(t *testing.T) {
	for name, before := range beforeCut {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCutPlace(t, before, 7, 8)
			torn := slices.Clone(c.acts[1])
			clear(torn[len(bytes.TrimRight(c.acts[0], "\x00"))+20:])
			for at, left := range [][2][]byte{{c.stores[0], c.acts[0]}, {c.stores[1], c.acts[0]}, {c.stores[1], torn}, {c.stores[0], torn}, {c.stores[1], c.acts[1]}} {
				c.left(left[0], left[1])
				if err := c.tryOpen(); err != nil || c.l.Lost() != nil {
					t.Errorf("state %d: %v, lost %+v", at, err, c.l.Lost())
				}
				c.mustVerify()
			}
			c.left(c.stores[0], c.acts[1])
			c.must(c.tryOpen())
			epoch := c.l.Epoch()
			if got := c.rejoin(); !slices.Equal(got, []string{"7", "8"}) {
				t.Errorf("done again: %v", got)
			}
			c.mustVerify()
			c.act(9)
			c.must(c.reopen())
			if c.l.Epoch() != epoch || c.l.Lost() != nil {
				t.Errorf("epoch %d where it was %d, lost %+v", c.l.Epoch(), epoch, c.l.Lost())
			}
			c.mustVerify()
		})
	}
}

// TestStartCutShort: a start that a power cut made necessary may itself be cut short, again and again.
func TestStartCutShort(t *testing.T) {
	c := newCutPlace(t, beforeCut["after others"], 7, 8)
	c.left(c.stores[0], c.acts[1])
	for range 3 {
		c.must(c.tryOpen())
		c.db.Close()
	}
	c.must(c.tryOpen())
	if got := c.rejoin(); !slices.Equal(got, []string{"7", "8"}) || c.l.Epoch() != 5 {
		t.Errorf("done again: %v, epoch %d", got, c.l.Epoch())
	}
	c.must(c.reopen())
	c.mustVerify()
}

// TestRolledBackIsNoPowerCut: a store that lacks more than the last commit that kept acts, or whose last one a checkpoint covers, or
// that holds other entries, is refused: it was rolled back.
func TestRolledBackIsNoPowerCut(t *testing.T) {
	for name, after := range map[string]func(*cutPlace){
		"covered":           func(c *cutPlace) { c.checkpoint() },
		"covered later":     func(c *cutPlace) { c.append(3); c.checkpoint() },
		"two commits":       func(c *cutPlace) { c.act(9) },
		"another line":      func(c *cutPlace) { c.left(c.stores[0], c.acts[0]); c.open(); c.act(9); c.keepCopy(0) },
		"an empty store":    func(c *cutPlace) { c.stores[0] = nil },
		"a restore cut off": func(c *cutPlace) { c.left(c.stores[0], c.acts[1]); c.must(c.openRestored()) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCutPlace(t, beforeCut["after others"], 7, 8)
			after(c)
			acts := c.acts[1]
			if name != "another line" {
				acts = read(t, c.actsFile())
			}
			c.left(c.stores[0], acts)
			if err := c.tryOpen(); fault.KindOf(err) != fault.Integrity {
				t.Errorf("it opens: %v", err)
			}
		})
	}
}

func (p *place) openRestored() (err error) {
	if p.db, err = db.Open(p.t.Context(), db.Config{Path: p.store, Clock: p.clock}); err != nil {
		return err
	}
	c := p.config()
	c.Restored = true
	p.l, err = Open(p.t.Context(), c)
	return err
}
