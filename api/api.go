package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/event"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/purpose"
	"github.com/ombudhq/ombud/request"
	"github.com/ombudhq/ombud/subject"
	"github.com/ombudhq/ombud/vault"
)

// Config is what the operations work with; every field is needed. Who calls stands in the context of each request.
type Config struct {
	Requests *request.Service
	Catalog  *catalog.Catalog
	Ledger   *ledger.Ledger
	Vault    *vault.Vault
	Consents *consent.Service
	Purposes *purpose.Register
	Relay    *event.Relay
	// MirrorToken names a person in the mirror; "" where there is none.
	MirrorToken func(person string) string
	Pseudonyms  *subject.Pseudonyms
	// About tells policies of the company where a thing lies and whose it is; nil tells nothing.
	About    access.About
	Clock    clock.Clock
	Accounts *access.Accounts
	// Stands tells whether a caller may still be here: a stream asks now and then.
	Stands func(access.Caller) bool
	// Go runs work that outlives a call, and is waited for when the program ends.
	Go      func(func(context.Context))
	Dir     string // data directory: packages lie in it
	Version string
	// Replays answers again what was answered before; it stands behind the judgement of the caller.
	Replays func(http.Handler) http.Handler
	// Failed takes what no answer tells, for the log: defects of ours, and errors of work that outlived its call.
	Failed func(error)
}

// server holds the operations.
type server struct{ Config }

// New gives the handler for every path that Programs tells.
func New(c Config) http.Handler { return newGate(c) }

func newGate(c Config) *gate {
	g := &gate{mux: http.NewServeMux(), around: c.Replays, about: c.About, newest: c.Ledger.Newest}
	g.HandleFunc("/v1/", g.nowhere)
	s := &server{c}
	a := humago.New(g, s.config())
	s.addRequests(a)
	s.addPlans(a)
	s.addAnswers(a)
	s.addDataMap(a)
	s.addLedger(a)
	s.addConsents(a)
	s.addPurposes(a)
	s.addPropagations(a)
	s.addPeople(a)
	s.addAlarms(a)
	s.addElevations(a)
	s.addPseudonyms(a)
	s.addResolutions(a)
	s.addDecisions(a, g)
	s.addEvents(a, g)
	s.addAliases(a, g)
	describeKeys(a)
	return g
}

func (s *server) config() huma.Config {
	c := huma.DefaultConfig("Ombud", s.Version)
	c.Info.Description = "Rights of people over the data a company holds about them: plan, approval, execution, proof."
	c.OpenAPIPath, c.DocsPath, c.SchemasPath = "/v1/openapi", "", ""
	c.CreateHooks = nil // no $schema in answers
	c.RejectUnknownQueryParameters = true
	c.Transformers = []huma.Transformer{hideValues, s.logDefects}
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{bearer: {
		Type: "http", Scheme: "bearer", BearerFormat: "omb_…",
		Description: "An API key, as `ombud key create` prints it once, or the token of this start, as in serve.token. Each operation names the permission it needs; the role of the key says which it has.",
	}}
	c.Security = []map[string][]string{{bearer: {}}}
	return c
}

// bearer is the name of the one way to be let in.
const bearer = "bearer"

// operation fills in what all have in common.
func operation(id, method, path, summary string, status int) huma.Operation {
	return huma.Operation{
		OperationID: id, Method: method, Path: "/v1" + path, Summary: summary, DefaultStatus: status, MaxBodyBytes: 8 << 20,
		Errors:   []int{401, 403, 404, 409, 412, 422, 503},
		Security: []map[string][]string{{bearer: {string(permissions[method+" /v1"+path])}}},
	}
}
