package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
)

// keeper is a connection that keeps the statements it sees again, so that SQLite compiles them once:
// for a handful of rows, compiling takes longer than reading. SQLite itself compiles a kept statement
// anew when the schema has changed.
type keeper struct {
	engineConn
	kept map[string]*kept // nil for a text seen once
}

// engineConn is what the driver's connection can do.
type engineConn interface {
	driver.Conn
	driver.ConnPrepareContext
	driver.ConnBeginTx
	driver.ExecerContext
	driver.QueryerContext
	driver.SessionResetter
	driver.Validator
	driver.Pinger
}

// kept is a compiled statement; busy while its rows are open, for SQLite keeps their place in it.
type kept struct {
	engineStmt
	busy bool
}

type engineStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// mostKept bounds the statements of a connection, and longestKept their texts: a look's statement
// grows with its keys and seldom comes again.
const (
	mostKept    = 256
	longestKept = 4_000
)

func keep(c driver.Conn) (driver.Conn, error) {
	conn, ok := c.(engineConn)
	if !ok {
		return nil, errors.New("the SQLite driver has changed")
	}
	return &keeper{conn, map[string]*kept{}}, nil
}

// take gives a kept statement that nobody reads from, nil where there is none.
func (k *keeper) take(ctx context.Context, text string) *kept {
	s, seen := k.kept[text]
	switch {
	case !seen && len(k.kept) < mostKept && len(text) <= longestKept:
		k.kept[text] = nil
		return nil
	case !seen || s != nil && s.busy:
		return nil
	case s != nil:
		return s
	}
	made, err := k.PrepareContext(ctx, text)
	if err != nil {
		return nil // running it tells why
	}
	stmt, ok := made.(engineStmt)
	if !ok {
		_ = made.Close() // it ran nothing
		return nil
	}
	k.kept[text] = &kept{engineStmt: stmt}
	return k.kept[text]
}

// QueryContext implements driver.QueryerContext.
func (k *keeper) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	s := k.take(ctx, text)
	if s == nil {
		return k.engineConn.QueryContext(ctx, text, args)
	}
	rows, err := s.QueryContext(ctx, args)
	if err != nil {
		return nil, err
	}
	s.busy = true
	return &keptRows{rows, s}, nil
}

// ExecContext implements driver.ExecerContext.
func (k *keeper) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	if s := k.take(ctx, text); s != nil {
		return s.ExecContext(ctx, args)
	}
	return k.engineConn.ExecContext(ctx, text, args)
}

// Close ends the connection with all it kept.
func (k *keeper) Close() error {
	for _, s := range k.kept {
		if s != nil {
			_ = s.Close() // the connection ends with it
		}
	}
	return k.engineConn.Close()
}

// keptRows frees their statement.
type keptRows struct {
	driver.Rows
	s *kept
}

func (r *keptRows) Close() error {
	err := r.Rows.Close()
	r.s.busy = false
	return err
}
