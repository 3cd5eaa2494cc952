package catalog

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestOnWithdrawal: what becomes of the data is said of a consent only, in two words.
func TestOnWithdrawal(t *testing.T) {
	for purpose, want := range map[string]string{
		`{id: a, basis: consent, on_withdrawal: keep}`:   "",
		`{id: a, basis: consent, on_withdrawal: erase}`:  "",
		`{id: a, basis: consent, on_withdrawal: forget}`: "forget",
		`{id: a, basis: contract, on_withdrawal: keep}`:  "on_withdrawal belongs to consent",
	} {
		path := filepath.Join(t.TempDir(), "ombud.yaml")
		if err := os.WriteFile(path, []byte("organization: {name: Fjordly}\npurposes:\n  - "+purpose+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, err := Load(path)
		if want == "" && (err != nil || cfg.Purposes[0].OnWithdrawal == "") || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v", purpose, err)
		}
	}
}
