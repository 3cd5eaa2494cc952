package api

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/fault"
)

// Limits of decisions.
const (
	maxQuestion = 16 << 10 // bytes
	maxBatch    = 1 << 20  // bytes
	maxAsked    = 1000     // questions of one batch
	patience    = 100 * time.Millisecond
)

// addDecisions registers what is asked thousands of times a second as plain handlers; the description of them is added by
// hand, and a test holds the two together.
func (s *server) addDecisions(a huma.API, g *gate) {
	g.HandleFunc("POST /v1/decisions", s.decide)
	g.HandleFunc("POST /v1/decisions/batch", s.decideBatch)
	g.HandleFunc("POST /v1/decisions/stream", s.decideStream)
	g.HandleFunc("GET /v1/changes", s.changes)
	huma.Register(a, operation("decision-log", http.MethodGet, "/decisions/log", "The newest decisions, as they are remembered in memory", 200), s.decisionLog)
	describeDecisions(a)
}

// buffers hold bodies and answers while they are needed.
var buffers = sync.Pool{New: func() any { return new(lent) }}

// lent is a buffer that is used again.
type lent struct {
	bytes.Buffer
	held int // length of the body that was read into it, which names people
}

// body reads all of a body up to a limit. The buffer goes back with release.
func body(r *http.Request, limit int64) (b *lent, err error) {
	b = buffers.Get().(*lent)
	b.Reset()
	if n := r.ContentLength; n >= 0 && n <= limit {
		b.Grow(int(n))
		b.held = int(n)
		whole := b.AvailableBuffer()[:n]
		_, err = io.ReadFull(r.Body, whole)
		b.Write(whole) // where it lies already
		return b, err
	}
	n, err := b.ReadFrom(io.LimitReader(r.Body, limit+1))
	b.held = b.Len()
	if err == nil && n > limit {
		err = &http.MaxBytesError{Limit: limit}
	}
	return b, err
}

// release gives a buffer back, without the body.
func release(b *lent) {
	if b.Cap() <= maxBatch {
		b.Reset()
		all := b.Bytes()
		clear(all[:min(b.held, cap(all))])
		b.held = 0
		buffers.Put(b)
	}
}

// unreadable answers a body that did not come, or was too long.
func unreadable(w http.ResponseWriter, err error) {
	var long *http.MaxBytesError
	if errors.As(err, &long) {
		writeProblem(w, &Problem{Title: http.StatusText(http.StatusRequestEntityTooLarge), Status: http.StatusRequestEntityTooLarge,
			Code: fault.Invalid.String(), Detail: "the body is longer than " + strconv.FormatInt(long.Limit, 10) + " bytes"})
		return
	}
	writeProblem(w, problemOf(fault.New(fault.Invalid, "the body was cut off")))
}

// decide answers one question.
func (s *server) decide(w http.ResponseWriter, r *http.Request) {
	b, err := body(r, maxQuestion)
	defer release(b)
	if err != nil {
		unreadable(w, err)
		return
	}
	var q question
	if err := q.parse(b.Bytes()); err != nil {
		s.fail(w, err)
		return
	}
	caller := access.From(r.Context())
	err = s.reaches(r.Context(), caller, access.DecisionAsk, q.Purpose)
	if err == nil {
		err = s.reach(r.Context(), q.MinRevision)
	}
	if err != nil {
		s.fail(w, err)
		return
	}
	b.Reset()
	out := s.answer(r.Context(), b.AvailableBuffer(), &q, caller.Actor, gpc(r.Header))
	writeJSON(w, append(out, '\n'))
}

// gpc tells whether the person's browser sends Global Privacy Control: exactly 1, in any of several headers.
func gpc(h http.Header) bool { return slices.Contains(h["Sec-Gpc"], "1") }

// reach waits for a revision that the asker has seen.
func (s *server) reach(ctx context.Context, revision int64) error {
	if revision <= s.Consents.Revision() {
		return nil
	}
	return s.Consents.Await(ctx, revision, patience)
}

// answer decides, and appends the answer when it may be given.
func (s *server) answer(ctx context.Context, b []byte, q *question, by string, gpc bool) []byte {
	asker := s.Consents.Asker(by)
	v := asker.Ask(q.handle(s.Consents), q.Purpose, q.Category, gpc || q.Signals.GPC)
	if asker.Done(ctx) != nil {
		v = v.Unlogged()
	}
	return appendDecision(b, s.Consents, v)
}

