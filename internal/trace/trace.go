package trace

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ombudhq/ombud/internal/clock"
)

const (
	queueLength = 4096            // spans that wait
	batchLength = 512             // spans of one call
	batchEvery  = 5 * time.Second // at the latest
)

// Config says where spans go.
type Config struct {
	Endpoint string  // base address of a collector, such as http://127.0.0.1:4318
	Sample   float64 // share of the requests traced whose caller says nothing
	Client   *http.Client
	Clock    clock.Clock
	Version  string
	Log      *slog.Logger // told when the collector stops to answer, and when it answers again
}

// Tracer makes spans and sends them. A nil Tracer traces nothing. It is safe for concurrent use.
type Tracer struct {
	cfg     Config
	address string
	queue   chan *Span
	dropped atomic.Int64
	failing bool // the last call failed; Run alone knows
}

// New makes a tracer. Nothing leaves before Run.
func New(c Config) *Tracer {
	return &Tracer{cfg: c, address: strings.TrimSuffix(c.Endpoint, "/") + "/v1/traces", queue: make(chan *Span, queueLength)}
}

// Dropped is how many spans were lost since the start, to a full queue or a collector that did not take them.
func (t *Tracer) Dropped() int64 {
	if t == nil {
		return 0
	}
	return t.dropped.Load()
}

// Span is one request that is traced. A nil Span is one that is not.
type Span struct {
	trace      [16]byte
	id, parent [8]byte
	name       string
	labels     []Label
	start, end time.Time
	failed     bool
}

// Label is a fact about a span: a number, or a word. Words are the program's own, never something that came with a request.
type Label struct {
	Name, Value string
	Number      int // where there is no Value
}

// Start begins the span of a request that came with a header traceparent, or ""; nil where it is not to be traced.
func (t *Tracer) Start(traceparent string, at time.Time) *Span {
	if t == nil {
		return nil
	}
	var p Parent
	if traceparent != "" {
		p = ParseParent(traceparent)
	}
	if p.known && !p.sampled || !p.known && rand.Float64() >= t.cfg.Sample {
		return nil
	}
	s := &Span{trace: p.trace, parent: p.span, start: at}
	if !p.known {
		put(s.trace[:8], nonzero())
		put(s.trace[8:], rand.Uint64())
	}
	put(s.id[:], nonzero())
	return s
}

func nonzero() uint64 { return rand.Uint64() | 1 }

func put(to []byte, v uint64) {
	for i := range 8 {
		to[i] = byte(v >> (8 * i))
	}
}

// End ends a span under a name, which is a route and never a path, and lets it go.
func (t *Tracer) End(s *Span, name string, at time.Time, failed bool, labels ...Label) {
	if t == nil || s == nil {
		return
	}
	s.name, s.end, s.failed, s.labels = name, at, failed, labels
	select {
	case t.queue <- s:
	default:
		t.dropped.Add(1)
	}
}

// Run sends what is ended until ctx ends, and then what is left.
func (t *Tracer) Run(ctx context.Context) {
	var batch []*Span
	for {
		late := t.cfg.Clock.After(batchEvery)
		for waiting := true; waiting && len(batch) < batchLength; {
			select {
			case s := <-t.queue:
				batch = append(batch, s)
			case <-late:
				waiting = false
			case <-ctx.Done():
				t.rest(context.WithoutCancel(ctx), batch)
				return
			}
		}
		t.send(context.WithoutCancel(ctx), batch)
		batch = batch[:0]
	}
}

// rest sends what is left when the program ends.
func (t *Tracer) rest(ctx context.Context, batch []*Span) {
	ctx, cancel := context.WithTimeout(ctx, sendLimit)
	defer cancel()
	for {
		select {
		case s := <-t.queue:
			if batch = append(batch, s); len(batch) == batchLength {
				t.send(ctx, batch)
				batch = batch[:0]
			}
		default:
			t.send(ctx, batch)
			return
		}
	}
}
