// Package baotest starts a real OpenBao for tests; it ends with its test.
package baotest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/ombudhq/ombud/internal/testkit/port"
)

// supervise runs the server while its standard input stays open: however the test ends, the server ends with it.
const supervise = `"$@" </dev/null >/dev/null 2>&1 & server=$!
(read -r _; kill -9 $server) 2>/dev/null <&3 &
wait $server`

// Token lets in as the one who may do everything.
const Token = "root-of-this-test"

// Server is an OpenBao that keeps everything in memory, with the transit engine at transit.
type Server struct {
	Address string
	t       *testing.T
}

// Start starts one and waits until it answers. It is skipped where there is no bao, which scripts/tools fetches.
func Start(t *testing.T) *Server {
	t.Helper()
	bao := program(t)
	at := port.Free(t)
	s := &Server{"http://" + at, t}
	read, hold, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	cmd := exec.Command("/bin/sh", "-c", supervise, "baotest", bao, "server", "-dev", "-dev-no-store-token",
		"-dev-root-token-id="+Token, "-dev-listen-address="+at)
	cmd.ExtraFiles, cmd.SysProcAttr = []*os.File{read}, &syscall.SysProcAttr{Setpgid: true}
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { hold.Close(); _ = cmd.Wait() }) // its exit tells nothing
	for limit := time.After(60 * time.Second); !s.up(); {
		select {
		case <-time.After(20 * time.Millisecond):
		case <-limit:
			t.Fatal("the private OpenBao does not answer")
		}
	}
	s.Do("POST", "sys/mounts/transit", map[string]any{"type": "transit"})
	return s
}

func program(t *testing.T) string {
	if path, err := exec.LookPath("bao"); err == nil {
		return path
	}
	for dir, _ := os.Getwd(); dir != "/"; dir = filepath.Dir(dir) {
		if path := filepath.Join(dir, ".cache", "bin", "bao"); executable(path) {
			return path
		}
	}
	t.Skip("there is no bao here: make tools fetches it")
	return ""
}

func executable(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.Mode()&0o111 != 0
}

func (s *Server) up() bool {
	res, err := http.Get(s.Address + "/v1/sys/health")
	if err != nil {
		return false
	}
	res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// Do asks the server for something as its administrator, and gives the data of the answer.
func (s *Server) Do(method, what string, in any) map[string]any {
	s.t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		s.t.Fatal(err)
	}
	req, err := http.NewRequest(method, s.Address+"/v1/"+what, bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("X-Vault-Token", Token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	var out map[string]any
	_ = json.NewDecoder(res.Body).Decode(&out) // some answers are empty
	if res.StatusCode >= 300 {
		s.t.Fatalf("%s %s: %d %v", method, what, res.StatusCode, out)
	}
	return out
}
