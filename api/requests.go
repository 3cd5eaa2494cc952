package api

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"sort"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/request"
	"github.com/ombudhq/ombud/subject"
)

// Request is one as clients see it.
type Request struct {
	Request  string          `json:"request" doc:"Opaque id"`
	Ref      string          `json:"ref" doc:"Short reference, accepted wherever the id is" example:"R-2026-0148"`
	Kind     plan.Kind       `json:"kind"`
	Status   request.State   `json:"status"`
	About    string          `json:"about" doc:"A hint at whom it is about, masked"`
	Called   string          `json:"substitute,omitempty" doc:"The name that stands for them in the console, where they are known"`
	People   int             `json:"people"`
	Received time.Time       `json:"received"`
	Due      string          `json:"due" format:"date"`
	DueWhy   string          `json:"due_why"`
	Who      string          `json:"who" doc:"Who acts now"`
	What     string          `json:"what"`
	Hash     string          `json:"hash" doc:"Of the plan; approving names it"`
	Progress *Progress       `json:"progress,omitempty"`
	Result   *request.Result `json:"result,omitempty"`
}

// Progress of a run.
type Progress struct {
	Phase   string `json:"phase"`
	System  string `json:"system,omitempty"`
	Dataset string `json:"dataset,omitempty"`
	Done    int64  `json:"done"`
	Total   int64  `json:"total"`
}

// requestOf shows a request; whole adds its result.
func requestOf(r *request.Request, whole bool) Request {
	out := Request{
		Request: r.ID, Ref: r.Ref, Kind: r.Kind, Status: r.State, About: r.Masked, Called: r.Called, People: r.People, Received: r.Received.Truncate(time.Second),
		Due: r.Due.Format(time.DateOnly), DueWhy: r.DueWhy, Who: r.Who, What: r.What, Hash: r.Hash,
	}
	if p := r.Progress; p != nil {
		out.Progress = &Progress{p.Phase, p.System, p.Dataset, p.Done, p.Total}
	}
	if whole {
		result := r.Result()
		out.Result = &result
	}
	return out
}

// etag changes whenever what a client sees of the request does.
func etag(r *request.Request) string {
	b, err := json.Marshal(requestOf(r, true))
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(b)
	return `"` + hex.EncodeToString(sum[:16]) + `"`
}

type oneRequest struct {
	ETag     string `header:"ETag"`
	Location string `header:"Location"`
	Body     Request
}

func oneOf(r *request.Request) *oneRequest {
	return &oneRequest{ETag: etag(r), Body: requestOf(r, true)}
}

// Named is a request named in a path.
type Named struct {
	ID string `path:"id" maxLength:"64" pattern:"^[A-Za-z0-9_-]+$" doc:"Id or reference of the request"`
}

// Matching is Named, for operations that change: with If-Match they do so only if nothing changed meanwhile.
type Matching struct {
	Named
	IfMatch string `header:"If-Match" doc:"ETag that was read; 412 when the request has changed since"`
	Key     string `header:"Idempotency-Key" maxLength:"255" doc:"The same key again within 7 days gives the same answer and acts once"`
}

// People are who a request is about: identity kind to value, one object a person.
type People struct {
	Subject    map[string]string   `json:"subject,omitempty" doc:"One person's identities: kind to value; or id to a sub_…" example:"{\"email\":\"name@example.com\"}"`
	Subjects   []map[string]string `json:"subjects,omitempty" maxItems:"100000" doc:"Several people"`
	SamePerson bool                `json:"same_person,omitempty" doc:"Several rows of one dataset match, somebody has looked, and they are this one person"`
}

func (p People) list() ([]plan.Person, error) {
	all := p.Subjects
	if len(p.Subject) > 0 {
		if len(all) > 0 {
			return nil, fault.New(fault.Invalid, "give subject or subjects, not both")
		}
		all = []map[string]string{p.Subject}
	}
	var out []plan.Person
	for _, one := range all {
		person := plan.Person{Same: p.SamePerson}
		for kind, value := range one {
			person.Identities = append(person.Identities, subject.Identity{Kind: kind, Value: value})
		}
		sort.Slice(person.Identities, func(i, j int) bool { return person.Identities[i].Kind < person.Identities[j].Kind })
		out = append(out, person)
	}
	return out, nil
}

func (s *server) addRequests(a huma.API) {
	huma.Register(a, operation("create-request", http.MethodPost, "/requests", "Take a request in and plan it; nothing is touched", 201), s.create)
	huma.Register(a, operation("list-requests", http.MethodGet, "/requests", "List requests, newest first", 200), s.list)
	huma.Register(a, operation("get-request", http.MethodGet, "/requests/{id}", "Show a request, its progress and its result", 200), s.get)
}

type createInput struct {
	Key  string `header:"Idempotency-Key" maxLength:"255" doc:"The same key again within 7 days gives the same answer and acts once"`
	Body struct {
		Kind       plan.Kind `json:"kind" enum:"access,erasure"`
		Reuse      bool      `json:"reuse,omitempty" doc:"Answer with the request of this kind about this one person that is open, or an access that was answered within a day: 200"`
		Categories []string  `json:"categories,omitempty" maxItems:"40" doc:"An erasure only of data of these categories"`
		Purposes   []string  `json:"purposes,omitempty" maxItems:"100" doc:"An erasure only of data that was there for these purposes"`
		People
	}
}

