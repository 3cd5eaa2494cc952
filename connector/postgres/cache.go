package postgres

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/jackc/pgx/v5/pgconn"
)

// mostPrepared bounds the statements a connection keeps; what comes later is sent whole.
const mostPrepared = 256

// errStale asks for the same statements again, whole; it never leaves query.
var errStale = errors.New("a prepared statement is stale")

// known are the statements of one connection. Those seen again are prepared, so that the server
// parses and plans them once; nil is one seen once.
type known struct {
	statements map[string]*pgconn.StatementDescription
	names      int
}

// reuse gives the list with prepared statements where the connection has seen them before.
func reuse(ctx context.Context, c *pgconn.PgConn, list []statement) []statement {
	k, ok := c.CustomData()["known"].(*known)
	if !ok {
		k = &known{statements: map[string]*pgconn.StatementDescription{}}
		c.CustomData()["known"] = k
	}
	ready := make([]statement, len(list))
	for i, st := range list {
		ready[i] = st
		ready[i].prepared = k.prepare(ctx, c, st.sql)
	}
	return ready
}

// prepare gives a statement's description, or nil: what cannot be prepared tells why when it runs.
func (k *known) prepare(ctx context.Context, c *pgconn.PgConn, sql string) *pgconn.StatementDescription {
	d, seen := k.statements[sql]
	if !seen {
		if len(k.statements) < mostPrepared {
			k.statements[sql] = nil
		}
		return nil
	}
	if d != nil {
		return d
	}
	k.names++
	d, err := c.Prepare(ctx, "ombud"+strconv.Itoa(k.names), sql, nil)
	if err != nil {
		return nil
	}
	k.statements[sql] = d
	return d
}

// forget drops what the connection knew; names are not used twice.
func forget(c *pgconn.PgConn) {
	if k, ok := c.CustomData()["known"].(*known); ok {
		clear(k.statements)
	}
}

// stale tells that a prepared statement is no longer what it was: a column changed its type, or a
// proxy has put another server behind the connection.
func stale(list []statement, err error) bool {
	return slices.ContainsFunc(list, func(st statement) bool { return st.prepared != nil }) && isStale(err)
}

func isStale(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (e.Code == "0A000" || e.Code == "26000")
}
