package trace

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ombudhq/ombud/internal/clock"
)

const given = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

// TestParseParent takes what the standard takes and nothing else.
func TestParseParent(t *testing.T) {
	for header, want := range map[string]bool{
		given: true, strings.TrimSuffix(given, "1") + "0": false, "cc" + given[2:] + "-more": true, "cc" + given[2:]: true,
	} {
		if p := ParseParent(header); !p.known || p.sampled != want {
			t.Errorf("%s: %+v", header, p)
		}
	}
	for _, header := range []string{"", "00", given + "-more", given + "x", "ff" + given[2:], strings.ToUpper(given), "cc" + given[2:] + "x",
		strings.Replace(given, "00f067aa0ba902b7", "0000000000000000", 1), strings.Replace(given, "4bf92f3577b34da6a3ce929d0e0e4736", strings.Repeat("0", 32), 1),
		strings.Replace(given, "-", "_", 1), strings.Replace(given, "4b", "zz", 1)} {
		if p := ParseParent(header); p != (Parent{}) {
			t.Errorf("%s: %+v", header, p)
		}
	}
}

// TestHeadSampling: the caller says, else chance does; what is not traced costs nothing.
func TestHeadSampling(t *testing.T) {
	none, all := New(Config{Clock: clock.System{}}), New(Config{Sample: 1, Clock: clock.System{}})
	not := strings.TrimSuffix(given, "1") + "0"
	if s := none.Start(given, time.Time{}); s == nil || s.trace[0] != 0x4b || s.parent[1] != 0xf0 || s.id == s.parent {
		t.Errorf("%+v", s)
	}
	if none.Start("", time.Time{}) != nil || none.Start("nonsense", time.Time{}) != nil || all.Start(not, time.Time{}) != nil {
		t.Error("traced")
	}
	if s := all.Start("", time.Time{}); s == nil || s.trace == [16]byte{} || s.parent != [8]byte{} {
		t.Errorf("%+v", s)
	}
	var off *Tracer
	off.End(off.Start(given, time.Time{}), "x", time.Time{}, false)
	if n := testing.AllocsPerRun(100, func() { none.End(none.Start(not, time.Time{}), "x", time.Time{}, false) }); n > 0 {
		t.Error(n, "allocations")
	}
}

// TestSpansArrive as OTLP's JSON has them: the ones that end while it runs, and at the end those that are left.
func TestSpansArrive(t *testing.T) {
	bodies := make(chan []byte, 10)
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		if r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/json" {
			t.Error(r.URL.Path, r.Header)
		}
		bodies <- b
	}))
	defer collector.Close()
	now := time.Unix(1_800_000_000, 7)
	tr := New(Config{Endpoint: collector.URL + "/", Client: collector.Client(), Clock: clock.NewFake(now), Version: "1.2", Log: slog.New(slog.DiscardHandler)})
	for range batchLength + 1 {
		tr.End(tr.Start(given, now), "POST /v1/decisions", now.Add(time.Millisecond), true, Label{Name: "http.route", Value: "/v1/decisions"}, Label{Name: "code", Number: 200})
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan bool)
	go func() { tr.Run(ctx); close(ended) }()
	body := <-bodies
	for _, want := range []string{`"traceId":"4bf92f3577b34da6a3ce929d0e0e4736"`, `"parentSpanId":"00f067aa0ba902b7"`, `"name":"POST /v1/decisions","kind":2`,
		`"startTimeUnixNano":"1800000000000000007"`, `"endTimeUnixNano":"1800000000001000007"`, `{"key":"http.route","value":{"stringValue":"/v1/decisions"}}`,
		`{"key":"code","value":{"intValue":"200"}}`, `"status":{"code":2}`, `{"key":"service.name","value":{"stringValue":"ombud"}}`} {
		if !strings.Contains(string(body), want) {
			t.Errorf("%s is missing in %.600s", want, body)
		}
	}
	stop()
	<-ended
	var last export
	if err := json.Unmarshal(<-bodies, &last); err != nil || len(last.Resources[0].Scopes[0].Spans) != 1 || tr.Dropped() != 0 {
		t.Errorf("%v, %+v, %d lost", err, last, tr.Dropped())
	}
}

// TestDeadCollector: spans are lost and counted, the log says so once, and nobody waits.
func TestDeadCollector(t *testing.T) {
	var said strings.Builder
	dead := httptest.NewServer(http.NotFoundHandler())
	defer dead.Close()
	tr := New(Config{Endpoint: dead.URL, Client: dead.Client(), Clock: clock.System{}, Log: slog.New(slog.NewTextHandler(&said, nil))})
	for range queueLength + 5 {
		tr.End(tr.Start(given, time.Time{}), "x", time.Time{}, false)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	tr.Run(ctx)
	if tr.Dropped() != queueLength+5 || strings.Count(said.String(), "does not take spans") != 1 || strings.Contains(said.String(), dead.URL) {
		t.Errorf("%d lost, log: %s", tr.Dropped(), said.String())
	}
}
