package app_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/ombudhq/ombud/app"
	"github.com/ombudhq/ombud/cli"
	"github.com/ombudhq/ombud/ledger"
)

// command runs a command line in a folder, in this process.
func command(t *testing.T, dir, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	env := cli.Env{Args: args, Dir: dir, Stdin: strings.NewReader(stdin), Stdout: &out, Stderr: &errs, User: "ida"}
	code = cli.Run(t.Context(), env, app.Program(app.Options{Version: "test"}))
	return code, out.String(), errs.String()
}

func config(dir string) app.Config {
	return app.Config{DataDir: filepath.Join(dir, "ombud-data"), ConfigPath: filepath.Join(dir, "ombud.yaml"), Command: "ombud test"}
}

func open(t *testing.T, c app.Config) *app.App {
	t.Helper()
	a, err := app.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestOneOwner(t *testing.T) {
	dir := t.TempDir()
	a := open(t, config(dir))
	_, err := app.Open(t.Context(), config(dir))
	var owned *cli.Owned
	if !errors.As(err, &owned) || owned.Owner.PID != os.Getpid() || owned.Owner.Command != "ombud test" {
		t.Fatalf("the second owner got %v", err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if err := open(t, config(dir)).Close(); err != nil {
		t.Fatal(err)
	}
}

// TestCommandGoesToOwner: whoever owns the directory runs what others type, with their input, and answers them.
func TestCommandGoesToOwner(t *testing.T) {
	dir := t.TempDir()
	a := open(t, config(dir))
	code, out, errs := command(t, dir, "email=ida@example.com\n", "hold", "add", "--subject", "-", "--because", "claim")
	if code != 0 || !strings.Contains(out, "claim") {
		t.Fatalf("exit %d: %s%s", code, out, errs)
	}
	if n := a.Ledger.Size(); n != 1 {
		t.Errorf("the owner's ledger has %d entries, want 1", n)
	}
	code, _, errs = command(t, dir, "", "hold", "release", "hold_nobody")
	if code != 2 || !strings.Contains(errs, "no such hold") {
		t.Errorf("exit %d: %s", code, errs)
	}
	code, _, errs = command(t, dir, "", "serve", "--listen", "127.0.0.1:0")
	if code != 6 || !strings.Contains(errs, fmt.Sprintf("process %d", os.Getpid())) {
		t.Errorf("a second serve: exit %d: %s", code, errs)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := command(t, dir, "", "audit", "verify"); code != 0 {
		t.Errorf("exit %d: %s", code, errs)
	}
}

// TestManyAtOnce: commands that race for the directory each run once, in whoever owns it, on one ledger.
func TestManyAtOnce(t *testing.T) {
	dir := t.TempDir()
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			code, _, errs := command(t, dir, "", "hold", "add", "--subject", fmt.Sprintf("customer=%d", i), "--because", "race")
			if code != 0 {
				t.Errorf("exit %d: %s", code, errs)
			}
		})
	}
	wg.Wait()
	a := open(t, config(dir))
	defer a.Close()
	r, err := a.VerifyLedger(t.Context(), ledger.VerifyOptions{})
	if err != nil || !r.OK || r.Entries != 12 || r.Uncovered != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	holds, err := a.Holds.List(t.Context())
	if err != nil || len(holds) != 12 {
		t.Errorf("%d holds, %v", len(holds), err)
	}
}

// TestLongPath: a socket's address is short, a folder's path is not.
func TestLongPath(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("a/", 60))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	a := open(t, config(dir))
	defer a.Close()
	if code, _, errs := command(t, dir, "", "hold", "add", "--subject", "customer=1", "--because", "far"); code != 0 || a.Ledger.Size() != 1 {
		t.Errorf("exit %d: %s", code, errs)
	}
}

// TestConfigurationIsTakenIn by the next command; one under way keeps what it began with.
func TestConfigurationIsTakenIn(t *testing.T) {
	dir := t.TempDir()
	a := open(t, config(dir))
	defer a.Close()
	write := func(text string) {
		if err := os.WriteFile(filepath.Join(dir, "ombud.yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	old, release, err := a.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	write("organization: {name: New}\n")
	p, done, err := a.Acquire(t.Context())
	if err != nil || p == old || p.Catalog.Config().Organization.Name != "New" || old.Catalog.Config().Organization.Name != "" {
		t.Fatalf("%+v, %v", p.Catalog.Config().Organization, err)
	}
	done()
	write("organisation: typo\n")
	if _, _, err := a.Acquire(t.Context()); err == nil {
		t.Error("a configuration with a fault was taken in")
	}
}

// TestOwnerStops: commands of others end with their owner's context, and what follows finds a free directory.
func TestOwnerStops(t *testing.T) {
	dir := t.TempDir()
	ctx, stop := context.WithCancel(t.Context())
	a, err := app.Open(ctx, config(dir))
	if err != nil {
		t.Fatal(err)
	}
	ran := make(chan struct{})
	a.Go(nil, func(ctx context.Context, _ *app.Parts) { <-ctx.Done(); close(ran) })
	stop()
	<-ran
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := command(t, dir, "", "hold", "list"); code != 0 {
		t.Errorf("exit %d: %s", code, errs)
	}
}
