package trace

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// The message of OTLP, ExportTraceServiceRequest, as its JSON has it: ids in hexadecimal, numbers of 64 bits as texts.
type (
	export struct {
		Resources []resource `json:"resourceSpans"`
	}
	resource struct {
		Resource struct {
			Attributes []attribute `json:"attributes"`
		} `json:"resource"`
		Scopes []scope `json:"scopeSpans"`
	}
	scope struct {
		Scope struct {
			Name string `json:"name"`
		} `json:"scope"`
		Spans []span `json:"spans"`
	}
	span struct {
		Trace      string      `json:"traceId"`
		ID         string      `json:"spanId"`
		Parent     string      `json:"parentSpanId,omitempty"`
		Name       string      `json:"name"`
		Kind       int         `json:"kind"`
		Start      string      `json:"startTimeUnixNano"`
		End        string      `json:"endTimeUnixNano"`
		Attributes []attribute `json:"attributes,omitempty"`
		Status     status      `json:"status"`
	}
	status struct {
		Code int `json:"code,omitempty"`
	}
	attribute struct {
		Key   string `json:"key"`
		Value struct {
			Text   string `json:"stringValue,omitempty"`
			Number string `json:"intValue,omitempty"`
		} `json:"value"`
	}
)

const (
	kindServer  = 2 // SPAN_KIND_SERVER
	statusError = 2 // STATUS_CODE_ERROR
)

func attributes(labels []Label) []attribute {
	out := make([]attribute, len(labels))
	for i, l := range labels {
		if out[i].Key, out[i].Value.Text = l.Name, l.Value; l.Value == "" {
			out[i].Value.Number = strconv.Itoa(l.Number)
		}
	}
	return out
}

func (s *Span) message() span {
	m := span{Trace: hex.EncodeToString(s.trace[:]), ID: hex.EncodeToString(s.id[:]), Name: s.name, Kind: kindServer, Attributes: attributes(s.labels),
		Start: strconv.FormatInt(s.start.UnixNano(), 10), End: strconv.FormatInt(s.end.UnixNano(), 10)}
	if s.parent != [8]byte{} {
		m.Parent = hex.EncodeToString(s.parent[:])
	}
	if s.failed {
		m.Status.Code = statusError
	}
	return m
}

func (t *Tracer) message(batch []*Span) ([]byte, error) {
	var r resource
	r.Resource.Attributes = attributes([]Label{{Name: "service.name", Value: "ombud"}, {Name: "service.version", Value: t.cfg.Version}})
	r.Scopes = make([]scope, 1)
	r.Scopes[0].Scope.Name = "ombud"
	for _, s := range batch {
		r.Scopes[0].Spans = append(r.Scopes[0].Spans, s.message())
	}
	return json.Marshal(export{[]resource{r}})
}

// sendLimit bounds one call, also where the program ends meanwhile.
const sendLimit = 5 * time.Second

// send tries once: spans are worth less than memory.
func (t *Tracer) send(ctx context.Context, batch []*Span) {
	if len(batch) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, sendLimit)
	defer cancel()
	err := t.post(ctx, batch)
	if err != nil {
		t.dropped.Add(int64(len(batch)))
	}
	switch {
	case err != nil && !t.failing:
		t.cfg.Log.Warn("the collector of traces does not take spans; they are lost until it does", "error", err)
	case err == nil && t.failing:
		t.cfg.Log.Info("the collector of traces takes spans again")
	}
	t.failing = err != nil
}

func (t *Tracer) post(ctx context.Context, batch []*Span) error {
	body, err := t.message(batch)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, t.address, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	res, err := t.cfg.Client.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("the collector answers %d", res.StatusCode)
	}
	_, err = io.Copy(io.Discard, res.Body)
	return err
}
