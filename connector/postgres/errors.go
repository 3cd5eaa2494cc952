package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/ombudhq/ombud/internal/fault"
)

// fail turns an error of the driver into one of ours. Nothing of the driver's text survives: the
// server repeats values ("Key (mail)=(…) already exists"), the driver repeats the DSN.
func (s *store) fail(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if cause := ctx.Err(); cause != nil {
		return fmt.Errorf("system %s: %w", s.system, cause)
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return s.refusal(e)
	}
	return fault.New(fault.Unavailable, "system %s does not answer", s.system).
		Then("Check that the server runs and that the dsn names its address, user and password.")
}

// refusal tells what the server said by its code and the names it gives apart from its text.
func (s *store) refusal(e *pgconn.PgError) error {
	var where strings.Builder
	for _, part := range [][2]string{{"table", e.TableName}, {"column", e.ColumnName}, {"constraint", e.ConstraintName}} {
		if part[1] != "" {
			where.WriteString(", " + part[0] + " " + part[1])
		}
	}
	kind, what := meaning(e.Code)
	return fault.New(kind, "system %s: %s (SQLSTATE %s)%s", s.system, what, e.Code, where.String())
}

// meaning of the codes that somebody can act on.
func meaning(code string) (fault.Kind, string) {
	switch code {
	case "23502":
		return fault.Conflict, "a column must not be null"
	case "23503":
		return fault.Conflict, "a foreign key is violated"
	case "23505":
		return fault.Conflict, "a unique key is violated"
	case "23514":
		return fault.Conflict, "a check is violated"
	case "40001", "40P01":
		return fault.Conflict, "another transaction was in the way"
	case "42501":
		return fault.Denied, "the role lacks a right, or row-level security hides rows from it"
	case "0A000":
		return fault.Conflict, "a table has changed meanwhile"
	case "42P01":
		return fault.Conflict, "a table is gone"
	case "42703":
		return fault.Conflict, "a column is gone"
	case "57014", "55P03":
		return fault.Unavailable, "a statement took longer than the timeout"
	}
	switch code[:min(2, len(code))] {
	case "28":
		return fault.Unavailable, "the server refuses the user or the password"
	case "3D":
		return fault.Unavailable, "there is no such database"
	case "08", "53", "57", "58":
		return fault.Unavailable, "the server is out of reach"
	case "25":
		return fault.Denied, "the server is read-only or the transaction has failed"
	}
	return fault.Internal, "the server refuses a statement"
}
