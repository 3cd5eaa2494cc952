package app

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/fault"
)

// TestAFullDisk: with no room left, what is to be written is refused with fault.Unavailable, what is asked is answered, and
// when there is room again writing goes on by itself. Nothing acknowledged is lost.
func TestAFullDisk(t *testing.T) {
	h := newHistory(t, 9)
	h.close()
	disk := filepath.Join(h.dir, "disk")
	h.must(os.Mkdir(disk, 0o700))
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=12m"); err != nil {
		t.Skipf("no file system can be mounted here: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) })
	c := Config{DataDir: filepath.Join(disk, "data"), ConfigPath: filepath.Join(h.dir, "ombud.yaml"), Clock: clock.System{}}
	h.must(os.RemoveAll(filepath.Join(h.dir, "heads")))
	var err error
	h.a, err = Open(t.Context(), c)
	h.must(err)
	p := h.people[0]
	yes := func() error {
		h.now++
		_, err := h.say(p, p.ids, "letters", h.a.Consents.Revision())
		return err
	}
	h.must(yes())
	filler, err := os.Create(filepath.Join(disk, "filler"))
	h.must(err)
	for block := 1 << 20; block >= 512; {
		if _, err := filler.Write(make([]byte, block)); err != nil {
			block /= 2
		}
	}
	h.must(filler.Close())
	refused, acked := error(nil), int64(0)
	for range 200 {
		if refused = yes(); refused != nil {
			break
		}
		acked = h.a.Ledger.Size()
	}
	if fault.KindOf(refused) != fault.Unavailable {
		t.Errorf("with a full disk: %v", refused)
	}
	if v := h.a.Consents.Decide(h.a.Consents.Find(p.ids[0]), "letters", "contact", false); !v.Allowed {
		t.Errorf("with a full disk nothing is answered: %s", v.Reason)
	}
	h.must(os.Remove(filler.Name()))
	if err := yes(); err != nil {
		t.Errorf("with room again: %v", err)
	}
	if h.a.Ledger.Size() < acked {
		t.Errorf("%d entries, %d were acknowledged", h.a.Ledger.Size(), acked)
	}
	h.close()
	h.a, err = Open(t.Context(), c)
	h.must(err)
	h.close()
}
