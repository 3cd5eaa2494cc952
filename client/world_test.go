package client_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ombudhq/ombud/app"
	"github.com/ombudhq/ombud/cli"
	"github.com/ombudhq/ombud/client"
	"github.com/ombudhq/ombud/internal/testkit/port"
	"github.com/ombudhq/ombud/internal/testkit/wait"
)

const yaml = `organization: {name: Fjordly AS, jurisdictions: [eu]}
purposes:
  - id: letters
    basis: consent
    categories: [contact, usage]
    fields: [{name: name, because: salutation}, {name: address.city, because: offers nearby}]
    notices: [{id: letters, version: "3", language: en, text: "Send me trips and offers"}]
  - {id: orders, basis: contract, categories: [contact]}
`

// server is a running ombud serve on a folder.
type server struct {
	t    *testing.T
	dir  string
	base string
	stop func()
}

func serve(t *testing.T, config string) *server {
	t.Helper()
	s := &server{t: t, dir: t.TempDir(), base: "http://" + port.Free(t), stop: func() {}}
	s.configure(config)
	s.start()
	t.Cleanup(func() { s.stop() })
	return s
}

func (s *server) configure(config string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, "ombud.yaml"), []byte(config), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// start starts it, at the same address again.
func (s *server) start() {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan string, 1), make(chan error, 1)
	go func() {
		place := cli.Place{Data: filepath.Join(s.dir, "ombud-data"), Config: filepath.Join(s.dir, "ombud.yaml"), Command: "ombud serve"}
		o := cli.ServeOptions{Listen: strings.TrimPrefix(s.base, "http://"), Actor: "local:ida", Log: io.Discard, Ready: func(u string) { ready <- u }}
		ended <- app.Program(app.Options{Version: "test"}).Serve(ctx, place, o)
	}()
	s.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			s.t.Error(err)
		}
	})
	select {
	case u := <-ready:
		s.base, _, _ = strings.Cut(u, "/?token=")
	case err := <-ended:
		s.t.Fatal(err)
	}
}

// command runs ombud on its folder.
func (s *server) command(args ...string) string {
	s.t.Helper()
	var out, errs bytes.Buffer
	env := cli.Env{Args: args, Dir: s.dir, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, User: "ida"}
	if code := cli.Run(s.t.Context(), env, app.Program(app.Options{Version: "test"})); code != 0 {
		s.t.Fatalf("exit %d: %s", code, errs.String())
	}
	return out.String()
}

func (s *server) key() (id, key string) {
	s.t.Helper()
	var k struct{ ID, Key string }
	if err := json.Unmarshal([]byte(s.command("key", "create", "--name", "checkout", "--role", "service", "--json")), &k); err != nil {
		s.t.Fatal(err)
	}
	return k.ID, k.Key
}

// client makes a client with a line of its own. cfg may bring a clock, a key and limits. A busy machine may take its time to
// answer.
func (s *server) client(cfg client.Config) (*client.Client, *line) {
	s.t.Helper()
	if cfg.Key == "" {
		_, cfg.Key = s.key()
	}
	cfg.Timeout = cmp.Or(cfg.Timeout, time.Minute)
	l := newLine()
	cfg.URL, cfg.HTTPClient = s.base, &http.Client{Transport: l}
	c, err := client.New(cfg)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { l.cut(); _ = c.Close() }) // a test that is done asks nothing more
	wait.Until(s.t, "the stream is heard", c.Fresh)
	return c, l
}

// line lies between a client and the server. It can be cut, and stall; it counts questions, and can hold answers back.
type line struct {
	http.RoundTripper
	asked, written atomic.Int64
	after          atomic.Pointer[func(path string) error]              // what happens between an answer and its arrival
	instead        atomic.Pointer[func(r *http.Request) *http.Response] // answers in place of the server, unless nil
	mu             sync.Mutex
	dead           bool
	stalled, mute  chan struct{} // closed while all arrives, and the stream
	conns          map[net.Conn]bool
}

