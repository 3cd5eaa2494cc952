package app

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"

	"github.com/ombudhq/ombud/internal/file"
	"github.com/ombudhq/ombud/ledger"
)

// verifiedFile holds what the last verification of the whole ledger found. It reminds and proves nothing: who can change the
// store can change it too.
const verifiedFile = "verified.json"

func (a *App) rememberVerified(r ledger.Report) {
	b, err := json.Marshal(ledger.Verified{At: a.cfg.Clock.Now().UTC(), Report: r})
	if err == nil {
		err = file.Save(filepath.Join(a.cfg.DataDir, verifiedFile), func(w io.Writer) error {
			_, err := w.Write(append(b, '\n'))
			return err
		})
	}
	if err != nil {
		a.cfg.Log.Warn("what a verification found cannot be written down", "error", err)
	}
}

// lastVerified is what was written down last; false when nothing was, or it cannot be read.
func (a *App) lastVerified() (v ledger.Verified, ok bool) {
	b, err := os.ReadFile(filepath.Join(a.cfg.DataDir, verifiedFile))
	return v, err == nil && json.Unmarshal(b, &v) == nil
}
