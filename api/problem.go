package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"

	"github.com/ombudhq/ombud/internal/fault"
)

// Problem is an error as RFC 9457 has it. Code is stable for programs; Next says what can be done.
type Problem struct {
	Title  string  `json:"title"`
	Status int     `json:"status"`
	Code   string  `json:"code"`
	Detail string  `json:"detail"`
	Errors []Fault `json:"errors,omitempty"`
	Next   string  `json:"next,omitempty"`

	cause error // of a defect of ours: for the log alone
}

// Fault is one thing that is wrong, and where.
type Fault struct {
	Where   string `json:"where,omitempty" doc:"A JSON pointer into the body, or query., path. or header. and the name of a parameter; absent where it is all of the body" example:"/notice/version"`
	Message string `json:"message"`
}

// Error makes it an error that huma writes as it is.
func (p *Problem) Error() string { return p.Detail }

// GetStatus is the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is that of a problem, whatever was asked for.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// problem turns an error into what a client sees of it.
func problem(err error) error {
	if err == nil {
		return nil
	}
	if after := fault.RetryAfter(err); after != "" {
		return huma.ErrorWithHeaders(problemOf(err), http.Header{"Retry-After": {after}})
	}
	return problemOf(err)
}

// problemOf keeps on our side what is no fault.
func problemOf(err error) *Problem {
	status := fault.HTTPStatus(err)
	p := &Problem{Title: http.StatusText(status), Status: status, Code: fault.KindOf(err).String(), Detail: "an internal error; the log says more"}
	var f *fault.Error
	if p.Code == fault.Internal.String() && !errors.Is(err, context.Canceled) { // who hung up is no defect
		p.cause = err
	}
	if errors.As(err, &f) {
		p.Detail, p.Next = f.Message, f.Next
		for _, d := range f.Details {
			p.Errors = append(p.Errors, Fault{place(d.Where), d.Message})
		}
	}
	return p
}

// logDefects puts the causes that answers only allude to into the log.
func (s *server) logDefects(_ huma.Context, _ string, v any) (any, error) {
	if p, ok := v.(*Problem); ok && p.cause != nil {
		s.Failed(p.cause)
	}
	return v, nil
}

// fail answers with an error where huma does not.
func (s *server) fail(w http.ResponseWriter, err error) {
	p := problemOf(err)
	if p.cause != nil {
		s.Failed(p.cause)
	}
	writeProblem(w, p)
}

// hideValues takes what was sent out of the faults that huma found: it may be an identity.
func hideValues(_ huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	p := &Problem{Title: m.Title, Status: m.Status, Code: codeOf(m.Status), Detail: m.Detail}
	for _, e := range m.Errors {
		where := e.Location
		if e.Message == validation.MsgUnexpectedProperty { // its name is the client's, and may be anything
			where = where[:max(0, strings.LastIndexByte(where, '.'))]
			p.Next = "/v1/openapi.json says which properties there are."
		}
		p.Errors = append(p.Errors, Fault{placeOf(where), e.Message})
	}
	return p, nil
}

// codes are those of statuses that have one of their own; below 500 all others are the client's input.
var codes = map[int]string{
	http.StatusUnauthorized: "unauthenticated", http.StatusForbidden: fault.Denied.String(), http.StatusNotFound: fault.NotFound.String(),
	http.StatusConflict: fault.Conflict.String(), http.StatusPreconditionFailed: fault.Conflict.String(),
	http.StatusServiceUnavailable: fault.Unavailable.String(),
}

func codeOf(status int) string {
	if code, ok := codes[status]; ok {
		return code
	}
	if status >= 500 {
		return fault.Internal.String()
	}
	return fault.Invalid.String()
}

// Refuse answers with a problem; next may be empty.
func Refuse(w http.ResponseWriter, status int, detail, next string) {
	writeProblem(w, &Problem{Title: http.StatusText(status), Status: status, Code: codeOf(status), Detail: detail, Next: next})
}

// LeaveBody lets the answer go out before the body has come: whoever is turned away is not read. The connection ends
// with it, for what follows on it is that body.
func LeaveBody(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength != 0 {
		w.Header().Set("Connection", "close")
	}
}

func writeProblem(w http.ResponseWriter, p *Problem) {
	w.Header().Set("Content-Type", p.ContentType(""))
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p)
}

func notFound(w http.ResponseWriter, _ *http.Request) {
	Refuse(w, http.StatusNotFound, "nothing is here", "/v1/openapi.json describes what there is.")
}
