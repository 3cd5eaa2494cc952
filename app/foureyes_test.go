package app_test

import (
	"encoding/base32"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/app"
	"github.com/ombudhq/ombud/internal/testkit/consoletest"
	"github.com/ombudhq/ombud/ledger"
)

// staff makes two data protection officers, and gives what each types on standard input.
func staff(t *testing.T, dir string) (kari, ola func() string) {
	t.Helper()
	a := open(t, config(dir))
	enrol := func(name string, role access.Role, by access.Caller) (access.Caller, func() string) {
		_, _, err := a.Accounts.Create(t.Context(), access.NewAccount{Name: name, Role: role, Password: consoletest.Password, By: by})
		must(t, err)
		half, err := a.Accounts.SignIn(t.Context(), name, consoletest.Password, "192.0.2.1")
		must(t, err)
		c, _ := a.Accounts.Visit(half.Token, true)
		en, _ := a.Accounts.Enrolment(t.Context(), c)
		secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(en.Secret)
		must(t, err)
		in, _, err := a.Accounts.ConfirmFactor(t.Context(), c, consoletest.Code(secret, time.Now()))
		must(t, err)
		c, _ = a.Accounts.Visit(in.Token, true)
		return c, func() string {
			return consoletest.Password + "\n" + consoletest.Code(secret, time.Now().Add(30*time.Second)) + "\n"
		}
	}
	admin, _ := enrol("admin", access.Admin, access.Caller{Actor: "local:ida", Role: access.Local})
	_, kari = enrol("kari", access.Officer, admin)
	_, ola = enrol("ola", access.Officer, admin)
	must(t, a.Close())
	return kari, ola
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// typed runs a command line, wants an exit code, and gives one word of what it answers.
func typed(t *testing.T, dir, stdin string, want int, word string, args ...string) string {
	t.Helper()
	code, out, errs := command(t, dir, stdin, append(args, "--json")...)
	if code != want {
		t.Fatalf("%s: exit %d, want %d: %s%s", strings.Join(args[:2], " "), code, want, out, errs)
	}
	var got map[string]any
	if word == "" || json.Unmarshal([]byte(out), &got) != nil {
		return ""
	}
	said, _ := got[word].(string)
	return said
}

// TestMassTakesTwoAccounts: who is at the machine is neither of the two, whoever that may be; nor is it where a restored system is
// erased in again.
func TestMassTakesTwoAccounts(t *testing.T) {
	dir := t.TempDir()
	db := shop(t, dir)
	kari, ola := staff(t, dir)
	must(t, os.WriteFile(filepath.Join(dir, "people"), []byte("email=ida@example.com\nemail=jon@example.com\n"), 0o600))
	hash := typed(t, dir, "", 0, "hash", "dsr", "plan", "--kind", "erasure", "--subject", "@people")
	run := []string{"dsr", "run", "R-" + time.Now().UTC().Format("2006") + "-0001", "--approve", hash}
	typed(t, dir, "", 3, "", run...)
	typed(t, dir, "wrong\n000000\n", 3, "", append(run, "--name", "kari")...)
	typed(t, dir, kari(), 4, "", append(run, "--name", "kari")...)
	typed(t, dir, kari(), 3, "", append(run, "--name", "kari")...)
	if got := typed(t, dir, ola(), 0, "status", append(run, "--name", "ola")...); got != "complete" {
		t.Errorf("by two: %s", got)
	}
	if by := actors(t, dir, "request.approved", "request.completed"); len(by) != 3 || by[0] == by[1] || by[2] != "ombud" {
		t.Errorf("%v", by)
	}
	_, err := db.Exec("INSERT INTO customers VALUES (1, 'ida@example.com'), (2, 'jon@example.com')") // from a backup
	must(t, err)
	hash = typed(t, dir, "", 4, "hash", "replay-erasures", "--system", "shop")
	run = []string{"replay-erasures", "--system", "shop", "--approve", hash}
	if _, out, errs := command(t, dir, "", run...); !strings.Contains(errs, hash+" --name N") {
		t.Errorf("by whom it is done again, it does not say: %s%s", out, errs)
	}
	typed(t, dir, kari(), 4, "", append(run, "--name", "kari")...)
	if got := typed(t, dir, ola(), 0, "status", append(run, "--name", "ola")...); got != "complete" {
		t.Errorf("done again by two: %s", got)
	}
}

// TestWhoAPseudonymIs: one account asks, another approves, then it is shown to the first, once; each is an entry.
func TestWhoAPseudonymIs(t *testing.T) {
	s, dir := consenting(t)
	_, key := newKey(t, dir, "service")
	s.as(key, "POST", "/consents", strings.Replace(saysYes, "%s", "", 1))
	s.stop()
	kari, ola := staff(t, dir)
	psn := typed(t, dir, "", 0, "pseudonym", "pseudonym", "make", "--context", "analytics", "--subject", "email=ida@example.com")
	typed(t, dir, "", 3, "", "pseudonym", "ask", psn, "--because", "a court asks for it")
	res := typed(t, dir, kari(), 0, "id", "pseudonym", "ask", psn, "--because", "a court asks for it", "--name", "kari")
	typed(t, dir, kari(), 4, "", "pseudonym", "reveal", res, "--name", "kari")
	typed(t, dir, kari(), 3, "", "pseudonym", "approve", res, "--name", "kari")
	typed(t, dir, "", 3, "", "pseudonym", "approve", res)
	typed(t, dir, ola(), 0, "", "pseudonym", "approve", res, "--name", "ola")
	typed(t, dir, ola(), 3, "", "pseudonym", "reveal", res, "--name", "ola")
	if code, out, _ := command(t, dir, kari(), "pseudonym", "reveal", res, "--name", "kari"); code != 0 || !strings.Contains(out, "ida@example.com") {
		t.Errorf("exit %d", code)
	}
	typed(t, dir, kari(), 3, "", "pseudonym", "reveal", res, "--name", "kari")
	by := actors(t, dir, "pseudonym.asked", "pseudonym.approved", "pseudonym.revealed")
	if len(by) != 3 || by[0] != by[2] || by[0] == by[1] || !access.IsAccount(by[1]) {
		t.Errorf("%v", by)
	}
}

// actors are who stands in the entries of these kinds, in order.
func actors(t *testing.T, dir string, kinds ...string) (by []string) {
	t.Helper()
	a := open(t, config(dir))
	defer func(a *app.App) { must(t, a.Close()) }(a)
	rows, err := a.Ledger.Tail(t.Context(), 1000, ledger.TailOptions{})
	must(t, err)
	for _, r := range rows {
		for _, kind := range kinds {
			if r.Kind == kind {
				by = append(by, r.Actor)
			}
		}
	}
	return by
}
