package app

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/internal/fault"
)

// TestNoRoomForTheSuppressionLedger: where an act cannot be kept outside it counts and is not answered, nor is anything after
// it, not even the same act again. Decisions go on, with the act. When there is room again, writing goes on by itself, with
// the act kept.
func TestNoRoomForTheSuppressionLedger(t *testing.T) {
	h := newHistory(t, 11)
	h.close()
	disk := filepath.Join(h.dir, "disk")
	h.must(os.Mkdir(disk, 0o700))
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("no file system can be mounted here: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) })
	h.must(os.RemoveAll(filepath.Join(h.dir, "heads")))
	h.must(os.RemoveAll(h.config().DataDir))
	h.must(os.WriteFile(filepath.Join(h.dir, "ombud.yaml"), []byte(historyConfig+"heads: ./disk/heads\n"), 0o600))
	h.open()
	yes := func(p *somebody) error {
		h.now++
		_, err := h.say(p, p.ids, "letters", h.a.Consents.Revision())
		return err
	}
	no := func(p *somebody) error {
		_, err := h.a.Consents.Withdraw(t.Context(), consent.WithdrawInput{Subject: p.ids, All: true, Actor: "test"})
		return err
	}
	allowed := func(p *somebody) bool {
		return h.a.Consents.Decide(h.a.Consents.Find(p.ids[0]), "letters", "contact", false).Allowed
	}
	first, second := h.people[0], h.people[1]
	h.must(yes(first))
	filler := h.fill(disk)
	var refused error
	acts := h.a.Ledger.Acts()
	for range 50 { // a page that is there already takes some more
		h.must(yes(second))
		if refused = no(second); refused != nil {
			break
		}
		acts++
	}
	for _, err := range []error{refused, no(second), no(first), yes(second), h.a.DB.Held()} {
		if fault.KindOf(err) != fault.Unavailable {
			t.Errorf("with a full disk: %v", err)
		}
	}
	if allowed(second) || !allowed(first) || h.a.Ledger.Acts() != acts {
		t.Errorf("allowed %v and %v, %d acts are kept", allowed(second), allowed(first), h.a.Ledger.Acts()-acts)
	}
	h.must(os.Remove(filler))
	h.must(no(first))
	if allowed(first) || allowed(second) || h.a.Ledger.Acts() != acts+2 || h.a.DB.Held() != nil {
		t.Errorf("with room again: %v, %v, %d acts, %v", allowed(first), allowed(second), h.a.Ledger.Acts()-acts, h.a.DB.Held())
	}
	h.must(yes(second))
	h.close()
	h.open()
	h.close()
}

// fill leaves no room on a file system, and gives the file that takes it.
func (h *history) fill(dir string) string {
	h.t.Helper()
	f, err := os.Create(filepath.Join(dir, "filler"))
	h.must(err)
	for block := 1 << 20; block >= 1; {
		if _, err := f.Write(make([]byte, block)); err != nil {
			block /= 2
		}
	}
	h.must(f.Close())
	return f.Name()
}