// limit is what an erasure is narrowed to; nil for all of the data.
func (in *createInput) limit() *plan.Limit {
	if len(in.Body.Categories) == 0 && len(in.Body.Purposes) == 0 {
		return nil
	}
	return &plan.Limit{Categories: in.Body.Categories, Purposes: in.Body.Purposes}
}

type createOutput struct {
	Status   int
	ETag     string `header:"ETag"`
	Location string `header:"Location"`
	Body     Request
}

func (s *server) create(ctx context.Context, in *createInput) (*createOutput, error) {
	people, err := s.people(ctx, in.Body.People)
	if err != nil {
		return nil, problem(err)
	}
	if err := s.needSystems(); err != nil {
		return nil, problem(err)
	}
	status := http.StatusOK
	r, err := s.standing(ctx, in, people)
	if r == nil && err == nil {
		status = http.StatusCreated
		r, err = s.Requests.Plan(ctx, request.PlanInput{Kind: in.Body.Kind, People: people, Limit: in.limit(), Actor: access.From(ctx).Actor})
	}
	if err != nil {
		return nil, problem(err)
	}
	return &createOutput{Status: status, ETag: etag(r), Location: "/v1/requests/" + r.ID, Body: requestOf(r, true)}, nil
}

// standing finds the request that answers already; nil when there is none, or a new one is wanted.
func (s *server) standing(ctx context.Context, in *createInput, people []plan.Person) (*request.Request, error) {
	if !in.Body.Reuse || len(people) != 1 || in.limit() != nil {
		return nil, nil
	}
	return s.Requests.Current(ctx, in.Body.Kind, people[0].Identities)
}

// people reads who a request is about. One who is named by id is taken with all identities that are known.
func (s *server) people(ctx context.Context, in People) ([]plan.Person, error) {
	who, ok := in.Subject[subjectID]
	if !ok || len(in.Subject) != 1 || len(in.Subjects) > 0 {
		return in.list()
	}
	ids, err := s.Consents.Identities(ctx, who)
	return []plan.Person{{Identities: ids, Same: in.SamePerson}}, err
}

func (s *server) needSystems() error {
	if len(s.Catalog.Config().Systems) == 0 {
		return fault.New(fault.Invalid, "no system is configured").Then("ombud scan ID=DSN --write reads a store and writes it down.")
	}
	return nil
}

func (s *server) get(ctx context.Context, in *Named) (*oneRequest, error) {
	r, err := s.Requests.Get(ctx, in.ID)
	if err != nil {
		return nil, problem(err)
	}
	return oneOf(r), nil
}

type listInput struct {
	Kind   string   `query:"kind" enum:"access,erasure"`
	Status []string `query:"status" doc:"Only these, separated by commas"`
	Limit  int      `query:"limit" minimum:"1" maximum:"500" default:"100"`
	Cursor string   `query:"cursor" maxLength:"200" doc:"next of the page before"`
}

type listOutput struct {
	Body struct {
		Requests []Request `json:"requests"`
		Next     string    `json:"next,omitempty" doc:"Cursor of the next page; absent on the last"`
	}
}

func (s *server) list(ctx context.Context, in *listInput) (*listOutput, error) {
	last, err := base64.RawURLEncoding.DecodeString(in.Cursor)
	if err != nil {
		return nil, problem(fault.New(fault.Invalid, "this is not a cursor of ours"))
	}
	f := request.Filter{Kind: plan.Kind(in.Kind), After: string(last), Limit: in.Limit + 1}
	for _, st := range in.Status {
		f.State = append(f.State, request.State(st))
	}
	all, err := s.Requests.List(ctx, f)
	if err != nil {
		return nil, problem(err)
	}
	out := &listOutput{}
	if len(all) > in.Limit {
		all = all[:in.Limit]
		out.Body.Next = base64.RawURLEncoding.EncodeToString([]byte(all[in.Limit-1].ID))
	}
	out.Body.Requests = []Request{}
	for _, r := range all {
		out.Body.Requests = append(out.Body.Requests, requestOf(r, false))
	}
	return out, nil
}

// current reads a request for a change, and refuses when the client has read an older one.
func (s *server) current(ctx context.Context, in Matching) (*request.Request, error) {
	r, err := s.Requests.Get(ctx, in.ID)
	if err != nil {
		return nil, problem(err)
	}
	if now := etag(r); in.IfMatch != "" && in.IfMatch != "*" && in.IfMatch != now {
		return nil, &Problem{
			Title: http.StatusText(http.StatusPreconditionFailed), Status: http.StatusPreconditionFailed, Code: fault.Conflict.String(),
			Detail: fmt.Sprintf("%s has changed since it was read", r.Ref), Next: "Read it again.",
		}
	}
	return r, nil
}
