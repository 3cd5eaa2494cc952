package redis

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// supervise runs the server while its standard input stays open: however the test ends, the server ends with it.
const supervise = `"$@" </dev/null & server=$!
(read -r _; kill -9 $server) 2>/dev/null <&3 &
wait $server`

// server is a real Redis on a socket of its own, which can be killed and started again without its data.
type server struct {
	t    *testing.T
	dir  string
	hold *os.File
	cmd  *exec.Cmd
}

func newServer(t *testing.T) *server {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "redistest") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, dir: dir}
	t.Cleanup(func() { s.kill(); os.RemoveAll(dir) })
	return s
}

// start starts it and waits until it answers.
func (s *server) start() *server {
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
	c := s.client()
	for limit := time.After(20 * time.Second); c.Ping(context.Background()).Err() != nil; {
		select {
		case <-time.After(10 * time.Millisecond):
		case <-limit:
			s.t.Fatal("the private Redis does not answer")
		}
	}
	return s
}

// kill ends it as a power cut does.
func (s *server) kill() {
	if s.hold == nil {
		return
	}
	s.hold.Close()
	_ = s.cmd.Wait() // its exit tells nothing
	s.hold = nil
	os.Remove(s.socket())
}

func (s *server) socket() string { return filepath.Join(s.dir, "sock") }

func (s *server) client() *Client {
	s.t.Helper()
	c, err := Connect("unix://" + s.socket())
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { c.Close() })
	return c
}
