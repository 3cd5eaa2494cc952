package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"strings"
)

// keeper is a connection that keeps the statements it sees again, so that SQLite compiles them once:
// for a handful of rows, compiling takes longer than reading. SQLite itself compiles a kept statement
// anew when the schema has changed. One statement runs at a time, to its end.
type keeper struct {
	engineConn
	kept map[string]engineStmt // nil for a text seen once
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
	return &keeper{conn, map[string]engineStmt{}}, nil
}

// take gives a kept statement, nil where there is none.
func (k *keeper) take(ctx context.Context, text string) engineStmt {
	if strings.HasPrefix(text, "PRAGMA") && strings.Contains(text, "=") {
		return nil // what it sets is set when it is compiled
	}
	s, seen := k.kept[text]
	if !seen && len(k.kept) < mostKept && len(text) <= longestKept {
		k.kept[text] = nil
	}
	if !seen || s != nil {
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
	k.kept[text] = stmt
	return stmt
}

// query runs a statement and hands over its rows, whose cells are valid during the call only.
func (k *keeper) query(ctx context.Context, text string, args []any, row func([]driver.Value) error) (err error) {
	var rows driver.Rows
	if s := k.take(ctx, text); s != nil {
		rows, err = s.QueryContext(ctx, numbered(args))
	} else {
		rows, err = k.QueryContext(ctx, text, numbered(args))
	}
	if err != nil {
		return err
	}
	defer func() {
		if ended := rows.Close(); err == nil {
			err = ended
		}
	}()
	cells := make([]driver.Value, len(rows.Columns()))
	for {
		switch err := rows.Next(cells); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if err := row(cells); err != nil {
			return err
		}
	}
}

// exec runs a statement and gives how many rows it changed.
func (k *keeper) exec(ctx context.Context, text string, args []any) (int64, error) {
	var result driver.Result
	var err error
	if s := k.take(ctx, text); s != nil {
		result, err = s.ExecContext(ctx, numbered(args))
	} else {
		result, err = k.ExecContext(ctx, text, numbered(args))
	}
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// numbered are parameters as the driver takes them.
func numbered(args []any) []driver.NamedValue {
	out := make([]driver.NamedValue, len(args))
	for i, v := range args {
		out[i] = driver.NamedValue{Ordinal: i + 1, Value: v}
	}
	return out
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
