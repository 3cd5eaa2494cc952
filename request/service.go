package request

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/subject"
	"github.com/ombudhq/ombud/vault"
)

// Config is what the service works with; every field is needed but those that say what nil is.
type Config struct {
	DB      *db.DB
	Vault   *vault.Vault
	Ledger  *ledger.Ledger
	Engine  *plan.Engine
	Holds   *subject.Holds
	Catalog *catalog.Catalog
	Clock   clock.Clock
	Dir     string // data directory; holds receipts/, packages/ and tmp/
	// Only is the one system in Catalog, where erasures are done again because that was restored; else "".
	Only string
	// Suppressions is the list of the erased; nil opens one.
	Suppressions *subject.Suppressions
	// Shreds is the list of keys to be destroyed; nil opens one.
	Shreds *subject.Shreds
	// Staffed tells whether people sign in: what is about several persons then takes two of them. nil is nobody.
	Staffed func() bool
	// Uses tells what purposes needed of people, and what others that go on need of them still; nil knows of no purpose.
	Uses func(people []plan.Person, purposes []string) (ended, going []plan.Use, err error)
	// Called gives the name that stands for a person wherever who they are is masked, "" for who is not known. nil knows nobody.
	Called func(ids []subject.Identity) string
	// Traffic is shared by all services over one store; nil makes one.
	Traffic *Traffic
	Log     *slog.Logger // what fails after an answer is durable; nil discards
}

// Service takes requests in, runs and proves them. It is safe for concurrent use.
type Service struct {
	cfg          Config
	suppressions *subject.Suppressions
	shreds       *subject.Shreds
	traffic      *Traffic
}

