package consent

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/ombudhq/ombud/consent/internal/index"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/subject"
)

// noAct is what is kept of a withdrawal outside the store: every key that led to the person, for an older store may know
// them by another one.
type noAct struct {
	Keys       []subject.Key `json:"keys"`
	Purposes   []string      `json:"purposes,omitempty"`
	Narrowed   []string      `json:"narrowed,omitempty"` // purposes that went on without the categories
	Categories []string      `json:"categories,omitempty"`
	Within     []string      `json:"within,omitempty"` // the only purposes that the categories were said of
	All        bool          `json:"all,omitempty"`
	Erased     bool          `json:"erased,omitempty"` // the person had been erased before
	Past       bool          `json:"past,omitempty"`   // it was history, and owed nothing
}

func (s *Service) keep(ctx context.Context, tx *db.Tx, n subject.Number, ids []subject.Identity, c *ended, past bool) error {
	act := noAct{Purposes: c.Purposes, Categories: c.Categories, Within: c.Within, All: c.All, Past: past}
	for _, p := range c.Narrowed {
		act.Narrowed = append(act.Narrowed, p.Purpose)
	}
	for _, i := range ids {
		if _, was := s.cfg.Suppressions.Erased(i); was {
			act.Erased = true
		}
	}
	keys, err := s.keysOf(ctx, tx, n, ids)
	if err != nil {
		return err
	}
	act.Keys = keys
	return s.cfg.Ledger.Keep(tx, kindWithdrawn, act)
}

// keysOf are all keys that lead to a person. Where those that are named are all, as memory counts, the store is not asked: to
// ask a server is a fifth of what it takes to withdraw.
func (s *Service) keysOf(ctx context.Context, tx *db.Tx, n subject.Number, ids []subject.Identity) (keys []subject.Key, err error) {
	for _, i := range ids {
		k := s.cfg.People.Key(i)
		if to, _ := s.index.Find(short(k)); subject.Number(to) == n && !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	if most, counted := s.index.Keys(index.Number(n)); counted && most == len(keys) && !s.cfg.People.Moved() {
		return keys, nil
	}
	keys = nil
	err = s.cfg.People.Keys(ctx, tx, n, func(b subject.Bound) { keys = append(keys, b.Key) })
	return keys, err
}

// WithdrawalKept is the kind under which withdrawals are kept outside the store.
const WithdrawalKept = kindWithdrawn

// Restart forgets everybody whom an older store still knows, and whose key was destroyed since it was copied: nothing more can
// be sealed about them. An act that is done again makes them anew, until their erasure is done again too.
func (s *Service) Restart(ctx context.Context, tx *db.Tx) error {
	living, err := s.cfg.People.Living(ctx, tx)
	if err != nil {
		return err
	}
	at := s.cfg.Ledger.Next(tx).Revision
	for _, n := range living {
		gone, err := s.cfg.Vault.Forgotten(n.Slot())
		if err == nil && gone {
			_, err = s.forget(ctx, tx, n, at)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Again withdraws again what the store does not know to be withdrawn. Where the person is not known any more, or not yet,
// the no stands for whoever comes with one of the keys.
func (s *Service) Again(ctx context.Context, tx *db.Tx, a ledger.Act) error {
	var act noAct
	if err := json.Unmarshal(a.Body, &act); err != nil {
		return fmt.Errorf("reading an act: %w", err)
	}
	if err := s.cfg.Purposes.Reserve(ctx, tx, slices.Concat(act.Purposes, act.Narrowed)); err != nil {
		return err
	}
	people, bound, err := s.those(ctx, tx, act.Keys, act.Erased)
	if err != nil {
		return err
	}
	for _, n := range people {
		c := &ended{At: s.instant(), Categories: act.Categories, Within: act.Within, All: act.All, Reason: subject.Again, Automatic: true}
		for _, p := range act.Purposes {
			s.endAgain(c, n, p, nil)
		}
		for _, p := range act.Narrowed {
			s.endAgain(c, n, p, act.Categories)
		}
		at, err := s.put(tx, n, bound, ledger.Entry{Kind: kindWithdrawn, Actor: "ombud", Content: c}, nil)
		if err == nil && len(c.Consents) > 0 && !act.Past {
			err = owe(tx, n, at.Revision) // the request that followed it is lost too
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// endAgain adds what the withdrawal does to one purpose. What cannot be narrowed ends.
func (s *Service) endAgain(c *ended, n subject.Number, id string, categories []string) {
	rule, ok := s.cfg.Purposes.Now().Known(id)
	if !ok || rule.Rank >= index.Ranks {
		return // nobody can have consented to it
	}
	st := s.current(n, rule.Rank)
	if len(categories) > 0 && st.word.Live(index.MinuteOf(c.At)) && len(rule.Categories) > 0 {
		s.endOne(c, rule, categories, st)
		return
	}
	s.endOne(c, rule, nil, st)
}

// AgainFact adds or ends a restriction or objection again.
func (s *Service) AgainFact(ctx context.Context, tx *db.Tx, a ledger.Act) error {
	keys, erased, err := s.cfg.Facts.AgainKeys(a)
	if err != nil {
		return err
	}
	people, bound, err := s.those(ctx, tx, keys, erased)
	if err != nil {
		return err
	}
	tx.OnCommit(func() { s.bind(bound) })
	n, err := s.cfg.Facts.Again(ctx, tx, people[0], a)
	if err == nil && n != 0 {
		tx.OnCommit(func() { s.flag(n) })
	}
	return err
}

// those are the people whom keys lead to; where there is nobody, somebody is made. Keys that led to nobody lead to the
// first of them.
func (s *Service) those(ctx context.Context, tx *db.Tx, keys []subject.Key, erased bool) (people []subject.Number, bound []subject.Bound, err error) {
	var loose []subject.Key
	for _, k := range keys {
		n, err := s.cfg.People.Find(ctx, tx, k)
		if err != nil {
			return nil, nil, err
		}
		if n == 0 {
			loose = append(loose, k)
		} else if !slices.Contains(people, n) {
			people = append(people, n)
		}
	}
	if len(people) == 0 {
		n, err := s.cfg.People.Add(ctx, tx, erased)
		if err != nil {
			return nil, nil, err
		}
		if erased {
			tx.OnCommit(func() { s.index.SetFlags(index.Number(n), index.Suppressed) })
		}
		people = append(people, n)
	}
	bound, err = s.cfg.People.BindKeys(ctx, tx, people[0], loose)
	return people, bound, err
}
