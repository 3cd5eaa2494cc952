package app

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/ombudhq/ombud/internal/trace"
)

// metrics count without naming anybody: labels are methods, rooms and status codes.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	app      *App

	latest atomic.Pointer[series] // most requests are like the one before
	mu     sync.RWMutex
	found  map[labels]*series
}

// labels of a request: few values each, whoever asks for whatever.
type labels struct {
	method, room string
	code         int
}

// series are the counters of labels, looked up once.
type series struct {
	labels
	requests prometheus.Counter
	seconds  prometheus.Observer
}

func newMetrics(a *App) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		app:      a,
		found:    map[labels]*series{},
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ombud_http_requests_total", Help: "Requests answered, by room.",
		}, []string{"method", "room", "code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "ombud_http_request_seconds", Help: "Time to the end of the answer, by room.", Buckets: prometheus.ExponentialBuckets(0.0001, 4, 10), // a decision takes less than a millisecond
		}, []string{"room"}),
	}
	entries := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "ombud_ledger_entries", Help: "Entries in the ledger.",
	}, func() float64 { return float64(a.Ledger.Size()) })
	alarms := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "ombud_alarms_open", Help: "Elevations and changes of accounts that wait for a review.",
	}, func() float64 { return float64(a.Accounts.OpenAlarms()) })
	m.registry.MustRegister(m.requests, m.seconds, entries, alarms,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// lost counts what a tracer could not tell.
func (m *metrics) lost(t *trace.Tracer) {
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "ombud_trace_spans_lost_total", Help: "Spans of requests that the collector did not take.",
	}, func() float64 { return float64(t.Dropped()) }))
}

// count takes one request, answered with a status, from its start to now, which it gives.
func (m *metrics) count(r *http.Request, code int, start time.Time) (end time.Time) {
	end = m.app.cfg.Clock.Now()
	s := m.series(labels{methodOf(r.Method), roomOf(r.URL.Path), code})
	s.requests.Inc()
	s.seconds.Observe(end.Sub(start).Seconds())
	return end
}

func (m *metrics) series(l labels) *series {
	s := m.latest.Load()
	if s != nil && s.labels == l {
		return s
	}
	m.mu.RLock()
	s = m.found[l]
	m.mu.RUnlock()
	if s == nil {
		s = &series{l, m.requests.WithLabelValues(l.method, l.room, strconv.Itoa(l.code)), m.seconds.WithLabelValues(l.room)}
		m.mu.Lock()
		m.found[l] = s
		m.mu.Unlock()
	}
	m.latest.Store(s)
	return s
}

// rooms are the beginnings of the paths that something answers at.
var rooms = map[string]bool{
	"requests": true, "people": true, "pseudonyms": true, "consent": true, "map": true, "log": true, "alarms": true, "accounts": true, "roles": true, "api-keys": true,
	"backups": true, "encryption": true, "sign-in": true, "sign-out": true, "setup": true, "account": true, "why": true, "keys": true, "assets": true,
	"v1/requests": true, "v1/data-map": true, "v1/ledger": true, "v1/decisions": true, "v1/changes": true, "v1/consents": true, "v1/purposes": true, "v1/restrictions": true,
	"v1/subjects": true, "v1/events": true, "v1/propagations": true, "v1/targets": true, "v1/pseudonyms": true, "v1/resolutions": true, "v1/alarms": true,
	"v1/elevations": true, "v1/access": true, "v1/openapi.json": true, "v1/consent": true, "v1/gdpr": true, "v1/users": true, "data-subject": true, "privacy": true,
	"healthz": true, "readyz": true, "metrics": true,
}

// roomOf keeps ids out of labels: the beginning of a path that we know, else "other".
func roomOf(path string) string {
	first := strings.TrimPrefix(path, "/")
	end := 0
	if strings.HasPrefix(first, "v1/") {
		end = len("v1/")
	}
	if i := strings.IndexByte(first[end:], '/'); i >= 0 {
		first = first[:end+i]
	}
	switch {
	case first == "":
		return "home"
	case rooms[first]:
		return first
	}
	return "other"
}

func methodOf(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
		return m
	}
	return "other"
}

// recorder remembers when a request came, the status, and the route where one was found.
type recorder struct {
	http.ResponseWriter
	began time.Time
	code  int
	route string
}

func (r *recorder) WriteHeader(code int) {
	r.code = code
	r.ResponseWriter.WriteHeader(code)
}

// Unwrap lets handlers flush and set deadlines.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
