package app_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/internal/testkit/wait"
)

// TestKilledWhileItRotates kills the server at each step of a rotation of the keys. The next start goes on with it by
// itself, and what people said opens throughout.
func TestKilledWhileItRotates(t *testing.T) {
	dir := t.TempDir()
	shop(t, dir)
	if err := os.WriteFile(config(dir).ConfigPath, []byte(shopConfig+letters), 0o600); err != nil {
		t.Fatal(err)
	}
	a := open(t, config(dir))
	if err := errors.Join(a.Vault.KeepFree(12*4096), a.Close()); err != nil { // more than are moved at once
		t.Fatal(err)
	}
	answered := map[string][]int64{}
	ended := 0
	for _, at := range []string{"vault.ages 1", "vault.version 1", "vault.anchor 1", "vault.root 1", "vault.moved 1", "vault.ages 3", "vault.anchor 2",
		"vault.region 2", "vault.moved 2", "vault.ages 4", "vault.dropped 3", "vault.blanked 3", "vault.destroyed 1", "vault.ages 6"} {
		t.Setenv(killAt, at)
		s := startKilled(t, dir)
		s.yesAndNo("ida@example.com", answered)
		s.arm(dir)
		if code, out, _ := command(t, dir, "", "vault", "rotate"); code == 0 {
			t.Fatalf("%s: it was not killed: %s", at, out)
		}
		_ = s.cmd.Wait() // it killed itself
		t.Setenv(killAt, "")
		s = startKilled(t, dir)
		s.rotated(dir)
		s.yesAndNo("bo@example.com", answered)
		s.kill()
		ended++
	}
	wantTold(t, dir, ended)
}

// wantTold: each rotation that ended was told of once, whichever process came to it, and the ledger is whole.
func wantTold(t *testing.T, dir string, ended int) {
	t.Helper()
	code, out, errs := command(t, dir, "", "audit", "tail", "--kind", "vault.rotated", "--json")
	if n := strings.Count(out, `"kind": "vault.rotated"`); code != 0 || n != ended {
		t.Errorf("exit %d: %d entries of %d rotations: %s", code, n, ended, errs)
	}
	if n := strings.Count(out, `"actor": "ombud"`); n < ended-4 {
		t.Errorf("%d of %d rotations were ended by a start", n, ended)
	}
	if code, out, errs = command(t, dir, "", "audit", "verify"); code != 0 {
		t.Errorf("the ledger: %s%s", out, errs)
	}
}

// TestKilledWhileItRotatesTheRoot kills the server at each step of a rotation of the root key, and between its end and its
// entry. The next start goes on with it by itself; what people said opens throughout, and without the former keys at the end.
func TestKilledWhileItRotatesTheRoot(t *testing.T) {
	dir := t.TempDir()
	shop(t, dir)
	if err := os.WriteFile(config(dir).ConfigPath, []byte(shopConfig+letters), 0o600); err != nil {
		t.Fatal(err)
	}
	answered := map[string][]int64{}
	ended := 0
	for _, at := range []string{"vault.ages 1", "root.key 1", "root.ring 1", "root.linked 1", "root.replaced 1", "root.adopted 1", "root.sealed 2", "root.sealed 6",
		"root.again 1", "vault.ages 2"} {
		t.Setenv(killAt, at)
		s := startKilled(t, dir)
		s.yesAndNo("ida@example.com", answered)
		s.arm(dir)
		if code, out, _ := command(t, dir, "", "vault", "rotate", "--root"); code == 0 {
			t.Fatalf("%s: it was not killed: %s", at, out)
		}
		_ = s.cmd.Wait() // it killed itself
		t.Setenv(killAt, "")
		s = startKilled(t, dir)
		s.rotated(dir)
		s.yesAndNo("bo@example.com", answered)
		s.kill()
		ended++
	}
	wantTold(t, dir, ended)
	if code, out, errs := command(t, dir, "", "vault", "retire", "--json"); code != 0 || !strings.Contains(out, fmt.Sprintf(`"retired": %d`, ended)) {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	s := startKilled(t, dir)
	s.yesAndNo("ida@example.com", answered)
	s.kill()
	if code, out, errs := command(t, dir, "", "audit", "verify"); code != 0 {
		t.Errorf("without the former keys: %s%s", out, errs)
	}
}

// rotated waits until no rotation is under way.
func (k *killed) rotated(dir string) {
	k.t.Helper()
	wait.Until(k.t, "the rotation ends", func() bool {
		code, out, errs := command(k.t, dir, "", "vault", "list", "--json")
		var list struct {
			Running *struct{} `json:"running"`
			Root    struct {
				Running *struct{} `json:"running"`
			} `json:"root"`
		}
		if err := json.Unmarshal([]byte(out), &list); code != 0 || err != nil {
			k.t.Fatal(fmt.Sprint(code, err, errs))
		}
		return list.Running == nil && list.Root.Running == nil
	})
}
