package app

import (
	"os"
	"path/filepath"
	"time"
)

// storeFiles are the file of the store and its log.
var storeFiles = []string{"ombud.db", "ombud.db-wal"}

// powerCut does one thing and loses the store of after it, while what stands outside stays: a power cut leaves that where both were
// being forced to the disk. The next start makes up for it. It is false where nothing had to stand outside.
func (h *history) powerCut() bool {
	h.now++
	h.clock.Advance(time.Minute)
	p, ids := h.who()
	linked, acts := p.linked, h.a.Ledger.Acts()
	heads, old, outside := filepath.Join(h.dir, "heads"), h.t.TempDir(), h.t.TempDir()
	for _, name := range storeFiles {
		h.must(copyFile(filepath.Join(h.config().DataDir, name), filepath.Join(old, name)))
	}
	told, err := h.one(p, ids)
	if err != nil || h.a.Ledger.Acts() == acts {
		if err == nil {
			told()
		}
		h.seen = append(h.seen, h.a.Consents.Revision())
		return false
	}
	h.did("power cut")
	h.must(os.CopyFS(outside, os.DirFS(heads)))
	h.close()
	for _, name := range storeFiles {
		h.must(os.RemoveAll(filepath.Join(h.config().DataDir, name)))
		h.must(copyFile(filepath.Join(old, name), filepath.Join(h.config().DataDir, name)))
	}
	h.must(os.RemoveAll(heads))
	h.must(os.CopyFS(heads, os.DirFS(outside)))
	h.open()
	if h.a.Ledger.Lost() == nil {
		h.t.Errorf("nothing was done again\n%v", h.script)
	}
	told()
	p.linked = p.linked && linked // the store may have forgotten
	h.seen = append(h.seen, h.a.Consents.Revision())
	return true
}
