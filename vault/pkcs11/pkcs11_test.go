//go:build pkcs11

package pkcs11

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/vault"
	"github.com/ombudhq/ombud/vault/vaulttest"
)

const pin = "7443-pin"

// softHSM makes a token in a folder of this test.
func softHSM(t *testing.T) Config {
	t.Helper()
	var module string
	for _, path := range []string{"/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so", "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so"} {
		if _, err := os.Stat(path); err == nil {
			module = path
		}
	}
	if module == "" {
		t.Skip("SoftHSM is not installed: apt-get install softhsm2")
	}
	dir := t.TempDir()
	conf := filepath.Join(dir, "softhsm2.conf")
	text := "directories.tokendir = " + filepath.Join(dir, "tokens") + "\nobjectstore.backend = file\nlog.level = ERROR\n"
	if err := os.Mkdir(filepath.Join(dir, "tokens"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SOFTHSM2_CONF", conf)
	out, err := exec.Command("softhsm2-util", "--init-token", "--free", "--label", "ombud", "--so-pin", "so-"+pin, "--pin", pin).CombinedOutput()
	if err != nil {
		t.Fatalf("making a token: %v\n%s", err, out)
	}
	return Config{Module: module, Token: "ombud", Key: "kek", PIN: pin}
}

func TestSoftHSM(t *testing.T) {
	c := softHSM(t)
	n := 0
	vaulttest.Run(t, func(t *testing.T) vaulttest.Setup {
		open := func(name string) vault.Provider {
			c := c
			c.Key = name
			p, err := New(c)
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		n++
		a, b := fmt.Sprintf("kek-%d", n), fmt.Sprintf("other-%d", n)
		if _, err := open(b).Version(t.Context()); err != nil { // so that its version 1 is there
			t.Fatal(err)
		}
		return vaulttest.Setup{Provider: open(a), Again: func() vault.Provider { return open(a) }, Other: open(b)}
	})
	t.Run("a wrong PIN", func(t *testing.T) {
		c := c
		c.PIN = "wrong-pin"
		p, err := New(c)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Version(t.Context()); fault.KindOf(err) != fault.Unavailable || strings.Contains(err.Error(), "wrong-pin") {
			t.Errorf("it says %v", err)
		}
	})
}
