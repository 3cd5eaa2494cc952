package bench

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// away is services in a process of their own, as services are: in ours, whoever answers would wait for its turn behind all that
// is still to be sent, and the moment a request comes would be that of its turn.
type away struct {
	urls  []string
	lines *bufio.Scanner
}

// servicesAway makes this test binary that process: "services N".
const servicesAway = "services "

// serveAway answers, and says when the first request of each n came, and when the last one did.
func serveAway(n int) int {
	var got atomic.Int64
	var saying sync.Mutex
	say := func(format string, args ...any) {
		saying.Lock()
		defer saying.Unlock()
		fmt.Printf(format+"\n", args...)
	}
	for range n {
		s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			at, nth := time.Now().UnixNano(), got.Add(1)%int64(n)
			if nth == 1 {
				say("first %d", at)
			}
			_, _ = io.Copy(io.Discard, r.Body)
			if nth == 0 {
				say("all")
			}
		}))
		say("%s", s.URL)
	}
	_, _ = io.Copy(io.Discard, os.Stdin) // until nobody measures any more
	return 0
}

func startAway(t *testing.T, n int) *away {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+servicesAway+strconv.Itoa(n))
	cmd.Stderr = os.Stderr
	end, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = end.Close(); _ = cmd.Wait() })
	a := &away{lines: bufio.NewScanner(out)}
	for range n {
		a.lines.Scan()
		a.urls = append(a.urls, a.lines.Text())
	}
	return a
}

// first waits until all have got what was sent, and gives when the first of them did.
func (a *away) first(t *testing.T) (at time.Time) {
	t.Helper()
	for a.lines.Scan() {
		if a.lines.Text() == "all" {
			return at
		}
		nanos, err := strconv.ParseInt(strings.TrimPrefix(a.lines.Text(), "first "), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		at = time.Unix(0, nanos)
	}
	t.Fatal("the services ended")
	return at
}
