package api

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/purpose"
	"github.com/ombudhq/ombud/subject"
)

func (s *server) addPurposes(a huma.API) {
	huma.Register(a, operation("list-purposes", http.MethodGet, "/purposes", "The register of purposes", 200), s.listPurposes)
	huma.Register(a, operation("get-purpose", http.MethodGet, "/purposes/{id}", "One purpose", 200), s.getPurpose)
	huma.Register(a, operation("put-purpose", http.MethodPut, "/purposes/{id}", "Declare or change a purpose that ombud.yaml does not name", 200), s.putPurpose)
	huma.Register(a, operation("minimise", http.MethodPost, "/purposes/{id}/minimise", "Pass on what the purpose may see of a record, and name what was left out", 200), s.minimise)
	huma.Register(a, operation("add-restriction", http.MethodPost, "/restrictions", "Restrict processing, or record an objection; decisions obey from the answer on", 201), s.addFact)
	huma.Register(a, operation("end-restriction", http.MethodPost, "/restrictions/{id}/end", "Lift it", 200), s.endFact)
}

// Seen is the revision that a page sends as seen_revision with a yes to what it shows now.
type Seen struct {
	Revision int64 `header:"Ombud-Revision" doc:"What a yes to these notices sends as notice.seen_revision"`
}

// seen is read before what is shown, so that no later no can hide behind it.
func (s *server) seen() Seen { return Seen{s.Consents.Revision()} }

type purposesOutput struct {
	Seen
	Body struct {
		Purposes []*purpose.Rule `json:"purposes"`
		Revision int64           `json:"revision" doc:"As Ombud-Revision"`
	}
}

func (s *server) listPurposes(ctx context.Context, _ *struct{}) (*purposesOutput, error) {
	out := &purposesOutput{Seen: s.seen()}
	out.Body.Revision = out.Seen.Revision
	by := access.From(ctx)
	out.Body.Purposes = slices.DeleteFunc(s.Purposes.Now().All(), func(r *purpose.Rule) bool { return by.For(r.ID, r.Systems) != nil })
	return out, nil
}

// PurposeNamed is a purpose named in a path.
type PurposeNamed struct {
	ID string `path:"id" maxLength:"63" pattern:"^[A-Za-z0-9][A-Za-z0-9_-]*$"`
}

type purposeOutput struct {
	Seen
	Body *purpose.Rule
}

func (s *server) getPurpose(ctx context.Context, in *PurposeNamed) (*purposeOutput, error) {
	if err := s.reaches(ctx, access.From(ctx), access.PurposeRead, in.ID); err != nil {
		return nil, problem(err)
	}
	seen := s.seen()
	rule, ok := s.Purposes.Now().Rule(in.ID)
	if !ok {
		return nil, problem(fault.New(fault.NotFound, "no such purpose is declared"))
	}
	return &purposeOutput{seen, rule}, nil
}

type putPurposeInput struct {
	PurposeNamed
	Body purpose.Purpose
}

func (s *server) putPurpose(ctx context.Context, in *putPurposeInput) (*purposeOutput, error) {
	if in.Body.ID = cmp.Or(in.Body.ID, in.ID); in.Body.ID != in.ID {
		return nil, problem(fault.New(fault.Invalid, "the purpose has another id than the address").With(fault.Detail{Where: "/id", Message: "as in the address"}))
	}
	if err := s.Purposes.Put(ctx, access.From(ctx).Actor, in.Body); err != nil {
		return nil, problem(err)
	}
	s.Consents.PurposesChanged()
	return s.getPurpose(ctx, &in.PurposeNamed)
}

type minimiseInput struct {
	PurposeNamed
	Body struct {
		Record map[string]any `json:"record"`
	}
}

type minimiseOutput struct {
	Body struct {
		Record   map[string]any `json:"record"`
		Stripped []string       `json:"stripped"`
	}
}

// minimise records how much it stripped, by name of field, in the ledger before it answers.
func (s *server) minimise(ctx context.Context, in *minimiseInput) (*minimiseOutput, error) {
	if err := s.reaches(ctx, access.From(ctx), access.PurposeRead, in.ID); err != nil {
		return nil, problem(err)
	}
	out := &minimiseOutput{}
	out.Body.Record, out.Body.Stripped = s.Purposes.Now().Minimise(in.ID, in.Body.Record)
	if err := s.Purposes.Stripped(ctx, access.From(ctx).Actor, in.ID, out.Body.Stripped); err != nil {
		return nil, problem(err)
	}
	return out, nil
}

type factInput struct {
	Key  string `header:"Idempotency-Key" maxLength:"255" doc:"The same key again within 7 days gives the same answer and acts once"`
	Body struct {
		Subject  map[string]string `json:"subject"`
		Kind     string            `json:"kind" doc:"restriction or objection"`
		Type     string            `json:"type"`
		Purposes []string          `json:"purposes,omitempty" doc:"Those it stops; none means every one of its type"`
		Allowed  []string          `json:"allowed,omitempty" doc:"Purposes a restriction lets go on"`
		Because  string            `json:"because,omitempty" maxLength:"2000"`
		Until    *time.Time        `json:"until,omitempty"`
	}
}

type factOutput struct {
	Body struct {
		Subject string `json:"subject,omitempty"`
		subject.Fact
	}
}

func (s *server) addFact(ctx context.Context, in *factInput) (*factOutput, error) {
	b := in.Body
	input := subject.FactInput{Kind: subject.FactKind(b.Kind), Type: b.Type, Purposes: b.Purposes, Allowed: b.Allowed, Because: b.Because, Actor: access.From(ctx).Actor}
	if b.Until != nil {
		input.Until = *b.Until
	}
	who, f, err := s.Consents.AddFact(ctx, consent.Identities(b.Subject), input)
	if err != nil {
		return nil, problem(err)
	}
	out := &factOutput{}
	out.Body.Subject, out.Body.Fact = who, f
	return out, nil
}

type endFactInput struct {
	ID string `path:"id" maxLength:"31" pattern:"^fact_[0-9a-z]{26}$"`
}

func (s *server) endFact(ctx context.Context, in *endFactInput) (*factOutput, error) {
	f, err := s.Consents.EndFact(ctx, in.ID, access.From(ctx).Actor)
	if err != nil {
		return nil, problem(err)
	}
	out := &factOutput{}
	out.Body.Fact = f
	return out, nil
}
