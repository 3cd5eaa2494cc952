package console_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/internal/testkit/consoletest"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/request"
	"github.com/ombudhq/ombud/subject"
)

// TestManyRequests: the first page names the next ones and counts the rest, and a list of many comes in pages that hold each once.
func TestManyRequests(t *testing.T) {
	s := newSite(t, consoletest.Empty)
	const many = 105
	for i := range many {
		who := []plan.Person{{Identities: []subject.Identity{{Kind: "email", Value: fmt.Sprintf("guest%d@example.com", i)}}}}
		if _, err := s.world.Requests.Plan(t.Context(), request.PlanInput{Kind: plan.Erasure, People: who, Actor: consoletest.Actor}); err != nil {
			t.Fatal(err)
		}
	}
	s.read("/", http.StatusOK).has("And 93 more requests", fmt.Sprintf("All open: %d", many)).lacks("R-2026-0013")
	for state, end := range map[string]string{"open": "R-2026-0105", "you": "R-2026-0105", "all": "R-2026-0001"} {
		begin, last := "R-2026-0001", "R-2026-0100"
		if state == "all" {
			begin, last = "R-2026-0105", "R-2026-0006"
		}
		s.read("/requests?state="+state, http.StatusOK).has(begin, last, "105 requests", "The next ones").lacks(end)
		s.read("/requests?state="+state+"&after="+last, http.StatusOK).has(end).lacks(last, "The next ones")
	}
}

// TestListsCallPeopleByTheirName: while a request knows whom it is about, lists show the name that stands for that person, who has
// the same on their page; it is nobody's once the identities are destroyed, and nobody's who is not known.
func TestListsCallPeopleByTheirName(t *testing.T) {
	s := newSite(t, consoletest.Full)
	ida := subject.Identity{Kind: "email", Value: "ida@example.com"}
	name := s.world.Consents.Substitute(s.world.Consents.Find(ida).Person())
	if name == "" {
		t.Fatal("ida is not known")
	}
	ask := func(i subject.Identity) *request.Request {
		r, err := s.world.Requests.Plan(t.Context(), request.PlanInput{Kind: plan.Access, People: []plan.Person{{Identities: []subject.Identity{i}}}, Actor: consoletest.Actor})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	known, unknown := ask(ida), ask(subject.Identity{Kind: "email", Value: "nobody@example.com"})
	if known.Called != name || unknown.Called != "" {
		t.Errorf("%q and %q", known.Called, unknown.Called)
	}
	beside := func(r *request.Request) string { return name + `</span><br><span class="quiet small">` + r.Ref }
	if all := s.read("/requests?state=all", http.StatusOK).body; !strings.Contains(all, beside(known)) || strings.Contains(all, beside(unknown)) {
		t.Error("the list does not call ida, or nobody, by the name of ida")
	}
	s.read("/people/"+s.world.Consents.Who(s.world.Consents.Find(ida).Person()), http.StatusOK).has(name)
	over, err := s.world.Requests.Refuse(t.Context(), known.Ref, "it is not her", consoletest.Actor)
	if err != nil || over.Called != "" {
		t.Errorf("%q after its end, %v", over.Called, err)
	}
	if closed := s.read("/requests?state=closed", http.StatusOK).body; !strings.Contains(closed, known.Ref) || strings.Contains(closed, beside(known)) {
		t.Error("the list of those closed calls her by her name, or does not show the request")
	}
}