// New prepares the service's tables. Call Recover before taking requests.
func New(ctx context.Context, c Config) (*Service, error) {
	if err := c.DB.Migrate(ctx, "request", schema, receiptsForgotten, causes, newestFirst); err != nil {
		return nil, err
	}
	if c.Suppressions == nil {
		var err error
		if c.Suppressions, err = subject.OpenSuppressions(ctx, c.DB, c.Vault, c.Ledger, c.Clock); err != nil {
			return nil, err
		}
	}
	if c.Shreds == nil {
		var err error
		if c.Shreds, err = subject.OpenShreds(ctx, c.DB, c.Vault, c.Ledger, c.Clock); err != nil {
			return nil, err
		}
	}
	if c.Traffic == nil {
		c.Traffic = &Traffic{}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	s := &Service{cfg: c, suppressions: c.Suppressions, shreds: c.Shreds, traffic: c.Traffic}
	c.Holds.OnRelease(s.holdReleased)
	return s, nil
}

// Suppressions is the list of the erased.
func (s *Service) Suppressions() *subject.Suppressions { return s.suppressions }

// PlanInput asks for a plan.
type PlanInput struct {
	Kind   plan.Kind
	People []plan.Person
	Actor  string
	// Limit narrows an erasure to part of the data; nil is all of it.
	Limit *plan.Limit
	// Cause names what a request follows from: there is never more than one for a cause. "" is a person's own wish.
	Cause string
	// Request plans an open request again, by id or reference; Kind and People are then its own, but
	// People, when given, replace them: that is how a merge review is answered.
	Request string
	// SamePerson answers the merge review of an open request: somebody has looked, and the rows of each of its people
	// are that one person's.
	SamePerson bool
}

func (in PlanInput) check() error {
	if in.Kind != plan.Access && in.Kind != plan.Erasure {
		return fault.New(fault.Invalid, "a request is for access or erasure").Then("--kind access or --kind erasure")
	}
	if len(in.People) == 0 {
		return fault.New(fault.Invalid, "a request needs a subject").Then("--subject kind=value, or --subject @file")
	}
	if err := in.checkLimit(); err != nil {
		return err
	}
	for _, p := range in.People {
		if len(p.Identities) == 0 {
			return fault.New(fault.Invalid, "a subject needs an identity").Then("--subject kind=value")
		}
		for _, i := range p.Identities {
			if strings.TrimSpace(i.Kind) == "" || strings.TrimSpace(i.Value) == "" {
				return fault.New(fault.Invalid, "an identity needs a kind and a value").Then("--subject kind=value")
			}
		}
	}
	return nil
}

// RunInput runs a request that is planned, or tries one again.
type RunInput struct {
	Ref     string // id or reference
	Approve string // hash of the plan; needed for an erasure, checked for an access when given
	Actor   string
	Out     string // where an access package goes; default packages/REF.zip in the data directory
	// Progress is called while it runs, from one goroutine; it must be quick. May be nil.
	Progress func(plan.Progress)
}

// Get reads one request by id or reference. Decisions obey what it says.
func (s *Service) Get(ctx context.Context, ref string) (*Request, error) {
	var out *Request
	err := s.cfg.DB.Settled(ctx, func(tx *db.Tx) error {
		r, err := load(ctx, tx, ref)
		if err == nil {
			out, err = s.show(ctx, tx, r)
		}
		return err
	})
	return out, err
}

// show is the record as others see it.
func (s *Service) show(ctx context.Context, tx *db.Tx, r *record) (*Request, error) {
	out := &Request{
		ID: r.id, Ref: r.ref(), Kind: r.kind, State: r.state, People: r.People,
		Received: r.received, Updated: r.updated, Target: r.received.Add(ownTarget),
		Actor: r.Actor, Plan: r.Plan, Outcome: r.Outcome, Approvals: r.Approvals, Package: r.Package,
		Entries: r.Entries, Failure: r.Failure, Progress: s.traffic.desk.progress(r.id), Only: r.Only, Limit: r.Limit, Cause: r.Cause,
	}
	out.Masked, out.Called = s.hints(r)
	out.Due, out.DueWhy = due(r.received)
	if r.Plan != nil {
		out.Hash, out.Onward = r.Plan.Hash, s.onward(r, r.Plan.Hash)
	}
	out.Who, out.What = s.whoActs(r)
	if r.Receipt == "" {
		return out, nil
	}
	f, err := s.receiptFile(ctx, tx, r.Receipt)
	if err != nil {
		return nil, err
	}
	out.Receipt = f.ref()
	return out, nil
}

// whoActs says who must do what next; a state without a name is a defect.
func (s *Service) whoActs(r *record) (who, what string) {
	switch r.state {
	case Awaiting:
		switch {
		case r.Plan != nil && len(r.Plan.Blocking) > 0:
			return "you", "answer what the plan asks, then approve it"
		case r.kind == plan.Access && !s.mass(r.People):
			return "you", "run it"
		case len(r.Approvals) > 0:
			return "a second person", "approve the plan"
		}
		return "you", "approve or refuse the plan"
	case Running:
		return "Ombud", "runs the plan"
	case Incomplete:
		if r.Released {
			return "you", "plan the rest: a hold has ended"
		}
		return firstWho(r.Outcome), "see what remains, then retry"
	case Failed:
		return "you", "retry it"
	case Complete:
		if r.retained == heldForReview {
			return "you", "review the text held back, until " + r.until.Format(time.DateOnly)
		}
	}
	return "nobody", "nothing to do"
}

func firstWho(o *plan.Outcome) string {
	if o == nil {
		return "you"
	}
	for _, r := range slices.Concat(o.Remaining, o.Gaps) {
		if r.Who != "" {
			return r.Who
		}
	}
	return "you"
}

// people opens the identities of a request; fault.Denied once its key is destroyed.
func (s *Service) people(r *record) ([]plan.Person, error) {
	closed := fault.New(fault.Denied, "%s is closed: it no longer knows whom it was about", r.ref()).Then("Start a new request with --subject.")
	if r.key == nil || r.identities == nil {
		return nil, closed
	}
	key, err := s.cfg.Vault.OpenKey(r.key)
	if errors.Is(err, vault.ErrForgotten) {
		return nil, closed
	}
	if err != nil {
		return nil, err
	}
	defer key.Destroy()
	b, err := key.Open([]byte(r.id), r.identities)
	if err != nil {
		return nil, err
	}
	var people []plan.Person
	if err := json.Unmarshal(b, &people); err != nil {
		return nil, fault.Wrap(fault.Integrity, err, "the identities of %s cannot be read", r.ref())
	}
	return people, nil
}

// seal puts the people into the record, under a new key of its own.
func (s *Service) seal(r *record, people []plan.Person) error {
	b, err := json.Marshal(people)
	if err != nil {
		return fmt.Errorf("encoding identities: %w", err)
	}
	key, stored, err := s.cfg.Vault.NewKey()
	if err != nil {
		return err
	}
	defer key.Destroy()
	r.key = stored
	r.identities, err = key.Seal([]byte(r.id), b)
	clear(b)
	r.People = len(people)
	return err
}

// forget destroys what leads to the people, and its key: afterwards only tokens and commitments remain.
func (s *Service) forget(ctx context.Context, tx *db.Tx, r *record) error {
	slot := vault.SlotOf(r.key)
	r.key, r.identities, r.retained, r.until = nil, nil, "", time.Time{}
	return s.shreds.Add(ctx, tx, slot)
}

// forgetRun destroys what a run wrote down, and its key.
func (s *Service) forgetRun(ctx context.Context, request string) error {
	return s.cfg.Engine.Forget(ctx, request, s.shreds.Add)
}

// hints tell whom an open request is about to who already knows: the kinds, and the first character of each value; and the name that
// stands for that person, where they are known.
func (s *Service) hints(r *record) (masked, called string) {
	people, err := s.people(r)
	if err != nil {
		return "····", ""
	}
	var parts []string
	for _, i := range people[0].Identities {
		parts = append(parts, i.Kind+" "+i.Hint())
	}
	if n := len(people) - 1; n > 0 {
		parts = append(parts, fmt.Sprintf("and %d more", n))
	} else if s.cfg.Called != nil {
		called = s.cfg.Called(people[0].Identities)
	}
	return strings.Join(parts, ", "), called
}

func identities(people []plan.Person) []subject.Identity {
	var out []subject.Identity
	for _, p := range people {
		out = append(out, p.Identities...)
	}
	return out
}

func (s *Service) dir(parts ...string) string {
	return filepath.Join(append([]string{s.cfg.Dir}, parts...)...)
}
