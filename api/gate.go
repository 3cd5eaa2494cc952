package api

import (
	"net/http"
	"strings"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/ledger"
)

// permissions says what each route needs. It is the one place: a route that does not stand here lets nobody in.
var permissions = map[string]access.Permission{
	"/v1/":                     access.APIRead, // where nothing is
	"/data-subject/":           access.APIRead,
	"/privacy/":                access.APIRead,
	"GET /v1/openapi.json":     access.APIRead,
	"GET /v1/openapi.yaml":     access.APIRead,
	"GET /v1/openapi-3.0.json": access.APIRead,
	"GET /v1/openapi-3.0.yaml": access.APIRead,

	"POST /v1/requests":              access.RequestPlan,
	"GET /v1/requests":               access.RequestRead,
	"GET /v1/requests/{id}":          access.RequestRead,
	"GET /v1/requests/{id}/plan":     access.RequestRead,
	"POST /v1/requests/{id}/plan":    access.RequestPlan,
	"POST /v1/requests/{id}/approve": access.RequestApprove,
	"POST /v1/requests/{id}/retry":   access.RequestApprove,
	"POST /v1/requests/{id}/refuse":  access.RequestPlan,
	"GET /v1/requests/{id}/receipt":  access.ReceiptRead,
	"GET /v1/requests/{id}/package":  access.PackageRead,
	"GET /v1/data-map":               access.CatalogRead,
	"GET /v1/ledger/checkpoint":      access.LedgerRead,
	"GET /v1/ledger/entries":         access.LedgerRead,
	"POST /v1/ledger/search":         access.LedgerRead,

	"GET /v1/alarms":              access.AlarmRead,
	"POST /v1/alarms/{id}/review": access.AlarmReview,
	"POST /v1/alarms/{id}/end":    access.AlarmReview,
	"POST /v1/elevations":         access.ElevationTake,
	"POST /v1/elevations/end":     access.ElevationTake,
	"GET /v1/access/explain":      access.PolicyRead,
	"GET /v1/access/roles":        access.PolicyRead,

	"POST /v1/decisions":                access.DecisionAsk,
	"POST /v1/decisions/batch":          access.DecisionAsk,
	"POST /v1/decisions/stream":         access.DecisionAsk,
	"POST /v1/events":                   access.EventPost,
	"GET /v1/decisions/log":             access.EventRead,
	"GET /v1/changes":                   access.DecisionAsk,
	"POST /v1/consents":                 access.ConsentWrite,
	"POST /v1/consents/withdraw":        access.ConsentWrite,
	"POST /v1/consents/confirm":         access.ConsentWrite,
	"POST /v1/consents/history":         access.ConsentRead,
	"GET /v1/consents/{id}":             access.ConsentRead,
	"GET /v1/consents/{id}/receipt":     access.ConsentRead,
	"GET /v1/purposes":                  access.PurposeRead,
	"GET /v1/purposes/{id}":             access.PurposeRead,
	"PUT /v1/purposes/{id}":             access.PurposeWrite,
	"POST /v1/purposes/{id}/minimise":   access.PurposeRead,
	"POST /v1/subjects/find":            access.DecisionAsk,
	"POST /v1/pseudonyms":               access.PseudonymMake,
	"POST /v1/pseudonyms/tokens":        access.PseudonymMake,
	"GET /v1/resolutions":               access.PseudonymRead,
	"POST /v1/resolutions":              access.PseudonymResolve,
	"POST /v1/resolutions/{id}/approve": access.PseudonymResolve,
	"POST /v1/resolutions/{id}/reveal":  access.PseudonymResolve,
	"GET /v1/propagations":              access.EventRead,
	"GET /v1/propagations/{id}":         access.EventRead,
	"POST /v1/propagations/{id}/ack":    access.EventPost,
	"POST /v1/propagations/{id}/replay": access.EventReplay,
	"GET /v1/targets":                   access.EventRead,
	"POST /v1/targets/{id}/replay":      access.EventReplay,
	"POST /v1/targets/{id}/enable":      access.EventReplay,
	"POST /v1/restrictions":             access.RestrictionWrite,
	"POST /v1/restrictions/{id}/end":    access.RestrictionWrite,
}

// asked are the routes that are posted to and say how things stand, show what is shown once, or come to the same however often they
// are asked. Nothing of them is remembered: said again from memory a yes would outlive the no, and who somebody is would be shown
// without an entry, also after an erasure.
var asked = map[string]bool{
	"POST /v1/decisions":               true,
	"POST /v1/decisions/batch":         true,
	"POST /v1/decisions/stream":        true,
	"POST /v1/consents/history":        true,
	"POST /v1/ledger/search":           true,
	"POST /v1/purposes/{id}/minimise":  true,
	"POST /v1/pseudonyms":              true,
	"POST /v1/pseudonyms/tokens":       true,
	"POST /v1/resolutions/{id}/reveal": true,
	"POST /v1/subjects/find":           true,
}

// gate is a mux whose routes are entered by callers with the permission alone. It judges before anything of the
// request is read, and before an answer that was remembered is given again.
type gate struct {
	mux    *http.ServeMux
	around func(http.Handler) http.Handler
	about  access.About
	newest func() ledger.Checkpoint
	routes []string
	often  http.HandlerFunc // of mostAsked
}

// mostAsked is the route that is found without a search.
const mostAsked = "/v1/decisions"

// HandleFunc registers a route as http.ServeMux does, behind the permission that it needs.
func (g *gate) HandleFunc(pattern string, h func(http.ResponseWriter, *http.Request)) {
	need, room := permissions[pattern], withoutCards(pattern, http.HandlerFunc(h))
	if !asked[pattern] {
		room = g.around(room)
	}
	if isAct(pattern) {
		room = headed(g.newest, room)
	}
	g.routes = append(g.routes, pattern)
	of := things.Outermost(pattern)
	judged := func(w http.ResponseWriter, r *http.Request) {
		id := r.PathValue(of.Wildcard)
		if err := g.enters(r.Context(), pattern, need, of, id); err != nil {
			LeaveBody(w, r)
			writeProblem(w, problemOf(err))
			return
		}
		if need != access.DecisionAsk { // these make no entries
			r = r.WithContext(ledger.Doing(r.Context(), string(need), of.Of(id, need)))
		}
		room.ServeHTTP(w, r)
	}
	g.mux.HandleFunc(pattern, judged)
	if pattern == "POST "+mostAsked {
		g.often = judged
	}
}

// nowhere answers where no route is: by which methods there is one, or that there is none.
func (g *gate) nowhere(w http.ResponseWriter, r *http.Request) {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut} {
		if _, pattern := g.mux.Handler(&http.Request{Method: method, URL: r.URL, Host: r.Host}); strings.HasPrefix(pattern, method+" ") {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) == 0 {
		notFound(w, r)
		return
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	Refuse(w, http.StatusMethodNotAllowed, "this is not asked by "+methodOf(r), "By "+strings.Join(allowed, " or ")+".")
}

// methodOf is a method as HTTP knows it: any other may be anything.
func methodOf(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return r.Method
	}
	return "this method"
}

// ServeHTTP serves the routes.
func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == mostAsked && r.Method == http.MethodPost {
		r.Pattern = "POST " + mostAsked
		g.often(w, r)
		return
	}
	g.mux.ServeHTTP(w, r)
}
