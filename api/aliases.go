package api

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/id"
	"github.com/ombudhq/ombud/plan"
)

// alias is an endpoint that other designs have, answered by an operation of ours: by the same gate, with its permission
// and its answer. query are the names that its address may carry; whoever it is about is named by id there, for an
// identity in an address ends in every log on its way.
type alias struct {
	route string
	as    string // the operation that answers; "" where what it is for does not exist yet
	query []string
	needs []string                                // of those, what must be there
	body  func(*http.Request, named) (any, error) // what the operation is sent; nil sends the body as it came
	why   string                                  // what does not exist yet
}

// named are the values of an address, by our names for them.
type named map[string]string

// person is who the address names.
func (n named) person() map[string]string { return map[string]string{subjectID: n["subject"]} }

// spellings are the names that other designs have for ours.
var spellings = map[string]string{"user_id": "subject", "subject_id": "subject", "data_category": "category", "processing_purpose": "purpose"}

var aliases = []alias{
	{route: "POST /consent/record", as: "POST /v1/consents"},
	{route: "POST /consent/withdraw", as: "POST /v1/consents/withdraw"},
	{route: "POST /v1/consent/withdraw", as: "POST /v1/consents/withdraw"},
	{route: "GET /consent/validate", as: "POST /v1/decisions", query: []string{"subject", "purpose", "category"}, needs: []string{"subject", "purpose", "category"},
		body: asksDecision},
	{route: "GET /data-subject/access/{id}", as: "POST /v1/requests", needs: []string{"subject"}, body: asks(plan.Access)},
	{route: "GET /v1/gdpr/data-export", as: "POST /v1/requests", query: []string{"subject"}, needs: []string{"subject"}, body: asks(plan.Access)},
	{route: "POST /data-subject/erasure", as: "POST /v1/requests", query: []string{"subject"}, body: asksErasure},
	{route: "DELETE /v1/gdpr/delete-account", as: "POST /v1/requests", query: []string{"subject"}, needs: []string{"subject"}, body: asks(plan.Erasure)},
	{route: "GET /data-subject/portability/{id}", why: "portability"},
	{route: "GET /privacy/data-map/{id}", why: "the data map of one person"},
	{route: "PUT /v1/users/profile", why: "rectification"},
}

func asksDecision(_ *http.Request, n named) (any, error) {
	return map[string]any{"subject": n.person(), "purpose": n["purpose"], "category": n["category"]}, nil
}

// asks makes the body of a request. An address that is called again gets the request that it began.
func asks(kind plan.Kind) func(*http.Request, named) (any, error) {
	return func(_ *http.Request, n named) (any, error) {
		return map[string]any{"kind": kind, "subject": n.person(), "reuse": true}, nil
	}
}

// asksErasure takes the person from the address or the body.
func asksErasure(r *http.Request, n named) (any, error) {
	if n["subject"] != "" {
		return asks(plan.Erasure)(r, n)
	}
	var in struct {
		Subject map[string]string `json:"subject"`
		UserID  string            `json:"user_id"`
	}
	b, err := body(r, maxQuestion)
	defer release(b)
	if err != nil {
		return nil, err
	}
	if err := strict(b.Bytes(), &in); err != nil {
		return nil, err
	}
	if in.UserID != "" {
		in.Subject = map[string]string{subjectID: in.UserID}
	}
	return map[string]any{"kind": plan.Erasure, "subject": in.Subject, "reuse": true}, nil
}

// Programs tells whether a path is one that programs call, with a bearer. Below /consent/ the console has pages too.
func Programs(path string) bool {
	switch path {
	case "/consent/record", "/consent/withdraw", "/consent/validate":
		return true
	}
	return strings.HasPrefix(path, "/v1/") || strings.HasPrefix(path, "/data-subject/") || strings.HasPrefix(path, "/privacy/")
}

// addAliases registers them beside the gate: each is judged where it arrives.
func (s *server) addAliases(a huma.API, g *gate) {
	describeAliases(a)
	describeFarewell(a)
	for _, prefix := range []string{"/data-subject/", "/privacy/"} {
		g.HandleFunc(prefix, notFound)
	}
	for _, a := range aliases {
		g.mux.HandleFunc(a.route, func(w http.ResponseWriter, r *http.Request) { a.answer(g, w, r) })
	}
}

// describeAliases adds them to the description: what their address takes, who answers, and with which permission.
func describeAliases(a huma.API) {
	doc := a.OpenAPI()
	for _, one := range aliases {
		method, path, _ := strings.Cut(one.route, " ")
		need, summary := access.APIRead, "Not here yet: "+one.why
		problem := &huma.Response{Description: "A problem", Content: map[string]*huma.MediaType{
			"application/problem+json": {Schema: doc.Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "")}}}
		op := &huma.Operation{Method: method, Path: path, OperationID: aliasID(one.route), Responses: map[string]*huma.Response{"default": problem}}
		if one.as != "" {
			need, summary = permissions[one.as], "The same as "+one.as
			if as := operationAt(doc, one.as); as != nil {
				op.Responses = as.Responses
				if one.body == nil {
					op.RequestBody = as.RequestBody
				}
			}
		}
		op.Summary, op.Security = summary, []map[string][]string{{bearer: {string(need)}}}
		if strings.Contains(path, "{id}") {
			op.Parameters = append(op.Parameters, &huma.Param{Name: "id", In: "path", Required: true, Schema: &huma.Schema{Type: "string"}, Description: "sub_…: an identity in an address is refused"})
		}
		for _, name := range one.query {
			op.Parameters = append(op.Parameters, &huma.Param{Name: name, In: "query", Required: slices.Contains(one.needs, name), Schema: &huma.Schema{Type: "string"}})
		}
		doc.AddOperation(op)
	}
}

