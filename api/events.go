package api

import (
	"context"
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/internal/fault"
)

// CloudEvent is an event in the structured mode of CloudEvents 1.0. Other attributes are passed over.
type CloudEvent struct {
	SpecVersion     string       `json:"specversion" enum:"1.0"`
	ID              string       `json:"id" maxLength:"500" doc:"With source: an event that came before answers 200 and acts once"`
	Source          string       `json:"source" maxLength:"500"`
	Type            string       `json:"type" enum:"consent.given,consent.withdrawn,data.accessed,data.modified,data.deleted,data.exported"`
	Time            time.Time    `json:"time,omitempty"`
	DataContentType string       `json:"datacontenttype,omitempty"`
	Data            consent.Line `json:"data"`

	access *consent.Access // of an event about data, in place of Data
}

// purposes are what an event is about, "" where it is about all.
func (e *CloudEvent) purposes() []string {
	switch {
	case e.access != nil:
		return []string{e.access.Purpose}
	case len(e.Data.Within) > 0:
		return e.Data.Within
	}
	return []string{e.Data.Purpose}
}

// Taken says what became of an event: recorded, repeated, or refused with the problem.
type Taken struct {
	ID      string   `json:"id"`
	Outcome string   `json:"outcome"`
	Problem *Problem `json:"problem,omitempty"`
}

const (
	maxEvents   = 100
	oneEvent    = "application/cloudevents+json"
	manyEvents  = "application/cloudevents-batch+json"
	eventPrefix = "consent."
)

// addEvents registers what services tell, as a plain handler: one body has two shapes.
func (s *server) addEvents(a huma.API, g *gate) {
	g.HandleFunc("POST /v1/events", s.takeEvents)
	describe(a, operation("take-events", http.MethodPost, "/events", "What services tell of: consents given and withdrawn elsewhere, each acted on once", 200),
		map[string]any{oneEvent: CloudEvent{}, manyEvents: []CloudEvent{}}, map[string]any{"application/json": []Taken{}})
}

func (s *server) takeEvents(w http.ResponseWriter, r *http.Request) {
	b, err := body(r, maxBatch)
	defer release(b)
	if err != nil {
		unreadable(w, err)
		return
	}
	var list []CloudEvent
	switch kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind {
	case oneEvent, "application/json":
		list, err = s.parseEvents(r.Context(), []json.RawMessage{b.Bytes()}, "")
	case manyEvents:
		list, err = s.parseBatchOfEvents(r.Context(), b.Bytes())
	default:
		writeProblem(w, &Problem{Title: http.StatusText(http.StatusUnsupportedMediaType), Status: http.StatusUnsupportedMediaType,
			Code: fault.Invalid.String(), Detail: "events come as " + oneEvent + " or " + manyEvents})
		return
	}
	var out []Taken
	if err == nil {
		out, err = s.takeAll(r.Context(), list)
	}
	if err != nil {
		s.fail(w, err)
		return
	}
	text, _ := json.Marshal(out) // structs of texts
	writeJSON(w, append(text, '\n'))
}

func (s *server) parseBatchOfEvents(ctx context.Context, b []byte) ([]CloudEvent, error) {
	var parts []json.RawMessage
	if err := strict(b, &parts); err != nil {
		return nil, err
	}
	if len(parts) == 0 || len(parts) > maxEvents {
		return nil, fault.New(fault.Invalid, "a batch has 1 to %d events, this one %d", maxEvents, len(parts))
	}
	return s.parseEvents(ctx, parts, "/")
}

// parseEvents reads them all, or names every fault, and every one that the caller may not tell of.
func (s *server) parseEvents(ctx context.Context, parts []json.RawMessage, at string) (out []CloudEvent, err error) {
	var faults []fault.Detail
	for i, text := range parts {
		where := ""
		if at != "" {
			where = at + strconv.Itoa(i)
		}
		e, wrong := s.parseEvent(text)
		for _, d := range wrong {
			faults = append(faults, fault.Detail{Where: where + d.Where, Message: d.Message})
		}
		out = append(out, e)
	}
	if len(faults) > 0 {
		return nil, fault.New(fault.Invalid, "these are not events that can be taken").With(faults...)
	}
	return out, s.reachesEvents(ctx, out, at)
}

