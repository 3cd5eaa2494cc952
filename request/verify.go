package request

import (
	"context"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/subject"
)

// VerifyErasure reads the stores again and says whether the erasure still holds. With the person's
// identities, or while the request still has them, the engine looks as it did after the run. Without,
// it compares the keyed token of every identity in every people dataset with those of the erased.
// The outcome's status is complete or incomplete, and never complete where the run left a gap; the request itself does not change, and the log says that actor looked.
func (s *Service) VerifyErasure(ctx context.Context, ref string, people []plan.Person, actor string) (*plan.Outcome, error) {
	r, err := s.load(ctx, ref)
	if err != nil {
		return nil, err
	}
	if r.kind != plan.Erasure || r.Outcome == nil {
		return nil, fault.New(fault.Invalid, "%s is no erasure that has run", r.ref())
	}
	if r.Limit != nil && len(people) == 0 && r.key == nil {
		return nil, fault.New(fault.Invalid, "%s erased part of the data of a person who is known here still", r.ref()).Then("Say whom it was about: --subject kind=value")
	}
	tokens, err := s.tokens(ctx, r)
	if err != nil {
		return nil, err
	}
	out := &plan.Outcome{Kind: plan.Erasure, Hash: r.Outcome.Hash, Kept: r.Outcome.Kept, Ignored: r.Outcome.Ignored, Gaps: r.Outcome.Gaps}
	if len(people) > 0 {
		if err := sameSubjects(tokens, subject.Tokens(s.cfg.Vault, identities(people))); err != nil {
			return nil, err
		}
	} else if r.key != nil {
		if people, err = s.people(r); err != nil {
			return nil, err
		}
	}
	if out.Remaining, out.Proof, err = s.look(ctx, r, people, tokens); err != nil {
		return nil, err
	}
	out.Status = plan.Complete
	if len(out.Remaining)+len(out.Gaps) > 0 {
		out.Status = plan.Incomplete
	}
	// Reading personal data is told before it is answered.
	_, err = s.do(ctx, r.id, command{entry: "erasure.verified", result: string(out.Status), actor: actor,
		content: map[string]any{"remaining": len(out.Remaining)}})
	return out, err
}

func (s *Service) look(ctx context.Context, r *record, people []plan.Person, tokens []string) ([]plan.Remaining, []plan.Proof, error) {
	if len(people) > 0 {
		q, err := s.question(ctx, r, people)
		if err != nil {
			return nil, nil, err
		}
		left, proof, err := s.cfg.Engine.Look(ctx, q, r.Plan, r.shells())
		if err != nil || len(left) > 0 || len(subject.Tokens(s.cfg.Vault, identities(people))) == len(tokens) {
			return left, proof, err
		}
		left, err = s.lookByTokens(ctx, r, tokens) // not all identities were given
		return left, proof, err
	}
	left, err := s.lookByTokens(ctx, r, tokens)
	return left, nil, err
}

func (s *Service) lookByTokens(ctx context.Context, r *record, tokens []string) ([]plan.Remaining, error) {
	want := map[string]bool{}
	for _, t := range tokens {
		want[t] = true
	}
	return s.cfg.Engine.Tokens(ctx, want, func(kind, value string) string {
		return subject.Token(s.cfg.Vault, kind, value)
	}, r.Outcome.Kept, r.shells())
}

func (s *Service) tokens(ctx context.Context, r *record) (out []string, err error) {
	err = s.cfg.DB.Read(ctx, func(tx *db.Tx) error {
		out, err = tokensOf(ctx, tx, r.id)
		return err
	})
	return out, err
}

// sameSubjects demands that at least the identities given are the request's own: verifying an erasure
// with somebody else's would prove nothing, and tell whom a request was not about.
func sameSubjects(of, given []string) error {
	own := map[string]bool{}
	for _, t := range of {
		own[t] = true
	}
	for _, t := range given {
		if !own[t] {
			return fault.New(fault.Invalid, "the subject given is not the one of this request")
		}
	}
	return nil
}
