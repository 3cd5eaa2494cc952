package bench

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// process is a server that is measured from outside.
type process struct {
	cmd    *exec.Cmd
	addr   string
	socket string // of one that is profiled
}

var program struct {
	once sync.Once
	path string
	err  error
}

// binary builds the program that ships, once.
func binary(t testing.TB) string {
	t.Helper()
	program.once.Do(func() {
		program.path = os.Getenv("OMBUD_BENCH_BINARY")
		if program.path != "" {
			return
		}
		dir, err := os.MkdirTemp("", "ombud-bench-")
		if err != nil {
			program.err = err
			return
		}
		program.path = dir + "/ombud"
		var out []byte
		if out, program.err = exec.Command("go", "build", "-trimpath", "-o", program.path, "github.com/ombudhq/ombud/cmd/ombud").CombinedOutput(); program.err != nil {
			program.err = fmt.Errorf("%w: %s", program.err, out)
		}
	})
	if program.err != nil {
		t.Fatal(program.err)
	}
	return program.path
}

// serve starts the server and asks it once; took is the time until that was answered.
func (c *company) serve(t testing.TB) (p *process, took time.Duration) {
	t.Helper()
	path, begun := binary(t), time.Now()
	p = launch(t, exec.Command(path, "serve", "--data", c.data(), "-c", c.config(), "--listen", "127.0.0.1:0"))
	w, err := p.dial()
	if err != nil {
		t.Fatal(err)
	}
	defer w.c.Close()
	if _, err := w.ask(p.request(c, 1, c.questions(1, 1, 1)[0])); err != nil {
		t.Fatal(err)
	}
	return p, time.Since(begun)
}

// startBare starts the handler that only reads and answers.
func startBare(t testing.TB) *process {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"=bare")
	return launch(t, cmd)
}

// bare is that handler's process.
func bare() int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 1
	}
	fmt.Printf("http://%s/\n", l.Addr())
	buffers := sync.Pool{New: func() any { return new(bytes.Buffer) }}
	answer := []byte(`{"allowed":true,"basis":"consent","consent_id":"con_00000000000000000g00000001","reason":"consent","valid_until":null,"revision":1099511627777,"subject":"sub_00000000000000000g00000001"}` + "\n")
	_ = http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b := buffers.Get().(*bytes.Buffer)
		b.Reset()
		_, _ = b.ReadFrom(r.Body)
		buffers.Put(b)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(answer)
	}))
	return 0
}

var address = regexp.MustCompile(`http://([0-9.:]+)/`)

// launch starts a server and reads its address from what it prints first.
func launch(t testing.TB, cmd *exec.Cmd) *process {
	t.Helper()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{cmd: cmd}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if m := address.FindStringSubmatch(lines.Text()); m != nil {
			p.addr = m[1]
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return p
		}
	}
	t.Fatalf("%s did not serve: %s", cmd.Path, log.String())
	return nil
}

// stop ends it in order.
func (p *process) stop(t testing.TB) {
	t.Helper()
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	_ = p.cmd.Wait()
}

// cpu is the processor time the process has taken, to the nanosecond: user and system.
func (p *process) cpu() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(int32(^p.cmd.Process.Pid<<3|2), &ts); err != nil {
		return 0
	}
	return time.Duration(ts.Nano())
}

// settle waits until the server has done what a start leaves to do in the background, for five minutes at most.
func (p *process) settle() *process {
	for range 600 {
		before := p.cpu()
		<-time.After(500 * time.Millisecond)
		if p.cpu()-before < 25*time.Millisecond {
			break
		}
	}
	return p
}

func (p *process) rss(t testing.TB) int {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), "VmRSS:")
	kib, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return kib / 1024
}

// lap asks over 16 connections, and gives the server's processor time for each decision.
func (p *process) lap(name string, c *company, bodies [][]byte, size int) lap {
	return func(int) map[string]time.Duration {
		before := p.cpu()
		if err := p.ask(c, bodies, size, 16); err != nil {
			panic(err)
		}
		return map[string]time.Duration{name: (p.cpu() - before) / time.Duration(len(bodies)*size)}
	}
}

// ask sends every request, over so many connections.
func (p *process) ask(c *company, bodies [][]byte, size, connections int) error {
	requests := make([][]byte, len(bodies))
	for i, b := range bodies {
		requests[i] = p.request(c, size, b)
	}
	errs := make(chan error, connections)
	for k := range connections {
		go func() {
			w, err := p.dial()
			if err != nil {
				errs <- err
				return
			}
			defer w.c.Close()
			for i := k; i < len(requests) && err == nil; i += connections {
				_, err = w.ask(requests[i])
			}
			errs <- err
		}()
	}
	var failed error
	for range connections {
		if err := <-errs; err != nil {
			failed = err
		}
	}
	return failed
}

func (p *process) request(c *company, size int, body []byte) []byte {
	path := "/v1/decisions"
	if size > 1 {
		path += "/batch"
	}
	return fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", path, p.addr, c.key, len(body), body)
}

// wire is one connection that is kept.
type wire struct {
	c    net.Conn
	r    *bufio.Reader
	body []byte
}

func (p *process) dial() (*wire, error) {
	c, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", p.addr)
	if err != nil {
		return nil, err
	}
	return &wire{c: c, r: bufio.NewReaderSize(c, 64<<10)}, nil
}

// ask sends a request and reads the answer, which must say yes.
func (w *wire) ask(request []byte) ([]byte, error) {
	if _, err := w.c.Write(request); err != nil {
		return nil, err
	}
	length, status := 0, ""
	for {
		line, err := w.r.ReadSlice('\n')
		if err != nil {
			return nil, err
		}
		if status == "" {
			status = string(line[9:12])
		}
		if text := strings.TrimSpace(string(line)); text == "" {
			break
		} else if n, ok := strings.CutPrefix(text, "Content-Length: "); ok {
			length, _ = strconv.Atoi(n)
		}
	}
	if cap(w.body) < length {
		w.body = make([]byte, length)
	}
	w.body = w.body[:length]
	if _, err := io.ReadFull(w.r, w.body); err != nil {
		return nil, err
	}
	if status != "200" || !bytes.Contains(w.body, []byte(`"allowed":true`)) || bytes.Contains(w.body, []byte(`"allowed":false`)) {
		return nil, fmt.Errorf("answered %s: %.300s", status, w.body)
	}
	return w.body, nil
}
