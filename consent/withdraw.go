package consent

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ombudhq/ombud/consent/internal/index"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/purpose"
	"github.com/ombudhq/ombud/subject"
)

// WithdrawInput is a no: to purposes, to categories, or to all.
type WithdrawInput struct {
	Subject    []subject.Identity
	Purpose    string
	Categories []string
	All        bool
	Within     []string // the only purposes that All or Categories are about; nil is every one
	Reason     string
	Actor      string

	from *origin // nil when it was said to us
}

// Withdrawal is a no as it was recorded.
type Withdrawal struct {
	Subject  string   `json:"subject"`
	Ended    int      `json:"ended"`              // consents that stood and stand no more, wholly or in part
	Consents []string `json:"consents"`           // their ids
	Purposes []string `json:"purposes"`           // that can no longer lean on consent
	Narrowed []string `json:"narrowed,omitempty"` // that still can, for their other categories
	Revision int64    `json:"revision"`

	before map[string]int64 // by purpose, the revision of the no before it; 0 where it is the first
}

// Withdraw ends what is named and nothing else, and answers when that is durable: no decision asked after the answer says
// yes. It is as good for people nobody knew: a yes of theirs that is still on its way will come too late.
func (s *Service) Withdraw(ctx context.Context, in WithdrawInput) (out Withdrawal, err error) {
	if was, err := before(ctx, in.from, &out); was || err != nil {
		return out, err
	}
	ids, err := s.meant(ctx, in.Subject)
	if err != nil {
		return Withdrawal{}, err
	}
	in.Subject = ids
	if err := s.checkWithdrawal(in); err != nil {
		return Withdrawal{}, err
	}
	e := ledger.Entry{Kind: kindWithdrawn, Actor: in.Actor}
	now := s.instant()
	who := s.keyed(in.Subject)
	d := s.foresee(ctx, who, e, func(n subject.Number) any { return s.ending(n, in, now, s.durable) })
	err = s.cfg.DB.Write(ctx, func(tx *db.Tx) error {
		if out, err = s.withdraw(ctx, tx, in, who, now, e, d); err != nil {
			return err
		}
		return done(tx, in.from, out)
	})
	return out, err
}

func (s *Service) checkWithdrawal(in WithdrawInput) error {
	a := &admission{in: &RecordInput{Subject: in.Subject}}
	a.person()
	named := 0
	for _, given := range []bool{in.Purpose != "", len(in.Categories) > 0, in.All} {
		if given {
			named++
		}
	}
	if named != 1 {
		a.bad("purpose", "name a purpose, or categories, or all")
	}
	rule, ok := s.cfg.Purposes.Now().Known(in.Purpose)
	switch {
	case in.Purpose == "":
	case !ok || rule.Rank >= index.Ranks:
		a.bad("purpose", "no such purpose is declared")
	case !rule.Retired && rule.Basis != purpose.Consent && !s.stands(in.Subject, rule):
		a.bad("purpose", "its basis is %s, and no consent stands: there is nothing to withdraw; an objection may be meant", rule.Basis)
	}
	for i, id := range in.Within {
		if _, ok := s.cfg.Purposes.Now().Known(id); !ok {
			a.bad(fmt.Sprintf("within/%d", i), "no such purpose is declared")
		}
	}
	if in.Within != nil && len(in.Within) == 0 {
		a.bad("within", "names no purpose")
	}
	if in.Purpose != "" && in.Within != nil {
		a.bad("within", "says which purposes categories, or all, are about")
	}
	for i, c := range in.Categories {
		if !slices.ContainsFunc(s.cfg.Purposes.Now().All(), func(r *purpose.Rule) bool { return in.about(r) && slices.Contains(r.Categories, c) }) {
			a.bad(fmt.Sprintf("categories/%d", i), "no purpose declares it")
		}
	}
	if len(a.faults) > 0 {
		return fault.New(fault.Invalid, "this cannot be withdrawn").With(a.faults...)
	}
	return nil
}

