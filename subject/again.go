package subject

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/ledger"
)

// Again is the reason of what was done again after a restore, where the first one was lost.
const Again = "done again after a restore"

// Kinds of the acts that are kept outside the store.
const (
	ErasureDone      = "erasure.completed"
	HoldAdded        = "hold.added"
	HoldReleased     = "hold.released"
	RestrictionAdded = string(Restriction) + wasAdded
	RestrictionEnded = string(Restriction) + wasEnded
	ObjectionAdded   = string(Objection) + wasAdded
	ObjectionEnded   = string(Objection) + wasEnded
)

// What the kind of a fact is followed by.
const (
	wasAdded = ".added"
	wasEnded = ".ended"
)

// tokensPerAct keeps an act small.
const tokensPerAct = 200

// erasureAct is what is kept of an erasure: keyed tokens of the erased, and the keys that led to them.
type erasureAct struct {
	Request string            `json:"request"`
	Since   int64             `json:"since"`
	Allowed []string          `json:"allowed,omitempty"`
	Held    bool              `json:"held,omitempty"`
	Tokens  map[string]string `json:"tokens,omitempty"` // and the kinds of identity
	Keys    []Key             `json:"keys,omitempty"`
}

func (e *erasureAct) keep(tx *db.Tx, l *ledger.Ledger) error {
	part := *e
	for tokens := range slices.Chunk(slices.Sorted(maps.Keys(e.Tokens)), tokensPerAct) {
		part.Tokens, part.Keys = map[string]string{}, nil
		for _, t := range tokens {
			part.Tokens[t] = e.Tokens[t]
		}
		if err := l.Keep(tx, ErasureDone, part); err != nil {
			return err
		}
	}
	part.Tokens = nil
	for keys := range slices.Chunk(e.Keys, tokensPerAct) {
		part.Keys = keys
		if err := l.Keep(tx, ErasureDone, part); err != nil {
			return err
		}
	}
	return nil
}

// Again does an erasure again that the store does not know: whoever it named is on the list, and forgotten.
func (s *Suppressions) Again(ctx context.Context, tx *db.Tx, a ledger.Act) error {
	var act erasureAct
	if err := json.Unmarshal(a.Body, &act); err != nil {
		return fmt.Errorf("reading an act: %w", err)
	}
	if err := s.suppress(ctx, tx, &act, s.ledger.Next(tx).Revision); err != nil {
		return err
	}
	_, err := s.ledger.Append(tx, ledger.Entry{Kind: "erasure.repeated", Result: "done", Actor: "ombud",
		Content: map[string]any{"request": act.Request, "identities": len(act.Tokens)}})
	return err
}

// holdAct is what is kept of holds: the reason is not, for it may name people.
type holdAct struct {
	Holds []heldPlace `json:"holds"`
}

type heldPlace struct {
	ID      string `json:"id"`
	Token   string `json:"token"`
	System  string `json:"system,omitempty"`
	Dataset string `json:"dataset,omitempty"`
	Since   int64  `json:"since"`
}

func (h *Holds) keep(tx *db.Tx, kind string, holds []Hold) error {
	for part := range slices.Chunk(holds, tokensPerAct) {
		var act holdAct
		for _, m := range part {
			act.Holds = append(act.Holds, heldPlace{m.ID, m.Token, m.System, m.Dataset, m.Since.UnixMilli()})
		}
		if err := h.ledger.Keep(tx, kind, act); err != nil {
			return err
		}
	}
	return nil
}

// Again makes or ends holds again that the store does not know of.
func (h *Holds) Again(ctx context.Context, tx *db.Tx, a ledger.Act) error {
	var act holdAct
	if err := json.Unmarshal(a.Body, &act); err != nil {
		return fmt.Errorf("reading an act: %w", err)
	}
	var holds []Hold
	for _, p := range act.Holds {
		holds = append(holds, Hold{ID: p.ID, System: p.System, Dataset: p.Dataset, Because: Again, Token: p.Token, Since: time.UnixMilli(p.Since)})
	}
	do := h.end
	if a.Kind == HoldAdded {
		do = h.insert
	}
	if err := do(ctx, tx, holds); err != nil {
		return err
	}
	return h.append(tx, a.Kind, "ombud", holds)
}

// factAct is what is kept of a restriction or objection, without its reason.
type factAct struct {
	Keys   []Key `json:"keys"`
	Fact   Fact  `json:"fact"`
	Erased bool  `json:"erased,omitempty"` // the person had been erased before, and said nothing since
}

func (f *Facts) keep(ctx context.Context, tx *db.Tx, n Number, one Fact, kind string) error {
	act := factAct{Fact: one}
	if err := f.people.Keys(ctx, tx, n, func(b Bound) { act.Keys = append(act.Keys, b.Key) }); err != nil {
		return err
	}
	var err error
	if act.Erased, err = f.people.Suppressed(ctx, tx, n); err != nil {
		return err
	}
	return f.ledger.Keep(tx, kind, act)
}

// AgainKeys are the keys that led to the person of a restriction or objection that is to be done again; erased tells that
// they had been erased before: whoever is made of them is suppressed.
func (f *Facts) AgainKeys(a ledger.Act) (keys []Key, erased bool, err error) {
	var act factAct
	if err := json.Unmarshal(a.Body, &act); err != nil {
		return nil, false, fmt.Errorf("reading an act: %w", err)
	}
	return act.Keys, act.Erased, nil
}

// Again adds or ends a restriction or objection again that the store does not know of; it gives whom it is about.
func (f *Facts) Again(ctx context.Context, tx *db.Tx, n Number, a ledger.Act) (Number, error) {
	var act factAct
	if err := json.Unmarshal(a.Body, &act); err != nil {
		return 0, fmt.Errorf("reading an act: %w", err)
	}
	if a.Kind == string(act.Fact.Kind)+wasAdded {
		at, err := f.append(tx, n, act.Fact, a.Kind, "ombud")
		if err != nil {
			return 0, err
		}
		act.Fact.Because, act.Fact.Revision = Again, at.Revision
		return n, f.insert(ctx, tx, n, act.Fact)
	}
	n, one, err := f.end(ctx, tx, act.Fact.ID, act.Fact.Ended)
	if fault.KindOf(err) == fault.NotFound {
		return 0, nil // it is not in this store, so nothing of it stands
	}
	if err == nil {
		_, err = f.append(tx, n, one, a.Kind, "ombud")
	}
	return n, err
}

// MarshalText gives a key as hex.
func (k Key) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, k[:]), nil }

// UnmarshalText reads what MarshalText gave.
func (k *Key) UnmarshalText(b []byte) error {
	raw, err := hex.DecodeString(string(b))
	if err != nil || copy(k[:], raw) != len(k) || len(raw) != len(k) {
		return errors.New("this is not a key")
	}
	return nil
}
