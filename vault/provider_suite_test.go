package vault_test

import (
	"path/filepath"
	"testing"

	"github.com/ombudhq/ombud/vault"
	"github.com/ombudhq/ombud/vault/vaulttest"
)

func TestKeyFileAsProvider(t *testing.T) {
	vaulttest.Run(t, func(t *testing.T) vaulttest.Setup {
		path := filepath.Join(t.TempDir(), "kek")
		open := func(path string) vault.Provider {
			k, err := vault.OpenKeyFile(path)
			if err != nil {
				t.Fatal(err)
			}
			return k
		}
		return vaulttest.Setup{Provider: open(path), Again: func() vault.Provider { return open(path) }, Other: open(filepath.Join(t.TempDir(), "kek"))}
	})
}
