package console

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/request"
	"github.com/ombudhq/ombud/web/console/view"
)

// patience is how long a form waits for its run to begin, so that the page it leads to shows it.
const patience = 2 * time.Second

// begin runs what outlives the form. It returns when the run has told of its first step or has ended, whichever is
// first; what is refused is refused here. That a run waits for a person is no fault: the request's page says so.
func (v *visit) begin(run func(ctx context.Context, progress func(plan.Progress)) error) error {
	told := make(chan error, 1)
	var once sync.Once
	tell := func(err error) { once.Do(func() { told <- err }) }
	failed := v.Failed
	call := v.r.Context()
	v.Go(func(ctx context.Context) {
		err := run(ledger.Carried(ctx, call), func(plan.Progress) { tell(nil) })
		tell(err)
		if err != nil && fault.KindOf(err) != fault.Waiting {
			failed(err)
		}
	})
	select {
	case err := <-told:
		if fault.KindOf(err) == fault.Waiting {
			return nil
		}
		return err
	case <-v.Clock.After(patience):
		return nil
	case <-v.r.Context().Done():
		return nil
	}
}

// carry lets a request of the address go on, and leads to its page.
func (v *visit) carry(in request.RunInput, act func(context.Context, request.RunInput) (*request.Request, error)) error {
	r, err := v.Requests.Get(v.r.Context(), v.r.PathValue("ref"))
	if err != nil {
		return err
	}
	in.Ref, in.Actor = r.ID, v.Actor
	err = v.begin(func(ctx context.Context, progress func(plan.Progress)) error {
		in.Progress = progress
		_, err := act(ctx, in)
		return err
	})
	if err != nil {
		return err
	}
	return v.seeOther(address(r))
}

// approve runs exactly the plan whose hash the form carries.
func (v *visit) approve() error {
	hash := v.r.PostForm.Get("hash")
	if hash == "" {
		return fault.New(fault.Invalid, "the form names no plan; nothing was changed").Then("Load the page of the request again.")
	}
	return v.carry(request.RunInput{Approve: hash}, v.Requests.Run)
}

// run answers an access.
func (v *visit) run() error { return v.approve() }

// retry goes on with what remains.
func (v *visit) retry() error { return v.carry(request.RunInput{}, v.Requests.Retry) }

// release ships what was held for review.
func (v *visit) release() error { return v.carry(request.RunInput{}, v.Requests.Package) }

// planAgain reads every system anew.
func (v *visit) planAgain() error {
	r, err := v.Requests.Plan(v.r.Context(), request.PlanInput{
		Request: v.r.PathValue("ref"), Actor: v.Actor, SamePerson: v.r.PostForm.Get("same") == "yes",
	})
	if err != nil {
		return err
	}
	return v.seeOther(address(r))
}

// refuse closes a request with a reason.
func (v *visit) refuse() error {
	because := strings.TrimSpace(v.r.PostForm.Get("because"))
	if because == "" {
		return fault.New(fault.Invalid, "a refusal needs a reason; nothing was changed").Then("The person is owed it (GDPR Art. 12(4)). Go back and write it as they will read it.")
	}
	r, err := v.Requests.Refuse(v.r.Context(), v.r.PathValue("ref"), because, v.Actor)
	if err != nil {
		return err
	}
	return v.seeOther(address(r))
}

// standing is how far a run is, for live.js and for the page itself.
type standing struct {
	State  request.State `json:"state"`
	Phase  string        `json:"phase"`
	System string        `json:"system"`
	Done   int64         `json:"done"`
	Total  int64         `json:"total"`
	Words  string        `json:"words"`
	Speaks string        `json:"speaks"` // changes with each system, not with each row
}

func stand(r *request.Request) standing {
	s := standing{State: r.State, Words: "Waiting for its turn", Speaks: "Waiting for its turn"}
	p := r.Progress
	if p == nil {
		return s
	}
	s.Phase, s.System, s.Done, s.Total = p.Phase, p.System, p.Done, p.Total
	s.Speaks = phaseWord(r.Kind, p.Phase)
	s.Words = s.Speaks
	if p.Total > 0 {
		s.Words += fmt.Sprintf(": %s of %s", view.Number(p.Done), view.Count(p.Total, "part"))
	}
	if p.System != "" {
		s.Words += ", in " + p.System
		s.Speaks += " in " + p.System
	}
	return s
}

func phaseWord(k plan.Kind, phase string) string {
	switch phase {
	case "find":
		return "Finding the rows"
	case "act":
		if k == plan.Erasure {
			return "Erasing"
		}
		return "Reading"
	case "look":
		return "Looking again"
	case "package":
		return "Making the package"
	}
	return view.Upper(phase)
}

// progress answers live.js.
func (v *visit) progress() error {
	r, err := v.Requests.Get(v.r.Context(), v.r.PathValue("ref"))
	if err != nil {
		return err
	}
	v.w.Header().Set("Content-Type", "application/json")
	v.w.WriteHeader(http.StatusOK)
	return json.NewEncoder(v.w).Encode(stand(r))
}
