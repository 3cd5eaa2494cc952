package console

import (
	"net/http"
	"os"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/request"
	"github.com/ombudhq/ombud/web/console/view"
)

// dossier is one request with what its page needs.
type dossier struct {
	*request.Request
	story   story
	systems int  // how many there are to ask
	packed  bool // the package lies where it can be downloaded
}

func (v *visit) dossier() (*dossier, error) {
	r, err := v.Requests.Get(v.r.Context(), v.r.PathValue("ref"))
	if err != nil {
		return nil, err
	}
	s, err := v.story(v.r.Context(), r)
	_, gone := os.Stat(v.packagePath(r))
	return &dossier{r, s, len(v.Catalog.Config().Systems), gone == nil}, err
}

// planWaits is true while the plan is what matters, not what a run did.
func (d *dossier) planWaits() bool {
	return d.Plan != nil && (d.State == request.Awaiting || d.Outcome == nil)
}

// request shows one: how it stands, what would happen or has happened, and what can be done.
func (v *visit) request() error {
	d, err := v.dossier()
	if err != nil {
		return err
	}
	all, err := v.desk()
	if err != nil {
		return err
	}
	sentence, lede := d.sentence()
	body := []g.Node{view.Head(sentence, lede, v.next(d)), v.timeSection(d), d.tabs()}
	if d.State == request.Running {
		body = append(body, v.progressSection(d))
	}
	if d.planWaits() {
		body = append(body, planSection(d), knowFirst(d.Plan), v.decision(d))
	}
	if d.Outcome != nil {
		body = append(body, v.proofSection(d), keptSection(d), v.packageSection(d), v.goOn(d))
		if !d.planWaits() && d.Plan != nil {
			body = append(body, planSection(d))
		}
	}
	if d.Outcome == nil && d.State == request.Failed {
		body = append(body, v.goOn(d))
	}
	body = append(body, v.storySection(d.Request, d.story))
	s := v.shell(roomRequests, name(d.Request), all, []view.Crumb{{Name: "Requests", Href: "/requests"}, {Name: d.Ref}}, body...)
	if d.State == request.Running {
		s.Refresh = "3"
	}
	return v.show(http.StatusOK, s)
}

// tabs lead to the parts of the page that are there.
func (d *dossier) tabs() g.Node {
	tabs := []view.Room{}
	add := func(there bool, href, name string) {
		if there {
			tabs = append(tabs, view.Room{Href: href, Name: name})
		}
	}
	add(d.planWaits(), "#plan", "Plan")
	add(d.Outcome != nil, "#proof", "Proof")
	add(d.Outcome != nil && len(d.Outcome.Kept) > 0, "#kept", "Kept")
	add(d.Package != nil, "#package", "Package")
	add(d.Outcome != nil && !d.planWaits() && d.Plan != nil, "#plan", "Plan")
	add(true, "#story", "Audit log")
	tabs[0].Here = true
	return view.Tabs("This request", tabs...)
}

func (v *visit) timeSection(d *dossier) g.Node {
	l := view.Limits{Received: d.Received, Target: d.Target, Due: d.Due, DueWhy: lawOf(d.DueWhy)}
	if !d.State.Open() {
		l.Done = d.Updated
	}
	return h.Section(h.ID("time"), h.Aria("labelledby", "time-h"),
		h.Div(h.Class("sec-h"), h.H2(h.ID("time-h"), h.Class("sr"), g.Text("Time")), h.P(g.Text(view.Upper(v.plainDates(d.DueWhy))))),
		v.time.Timeline(l), view.Track("How far it is", v.stages(d)...))
}

// stages of a request: what is done, what is now, what comes.
func (v *visit) stages(d *dossier) []view.Stage {
	if d.State == request.Refused {
		return []view.Stage{
			{Class: "done", Name: "Received", When: v.time.Date(d.Received)},
			{Class: "done", Name: "Refused", When: v.when(d.story.last("request.refused"))},
		}
	}
	planned := v.when(d.story.last("request.planned", "request.drifted", "request.run"))
	run := v.when(d.story.last("request.run", "request.retried", "request.approved"))
	end := v.when(d.story.last("request.completed"))
	names := []view.Stage{{Name: "Received", When: v.time.Date(d.Received)}, {Name: "Planned", When: planned}}
	if d.Kind == plan.Erasure {
		names = append(names, view.Stage{Name: "Approve", When: approval(d, v)})
	}
	names = append(names, view.Stage{Name: "Run", When: later(run, "Ombud, at once")})
	if d.Kind == plan.Erasure {
		names = append(names, view.Stage{Name: "Look again", When: later(end, "Ombud, by other code")},
			view.Stage{Name: "Prove", When: later(end, "signed receipt")})
	} else {
		names = append(names, view.Stage{Name: "Package", When: later(end, "Ombud, with signed list")},
			view.Stage{Name: "Hand over", When: later("", "you, to the person")})
	}
	return marked(names, reached(d))
}

// reached is how many stages are over.
func reached(d *dossier) int {
	approve := 0
	if d.Kind == plan.Erasure {
		approve = 1
	}
	switch d.State {
	case request.Awaiting:
		return 2
	case request.Running, request.Failed:
		return 2 + approve
	case request.Incomplete:
		return 3 + approve
	}
	if d.Kind == plan.Access {
		return 4
	}
	return 6
}

func marked(stages []view.Stage, done int) []view.Stage {
	for i := range stages {
		switch {
		case i < done:
			stages[i].Class = "done"
		case i == done:
			stages[i].Class = "now"
		default:
			stages[i].Class = "todo"
		}
	}
	return stages
}

func approval(d *dossier, v *visit) string {
	if len(d.Approvals) > 0 {
		last := d.Approvals[len(d.Approvals)-1]
		return v.me(last.Actor) + ", " + v.time.Moment(last.At)
	}
	if !d.State.Open() || d.State != request.Awaiting {
		return ""
	}
	if v.time.Days(d.Target) < 0 {
		return "you, at once"
	}
	return "you, by " + v.time.Date(d.Target)
}

func later(then, otherwise string) string {
	if then == "" {
		return otherwise
	}
	return then
}