// describeFarewell adds what an identity provider calls. It is served beside the pages, and let in by what the provider signed.
func describeFarewell(a huma.API) {
	op := huma.Operation{OperationID: "back-channel-logout", Method: http.MethodPost, Path: "/sign-out/from/{provider}",
		Summary: "OpenID Connect Back-Channel Logout 1.0: the sessions that began with one at the provider end", Security: []map[string][]string{{}},
		Parameters: []*huma.Param{{Name: "provider", In: "path", Required: true, Schema: &huma.Schema{Type: "string"}, Description: "id of the provider in ombud.yaml"}},
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/x-www-form-urlencoded": {Schema: &huma.Schema{
			Type: "object", Required: []string{"logout_token"}, Properties: map[string]*huma.Schema{"logout_token": {Type: "string", Description: "JWT that the provider signed"}}}}}},
		Responses: map[string]*huma.Response{
			"200": {Description: "They are over"},
			"400": {Description: "This is no logout token for us", Content: map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{
				Type: "object", Properties: map[string]*huma.Schema{"error": {Type: "string", Enum: []any{"invalid_request"}}}}}}},
		}}
	a.OpenAPI().AddOperation(&op)
}

// isAlias tells whether a route is one of an operation that is here.
func isAlias(route string) bool {
	return slices.ContainsFunc(aliases, func(a alias) bool { return a.route == route && a.as != "" })
}

// aliasID names an alias as other operations are named: alias-post-consent-record.
func aliasID(route string) string {
	words := strings.FieldsFunc(strings.ToLower(route), func(r rune) bool { return strings.ContainsRune(" /{}", r) })
	return "alias-" + strings.Join(words, "-")
}

// operationAt finds an operation of the description by method and path.
func operationAt(doc *huma.OpenAPI, route string) *huma.Operation {
	method, path, _ := strings.Cut(route, " ")
	item := doc.Paths[path]
	switch {
	case item == nil:
		return nil
	case method == http.MethodPost:
		return item.Post
	case method == http.MethodGet:
		return item.Get
	}
	return nil
}

func (a *alias) answer(g *gate, w http.ResponseWriter, r *http.Request) {
	need := access.APIRead
	if a.as != "" {
		need = permissions[a.as]
	}
	if err := access.Allowed(access.From(r.Context()), need); err != nil {
		LeaveBody(w, r)
		writeProblem(w, problemOf(err))
		return
	}
	to, err := a.translate(r)
	switch {
	case err != nil:
		p := problemOf(err)
		p.Status, p.Title, p.Next = http.StatusBadRequest, http.StatusText(http.StatusBadRequest), "POST /v1/subjects/find gives the id of a person."
		writeProblem(w, p)
	case to == nil:
		LeaveBody(w, r)
		Refuse(w, http.StatusNotImplemented, a.why+" is not here yet", "")
	default:
		g.ServeHTTP(w, to)
	}
}

// translate makes the request that is answered instead; nil where nothing answers yet.
func (a *alias) translate(r *http.Request) (*http.Request, error) {
	n, err := a.named(r)
	if err != nil || a.as == "" {
		return nil, err
	}
	method, path, _ := strings.Cut(a.as, " ")
	to := r.Clone(r.Context())
	to.Method, to.URL, to.RequestURI = method, &url.URL{Path: path}, path
	if a.body != nil {
		what, err := a.body(r, n)
		if err != nil {
			return nil, err
		}
		b, err := json.Marshal(what)
		if err != nil {
			return nil, err
		}
		to.Body, to.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
		to.Header.Set("Content-Type", "application/json")
	}
	return to, nil
}

// named reads an address. Its faults repeat nothing of it.
func (a *alias) named(r *http.Request) (named, error) {
	n := named{}
	if who := r.PathValue("id"); who != "" {
		n["subject"] = who
	}
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, fault.New(fault.Invalid, "the address cannot be read")
	}
	for name, given := range values {
		if ours, ok := spellings[name]; ok {
			name = ours
		}
		if !slices.Contains(a.query, name) || len(given) != 1 || n[name] != "" {
			return nil, fault.New(fault.Invalid, "the address says something that it may not, or says it twice")
		}
		n[name] = given[0]
	}
	for _, name := range a.needs {
		if n[name] == "" {
			return nil, fault.New(fault.Invalid, "the address lacks %s", name)
		}
	}
	if _, opaque := id.Decode("sub_", n["subject"]); n["subject"] != "" && !opaque {
		return nil, fault.New(fault.Invalid, "a person is named in an address by their id, sub_…, and by nothing else")
	}
	return n, nil
}
