package request

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/pii"
	"github.com/ombudhq/ombud/plan"
)

// causes is what requests follow from, each at most once.
const causes = `create table request_causes (
	cause text not null primary key,
	request text not null
)`

// checkLimit names every fault of a limit.
func (in PlanInput) checkLimit() error {
	l := in.Limit
	if l == nil {
		return nil
	}
	err := fault.New(fault.Invalid, "an erasure cannot be limited like this")
	if in.Kind != plan.Erasure {
		err = err.With(fault.Detail{Where: "kind", Message: "only an erasure can be of part of the data"})
	}
	if len(l.Categories) == 0 && len(l.Purposes) == 0 {
		err = err.With(fault.Detail{Where: "categories", Message: "name categories or purposes, or no limit at all"})
	}
	for _, c := range l.Categories {
		if !slices.Contains(pii.Categories(), c) {
			err = err.With(fault.Detail{Where: "categories", Message: fmt.Sprintf("there is no category %q", c)})
		}
	}
	if len(err.Details) > 0 {
		return err
	}
	return nil
}

// limit is a request's, with what the purposes need of these people now.
func (s *Service) limit(r *record, people []plan.Person) (*plan.Limit, error) {
	if r.Limit == nil {
		return nil, nil
	}
	l := *r.Limit
	if s.cfg.Uses == nil {
		if len(l.Purposes) > 0 {
			return nil, fault.New(fault.Invalid, "no purpose is declared")
		}
		return &l, nil
	}
	var err error
	l.Ended, l.Going, err = s.cfg.Uses(people, l.Purposes)
	return &l, err
}

// because notes what the request follows from; fault.Conflict when there is one already.
func (r *record) because(ctx context.Context, tx *db.Tx) error {
	if r.Cause == "" {
		return nil
	}
	other, err := causedBy(ctx, tx, r.Cause)
	if err != nil {
		return err
	}
	if other != "" {
		return fault.New(fault.Conflict, "there is a request for this already")
	}
	_, err = tx.Exec(ctx, `insert into request_causes (cause, request) values ($1, $2)`, r.Cause, r.id)
	return err
}

// causedBy is the request that follows from something; "" for none.
func causedBy(ctx context.Context, tx *db.Tx, cause string) (request string, err error) {
	err = tx.QueryRow(ctx, `select request from request_causes where cause = $1`, cause).Scan(&request)
	if err != nil && !errors.Is(err, db.ErrNoRows) {
		return "", fmt.Errorf("reading what a request follows from: %w", err)
	}
	return request, nil
}

// After gives the request that follows from something; nil where there is none.
func (s *Service) After(ctx context.Context, cause string) (*Request, error) {
	var request string
	err := s.cfg.DB.Read(ctx, func(tx *db.Tx) (err error) {
		request, err = causedBy(ctx, tx, cause)
		return err
	})
	if err != nil || request == "" {
		return nil, err
	}
	return s.Get(ctx, request)
}

// Follow is Plan for what follows from something, as the erasure of data does from a consent that ended. It gives nil where
// nothing is to be done; where a store could not be asked, that is not known, and the request waits for it. Where there is one
// for the same cause already, it gives that.
func (s *Service) Follow(ctx context.Context, in PlanInput) (*Request, error) {
	r, err := s.After(ctx, in.Cause)
	if r != nil || err != nil {
		return r, err
	}
	r, err = s.planNew(ctx, in, func(p *plan.Plan) bool {
		return acts(p) || slices.ContainsFunc(p.Gaps, func(g plan.Remaining) bool { return g.Code == "unreachable" || g.Code == "unreadable" })
	})
	if fault.KindOf(err) == fault.Conflict { // somebody else was faster
		if other, _ := s.After(ctx, in.Cause); other != nil {
			return other, nil
		}
	}
	return r, err
}
