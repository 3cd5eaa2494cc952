// Package redistest starts real Redis servers for tests; each ends with its test.
package redistest

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// supervise runs the server while its standard input stays open: however the test ends, the server ends with it.
const supervise = `"$@" </dev/null & server=$!
(read -r _; kill -9 $server) 2>/dev/null <&3 &
wait $server`

// Server is a real Redis on a socket of its own, which can be killed and started again without its data.
type Server struct {
	t    *testing.T
	dir  string
	hold *os.File
	cmd  *exec.Cmd
}

// New prepares a server on a socket of its own; Start starts it.
func New(t *testing.T) *Server {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "redistest") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{t: t, dir: dir}
	t.Cleanup(func() { s.Kill(); os.RemoveAll(dir) })
	return s
}

// Start starts it and waits until it answers.
func (s *Server) Start() *Server {
	s.t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		s.t.Fatal("Redis is not installed: apt-get install redis-server")
	}
	read, hold, err := os.Pipe()
	if err != nil {
		s.t.Fatal(err)
	}
	defer read.Close()
	s.hold = hold
	s.cmd = exec.Command("/bin/sh", "-c", supervise, "redistest", path, "--port", "0", "--unixsocket", s.socket(), "--dir", s.dir,
		"--save", "", "--appendonly", "no", "--loglevel", "warning")
	s.cmd.ExtraFiles, s.cmd.SysProcAttr = []*os.File{read}, &syscall.SysProcAttr{Setpgid: true}
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	c := redis.NewClient(&redis.Options{Network: "unix", Addr: s.socket(), DisableIdentity: true})
	defer c.Close()
	for limit := time.After(time.Minute); c.Ping(context.Background()).Err() != nil; {
		select {
		case <-time.After(10 * time.Millisecond):
		case <-limit:
			s.t.Fatal("the private Redis does not answer")
		}
	}
	return s
}

// Kill ends it as a power cut does.
func (s *Server) Kill() {
	if s.hold == nil {
		return
	}
	s.hold.Close()
	_ = s.cmd.Wait() // its exit tells nothing
	s.hold = nil
	os.Remove(s.socket())
}

func (s *Server) socket() string { return filepath.Join(s.dir, "sock") }

// Address is what a client connects to.
func (s *Server) Address() string { return "unix://" + s.socket() }
