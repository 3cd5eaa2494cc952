package app

import (
	"net/http"
	"strings"
	"time"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/internal/dial"
	"github.com/ombudhq/ombud/internal/trace"
)

// tracerOf makes the tracer that the configuration asks for at the start; nil when it asks for none. A change of it counts
// at the next start.
func (a *App) tracerOf(t catalog.Tracing) *trace.Tracer {
	if t.Endpoint == "" {
		return nil
	}
	return trace.New(trace.Config{
		Endpoint: t.Endpoint, Sample: t.Sample, Client: dial.Plain(dial.Way{Private: t.Allow == "private"}),
		Clock: a.cfg.Clock, Version: a.cfg.Version, Log: a.cfg.Log,
	})
}

// begin begins the span of a request; nil where it is not traced.
func (f *front) begin(r *http.Request, at time.Time) *trace.Span {
	if f.tracer == nil {
		return nil
	}
	parent := ""
	if given := r.Header["Traceparent"]; len(given) == 1 {
		parent = given[0]
	}
	return f.tracer.Start(parent, at)
}

// end ends it. What it tells are words of ours: the method, the pattern of the route, the status.
func (f *front) end(s *trace.Span, r *http.Request, rec *recorder, at time.Time) {
	if s == nil {
		return
	}
	_, route, found := strings.Cut(rec.route, " ")
	if !found {
		if route = rec.route; route == "" {
			route = roomOf(r.URL.Path)
		}
	}
	method := methodOf(r.Method)
	f.tracer.End(s, method+" "+route, at, rec.code >= http.StatusInternalServerError,
		trace.Label{Name: "http.request.method", Value: method}, trace.Label{Name: "http.route", Value: route},
		trace.Label{Name: "http.response.status_code", Number: rec.code})
}
