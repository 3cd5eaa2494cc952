package api

import (
	"net/http"
	"reflect"

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

// describeDecisions adds the operations that are plain handlers to the description.
func describeDecisions(a huma.API) {
	doc := a.OpenAPI()
	schema := func(v any) *huma.Schema { return doc.Components.Schemas.Schema(reflect.TypeOf(v), true, "") }
	add := func(id, method, path, summary, in, out string, body, answer any) {
		op := operation(id, method, path, summary, http.StatusOK)
		if body != nil {
			op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{in: {Schema: schema(body)}}}
		}
		op.Responses = map[string]*huma.Response{
			"200":     {Description: "OK", Content: map[string]*huma.MediaType{out: {Schema: schema(answer)}}},
			"default": {Description: "A problem", Content: map[string]*huma.MediaType{"application/problem+json": {Schema: schema(Problem{})}}},
		}
		doc.AddOperation(&op)
	}
	const one, lines = "application/json", "application/x-ndjson"
	add("decide", http.MethodPost, "/decisions", "May this category be processed for this purpose of this person now?", one, one, Question{}, consent.Answer{})
	add("decide-batch", http.MethodPost, "/decisions/batch", "Up to 1,000 questions at once", one, one, Batch{}, Answers{})
	add("decide-stream", http.MethodPost, "/decisions/stream", "A question a line, an answer a line, for as long as you like", lines, lines, Question{}, consent.Answer{})
	add("changes", http.MethodGet, "/changes", "What changed from a revision on (query: from), as server-sent events: change, and head at least twice a second",
		"", "text/event-stream", nil, "")
	doc.Paths["/v1/changes"].Get.Parameters = []*huma.Param{{
		Name: "from", In: "query", Required: true, Schema: &huma.Schema{Type: "integer", Format: "int64"}, Description: "Revision of an earlier answer, or 0",
	}}
}
