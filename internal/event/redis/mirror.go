package redis

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"sync"
	"time"

	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/event"
)

const (
	batch     = 500 // entries or subjects written together
	firstWait = time.Second
	lastWait  = 30 * time.Second
	lookAgain = time.Minute // whether Redis still has what we wrote
	epochBits = 40          // a revision's upper bits count how often the store was put back to an older state
)

// errBehind is why a batch is tried again: the state given is older than the entry that asks for it.
var errBehind = errors.New("the state is older than its entry")

// State is what is true of a subject.
type State struct {
	// Revision is the newest the whole state includes, not the last that changed this subject.
	Revision int64
	// Purposes are those that are allowed, and until when; zero is without an end. None deletes the key.
	Purposes map[string]time.Time
}

// Config says what is mirrored, and where. All but Clock, Log and Prefix must be set.
type Config struct {
	Client *Client
	Clock  clock.Clock  // nil is the system's
	Log    *slog.Logger // nil is silence
	Prefix string       // of all keys; "" is "ombud:consent:"
	Key    []byte       // makes the names of keys; Token needs it too; 32 bytes

	// Since, Changed and Head are the source: entries in order, a channel that is closed at the next, and the newest
	// revision.
	Since   func(ctx context.Context, after int64, limit int) ([]event.Entry, error)
	Changed func() <-chan struct{}
	Head    func() int64
	// Who says whose state an entry changes; everybody when it changes a rule for all.
	Who func(event.Entry) (subjects []string, everybody bool)
	// State gives what is true of a subject now; of one that is unknown or erased no purposes.
	State func(ctx context.Context, subject string) (State, error)
	// Subjects walks everybody who has a state, for Rebuild. An error ends it.
	Subjects func(ctx context.Context) iter.Seq2[string, error]
}

// Status is how far the mirror is.
type Status struct {
	Running  bool          `json:"running"`   // Run is under way here; else nothing below is known
	Revision int64         `json:"revision"`  // mirrored up to here
	Behind   time.Duration `json:"behind_ns"` // how long the oldest change waits that is not mirrored; 0 when none does
	Keys     int64         `json:"keys"`      // written or deleted since the start
	Error    string        `json:"error,omitempty"`
}

// Mirror keeps Redis in step with the source. It is safe for concurrent use; one runs for a store.
type Mirror struct {
	c Config

	mu     sync.Mutex
	status Status
	behind time.Time // since when; zero when not
}

// New makes a mirror. Nothing happens before Run or Rebuild.
func New(c Config) (*Mirror, error) {
	if c.Client == nil || c.Since == nil || c.Changed == nil || c.Head == nil || c.Who == nil || c.State == nil || c.Subjects == nil {
		return nil, errors.New("a mirror needs a client and a source")
	}
	if len(c.Key) != 32 {
		return nil, errors.New("the key of a mirror has 32 bytes")
	}
	if c.Clock == nil {
		c.Clock = clock.System{}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if c.Prefix == "" {
		c.Prefix = "ombud:consent:"
	}
	return &Mirror{c: c}, nil
}

// Token is the name of a subject's key without its prefix: the same for the same subject and key, and nothing else about
// it. Services get the tokens of their people from us.
func Token(key []byte, subject string) string {
	h := hmac.New(sha256.New, key)
	h.Write([]byte("mirror\x00" + subject))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:18])
}

// Status tells how far the mirror is.
func (m *Mirror) Status() Status {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.status
	if !m.behind.IsZero() {
		s.Behind = m.c.Clock.Now().Sub(m.behind)
	}
	return s
}

// Run mirrors until ctx ends. While Redis is away it waits, from 1 s to 30 s between two tries.
func (m *Mirror) Run(ctx context.Context) {
	m.runs(true)
	defer m.runs(false)
	wait := firstWait
	for ctx.Err() == nil {
		changed := m.c.Changed()
		m.fellBehind()
		err := m.catchUp(ctx)
		if err == nil {
			m.caughtUp()
			wait = firstWait
			m.rest(ctx, changed, lookAgain)
			continue
		}
		if ctx.Err() == nil {
			m.failed(err)
		}
		m.rest(ctx, nil, wait)
		wait = min(2*wait, lastWait)
	}
}

func (m *Mirror) runs(now bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.status.Running = now
}

func (m *Mirror) rest(ctx context.Context, changed <-chan struct{}, d time.Duration) {
	select {
	case <-changed:
	case <-m.c.Clock.After(d):
	case <-ctx.Done():
	}
}

// catchUp mirrors all that is not yet. Redis says where to begin. When it does not know, or the store was put back to an
// older state meanwhile, everything is written anew; when it knows more than there is, it speaks of another store.
func (m *Mirror) catchUp(ctx context.Context) error {
	for {
		head, err := m.head(ctx)
		if err != nil {
			return err
		}
		newest := m.c.Head()
		if head > newest {
			if err := m.clear(ctx); err != nil {
				return err
			}
			head = 0
		}
		if head == 0 || head>>epochBits != newest>>epochBits {
			if err := m.Rebuild(ctx); err != nil {
				return err
			}
			continue
		}
		entries, err := m.c.Since(ctx, head, batch)
		if err != nil {
			return fmt.Errorf("reading entries: %w", err)
		}
		if len(entries) == 0 {
			m.reached(head, 0)
			return nil
		}
		if err := m.apply(ctx, entries); err != nil {
			return err
		}
	}
}

// apply writes the state of everybody the entries are about, each once.
func (m *Mirror) apply(ctx context.Context, entries []event.Entry) error {
	last := entries[len(entries)-1].Revision
	states := map[string]State{}
	for _, e := range entries {
		subjects, everybody := m.c.Who(e)
		if everybody {
			return m.Rebuild(ctx)
		}
		for _, s := range subjects {
			states[s] = State{}
		}
	}
	for s := range states {
		state, err := m.c.State(ctx, s)
		if err != nil {
			return fmt.Errorf("reading a state: %w", err)
		}
		if state.Revision < last {
			return errBehind
		}
		states[s] = state
	}
	return m.write(ctx, states, last)
}

// fellBehind notes when the first change came that is not mirrored.
func (m *Mirror) fellBehind() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.behind.IsZero() && m.c.Head() > m.status.Revision {
		m.behind = m.c.Clock.Now()
	}
}

func (m *Mirror) caughtUp() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.behind, m.status.Error = time.Time{}, ""
}

func (m *Mirror) failed(err error) {
	kind := kindOf(err)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.status.Error != kind {
		m.c.Log.Warn("mirroring to Redis", "error", kind)
	}
	m.status.Error = kind
	if m.behind.IsZero() {
		m.behind = m.c.Clock.Now()
	}
}

func (m *Mirror) reached(revision int64, keys int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.status.Revision = max(m.status.Revision, revision)
	m.status.Keys += int64(keys)
}
