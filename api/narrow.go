package api

import (
	"context"
	"strconv"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/internal/fault"
)

// names says where a call names the purpose or the system that it is about.
type names byte

const (
	nothing names = iota // it is about all: a key that is for some is not let in
	neither              // it is about no purpose and shows nothing of one
	shown                // it gives what the key is for, of all there is
	told                 // of a service: it is looked at for which systems that is told
	inside               // in the body, or in what an id stands for: asked again when that is known
)

// narrowing says of routes where they name a purpose or a system. It is the one place: a key that is for some purposes or
// systems is refused at a route that does not stand here, before anything is read.
var narrowing = map[string]names{
	"/v1/": neither, "/data-subject/": neither, "/privacy/": neither,
	"GET /v1/openapi.json": neither, "GET /v1/openapi.yaml": neither, "GET /v1/openapi-3.0.json": neither, "GET /v1/openapi-3.0.yaml": neither,
	"POST /v1/subjects/find": neither,

	"GET /v1/changes":           shown,
	"GET /v1/purposes":          shown,
	"POST /v1/consents/history": shown,

	"POST /v1/propagations/{id}/ack": told,

	"POST /v1/decisions":              inside,
	"POST /v1/decisions/batch":        inside,
	"POST /v1/decisions/stream":       inside,
	"POST /v1/events":                 inside,
	"POST /v1/consents":               inside,
	"POST /v1/consents/withdraw":      inside,
	"POST /v1/consents/confirm":       inside,
	"GET /v1/consents/{id}":           inside,
	"GET /v1/consents/{id}/receipt":   inside,
	"GET /v1/purposes/{id}":           inside,
	"POST /v1/purposes/{id}/minimise": inside,
}

// enters judges who comes to a route, before anything of the request is read. Where the purpose is not known yet, what a
// policy of the company says of its place is asked later, by reaches; what is shipped is asked here.
func (g *gate) enters(ctx context.Context, pattern string, need access.Permission, of access.Named, id string) error {
	c := access.From(ctx)
	switch {
	case c.Limited() && narrowing[pattern] == nothing:
		if err := access.Allowed(c, need); err != nil {
			return err
		}
		return c.For("", nil)
	case access.Plainly(c, need):
		return nil
	case narrowing[pattern] == inside:
		return access.Allowed(c.Under(access.Shipped()), need)
	}
	return access.AllowedOn(c, need, of.Asked(ctx, id, need, g.about))
}

// reaches asks again, now that the purpose of a call is known: the key may be for others, and a policy of the company may ask
// where the systems of this one lie. "" is every purpose at once.
func (s *server) reaches(ctx context.Context, c access.Caller, need access.Permission, purpose string) error {
	if !c.Limited() && !c.Policies().Narrowed() {
		return nil
	}
	if err := c.For(purpose, s.systemsOf(purpose)); err != nil {
		return err
	}
	if access.Plainly(c, need) {
		return nil
	}
	return access.AllowedOn(c, need, access.Named{Kind: "purpose"}.Asked(ctx, purpose, need, s.About))
}

// systemsOf are the systems that a purpose is used in.
func (s *server) systemsOf(purposes ...string) (systems []string) {
	set := s.Purposes.Now()
	for _, id := range purposes {
		if rule, ok := set.Rule(id); ok {
			systems = append(systems, rule.Systems...)
		}
	}
	return systems
}

// reachesAll asks for many questions, each purpose once, and names every place of one that is denied.
func (s *server) reachesAll(ctx context.Context, c access.Caller, need access.Permission, n int, at func(i int) (purpose, where string)) error {
	if !c.Limited() && !c.Policies().Narrowed() {
		return nil
	}
	said := map[string]error{}
	var denied error
	var faults []fault.Detail
	for i := range n {
		purpose, where := at(i)
		err, known := said[purpose]
		if !known {
			err = s.reaches(ctx, c, need, purpose)
			said[purpose] = err
		}
		if err != nil {
			denied = err
			faults = append(faults, fault.Detail{Where: where, Message: problemOf(err).Detail})
		}
	}
	if denied == nil {
		return nil
	}
	return fault.New(fault.Denied, "%d of %d are denied; nothing was answered", len(faults), n).Then("%s", problemOf(denied).Next).With(faults...)
}

// reachesEvery asks for a call that is about every purpose at once. A key that is for some makes it for those: it gives them, and
// nil where it is about all there are. where is what of the body says so.
func (s *server) reachesEvery(ctx context.Context, c access.Caller, need access.Permission, where string) ([]string, error) {
	its := s.its(c)
	if len(its) == 0 {
		return nil, s.reaches(ctx, c, need, "")
	}
	return its, s.reachesAll(ctx, c, need, len(its), func(i int) (string, string) { return its[i], where })
}

// its are the purposes that the caller's key is for, also those that are not declared any more; none where it is for all.
func (s *server) its(c access.Caller) (its []string) {
	if !c.Limited() {
		return nil
	}
	for _, rule := range s.Purposes.Now().Ever() {
		if c.For(rule.ID, s.systemsOf(rule.ID)) == nil {
			its = append(its, rule.ID)
		}
	}
	return its
}

// theirs tells of a purpose whether the caller may be shown what somebody said of it; nil where all may be shown.
func (s *server) theirs(ctx context.Context, c access.Caller) func(purpose string) bool {
	if !c.Limited() {
		return nil
	}
	return func(purpose string) bool { return s.reaches(ctx, c, access.ConsentRead, purpose) == nil }
}

// reachesBatch is reachesAll for the questions of a batch.
func (s *server) reachesBatch(ctx context.Context, c access.Caller, questions []question) error {
	return s.reachesAll(ctx, c, access.DecisionAsk, len(questions), func(i int) (string, string) {
		return questions[i].Purpose, "/decisions/" + strconv.Itoa(i) + "/purpose"
	})
}

// reachesTarget asks whether a key is for one of the systems that a service is told for.
func (s *server) reachesTarget(c access.Caller, target string) error {
	if !c.Limited() {
		return nil
	}
	var systems []string
	for _, t := range s.Catalog.Config().Targets {
		if t.ID == target {
			systems = t.Systems
		}
	}
	return c.ForSystems(systems, s.systemsOf(c.Limits().Purposes...))
}

// narrowed leaves of changes what the key is for. A change of everything is one of that too.
func (s *server) narrowed(c access.Caller, list []consent.Change) []consent.Change {
	if !c.Limited() {
		return list
	}
	var out []consent.Change
	for _, change := range list {
		all := len(change.Purposes) == 0
		var theirs []string
		for _, id := range change.Purposes {
			if c.For(id, s.systemsOf(id)) == nil {
				theirs = append(theirs, id)
			}
		}
		if change.Purposes = theirs; all || len(theirs) > 0 {
			out = append(out, change)
		}
	}
	return out
}
