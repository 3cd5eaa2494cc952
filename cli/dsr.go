package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/request"
)

// dsrCmd are the requests of people (data subject requests).
type dsrCmd struct {
	Plan    dsrPlanCmd    `cmd:"" help:"Say what would happen to which rows. Touches nothing."`
	Run     dsrRunCmd     `cmd:"" help:"Run an approved plan; for access, plan and run at once."`
	List    dsrListCmd    `cmd:"" help:"List requests, newest first."`
	Show    dsrShowCmd    `cmd:"" help:"Show one request: state, plan, what was done and what remains."`
	Retry   dsrRetryCmd   `cmd:"" help:"Try again what remains of a request."`
	Refuse  dsrRefuseCmd  `cmd:"" help:"Say no to a request, with the reason."`
	Package dsrPackageCmd `cmd:"" help:"Write the access package again, with the text that was held, after you have reviewed it."`
}

// limits narrow an erasure to part of the data.
type limits struct {
	Category []string `help:"Only data of these categories, separated by commas. What a purpose still needs of it stays." placeholder:"CATEGORY"`
	Purpose  []string `help:"Only data that was there for these purposes, separated by commas. What others need of it stays." placeholder:"PURPOSE"`
}

func (l *limits) limit() *plan.Limit {
	if len(l.Category) == 0 && len(l.Purpose) == 0 {
		return nil
	}
	return &plan.Limit{Categories: l.Category, Purposes: l.Purpose}
}

type dsrPlanCmd struct {
	Request    string `arg:"" optional:"" help:"Plan this open request again instead of taking a new one in."`
	Kind       string `help:"access or erasure." enum:"access,erasure," default:"" placeholder:"KIND"`
	SamePerson bool   `help:"Several rows of one dataset match, I have looked, and they are this one person."`
	limits
	subjects
}

func (*dsrPlanCmd) writes() {}

func (c *dsrPlanCmd) run(ctx context.Context, s *session) error {
	if err := s.needSystems(); err != nil {
		return err
	}
	in := request.PlanInput{Kind: plan.Kind(c.Kind), Request: c.Request, Actor: s.actor(), Limit: c.limit()}
	if c.Request == "" || len(c.Subject) > 0 {
		people, err := c.people(s, c.SamePerson)
		if err != nil {
			return err
		}
		in.People = people
	}
	r, err := s.Requests.Plan(ctx, in)
	if err != nil {
		return err
	}
	return s.answer(r.Plan, func() { s.showPlan(r) })
}

type dsrRunCmd struct {
	Request    string `arg:"" optional:"" help:"Request to run, by id or reference."`
	Approve    string `help:"Hash of the plan you have read. Exactly that plan runs." placeholder:"HASH"`
	Kind       string `help:"Without REQUEST: access plans and runs at once; erasure stops for approval." enum:"access,erasure," default:"" placeholder:"KIND"`
	Out        string `help:"Where the access package goes. Default in the data directory." placeholder:"FILE.zip"`
	SamePerson bool   `help:"Several rows of one dataset match, I have looked, and they are this one person."`
	limits
	subjects
	asAccount
}

func (*dsrRunCmd) writes() {}

func (c *dsrRunCmd) inputs() []string { return append(c.subjects.inputs(), c.asAccount.inputs()...) }

func (c *dsrRunCmd) run(ctx context.Context, s *session) error {
	if err := s.needSystems(); err != nil {
		return err
	}
	if c.Request == "" {
		return c.runNew(ctx, s)
	}
	if len(c.Subject) > 0 || c.Kind != "" || c.limit() != nil {
		return fault.New(fault.Invalid, "a request knows whom and what it is about, and of what kind it is").
			Then("ombud dsr run %s --approve HASH", c.Request)
	}
	actor, err := c.approver(ctx, s)
	if err != nil {
		return err
	}
	if err := s.takesAway(ctx, c.Out); err != nil {
		return err
	}
	p := s.progress()
	defer p.end()
	r, err := s.Requests.Run(ctx, request.RunInput{Ref: c.Request, Approve: c.Approve, Actor: actor, Out: s.env.Abs(c.Out), Progress: p.show})
	p.end()
	return s.showRun(r, s.env.Abs(c.Out), err)
}

func (c *dsrRunCmd) runNew(ctx context.Context, s *session) error {
	if c.Approve != "" || c.Name != "" {
		return fault.New(fault.Invalid, "a hash approves a plan that is there").Then("ombud dsr run REQUEST --approve HASH")
	}
	people, err := c.people(s, c.SamePerson)
	if err != nil {
		return err
	}
	if err := s.takesAway(ctx, c.Out); err != nil {
		return err
	}
	in := request.PlanInput{Kind: plan.Kind(c.Kind), People: people, Actor: s.actor(), Limit: c.limit()}
	p := s.progress()
	defer p.end()
	r, err := s.Requests.RunNow(ctx, in, s.env.Abs(c.Out), p.show)
	p.end()
	return s.showRun(r, s.env.Abs(c.Out), err)
}

