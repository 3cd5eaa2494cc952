package bench

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// measureRedis asks a hundred decisions of one request, and a hundred values of one MGET, over one kept connection each.
func measureRedis(t *testing.T, r *report, c *company, p *process, z size) {
	path, err := exec.LookPath("redis-server")
	if err != nil {
		r.add("batch of 100 against MGET of 100", "redis", "", "", "", "", "at least 1x", "NOT MEASURED: no redis-server")
		return
	}
	socket := filepath.Join(t.TempDir(), "s")
	cmd := exec.Command(path, "--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no", "--dir", filepath.Dir(socket))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	redis := dialRedis(t, socket)
	defer redis.c.Close()
	redis.fill(t, c.people)
	w, err := p.dial()
	if err != nil {
		t.Fatal(err)
	}
	defer w.c.Close()
	const n = 500
	bodies := c.questions(c.people, n, 100)
	requests, gets := make([][]byte, n), redis.gets(c, n)
	for i, b := range bodies {
		requests[i] = p.request(c, 100, b)
	}
	took := func(name string, ask func(i int) error) lap {
		return func(int) map[string]time.Duration {
			begun := time.Now()
			for i := range n {
				if err := ask(i); err != nil {
					panic(err)
				}
			}
			return map[string]time.Duration{name: time.Since(begun) / (n * 100)}
		}
	}
	got := takeTurns(z.rounds, took("batch", func(i int) error { _, err := w.ask(requests[i]); return err }),
		took("mget", func(i int) error { return redis.get(gets[i]) }))
	r.faster("batch of 100 against MGET of 100, until answered", "redis", got["batch"], got["mget"], 1)
}

// redis is a client that reads every value as text, and no more.
type redis struct {
	c net.Conn
	r *bufio.Reader
	// values are the last answer, as a client would hand it out.
	values []string
}

func dialRedis(t testing.TB, socket string) *redis {
	t.Helper()
	for range 500 {
		if c, err := net.Dial("unix", socket); err == nil {
			return &redis{c: c, r: bufio.NewReaderSize(c, 64<<10)}
		}
		<-time.After(10 * time.Millisecond)
	}
	t.Fatal("redis does not answer")
	return nil
}

func redisKey(person, purpose int) string {
	return fmt.Sprintf("consent:%s:%d", email(person), purpose)
}

func bulk(b []byte, s string) []byte {
	b = strconv.AppendInt(append(b, '$'), int64(len(s)), 10)
	return append(append(append(b, '\r', '\n'), s...), '\r', '\n')
}

func (x *redis) fill(t testing.TB, people int) {
	t.Helper()
	for i := range people {
		b := fmt.Appendf(nil, "*%d\r\n", 1+2*purposes)
		b = bulk(b, "MSET")
		for k := range purposes {
			b = bulk(bulk(b, redisKey(i, k)), fmt.Sprintf(`{"allowed":true,"revision":%d}`, 1<<40+i))
		}
		if _, err := x.c.Write(b); err != nil {
			t.Fatal(err)
		}
		if line, err := x.r.ReadString('\n'); err != nil || line != "+OK\r\n" {
			t.Fatal(line, err)
		}
	}
}

func (x *redis) gets(c *company, n int) [][]byte {
	d, out := dice(), make([][]byte, n)
	for i := range out {
		out[i] = bulk(append(out[i], "*101\r\n"...), "MGET")
		for range 100 {
			out[i] = bulk(out[i], redisKey(d.IntN(c.people), d.IntN(purposes)))
		}
	}
	return out
}

func (x *redis) get(command []byte) error {
	if _, err := x.c.Write(command); err != nil {
		return err
	}
	if _, err := x.r.ReadSlice('\n'); err != nil {
		return err
	}
	values := make([]string, 0, 100)
	for range 100 {
		line, err := x.r.ReadSlice('\n')
		if err != nil || len(line) < 4 || line[1] == '-' {
			return fmt.Errorf("no value: %q, %w", line, err)
		}
		n, _ := strconv.Atoi(string(line[1 : len(line)-2]))
		value := make([]byte, n+2)
		if _, err := io.ReadFull(x.r, value); err != nil {
			return err
		}
		values = append(values, string(value[:n]))
	}
	x.values = values
	return nil
}
