package request

import (
	"context"
	"strings"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/once"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/plan"
)

// program is the actor of what Ombud does by itself: it alone executes; people plan and approve.
const program = "ombud"

// command is one change of one request: a step of the lifecycle, what else it changes, and the one
// ledger entry that tells of it, all in one transaction.
type command struct {
	on     Event  // "" when the state stays
	entry  string // kind of the ledger entry
	result string // default "done"
	actor  string
	// change alters the record before it is saved, and may refuse. It may run twice.
	change func(tx *db.Tx, r *record) error
	// content of the entry beside request, hash and state: counts and hashes only.
	content map[string]any
	fields  []string // names of what somebody is shown
	// after runs when the entry has its place.
	after func(tx *db.Tx, r *record, at ledger.Position) error
}

// do runs a command on a request and gives its new state.
func (s *Service) do(ctx context.Context, id string, c command) (*record, error) {
	var out *record
	if c.actor == program {
		ctx = ledger.ByProgram(ctx)
	}
	err := s.cfg.DB.Write(ctx, func(tx *db.Tx) error {
		r, err := load(ctx, tx, id)
		if err != nil {
			return err
		}
		tokens, err := tokensOf(ctx, tx, r.id)
		if err != nil {
			return err
		}
		if err := s.apply(tx, r, tokens, c); err != nil {
			return err
		}
		out = r
		s.traffic.desk.reaches(r.id, r.state)
		return r.save(ctx, tx)
	})
	return out, err
}

// create runs the command that begins a request.
func (s *Service) create(ctx context.Context, r *record, tokens []string, c command) (*record, error) {
	var out *record
	err := s.cfg.DB.Write(ctx, func(tx *db.Tx) error {
		fresh := *r
		if err := fresh.because(ctx, tx); err != nil {
			return err
		}
		if err := fresh.insert(ctx, tx, tokens); err != nil {
			return err
		}
		if err := s.apply(tx, &fresh, tokens, c); err != nil {
			return err
		}
		out = &fresh
		if err := once.Done(tx, fresh.id); err != nil {
			return err
		}
		return fresh.save(ctx, tx)
	})
	return out, err
}

func (s *Service) apply(tx *db.Tx, r *record, tokens []string, c command) (err error) {
	if c.on != "" {
		if r.state, err = next(r.kind, r.state, c.on); err != nil {
			return err
		}
	}
	if c.change != nil {
		if err := c.change(tx, r); err != nil {
			return err
		}
	}
	r.updated = s.cfg.Clock.Now()
	at, err := s.append(tx, r, tokens, c)
	if err != nil {
		return err
	}
	r.Entries = append(r.Entries, int64(at.ID))
	if c.after != nil {
		return c.after(tx, r, at)
	}
	return nil
}

func (s *Service) append(tx *db.Tx, r *record, tokens []string, c command) (ledger.Position, error) {
	content := map[string]any{"request": r.ref(), "kind": r.kind, "state": r.state, "people": r.People}
	if r.Plan != nil {
		content["hash"] = r.Plan.Hash
	}
	if r.Limit != nil {
		content["limit"] = r.Limit
	}
	if r.Cause != "" {
		content["cause"] = r.Cause
	}
	for k, v := range c.content {
		content[k] = v
	}
	e := ledger.Entry{Kind: c.entry, Result: c.result, Actor: c.actor, Content: content, Resource: "request/" + r.ref(), Fields: c.fields}
	if e.Result == "" {
		e.Result = "done"
	}
	if r.People == 1 && len(tokens) > 0 {
		e.Subject = strings.Join(tokens, " ") // of one person; a mass request belongs to nobody alone
	}
	return s.cfg.Ledger.Append(tx, e)
}

// counts is what a plan would touch and keep, for the ledger.
func counts(p *plan.Plan) map[string]any {
	if p == nil {
		return nil
	}
	var rows, kept int64
	for _, sys := range p.Systems {
		for _, st := range sys.Datasets {
			rows += st.Rows
		}
	}
	for _, k := range p.Kept {
		kept += k.Rows
	}
	return map[string]any{"matched": p.Matched, "rows": rows, "kept": kept, "gaps": len(p.Gaps), "blocking": len(p.Blocking)}
}