type dsrListCmd struct {
	All  bool   `help:"Closed ones too."`
	Kind string `help:"access or erasure." enum:"access,erasure," default:"" placeholder:"KIND"`
}

func (c *dsrListCmd) run(ctx context.Context, s *session) error {
	all, err := s.Requests.List(ctx, request.Filter{Kind: plan.Kind(c.Kind), Waiting: !c.All})
	if err != nil {
		return err
	}
	items := []listed{}
	for _, r := range all {
		if c.All || r.State.Open() {
			items = append(items, listedOf(r))
		}
	}
	return s.answer(map[string]any{"requests": items}, func() { s.showList(items, c.All) })
}

type dsrShowCmd struct {
	Request string `arg:"" help:"Request, by id or reference."`
}

func (c *dsrShowCmd) run(ctx context.Context, s *session) error {
	r, err := s.Requests.Get(ctx, c.Request)
	if err != nil {
		return err
	}
	return s.answer(detailOf(r), func() { s.showRequest(r) })
}

type dsrRetryCmd struct {
	Request string `arg:"" help:"Request, by id or reference."`
	Out     string `help:"Where the access package goes. Default in the data directory." placeholder:"FILE.zip"`
}

func (*dsrRetryCmd) writes() {}

func (c *dsrRetryCmd) run(ctx context.Context, s *session) error {
	if err := s.takesAway(ctx, c.Out); err != nil {
		return err
	}
	p := s.progress()
	defer p.end()
	r, err := s.Requests.Retry(ctx, request.RunInput{Ref: c.Request, Actor: s.actor(), Out: s.env.Abs(c.Out), Progress: p.show})
	p.end()
	return s.showRun(r, s.env.Abs(c.Out), err)
}

type dsrRefuseCmd struct {
	Request string `arg:"" help:"Request, by id or reference."`
	Because string `required:"" help:"The ground, as the person will read it." placeholder:"TEXT"`
}

func (*dsrRefuseCmd) writes() {}

func (c *dsrRefuseCmd) run(ctx context.Context, s *session) error {
	r, err := s.Requests.Refuse(ctx, c.Request, c.Because, s.actor())
	if err != nil {
		return err
	}
	return s.answer(r.Result(), func() { s.heading("%s is refused.", r.Ref) })
}

type dsrPackageCmd struct {
	Request string `arg:"" help:"Request, by id or reference."`
	Out     string `required:"" help:"Where the package goes." placeholder:"FILE.zip"`
}

func (*dsrPackageCmd) writes() {}

func (c *dsrPackageCmd) run(ctx context.Context, s *session) error {
	if err := s.Accounts.TakeAway(ctx, s.caller()); err != nil {
		return err
	}
	p := s.progress()
	defer p.end()
	r, err := s.Requests.Package(ctx, request.RunInput{Ref: c.Request, Actor: s.actor(), Out: s.env.Abs(c.Out), Progress: p.show})
	p.end()
	return s.showRun(r, s.env.Abs(c.Out), err)
}

// takesAway counts a package that a run puts where somebody asks for it, as dsr package does; from the first account on: before,
// who is at the machine is the only one there is.
func (s *session) takesAway(ctx context.Context, out string) error {
	if out == "" || !s.Accounts.Any() {
		return nil
	}
	return s.Accounts.TakeAway(ctx, s.caller())
}

// progress draws one line on a terminal and takes it away again.
type progress struct {
	s    *session
	last string
}

func (s *session) progress() *progress { return &progress{s: s} }

func (p *progress) show(at plan.Progress) {
	if !p.s.env.Progress {
		return
	}
	words := map[string]string{"find": "finding", "act": "acting in", "look": "looking again at", "package": "packing"}
	where := strings.Trim(at.System+"."+at.Dataset, ".")
	line := fmt.Sprintf("%s %s", words[at.Phase], where)
	if at.Total > 0 {
		line += fmt.Sprintf("  %s of %s", number(at.Done), number(at.Total))
	}
	if line = oneLine(line); line != p.last {
		fmt.Fprintf(p.s.env.Stderr, "\r\x1b[K%.78s", line)
		p.last = line
	}
}

func (p *progress) end() {
	if p.last != "" {
		fmt.Fprint(p.s.env.Stderr, "\r\x1b[K")
		p.last = ""
	}
}
