package request

import (
	"context"
	"slices"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/id"
	"github.com/ombudhq/ombud/internal/once"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/subject"
	"github.com/ombudhq/ombud/vault"
)

// Plan takes a request in and plans it, or plans an open one again. No store is touched. The request
// then waits for approval, which Run gives; approvals of an older plan are void.
func (s *Service) Plan(ctx context.Context, in PlanInput) (*Request, error) {
	if in.Request != "" {
		return s.planAgain(ctx, in)
	}
	return s.planNew(ctx, in, func(*plan.Plan) bool { return true })
}

// planNew takes a request in whose plan is wanted; nil where it is not.
func (s *Service) planNew(ctx context.Context, in PlanInput, wanted func(*plan.Plan) bool) (*Request, error) {
	var made string
	if was, err := once.Was(ctx, &made); err != nil {
		return nil, err
	} else if was {
		return s.Get(ctx, made)
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	r, err := s.begin(in)
	if err != nil {
		return nil, err
	}
	p, err := s.makePlan(ctx, r, in.People)
	if err != nil || !wanted(p) {
		return nil, err
	}
	tokens := subject.Tokens(s.cfg.Vault, identities(in.People))
	r, err = s.create(ctx, r, tokens, planned(in.Actor, p))
	return s.reply(ctx, r, err)
}

// begin makes the record of a new request, not stored yet.
func (s *Service) begin(in PlanInput) (*record, error) {
	now := s.cfg.Clock.Now()
	r := &record{id: id.New("dsr_", now), kind: in.Kind, received: now, updated: now}
	r.Actor, r.Only, r.Limit, r.Cause = in.Actor, s.cfg.Only, in.Limit, in.Cause
	return r, s.seal(r, in.People)
}

// planned is the command that puts a plan before a person.
func planned(actor string, p *plan.Plan) command {
	return command{on: Planned, entry: "request.planned", actor: actor, content: counts(p), change: func(_ *db.Tx, r *record) error {
		r.setPlan(p)
		return nil
	}}
}

func (r *record) setPlan(p *plan.Plan) {
	r.Plan, r.Approvals, r.Failure, r.Released = p, nil, "", false
}

func (s *Service) planAgain(ctx context.Context, in PlanInput) (*Request, error) {
	r, release, err := s.claim(ctx, in.Request)
	if err != nil {
		return nil, err
	}
	defer release()
	if err := s.mine(r); err != nil {
		return nil, err
	}
	if _, err := next(r.kind, r.state, Planned); err != nil {
		return nil, err
	}
	people, err := s.people(r)
	if err != nil {
		return nil, err
	}
	if in.Limit != nil {
		return nil, fault.New(fault.Invalid, "%s keeps the limit that it was taken in with", r.ref()).Then("Take a new request in, with --subject.")
	}
	changed := len(in.People) > 0 || in.SamePerson
	if in.SamePerson && len(in.People) == 0 {
		in.People = slices.Clone(people)
		for i := range in.People {
			in.People[i].Same = true
		}
	}
	if changed {
		in.Kind = r.kind
		if err := in.check(); err != nil {
			return nil, err
		}
		people = in.People
	}
	p, err := s.makePlan(ctx, r, people)
	if err != nil {
		return nil, err
	}
	c := planned(in.Actor, p)
	if changed {
		c.change = func(tx *db.Tx, r *record) error {
			r.setPlan(p)
			return s.replacePeople(ctx, tx, r, people)
		}
	}
	r, err = s.do(ctx, r.id, c)
	return s.reply(ctx, r, err)
}

func (s *Service) replacePeople(ctx context.Context, tx *db.Tx, r *record, people []plan.Person) error {
	before := vault.SlotOf(r.key)
	if err := s.seal(r, people); err != nil {
		return err
	}
	if err := s.shreds.Add(ctx, tx, before); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `delete from request_tokens where request = $1`, r.id); err != nil {
		return err
	}
	return insertTokens(ctx, tx, r.id, subject.Tokens(s.cfg.Vault, identities(people)))
}

func (s *Service) makePlan(ctx context.Context, r *record, people []plan.Person) (*plan.Plan, error) {
	q, err := s.question(ctx, r, people)
	if err != nil {
		return nil, err
	}
	return s.cfg.Engine.Plan(ctx, q)
}

// question puts a request to the engine, an erasure with the holds that stand on its people.
func (s *Service) question(ctx context.Context, r *record, people []plan.Person) (plan.Question, error) {
	q := plan.Question{Request: r.id, Kind: r.kind, People: people, Thorough: r.thorough}
	if r.kind != plan.Erasure {
		return q, nil
	}
	holds, err := s.cfg.Holds.List(ctx)
	if err != nil {
		return q, err
	}
	q.Holds = holds
	q.Limit, err = s.limit(r, people)
	return q, err
}

