package client

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Clock tells the time and waits. Config takes one for tests; the zero Config uses the machine's.
type Clock interface {
	Now() time.Time
	// After delivers once, when d has passed.
	After(d time.Duration) <-chan time.Time
}

// Config says where Ombud is and who asks. URL and Key are needed; the rest has useful zero values.
type Config struct {
	URL string // https://ombud.example
	Key string // an API key of the role service

	HTTPClient *http.Client  // its transport is used; timeouts and redirects are ours
	Clock      Clock         // nil is the machine's
	Timeout    time.Duration // of each try of a request; 0 is 2 s
	Answers    int           // about how many are kept; 0 is 100,000, -1 none: where the server has to log every decision
	Service    string        // names this program in access events; "" is "go-client"
	Accesses   int           // access events that may wait; 0 is 10,000
}

// String leaves the key out.
func (cfg Config) String() string { return "client of " + cfg.URL }

// GoString leaves the key out.
func (cfg Config) GoString() string { return cfg.String() }

// Client asks, records and reports. It is safe for concurrent use; one for a program is enough.
type Client struct {
	cfg   Config
	http  *http.Client
	clock Clock

	seeds  [2]maphash.Seed // made anew in each process
	heard  *marks
	cache  *cache
	beat   atomic.Pointer[beat]
	fields atomic.Pointer[fields]
	head   head

	accesses accesses

	stop   context.CancelFunc
	work   sync.WaitGroup
	mu     sync.Mutex
	stream error // why the stream is not heard
}

// String leaves the key out.
func (c *Client) String() string { return c.cfg.String() }

// GoString leaves the key out.
func (c *Client) GoString() string { return c.cfg.String() }

// New makes a client and begins to follow the changes. It needs no server to be up. Close ends it.
func New(cfg Config) (*Client, error) {
	u, err := url.Parse(cfg.URL)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("client: URL must be http(s)://HOST, without credentials")
	}
	if cfg.Key == "" {
		return nil, errors.New("client: Key is missing; ombud key create --role service makes one")
	}
	cfg.defaults()
	cfg.URL = strings.TrimRight(cfg.URL, "/")
	ctx, stop := context.WithCancel(context.Background())
	c := &Client{
		cfg: cfg, clock: cfg.Clock, stop: stop, seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()},
		http: &http.Client{Transport: cfg.HTTPClient.Transport, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse // a body with an identity goes nowhere else
		}},
		heard: newMarks(cfg.Answers), cache: newCache(cfg.Answers), accesses: accesses{wake: make(chan struct{}, 1)},
	}
	c.work.Go(func() { c.follow(ctx) })
	c.work.Go(func() { c.deliver(ctx) })
	return c, nil
}

func (cfg *Config) defaults() {
	if cfg.Clock == nil {
		cfg.Clock = machine{}
	}
	if cfg.HTTPClient == nil {
		cfg.HTTPClient = &http.Client{}
	}
	if t, ok := http.DefaultTransport.(*http.Transport); ok && cfg.HTTPClient.Transport == nil {
		t = t.Clone()
		t.MaxIdleConnsPerHost = 64 // the default of 2 would open a connection for nearly every question of a busy program
		cfg.HTTPClient = &http.Client{Transport: t}
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = 2 * time.Second
	}
	if cfg.Answers == 0 {
		cfg.Answers = 100_000
	}
	if cfg.Service == "" {
		cfg.Service = "go-client"
	}
	if cfg.Accesses <= 0 {
		cfg.Accesses = 10_000
	}
}

// Close ends the stream and delivers the access events that wait. Its error says what was lost.
func (c *Client) Close() error {
	c.stop()
	c.work.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), 2*c.cfg.Timeout)
	defer cancel()
	c.flush(ctx)
	return c.accesses.err()
}

// Err says what is wrong now: the stream of changes is not heard, so that each question goes to the server, or access
// events were lost. It is nil when all is well.
func (c *Client) Err() error {
	var err error
	if !c.beat.Load().fresh(c.clock.Now()) {
		c.mu.Lock()
		err = errors.Join(errors.New("client: the changes are not heard; each question goes to the server"), c.stream)
		c.mu.Unlock()
	}
	return errors.Join(err, c.accesses.err())
}

func (c *Client) streamFailed(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stream = fmt.Errorf("client: following the changes: %w", err)
}

type machine struct{}

func (machine) Now() time.Time                         { return time.Now() }
func (machine) After(d time.Duration) <-chan time.Time { return time.After(d) }
