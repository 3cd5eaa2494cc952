package bench

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/pprof"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/ombudhq/ombud/app"
	"github.com/ombudhq/ombud/cli"
)

// profiled is what childEnv says of a process that is the program that ships, and tells where its processor time goes: whoever
// connects to this socket begins a profile, and gets it after closing the side that writes.
const profiled = "profiled "

// samplesASecond is what is asked for; the system may give fewer.
const samplesASecond = 1000

func serveProfiled(socket string) int {
	l, err := net.Listen("unix", socket)
	if err != nil {
		return 1
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			runtime.SetCPUProfileRate(samplesASecond) // the next call then says that it cannot set its own
			if pprof.StartCPUProfile(conn) == nil {
				_, _ = io.Copy(io.Discard, conn)
				pprof.StopCPUProfile()
			}
			_ = conn.Close()
		}
	}()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	env, err := cli.System()
	if err != nil {
		return 6
	}
	return cli.Run(ctx, env, app.Program(app.Options{Version: "bench"}))
}

// serveProfiled starts the server so that its processor time can be told apart.
func (c *company) serveProfiled(t testing.TB) *process {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "profile")
	cmd := exec.Command(os.Args[0], "serve", "--data", c.data(), "-c", c.config(), "--listen", "127.0.0.1:0")
	cmd.Env = append(os.Environ(), childEnv+"="+profiled+socket)
	p := launch(t, cmd)
	p.socket = socket
	return p
}

// apart gives the processor time of the server while fn runs: what the functions had that a pattern names, with all that they
// called, and the rest.
func (p *process) apart(pattern string, fn func()) (theirs, rest time.Duration) {
	file := p.socket + ".pprof"
	conn, err := net.Dial("unix", p.socket)
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	before := p.cpu()
	fn()
	took := p.cpu() - before
	if err := conn.(*net.UnixConn).CloseWrite(); err != nil {
		panic(err)
	}
	out, err := os.Create(file)
	if err != nil {
		panic(err)
	}
	if _, err := io.Copy(out, conn); err != nil {
		panic(err)
	}
	if err := out.Close(); err != nil {
		panic(err)
	}
	theirs = time.Duration(float64(took) * share(file, pattern))
	return theirs, took - theirs
}

var accounted = regexp.MustCompile(`accounting for [^,]+, ([0-9.]+)% of`)

// share is what part of a profile has a function on its stack that the pattern names.
func share(file, pattern string) float64 {
	text, err := exec.Command("go", "tool", "pprof", "-top", "-nodecount=1000000", "-nodefraction=0", "-focus="+pattern, os.Args[0], file).CombinedOutput()
	m := accounted.FindSubmatch(text)
	if err != nil || m == nil {
		panic(fmt.Sprintf("%v: %s", err, text))
	}
	percent, err := strconv.ParseFloat(string(m[1]), 64)
	if err != nil {
		panic(err)
	}
	return percent / 100
}
