package request

import (
	"context"
	"fmt"
	"strings"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/plan"
)

// Filter of a list; the zero value lists everything.
type Filter struct {
	Kind    plan.Kind
	State   []State
	Waiting bool   // only what somebody has to do something about: open ones, and those with text to review
	After   string // id of the last one of the page before
	Limit   int    // 0: all
}

// List reads requests, newest first. A page goes on behind the request that ended the one before, so new ones move nothing.
func (s *Service) List(ctx context.Context, f Filter) ([]*Request, error) {
	var out []*Request
	err := s.cfg.DB.Settled(ctx, func(tx *db.Tx) error {
		out = nil
		where, args, err := f.where(ctx, tx)
		if err != nil {
			return err
		}
		all, err := loadAll(ctx, tx, where, args...)
		if err != nil {
			return err
		}
		for _, r := range all {
			one, err := s.show(ctx, tx, r)
			if err != nil {
				return err
			}
			out = append(out, one)
		}
		return nil
	})
	return out, err
}

// where is the filter as a condition with its order.
func (f Filter) where(ctx context.Context, tx *db.Tx) (string, []any, error) {
	var args []any
	arg := func(v any) string {
		args = append(args, v)
		return fmt.Sprintf("$%d", len(args))
	}
	where := "true"
	if f.Kind != "" {
		where += " and kind = " + arg(string(f.Kind))
	}
	if len(f.State) > 0 {
		var in []string
		for _, st := range f.State {
			in = append(in, arg(string(st)))
		}
		where += " and state in (" + strings.Join(in, ", ") + ")"
	}
	if f.Waiting {
		where += fmt.Sprintf(" and (state not in (%s, %s) or retained = %s)", arg(string(Complete)), arg(string(Refused)), arg(heldForReview))
	}
	if f.After != "" {
		last, err := load(ctx, tx, f.After)
		if fault.KindOf(err) == fault.NotFound {
			err = fault.New(fault.Invalid, "the cursor does not belong to this list")
		}
		if err != nil {
			return "", nil, err
		}
		where += fmt.Sprintf(" and (received, n) < (%s, %s)", arg(last.received.UnixMilli()), arg(last.n))
	}
	where += " order by received desc, n desc"
	if f.Limit > 0 {
		where += " limit " + arg(f.Limit)
	}
	return where, args, nil
}

// Counts says how many requests are in each state.
func (s *Service) Counts(ctx context.Context) (map[State]int, error) {
	var out map[State]int
	err := s.cfg.DB.Read(ctx, func(tx *db.Tx) error {
		out = map[State]int{}
		rows, err := tx.Query(ctx, `select state, count(*) from requests group by state`)
		if err != nil {
			return fmt.Errorf("counting requests: %w", err)
		}
		defer rows.Close()
		for rows.Next() {
			var st State
			var n int
			if err := rows.Scan(&st, &n); err != nil {
				return fmt.Errorf("counting requests: %w", err)
			}
			out[st] = n
		}
		return rows.Err()
	})
	return out, err
}