func writeJSON(w http.ResponseWriter, b []byte) {
	h := w.Header()
	h["Content-Type"] = jsonType
	if len(b) > 2<<10 { // below, it is known without saying
		h["Content-Length"] = []string{strconv.Itoa(len(b))}
	}
	_, _ = w.Write(b) // who hung up is told nothing
}

var jsonType = []string{"application/json"}

// decideStream answers a line for a line, for as long as the asker likes and is let in. A line that is malformed is answered
// with a problem and ends nothing.
func (s *server) decideStream(w http.ResponseWriter, r *http.Request) {
	c := http.NewResponseController(w)
	_ = c.EnableFullDuplex() // where it cannot, answers come when the questions end
	_ = c.SetWriteDeadline(time.Time{})
	_ = c.SetReadDeadline(time.Time{})
	w.Header().Set("Content-Type", "application/x-ndjson")
	by, signal := access.From(r.Context()), gpc(r.Header)
	lines := bufio.NewReaderSize(r.Body, maxQuestion)
	var out []byte
	for {
		line, err := lines.ReadSlice('\n')
		if !s.Stands(by) {
			return
		}
		if text := bytes.TrimSpace(line); len(text) > 0 {
			out = append(s.line(r.Context(), out[:0], text, by, signal), '\n')
			if _, err := w.Write(out); err != nil {
				return
			}
			if lines.Buffered() == 0 {
				_ = c.Flush()
			}
		}
		if err != nil {
			return
		}
	}
}

func (s *server) line(ctx context.Context, out, text []byte, by access.Caller, gpc bool) []byte {
	var q question
	err := q.parse(text)
	if err == nil {
		err = s.reaches(ctx, by, access.DecisionAsk, q.Purpose)
	}
	if err == nil {
		err = s.reach(ctx, q.MinRevision)
	}
	if err != nil {
		p, _ := json.Marshal(problemOf(err)) // a struct of texts
		return append(out, p...)
	}
	return s.answer(ctx, out, &q, by.Actor, gpc)
}

// beat is how often a stream of changes says that nothing changed.
const beat = 500 * time.Millisecond

// changes tells what changed from a revision on, as server-sent events, until the asker leaves or their key ends.
func (s *server) changes(w http.ResponseWriter, r *http.Request) {
	where := "query.from"
	from, err := strconv.ParseInt(r.URL.Query().Get("from"), 10, 64)
	if last := r.Header.Get("Last-Event-ID"); last != "" {
		where = "header.Last-Event-ID"
		from, err = strconv.ParseInt(last, 10, 64)
	}
	if err != nil || from < 0 || from > maxRevision {
		writeProblem(w, problemOf(fault.New(fault.Invalid, "from names no revision").With(fault.Detail{Where: where, Message: "a revision of one of our answers, or 0"})))
		return
	}
	c := http.NewResponseController(w)
	_ = c.SetWriteDeadline(time.Time{})
	w.Header().Set("Content-Type", "text/event-stream")
	caller := access.From(r.Context())
	follower := s.Consents.Follow(from)
	for s.Stands(caller) {
		at, head := s.Clock.Now(), s.Consents.Revision() // before the changes: none up to here is left out
		list, more := follower.Next()
		for _, change := range s.narrowed(caller, list) {
			b, _ := json.Marshal(change) // numbers and texts
			if !sse(w, "change", change.Revision, b) {
				return
			}
		}
		if !sse(w, "head", head, headAt(head, at)) || c.Flush() != nil {
			return
		}
		select {
		case <-more:
		case <-s.Clock.After(beat):
		case <-r.Context().Done():
			return
		}
	}
}

// headAt says what a stream has told everything of, and when: a reader sees by it how long that was under way.
func headAt(revision int64, at time.Time) []byte {
	b := strconv.AppendInt([]byte(`{"revision":`), revision, 10)
	return append(at.UTC().AppendFormat(append(b, `,"at":"`...), "2006-01-02T15:04:05.000Z"), '"', '}')
}

func sse(w io.Writer, kind string, id int64, data []byte) bool {
	out := append([]byte("event: "), kind...)
	out = strconv.AppendInt(append(out, "\nid: "...), id, 10)
	out = append(append(out, "\ndata: "...), data...)
	_, err := w.Write(append(out, '\n', '\n'))
	return err == nil
}
