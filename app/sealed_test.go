package app_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"filippo.io/age"

	"github.com/ombudhq/ombud/app"
	"github.com/ombudhq/ombud/cli"
	"github.com/ombudhq/ombud/internal/testkit/port"
	"github.com/ombudhq/ombud/vault"
)

const phrase = "a dozen plums, and a pear"

// sealedShop is a company whose root key is sealed by phrase.
func sealedShop(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	shop(t, dir)
	typed(t, dir, phrase+"\n", 0, "", "vault", "seal")
	return dir
}

// seen is a log that tells when a word was written into it.
type seen struct {
	lines
	word string
	once sync.Once
	done chan struct{}
}

func (s *seen) Write(p []byte) (int, error) {
	n, err := s.lines.Write(p)
	if strings.Contains(s.lines.String(), s.word) {
		s.once.Do(func() { close(s.done) })
	}
	return n, err
}

// waiting is a serve that waits for its passphrase, and what its Ready was given.
func waiting(t *testing.T, dir string) (s *server, ready chan string) {
	t.Helper()
	at := port.Free(t)
	ctx, cancel := context.WithCancel(t.Context())
	log, ended := &seen{word: "the root key is sealed", done: make(chan struct{})}, make(chan error, 1)
	ready = make(chan string, 1)
	go func() {
		place := cli.Place{Data: filepath.Join(dir, "ombud-data"), Config: filepath.Join(dir, "ombud.yaml"), Command: "ombud serve"}
		ended <- app.Program(app.Options{Version: "test"}).Serve(ctx, place, cli.ServeOptions{Listen: at, Actor: "local:ida", Log: log, Ready: func(u string) { ready <- u }})
	}()
	s = &server{t: t, base: "http://" + at, log: &log.lines, stop: func() error { cancel(); return <-ended }}
	select {
	case <-log.done:
	case err := <-ended:
		t.Fatal(err)
	}
	return s, ready
}

// TestSealedServer: until its passphrase comes, a server says that it lives and is sealed, and answers nothing else; wrong ones
// are refused and stand in the log afterwards; the right one opens everything at the same address.
func TestSealedServer(t *testing.T) {
	dir := sealedShop(t)
	s, ready := waiting(t, dir)
	defer func() { must(t, s.stop()) }()
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 503, "/v1/purposes": 503, "/": 503, "/sign-in": 503, "/metrics": 503, "/assets/x.css": 503} {
		code, h, body := s.do("GET", path, "")
		if s.want(path, code, want); path == "/readyz" && body != `{"status":"sealed"}`+"\n" || want == 503 && path != "/readyz" && (!strings.Contains(body, "sealed") || h.Get("Retry-After") == "") {
			t.Errorf("%s: %s", path, body)
		}
	}
	code, _, body := s.do("POST", "/v1/decisions", "{}")
	if s.problem("a decision", body, "unavailable", code, 503); !strings.Contains(body, "ombud vault unseal") {
		t.Errorf("%s", body)
	}
	if _, out, errs := command(t, dir, "", "audit", "tail"); !strings.Contains(out+errs, "ombud vault unseal") {
		t.Errorf("a command: %s%s", out, errs)
	}
	typed(t, dir, "", 4, "", "audit", "tail")
	var owned *cli.Owned
	if _, err := app.Open(t.Context(), config(dir)); !errors.As(err, &owned) {
		t.Errorf("another owner: %v", err)
	}
	typed(t, dir, phrase+"!\n", 3, "", "vault", "unseal")
	typed(t, dir, "\n", 2, "", "vault", "unseal")
	typed(t, dir, phrase+"\n", 0, "", "vault", "unseal")
	if u := <-ready; !strings.HasPrefix(u, s.base) {
		t.Errorf("it is at %s then, and was at %s", u, s.base)
	}
	if code, _, _ := s.do("GET", "/sign-in", ""); code == 503 {
		t.Error("it is still sealed")
	}
	typed(t, dir, phrase+"\n", 3, "", "vault", "unseal")
	_, out, _ := command(t, dir, "", "audit", "tail", "--kind", "vault.unsealed", "--json")
	if strings.Count(out, `"vault.unsealed"`) != 1 || !strings.Contains(out, `"wrong": 1`) || !strings.Contains(out, `"by": "local:`) {
		t.Errorf("the log: %s", out)
	}
	wantNoPhrase(t, dir, s.log.String()+out)
}

// wantNoPhrase: the passphrase stands in no file and in nothing that was said.
func wantNoPhrase(t *testing.T, dir, said string) {
	t.Helper()
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte(phrase)) {
			t.Errorf("%s holds the passphrase", path)
		}
		return err
	}))
	if strings.Contains(said, phrase) {
		t.Error("the passphrase was said")
	}
}

