package consent

import (
	"context"
	"slices"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/subject"
)

// draft is an entry that was sealed before the store's writer came to it, as its content should turn out by what was
// durable then. Where the writer finds another content it seals that instead.
type draft struct {
	person  subject.Number
	content any
	sealed  *ledger.Sealed
}

// foresee makes the draft of an act of somebody who is known; nil where they are not, or it cannot be sealed: then the
// command finds out why. content is what the act comes to for a state.
func (s *Service) foresee(ctx context.Context, ids []subject.Identity, e ledger.Entry, content func(subject.Number) any) *draft {
	var n subject.Number
	for _, i := range ids {
		of, ok := s.find(i)
		if !ok || n != 0 && n != of {
			return nil
		}
		n = of
	}
	d := &draft{person: n, content: content(n)}
	e.Content = d.content
	var err error
	if d.sealed, err = s.cfg.Ledger.Seal(ctx, s.about(n, e)); err != nil {
		return nil
	}
	return d
}

// about makes an entry one about a person.
func (s *Service) about(n subject.Number, e ledger.Entry) ledger.Entry {
	e.Subject, e.Slot, e.Result = s.cfg.People.ID(n), n.Slot(), "ok"
	return e
}

// append writes an entry, as it was sealed if that is what was foreseen.
func (s *Service) append(tx *db.Tx, n subject.Number, e ledger.Entry, d *draft) (ledger.Position, error) {
	if d != nil && d.person == n && same(d.content, e.Content) {
		return s.cfg.Ledger.AppendSealed(tx, d.sealed)
	}
	return s.cfg.Ledger.Append(tx, s.about(n, e))
}

// same tells whether two contents of one act are alike, by all that depends on the state it met.
func same(a, b any) bool {
	switch a := a.(type) {
	case *given:
		b, ok := b.(*given)
		return ok && a.Renews == b.Renews
	case *ended:
		b, ok := b.(*ended)
		return ok && slices.Equal(a.Purposes, b.Purposes) && slices.Equal(a.Consents, b.Consents) &&
			slices.EqualFunc(a.Narrowed, b.Narrowed, func(x, y narrowed) bool {
				return x.Purpose == y.Purpose && slices.Equal(x.Categories, y.Categories)
			})
	}
	return false
}
