package cli

import (
	"strings"
	"time"

	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/request"
)

// listed is one line of a list.
type listed struct {
	Request  string        `json:"request"`
	Ref      string        `json:"ref"`
	Kind     plan.Kind     `json:"kind"`
	Status   request.State `json:"status"`
	About    string        `json:"about"`
	Called   string        `json:"substitute,omitempty"` // that stands for them
	Received time.Time     `json:"received"`
	Due      string        `json:"due"`
	Who      string        `json:"who"`
	What     string        `json:"what"`
}

func listedOf(r *request.Request) listed {
	return listed{r.ID, r.Ref, r.Kind, r.State, r.Masked, r.Called, r.Received, r.Due.Format(time.DateOnly), r.Who, r.What}
}

// detail is one request whole.
type detail struct {
	listed
	DueWhy string         `json:"due_why"`
	Plan   *plan.Plan     `json:"plan"`
	Result request.Result `json:"result"`
}

func detailOf(r *request.Request) detail { return detail{listedOf(r), r.DueWhy, r.Plan, r.Result()} }

func (s *session) showList(items []listed, all bool) {
	if len(items) == 0 && all {
		s.heading("There is no request.")
		s.printf("  ombud dsr plan --kind access --subject email=name@example.com begins one.\n")
		return
	}
	if len(items) == 0 {
		s.heading("No open request.")
		s.printf("  ombud dsr plan --kind access --subject email=name@example.com begins one; --all lists closed ones.\n")
		return
	}
	s.heading("%s.", count(len(items), "request"))
	t := newTable("", "kind", "state", "about", "due", "who", "")
	for _, r := range items {
		t.row(r.Ref, r.Kind, strings.ReplaceAll(string(r.Status), "_", " "), r.About, r.Due, r.Who, r.What)
	}
	t.print(s)
}