// TestPassphraseGuesses: of many wrong passphrases at once five are looked at; then none is, right or wrong, also after a restart.
func TestPassphraseGuesses(t *testing.T) {
	dir := sealedShop(t)
	s, _ := waiting(t, dir)
	var mu sync.Mutex
	var all sync.WaitGroup
	codes := map[int]int{}
	for range 40 {
		all.Go(func() {
			code, _, _ := command(t, dir, "wrong, and wrong again\n", "vault", "unseal")
			mu.Lock()
			defer mu.Unlock()
			codes[code]++
		})
	}
	all.Wait()
	if codes[3] != 5 || codes[6] != 35 {
		t.Errorf("exit codes: %v", codes)
	}
	typed(t, dir, phrase+"\n", 6, "", "vault", "unseal")
	if err := s.stop(); err == nil {
		t.Error("it stopped as if it had been open")
	}
	again, _ := waiting(t, dir)
	typed(t, dir, phrase+"\n", 6, "", "vault", "unseal")
	_ = again.stop() // sealed to the end
}

// withPassphrase runs a command in an environment that names a file with a passphrase.
func withPassphrase(t *testing.T, dir, passphrase string, args ...string) (code int, said string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "passphrase")
	must(t, os.WriteFile(file, []byte(passphrase+"\n"), 0o600))
	var out bytes.Buffer
	env := cli.Env{Args: args, Dir: dir, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out, User: "ida", PassphraseFile: file}
	return cli.Run(t.Context(), env, app.Program(app.Options{Version: "test"})), out.String()
}

// TestPassphraseFile: commands open a sealed root key by the file that the environment names; a wrong one is refused and
// stands in the log, sealed keys rotate, go into a backup and come back sealed.
func TestPassphraseFile(t *testing.T) {
	dir := sealedShop(t)
	if code, out, errs := command(t, dir, "", "audit", "tail"); code != 4 || !strings.Contains(out+errs, "OMBUD_PASSPHRASE_FILE") {
		t.Errorf("without a passphrase: exit %d: %s%s", code, out, errs)
	}
	if code, said := withPassphrase(t, dir, "another one, and wrong", "audit", "tail"); code != 3 {
		t.Errorf("a wrong one: exit %d: %s", code, said)
	}
	for _, c := range [][]string{
		{"vault", "rotate", "--root"}, {"vault", "rotate"},
		{"audit", "verify"}, {"vault", "list"}, {"audit", "tail", "--kind", "vault.guessed"},
	} {
		code, said := withPassphrase(t, dir, phrase, c...)
		if code != 0 || c[1] == "list" && !strings.Contains(said, "sealed by a passphrase") || c[len(c)-1] == "vault.guessed" && !strings.Contains(said, "vault.guessed") {
			t.Errorf("%v: exit %d: %s", c, code, said)
		}
	}
	restored(t, dir)
	s, ready := serveWith(t, dir)
	if <-ready; s.stop() != nil {
		t.Error("it did not stop as it should")
	}
	if code, said := withPassphrase(t, dir, phrase, "vault", "seal", "--remove"); code != 0 {
		t.Errorf("leaving it open: exit %d: %s", code, said)
	}
	typed(t, dir, "", 0, "", "audit", "tail")
	wantNoPhrase(t, dir, "")
}

// restored brings sealed keys back into another folder: with the passphrase, and not without.
func restored(t *testing.T, dir string) {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "identity"), []byte(id.String()+"\n"), 0o600))
	back := []string{"vault", "restore", "r.ombud-keys", "--identity", "identity", "--data", "other"}
	if code, said := withPassphrase(t, dir, phrase, "vault", "backup", "--to", "r.ombud-keys", "--recipient", id.Recipient().String()); code != 0 {
		t.Fatal(said)
	}
	typed(t, dir, "", 4, "", back...)
	if code, said := withPassphrase(t, dir, phrase+"?", back...); code != 3 {
		t.Errorf("with a wrong one: exit %d: %s", code, said)
	}
	if code, said := withPassphrase(t, dir, phrase, back...); code != 0 {
		t.Errorf("exit %d: %s", code, said)
	}
	if is, err := vault.Sealed(vault.Config{Dir: filepath.Join(dir, "other", "keys")}); !is || err != nil {
		t.Errorf("they came back open: %v", err)
	}
}

// serveWith serves with the passphrase in a file.
func serveWith(t *testing.T, dir string) (s *server, ready chan string) {
	ctx, cancel := context.WithCancel(t.Context())
	ready, log, ended := make(chan string, 1), &lines{}, make(chan error, 1)
	go func() {
		place := cli.Place{Data: filepath.Join(dir, "ombud-data"), Config: filepath.Join(dir, "ombud.yaml"), Command: "ombud serve", Passphrase: func() ([]byte, error) { return []byte(phrase), nil }}
		err := app.Program(app.Options{Version: "test"}).Serve(ctx, place, cli.ServeOptions{Listen: "127.0.0.1:0", Actor: "local:ida", Log: log, Ready: func(u string) { ready <- u }})
		close(ready)
		ended <- err
	}()
	return &server{t: t, log: log, stop: func() error { cancel(); return <-ended }}, ready
}
