package db

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/ombudhq/ombud/internal/fault"
)

func (c *pgConn) mapped(ctx context.Context, doing string, err error) error {
	return pgError(ctx, doing, err, c.lost())
}

// pgError gives an error of the driver the kind of who can act on it. Its text goes no further: the server repeats values
// in it ("Key (mail)=(…) already exists"), the driver repeats the address.
func pgError(ctx context.Context, doing string, err error, lost bool) error {
	if cause := ctx.Err(); cause != nil {
		return fmt.Errorf("%s: %w", doing, cause)
	}
	e, refused := errors.AsType[*pgconn.PgError](err)
	switch {
	case refused:
		return refusal(doing, e)
	case lost:
		return fault.New(fault.Unavailable, "the own store does not answer").
			Then("See that the server runs, and that --store names its address, user and password.")
	}
	return fmt.Errorf("%s: a value does not fit its place", doing)
}

// refusal tells what the server said by its code and the names it gives apart from its text.
func refusal(doing string, e *pgconn.PgError) error {
	switch e.Code {
	case "XX001", "XX002": // data, index corrupted
		return fault.New(fault.Integrity, "the own store is damaged: %s (SQLSTATE %s)", doing, e.Code)
	case "25006":
		return unusable(e, "it is read-only")
	case "42501":
		return unusable(e, "the role lacks a right")
	}
	switch e.Code[:min(2, len(e.Code))] {
	case "28":
		return unusable(e, "the server refuses the user or the password")
	case "3D":
		return unusable(e, "there is no such database")
	case "08", "53", "57", "58":
		return unusable(e, "the server is out of reach")
	}
	var where strings.Builder
	for _, part := range [][2]string{{"table", e.TableName}, {"column", e.ColumnName}, {"constraint", e.ConstraintName}} {
		if part[1] != "" {
			where.WriteString(", " + part[0] + " " + part[1])
		}
	}
	return fmt.Errorf("%s: the server refuses it (SQLSTATE %s)%s", doing, e.Code, where.String())
}

func unusable(e *pgconn.PgError, why string) error {
	return fault.New(fault.Unavailable, "the own store cannot be used: %s (SQLSTATE %s)", why, e.Code)
}
