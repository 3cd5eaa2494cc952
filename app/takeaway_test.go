package app_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRunsThatTakeAway: a run that puts a package where somebody asks for it says so in the log, to those who see who looked at
// whom; from the first account on it counts as a download, and one too many leaves no file.
func TestRunsThatTakeAway(t *testing.T) {
	dir := t.TempDir()
	shop(t, dir)
	must(t, os.WriteFile(filepath.Join(dir, "ombud.yaml"), []byte(shopConfig+"access: {downloads: {most: 1, minutes: 60}}\n"), 0o600))
	run := func(want int, out string) {
		t.Helper()
		args := []string{"dsr", "run", "--kind", "access", "--subject", "email=ida@example.com"}
		if out != "" {
			args = append(args, "--out", out)
		}
		if code, said, errs := command(t, dir, "", append(args, "--json")...); code != want {
			t.Errorf("exit %d, want %d: %s%s", code, want, said, errs)
		}
	}
	run(0, "")
	run(0, "a.zip")
	run(0, "b.zip")
	_, said, _ := command(t, dir, "", "audit", "tail", "--kind", "package.read", "--json")
	if strings.Count(said, `"package.read"`) != 2 || !strings.Contains(said, `"actor": "local:ida"`) || !strings.Contains(said, "shop/customers") {
		t.Errorf("the log: %s", said)
	}
	typed(t, dir, "", 0, "", "admin", "create", "--name", "kari", "--role", "system_admin")
	run(0, "c.zip")
	run(6, "d.zip")
	run(0, "")
	if _, err := os.Stat(filepath.Join(dir, "d.zip")); !os.IsNotExist(err) {
		t.Errorf("one too many left a file: %v", err)
	}
}