// about tells whether a purpose is among those that all, or categories, are of.
func (in *WithdrawInput) about(r *purpose.Rule) bool {
	return in.Within == nil || slices.Contains(in.Within, r.ID)
}

// stands tells whether a consent to the purpose does: it may have had another basis once.
func (s *Service) stands(ids []subject.Identity, rule *purpose.Rule) bool {
	return s.durable(s.Find(ids...).Person(), rule.Rank).word.Live(s.Now())
}

// ending is the content of a withdrawal that meets a state.
func (s *Service) ending(n subject.Number, in WithdrawInput, now time.Time, before states) *ended {
	c := &ended{At: now, Categories: in.Categories, All: in.All && in.Within == nil, Reason: in.Reason}
	if len(in.Categories) > 0 {
		c.Within = in.Within
	}
	if in.from != nil {
		c.Source, c.Said = in.from.source, in.from.at
	}
	for _, rule := range s.named(in) {
		s.endOne(c, rule, in.Categories, before(n, rule.Rank))
	}
	return c
}

func (s *Service) withdraw(ctx context.Context, tx *db.Tx, in WithdrawInput, who []keyed, now time.Time, e ledger.Entry, d *draft) (Withdrawal, error) {
	if err := s.once(ctx, tx, in.from); err != nil {
		return Withdrawal{}, err
	}
	n, bound, err := s.person(ctx, tx, who)
	if err != nil {
		return Withdrawal{}, err
	}
	c := s.ending(n, in, now, s.current)
	before := map[string]int64{}
	for _, rule := range s.named(in) {
		before[rule.ID], _ = s.lastNo(in.Subject, s.current(n, rule.Rank))
	}
	past := in.from != nil && in.from.past
	if err := s.keep(ctx, tx, n, in.Subject, c, past); err != nil {
		return Withdrawal{}, err
	}
	e.Content = c
	at, err := s.put(tx, n, bound, e, d)
	if err == nil && len(c.Consents) > 0 && !past {
		err = owe(tx, n, at.Revision)
	}
	if err != nil {
		return Withdrawal{}, err
	}
	out := Withdrawal{Subject: s.idOf(n, d), Ended: len(c.Consents), Consents: append([]string{}, c.Consents...), Purposes: append([]string{}, c.Purposes...), Revision: at.Revision, before: before}
	for _, p := range c.Narrowed {
		out.Narrowed = append(out.Narrowed, p.Purpose)
	}
	return out, nil
}

// endOne adds what the withdrawal does to one purpose. Without categories it ends; with them, what is left of it stands.
func (s *Service) endOne(c *ended, rule *purpose.Rule, categories []string, st state) {
	live := st.word.Live(index.MinuteOf(c.At))
	covered := rule.Categories
	if st.word.Mark()&partial != 0 {
		covered = st.categories
	}
	rest := slices.DeleteFunc(slices.Clone(covered), func(x string) bool { return slices.Contains(categories, x) })
	if len(categories) > 0 && live && len(rest) == len(covered) {
		c.Narrowed = append(c.Narrowed, narrowed{rule.ID, rest}) // it ends nothing, and a yes of before it comes too late
		return
	}
	if live {
		c.Consents = append(c.Consents, conID(int64(st.word.Revision())))
	}
	if len(categories) > 0 && live && len(rest) > 0 {
		c.Narrowed = append(c.Narrowed, narrowed{rule.ID, rest})
		return
	}
	c.Purposes = append(c.Purposes, rule.ID)
}

// named are the consent purposes that a withdrawal is about.
func (s *Service) named(in WithdrawInput) []*purpose.Rule {
	set := s.cfg.Purposes.Now()
	if in.Purpose != "" {
		rule, _ := set.Known(in.Purpose)
		return []*purpose.Rule{rule}
	}
	var out []*purpose.Rule
	for _, rule := range set.Ever() {
		if rule.Basis != purpose.Consent || rule.Rank >= index.Ranks || !in.about(rule) {
			continue
		}
		if in.All || slices.ContainsFunc(in.Categories, func(c string) bool { return slices.Contains(rule.Categories, c) }) {
			out = append(out, rule)
		}
	}
	return out
}
