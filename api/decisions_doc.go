package api

import (
	"net/http"
	"reflect"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/ombudhq/ombud/consent"
)

// Question is what the description of the API says of a question.
type Question struct {
	Subject     map[string]string `json:"subject" doc:"One person: identity kind to value, or id to a sub_… of an earlier answer" example:"{\"email\":\"name@example.com\"}"`
	Purpose     string            `json:"purpose" minLength:"1"`
	Category    string            `json:"category" minLength:"1"`
	Signals     *Signals          `json:"signals,omitempty"`
	MinRevision int64             `json:"min_revision,omitempty" minimum:"0" doc:"Answer only by a state at least this new: a revision that was seen; 503 when it is not here within 100 ms"`
}

// Signals of the person's browser.
type Signals struct {
	GPC bool `json:"gpc,omitempty" doc:"Global Privacy Control; the header Sec-GPC: 1 says the same"`
}

// Batch of questions.
type Batch struct {
	Decisions   []Question `json:"decisions" minItems:"1" maxItems:"1000"`
	MinRevision int64      `json:"min_revision,omitempty"`
}

// Answers to a batch, in its order.
type Answers struct {
	Decisions []consent.Answer `json:"decisions"`
	Revision  int64            `json:"revision"`
}

// describe adds an operation that is a plain handler to the description: what it takes and gives, by media type.
func describe(a huma.API, op huma.Operation, takes, gives map[string]any) {
	doc := a.OpenAPI()
	content := func(types map[string]any) map[string]*huma.MediaType {
		out := map[string]*huma.MediaType{}
		for name, v := range types {
			out[name] = &huma.MediaType{Schema: doc.Components.Schemas.Schema(reflect.TypeOf(v), true, "")}
		}
		return out
	}
	if takes != nil {
		op.RequestBody = &huma.RequestBody{Required: true, Content: content(takes)}
	}
	op.Responses = map[string]*huma.Response{
		"200":     {Description: "OK", Content: content(gives)},
		"default": {Description: "A problem", Content: content(map[string]any{"application/problem+json": Problem{}})},
	}
	doc.AddOperation(&op)
}

// describeDecisions adds the operations that are plain handlers to the description.
func describeDecisions(a huma.API) {
	add := func(id, method, path, summary, kind string, body, answer any) {
		var takes map[string]any
		if body != nil {
			takes = map[string]any{kind: body}
		}
		describe(a, operation(id, method, path, summary, http.StatusOK), takes, map[string]any{kind: answer})
	}
	const one, lines = "application/json", "application/x-ndjson"
	add("decide", http.MethodPost, "/decisions", "May this category be processed for this purpose of this person now?", one, Question{}, consent.Answer{})
	add("decide-batch", http.MethodPost, "/decisions/batch", "Up to 1,000 questions at once", one, Batch{}, Answers{})
	add("decide-stream", http.MethodPost, "/decisions/stream", "A question a line, an answer a line, for as long as you like", lines, Question{}, consent.Answer{})
	add("changes", http.MethodGet, "/changes", "What changed from a revision on (query: from), as server-sent events: change, and head at least twice a second",
		"text/event-stream", nil, "")
	a.OpenAPI().Paths["/v1/changes"].Get.Parameters = []*huma.Param{{
		Name: "from", In: "query", Required: true, Schema: &huma.Schema{Type: "integer", Format: "int64"}, Description: "Revision of an earlier answer, or 0",
	}}
}

// describeKeys says of each route whose answers are remembered that it takes a key.
func describeKeys(a huma.API) {
	const key = "Idempotency-Key"
	for path, item := range a.OpenAPI().Paths {
		op := item.Post
		if op == nil || asked["POST "+path] || permissions["POST "+path] == "" && !isAlias("POST "+path) ||
			slices.ContainsFunc(op.Parameters, func(p *huma.Param) bool { return p.Name == key }) {
			continue
		}
		op.Parameters = append(op.Parameters, &huma.Param{Name: key, In: "header", Schema: &huma.Schema{Type: "string"},
			Description: "The same key again within 7 days gives the same answer and acts once"})
	}
}