// RunNow plans and runs at once. An access is answered into out; an erasure stops before anything is
// touched, at awaiting_approval, as after Plan; so does an access to the data of several, where two people approve that.
func (s *Service) RunNow(ctx context.Context, in PlanInput, out string, progress func(plan.Progress)) (*Request, error) {
	if in.Kind == plan.Erasure || in.Request != "" || s.mass(len(in.People)) {
		return s.Plan(ctx, in)
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	fresh, err := s.begin(in)
	if err != nil {
		return nil, err
	}
	release, err := s.traffic.desk.claim(fresh.id, "the request")
	if err != nil {
		return nil, err
	}
	defer release()
	tokens := subject.Tokens(s.cfg.Vault, identities(in.People))
	leave, err := s.traffic.gate.wait(ctx, plan.Access, tokens)
	if err != nil {
		return nil, err
	}
	defer leave()
	r, err := s.create(ctx, fresh, tokens, command{on: Started, entry: "request.run", actor: in.Actor})
	if err != nil {
		return nil, err
	}
	r, err = s.export(ctx, r, exportInput{out: out, actor: in.Actor, progress: progress})
	return s.reply(ctx, r, err)
}

// claim takes a request for one command of this process and reads it. Who acts upon what a command before has come to need not
// wait by themself until that has let go.
func (s *Service) claim(ctx context.Context, ref string) (*record, func(), error) {
	r, err := s.load(ctx, ref)
	if err != nil {
		return nil, nil, err
	}
	release, err := s.traffic.desk.next(ctx, r.id, r.ref())
	if err != nil {
		return nil, nil, err
	}
	// Read again: what was read before the claim may be of yesterday.
	if r, err = s.load(ctx, r.id); err != nil {
		release()
		return nil, nil, err
	}
	return r, release, nil
}

func (s *Service) load(ctx context.Context, ref string) (r *record, err error) {
	err = s.cfg.DB.Read(ctx, func(tx *db.Tx) error {
		r, err = load(ctx, tx, ref)
		return err
	})
	return r, err
}

// enter waits until no run that clashes with this one is under way.
func (s *Service) enter(ctx context.Context, r *record) (leave func(), err error) {
	var tokens []string
	err = s.cfg.DB.Read(ctx, func(tx *db.Tx) error {
		tokens, err = tokensOf(ctx, tx, r.id)
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.traffic.gate.wait(ctx, r.kind, tokens)
}

// reply shows the record, together with the error that its person must see; a nil record shows nothing.
func (s *Service) reply(ctx context.Context, r *record, err error) (*Request, error) {
	if r == nil {
		return nil, err
	}
	var out *Request
	readErr := s.cfg.DB.Read(context.WithoutCancel(ctx), func(tx *db.Tx) (e error) {
		out, e = s.show(ctx, tx, r)
		return e
	})
	if err == nil {
		err = readErr
	}
	return out, err
}

// Refuse closes a request with a reason, which is kept sealed under a key of its own, until the person is erased and nothing
// is held of theirs (forgetReasons). What a run did before stays done.
func (s *Service) Refuse(ctx context.Context, ref, because, actor string) (*Request, error) {
	if because == "" {
		return nil, fault.New(fault.Invalid, "a refusal needs a reason: the person is owed it (GDPR Art. 12(4))").Then("--because TEXT")
	}
	r, release, err := s.claim(ctx, ref)
	if err != nil {
		return nil, err
	}
	defer release()
	slot, err := s.cfg.Vault.NewSlot()
	if err != nil {
		return nil, err
	}
	sealed, err := s.cfg.Vault.SealFor(slot, refusalLabel, []byte(r.id), []byte(because))
	if err != nil {
		return nil, err
	}
	r, err = s.do(ctx, r.id, command{on: Declined, entry: "request.refused", result: "refused", actor: actor, change: func(tx *db.Tx, r *record) error {
		r.Reason = sealed
		return s.forget(ctx, tx, r)
	}})
	if err == nil {
		err = s.forgetRun(ctx, r.id)
	}
	return s.reply(ctx, r, err)
}

// approvals still missing before the plan may run.
func (s *Service) missing(r *record) int {
	given := 0
	for _, a := range r.Approvals {
		if access.IsAccount(a.Actor) || !s.accountsOnly(r) {
			given++
		}
	}
	return s.needed(r) - given
}

func (s *Service) needed(r *record) int {
	if s.mass(r.People) {
		return 2
	}
	return max(1, s.cfg.Catalog.Config().Approval.Erasure)
}

// accountsOnly tells whether accounts alone approve a request: where two must, and there are accounts.
func (s *Service) accountsOnly(r *record) bool { return s.needed(r) > 1 && s.staffed() }

func (s *Service) staffed() bool { return s.cfg.Staffed != nil && s.cfg.Staffed() }

// mass tells whether a request about so many persons takes two people whatever is configured.
func (s *Service) mass(people int) bool {
	return people > 1 && s.staffed()
}

func hasApproved(r *record, actor string) bool {
	return slices.ContainsFunc(r.Approvals, func(a Approval) bool { return a.Actor == actor })
}