// reachesEvents asks for every purpose that events are about. What a key that is for some purposes says of all, or of categories,
// it says of those.
func (s *server) reachesEvents(ctx context.Context, list []CloudEvent, at string) error {
	type about struct{ purpose, where string }
	var all []about
	c := access.From(ctx)
	for i := range list {
		e, where := &list[i], "/data/purpose"
		if len(e.Data.Within) > 0 {
			where = "/data/within"
		}
		if at != "" {
			where = at + strconv.Itoa(i) + where
		}
		if e.Data.Event == "withdrawn" && e.Data.Purpose == "" && e.Data.Within == nil {
			e.Data.Within = s.its(c)
		}
		for _, purpose := range e.purposes() {
			all = append(all, about{purpose, where})
		}
	}
	return s.reachesAll(ctx, c, access.EventPost, len(all), func(i int) (string, string) { return all[i].purpose, all[i].where })
}

func (s *server) parseEvent(text []byte) (e CloudEvent, faults []fault.Detail) {
	bad := func(where, message string) { faults = append(faults, fault.Detail{Where: where, Message: message}) }
	var in struct {
		CloudEvent
		Data json.RawMessage `json:"data"`
	}
	if json.Unmarshal(text, &in) != nil {
		bad("", "is not a CloudEvent in JSON")
		return e, faults
	}
	e = in.CloudEvent
	to := any(&e.Data)
	if consent.IsDataKind(e.Type) {
		e.access = &consent.Access{At: e.Time}
		to = e.access
	}
	if err := strict(in.Data, to); err != nil {
		for _, d := range detailsOf(err) {
			bad("/data"+d.Where, d.Message)
		}
	}
	if e.SpecVersion != "1.0" {
		bad("/specversion", "is 1.0")
	}
	if e.ID == "" || e.Source == "" || len(e.ID)+len(e.Source) > 1000 {
		bad("/id", "id and source name an event, in at most 1,000 bytes")
	}
	if kind, _, _ := mime.ParseMediaType(e.DataContentType); kind != "" && kind != "application/json" {
		bad("/datacontenttype", "is application/json, or absent")
	}
	if e.access != nil {
		return e, faults
	}
	e.Data.Event, faults = s.act(e, faults)
	if e.Data.At.IsZero() && e.Time.Before(s.Clock.Now()) {
		e.Data.At = e.Time // a clock that is ahead of ours says nothing
	}
	return e, faults
}

// act is what an event tells, by its type; data may say it again.
func (s *server) act(e CloudEvent, faults []fault.Detail) (string, []fault.Detail) {
	act, ok := strings.CutPrefix(e.Type, eventPrefix)
	switch {
	case !ok || act != "given" && act != "withdrawn":
		faults = append(faults, fault.Detail{Where: "/type", Message: "is consent.given, consent.withdrawn, or data.accessed, modified, deleted or exported"})
	case e.Data.Event != "" && e.Data.Event != act:
		faults = append(faults, fault.Detail{Where: "/data/event", Message: "is another than the type says"})
	}
	return act, faults
}

func (s *server) receive(ctx context.Context, e CloudEvent, actor string) (repeated bool, err error) {
	if e.access != nil {
		return s.Consents.ReceiveAccess(ctx, e.Source, e.ID, e.Type, *e.access, actor)
	}
	repeated, err = s.Consents.Receive(ctx, e.Source, e.ID, e.Data, actor)
	return repeated, inData(err)
}

// inData puts the faults of what an event tells at their places in it.
func inData(err error) error {
	var f *fault.Error
	if !errors.As(err, &f) || len(f.Details) == 0 {
		return err
	}
	in := *f
	in.Details = slices.Clone(f.Details)
	for i := range in.Details {
		in.Details[i].Where = "/data" + place(in.Details[i].Where)
	}
	return &in
}

// takeAll acts on events in their order. A refusal stands beside the others; what may work later ends it, and those that
// acted will not act again.
func (s *server) takeAll(ctx context.Context, list []CloudEvent) ([]Taken, error) {
	out := make([]Taken, 0, len(list))
	for _, e := range list {
		repeated, err := s.receive(ctx, e, access.From(ctx).Actor)
		one := Taken{ID: e.ID, Outcome: "recorded"}
		switch p := problemOf(err); {
		case repeated:
			one.Outcome = "repeated"
		case err != nil && (p.Status >= http.StatusInternalServerError || len(list) == 1):
			return nil, err
		case err != nil:
			one.Outcome, one.Problem = "refused", p
		}
		out = append(out, one)
	}
	return out, nil
}
