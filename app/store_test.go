package app_test

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ombudhq/ombud/app"
	"github.com/ombudhq/ombud/cli"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/testkit/pgtest"
	"github.com/ombudhq/ombud/internal/testkit/storetest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// walked is what an erasure from the first look to the audit came to, apart from ids and times.
type walked struct {
	Codes  []int
	Status string
	Done   []struct {
		System, Dataset, Method string
		Planned, Acted          int
	}
	Kept, Remaining []struct{ System, Dataset string }
	Left            int
	Entries         int
}

// walk erases Ida, with a hold that comes and goes, on the own store at an address.
func walk(t *testing.T, store string) (w walked) {
	dir := t.TempDir()
	company := shop(t, dir)
	run := func(into any, args ...string) {
		t.Helper()
		code, out, errs := command(t, dir, "", append(args, "--store", store, "--json")...)
		w.Codes = append(w.Codes, code)
		if strings.Contains(out+errs, "postgres") && strings.Contains(out+errs, "host=") {
			t.Errorf("%v tells the address: %s%s", args, out, errs)
		}
		if err := json.Unmarshal([]byte(out), into); err != nil {
			t.Fatalf("%v: exit %d: %s%s", args, code, out, errs)
		}
	}
	var planned struct{ Request, Hash string }
	var any map[string]any
	run(&any, "hold", "add", "--subject", "email=ida@example.com", "--because", "a claim")
	run(&planned, "dsr", "plan", "--kind", "erasure", "--subject", "email=ida@example.com")
	run(&any, "hold", "release", "--subject", "email=ida@example.com")
	run(&planned, "dsr", "plan", "--kind", "erasure", "--subject", "email=ida@example.com")
	run(&w, "dsr", "run", planned.Request, "--approve", planned.Hash)
	run(&any, "verify", "erasure", planned.Request)
	run(&any, "dsr", "list")
	run(&w, "audit", "verify")
	run(&any, "audit", "tail")
	if err := company.QueryRow("select (select count(*) from customers) + (select count(*) from addresses)").Scan(&w.Left); err != nil {
		t.Error(err)
	}
	return w
}

// The same walk ends the same on both engines.
func TestErasureOnEitherStore(t *testing.T) {
	t.Setenv("OMBUD_TEST_STORE", pgtest.DSN(t))
	onFile, onServer := walk(t, storetest.Address(t, storetest.SQLite)), walk(t, "${OMBUD_TEST_STORE}")
	if diff := cmp.Diff(onFile, onServer); diff != "" {
		t.Error(diff)
	}
	if onServer.Status != "complete" || onServer.Left != 2 || onServer.Entries < 4 {
		t.Errorf("%+v", onServer)
	}
}

func TestStoreIsInUse(t *testing.T) {
	dir, other, store := t.TempDir(), t.TempDir(), pgtest.DSN(t)
	c := config(dir)
	c.Store = store
	a := open(t, c)
	defer a.Close()
	code, _, errs := command(t, other, "", "hold", "list", "--store", store)
	if code != 6 || !strings.Contains(errs, "in use by ombud on") || strings.Contains(errs, "postgres://") {
		t.Errorf("exit %d: %s", code, errs)
	}
	code, out, errs := command(t, dir, "", "doctor", "--store", store) // by the owner
	if code != 1 || !strings.Contains(out, "PostgreSQL") || !strings.Contains(out, "fsync = off") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	for _, bad := range []string{"${OMBUD_NOT_SET}", "mysql://a:s3cret@b/c", "postgres://a:s3cret@b:none/c"} {
		if code, _, errs := command(t, other, "", "hold", "list", "--store", bad); code != 2 || strings.Contains(errs, "s3cret") {
			t.Errorf("%s: exit %d: %s", bad, code, errs)
		}
	}
}

// A server that lost its store ends: another may have it by now, and what is in memory may be old.
func TestServeEndsWithItsStore(t *testing.T) {
	dir, store := t.TempDir(), pgtest.DSN(t)
	place := cli.Place{Data: filepath.Join(dir, "ombud-data"), Config: filepath.Join(dir, "ombud.yaml"), Store: store, Command: "ombud test"}
	ready, done := make(chan string, 1), make(chan error, 1)
	go func() {
		done <- app.Program(app.Options{Version: "test"}).Serve(t.Context(), place, cli.ServeOptions{
			Listen: "127.0.0.1:0", Actor: "local:ida", Ready: func(u string) { ready <- u }, Log: t.Output(),
		})
	}()
	select {
	case <-ready:
	case err := <-done:
		t.Fatal(err)
	}
	u, err := url.Parse(store)
	if err != nil {
		t.Fatal(err)
	}
	pgtest.Exec(t, store, "select pg_terminate_backend(pid, 60000) from pg_stat_activity where pid <> pg_backend_pid() and datname = '"+strings.Trim(u.Path, "/")+"'")
	err = <-done // unknown, where something was just being committed
	if fault.ExitCode(err) != 6 || !strings.Contains(err.Error(), "own store was lost") && !strings.Contains(err.Error(), "whether the last change is kept is unknown") {
		t.Errorf("it ended with %v", err)
	}
}
