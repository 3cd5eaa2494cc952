package consent

import (
	"context"
	"slices"

	"github.com/ombudhq/ombud/consent/internal/index"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/subject"
)

// keyed is an identity with what the index finds it by.
type keyed struct {
	subject.Identity
	key index.Key
}

func (s *Service) keyed(ids []subject.Identity) []keyed {
	out := make([]keyed, len(ids))
	for i, id := range ids {
		out[i] = keyed{id, short(s.cfg.People.Key(id))}
	}
	return out
}

// draft is an entry that was sealed before the store's writer came to it, as its content should turn out by what was
// durable then. Where the writer finds another content it seals that instead.
type draft struct {
	person  subject.Number
	id      string
	content any
	sealed  *ledger.Sealed
}

// foresee makes the draft of an act of somebody who is known; nil where they are not, or it cannot be sealed: then the
// command finds out why. content is what the act comes to for a state.
func (s *Service) foresee(ctx context.Context, who []keyed, e ledger.Entry, content func(subject.Number) any) *draft {
	var n subject.Number
	for _, k := range who {
		of, _, ok := s.flagged(k.key)
		if !ok || n != 0 && n != of {
			return nil
		}
		n = of
	}
	d := &draft{person: n, id: s.cfg.People.ID(n), content: content(n)}
	e.Subject, e.Slot, e.Result, e.Content = d.id, n.Slot(), "ok", d.content
	var err error
	if d.sealed, err = s.cfg.Ledger.Seal(ctx, e); err != nil {
		return nil
	}
	return d
}

// idOf is the id of a person, which the draft of an act about them has.
func (s *Service) idOf(n subject.Number, d *draft) string {
	if d != nil && d.person == n {
		return d.id
	}
	return s.cfg.People.ID(n)
}

// append writes an entry, as it was sealed if that is what was foreseen.
func (s *Service) append(tx *db.Tx, n subject.Number, e ledger.Entry, d *draft) (ledger.Position, error) {
	if d != nil && d.person == n && same(d.content, e.Content) {
		return s.cfg.Ledger.AppendSealed(tx, d.sealed)
	}
	e.Subject, e.Slot, e.Result = s.idOf(n, d), n.Slot(), "ok"
	return s.cfg.Ledger.Append(tx, e)
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