func newLine() *line {
	l := &line{conns: map[net.Conn]bool{}, stalled: make(chan struct{}), mute: make(chan struct{})}
	close(l.stalled)
	close(l.mute)
	l.RoundTripper = &http.Transport{DialContext: l.dial, MaxIdleConnsPerHost: 16}
	return l
}

func (l *line) RoundTrip(r *http.Request) (*http.Response, error) {
	switch {
	case strings.HasPrefix(r.URL.Path, "/v1/decisions"):
		l.asked.Add(1)
	case strings.HasPrefix(r.URL.Path, "/v1/consents"):
		l.written.Add(1)
	}
	if fn := l.instead.Load(); fn != nil {
		if resp := (*fn)(r); resp != nil {
			return resp, nil
		}
	}
	resp, err := l.RoundTripper.RoundTrip(r)
	if fn := l.after.Load(); fn != nil && err == nil {
		if err := (*fn)(r.URL.Path); err != nil {
			return nil, errors.Join(err, resp.Body.Close())
		}
	}
	if err == nil && r.URL.Path == "/v1/changes" {
		resp.Body = &streamed{resp.Body, l}
	}
	return resp, err
}

// unasked does something, and tells whether no question went to the server for it.
func (l *line) unasked(something func()) bool {
	before := l.asked.Load()
	something()
	return l.asked.Load() == before
}

func (l *line) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dead {
		return nil, errors.Join(errors.New("the line is dead"), conn.Close())
	}
	l.conns[conn] = true
	return &wire{conn, l}, nil
}

// cut ends what is open and lets nothing new through.
func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dead = true
	for conn := range l.conns {
		_ = conn.Close()
	}
}

func (l *line) mend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dead = false
}

// stall lets nothing arrive until it is called off; then all of it does.
func (l *line) stall() (goOn func()) { return l.gate(&l.stalled) }

// muteStream is stall for the stream of changes alone.
func (l *line) muteStream() (goOn func()) { return l.gate(&l.mute) }

func (l *line) gate(which *chan struct{}) (open func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	gate := make(chan struct{})
	*which = gate
	return sync.OnceFunc(func() { close(gate) })
}

// wait returns when what was read may arrive.
func (l *line) wait(which *chan struct{}) {
	l.mu.Lock()
	gate := *which
	l.mu.Unlock()
	<-gate
}

type wire struct {
	net.Conn
	l *line
}

func (w *wire) Read(b []byte) (int, error) {
	n, err := w.Conn.Read(b)
	w.l.wait(&w.l.stalled)
	return n, err
}

type streamed struct {
	io.ReadCloser
	l *line
}

func (s *streamed) Read(b []byte) (int, error) {
	n, err := s.ReadCloser.Read(b)
	s.l.wait(&s.l.mute)
	return n, err
}

var ida = client.Subject{"email": "ida@example.com"}

func yes(s client.Subject, seen ...int64) client.RecordInput {
	in := client.RecordInput{Subject: s, Purpose: "letters", Categories: []string{"contact"}, Method: "web_form",
		Notice: client.Notice{ID: "letters", Version: "3", Language: "en"}}
	for i := range seen {
		in.Notice.SeenRevision = &seen[i]
	}
	return in
}

func record(t *testing.T, c *client.Client, in client.RecordInput) client.Consent {
	t.Helper()
	out, err := c.Record(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func withdraw(t *testing.T, c *client.Client, s client.Subject) client.Withdrawal {
	t.Helper()
	out, err := c.Withdraw(t.Context(), client.WithdrawInput{Subject: s, All: true})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// may asks about the letters, and fails the test when there is an error.
func may(t *testing.T, c *client.Client, s client.Subject) client.Decision {
	t.Helper()
	d, err := c.Allowed(t.Context(), s, "letters", "contact", client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return d
}
