package subject

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/ledger"
)

// Part is what an erasure of part of the data was about: these categories, and what was there for these purposes.
type Part struct {
	Categories []string `json:"categories,omitempty"` // none: of every category
	Purposes   []string `json:"purposes,omitempty"`   // none: whatever for
}

// PartErased is the kind of act that is kept of such an erasure outside the store.
const PartErased = "erasure.part"

const partsSchema = `create table suppressed_parts (
	token text not null,
	request text not null,
	since bigint not null,
	part text not null,
	primary key (token, request)
)`

// partAct is what is kept of an erasure of part of the data.
type partAct struct {
	Request string   `json:"request"`
	Since   int64    `json:"since"`
	Part    Part     `json:"part"`
	Tokens  []string `json:"tokens"`
}

// SuppressPart notes whose data an erasure of part took, in the transaction that completes it. They stay known, and are not
// among the erased; where a store is restored, the same part goes again.
func (s *Suppressions) SuppressPart(ctx context.Context, tx *db.Tx, request string, ids []Identity, p Part) error {
	act := partAct{Request: request, Since: s.clock.Now().UnixMilli(), Part: p}
	for tokens := range slices.Chunk(Tokens(s.vault, ids), tokensPerAct) {
		act.Tokens = tokens
		if err := s.suppressPart(ctx, tx, act); err != nil {
			return err
		}
		if err := s.ledger.Keep(tx, PartErased, act); err != nil {
			return err
		}
	}
	return nil
}

func (s *Suppressions) suppressPart(ctx context.Context, tx *db.Tx, act partAct) error {
	part, err := json.Marshal(act.Part)
	if err != nil {
		return fmt.Errorf("encoding a part: %w", err)
	}
	for _, token := range act.Tokens {
		_, err := tx.Exec(ctx, `insert into suppressed_parts (token, request, since, part) values ($1, $2, $3, $4)
			on conflict (token, request) do nothing`, token, act.Request, act.Since, string(part))
		if err != nil {
			return err
		}
	}
	return nil
}

// AgainPart notes again, in an older store, an erasure of part that it does not know.
func (s *Suppressions) AgainPart(ctx context.Context, tx *db.Tx, a ledger.Act) error {
	var act partAct
	if err := json.Unmarshal(a.Body, &act); err != nil {
		return fmt.Errorf("reading an act: %w", err)
	}
	return s.suppressPart(ctx, tx, act)
}

// Parts are the parts that were erased, by token of whom, completed at a time or later.
func (s *Suppressions) Parts(ctx context.Context, since time.Time) (map[string][]Part, error) {
	at := int64(0)
	if !since.IsZero() {
		at = since.UnixMilli()
	}
	var out map[string][]Part
	err := s.db.Read(ctx, func(tx *db.Tx) error {
		out = map[string][]Part{}
		rows, err := tx.Query(ctx, "select token, part from suppressed_parts where since >= $1 order by since, request", at)
		if err != nil {
			return fmt.Errorf("reading erasures of part: %w", err)
		}
		defer rows.Close()
		for rows.Next() {
			var token, text string
			var p Part
			if err := rows.Scan(&token, &text); err != nil {
				return fmt.Errorf("reading erasures of part: %w", err)
			}
			if err := json.Unmarshal([]byte(text), &p); err != nil {
				return fmt.Errorf("reading erasures of part: %w", err)
			}
			out[token] = append(out[token], p)
		}
		return rows.Err()
	})
	return out, err
}
