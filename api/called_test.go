package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/request"
	"github.com/ombudhq/ombud/subject"
)

// TestRequestsCallPeople: a request shows the name that stands for the person, as /v1/subjects/find says it, and not who they are.
func TestRequestsCallPeople(t *testing.T) {
	c := newCompany(t)
	ida := subject.Identity{Kind: "email", Value: "ida@example.com"}
	r, err := c.world.Requests.Plan(t.Context(), request.PlanInput{Kind: plan.Access, People: []plan.Person{{Identities: []subject.Identity{ida}}}, Actor: "test"})
	if err != nil {
		t.Fatal(err)
	}
	found := c.ask(caller(access.Service), "POST", "/v1/subjects/find", `{"subject":{"email":"ida@example.com"}}`)
	name := `"substitute":"` + r.Called + `"`
	if r.Called == "" || !strings.Contains(found.Body.String(), name) {
		t.Errorf("%q, %d %s", r.Called, found.Code, found.Body)
	}
	w := c.ask(caller(access.Officer), "GET", "/v1/requests/"+r.Ref, "")
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), name) || strings.Contains(w.Body.String(), "ida@") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
