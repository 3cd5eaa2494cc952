package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"

	"modernc.org/sqlite" // also registers the driver

	"github.com/ombudhq/ombud/internal/fault"
)

// statementLimit bounds the prepared statements a connection keeps.
const statementLimit = 256

var writerPragmas = []string{
	"pragma busy_timeout=5000", "pragma journal_mode=wal", "pragma synchronous=full", "pragma foreign_keys=on",
	"pragma secure_delete=on", "pragma trusted_schema=off",
}

var readerPragmas = []string{
	"pragma busy_timeout=5000", "pragma foreign_keys=on", "pragma query_only=on", "pragma trusted_schema=off",
}

// conn is one connection with its prepared statements. One goroutine uses it at a time.
type conn struct {
	c     *sql.Conn
	stmts map[string]*stmt
}

// stmt is a prepared statement; busy while rows of it are open, for the engine keeps their place in it.
type stmt struct {
	*sql.Stmt
	busy bool
}

func openPool(path string) (*sql.DB, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("opening the store: %w", err)
	}
	pool, err := sql.Open("sqlite", "file:"+(&url.URL{Path: abs}).EscapedPath())
	if err != nil {
		return nil, mapError("opening the store", err)
	}
	pool.SetMaxOpenConns(readers + 1)
	return pool, nil
}

func newConn(ctx context.Context, pool *sql.DB, pragmas []string) (*conn, error) {
	sc, err := pool.Conn(ctx)
	if err != nil {
		return nil, mapError("opening the store", err)
	}
	c := &conn{c: sc, stmts: map[string]*stmt{}}
	for _, p := range pragmas {
		if err := c.script(ctx, p); err != nil {
			c.close()
			return nil, err
		}
	}
	return c, nil
}

// prepared finds or prepares a statement.
func (c *conn) prepared(ctx context.Context, text string) (*stmt, error) {
	if s, ok := c.stmts[text]; ok && !s.busy {
		return s, nil
	}
	ps, err := c.c.PrepareContext(ctx, text)
	if err != nil {
		return nil, mapError("preparing a statement", err)
	}
	s := &stmt{Stmt: ps}
	if _, taken := c.stmts[text]; !taken {
		c.makeRoom()
		c.stmts[text] = s
	}
	return s, nil
}

// makeRoom forgets one idle statement when there are too many; which one does not matter, for a program has fewer.
func (c *conn) makeRoom() {
	if len(c.stmts) < statementLimit {
		return
	}
	for text, s := range c.stmts {
		if !s.busy {
			_ = s.Close() // a statement without open rows has nothing left to report
			delete(c.stmts, text)
			return
		}
	}
}

// release ends the use of a statement; one that was only a second copy is closed.
func (c *conn) release(text string, s *stmt) {
	s.busy = false
	if c.stmts[text] != s {
		_ = s.Close() // see makeRoom
	}
}

// run executes one statement without arguments, from the cache.
func (c *conn) run(ctx context.Context, text string) error {
	s, err := c.prepared(ctx, text)
	if err != nil {
		return err
	}
	defer c.release(text, s)
	if _, err := s.ExecContext(ctx); err != nil {
		return mapError(text, err)
	}
	return nil
}

// script executes any number of statements, not cached.
func (c *conn) script(ctx context.Context, text string) error {
	if _, err := c.c.ExecContext(ctx, text); err != nil {
		return mapError("running a script", err)
	}
	return nil
}

func (c *conn) close() {
	for _, s := range c.stmts {
		_ = s.Close() // the connection ends with them
	}
	_ = c.c.Close() // gives it back to the pool, whose Close reports
}

// mapError gives the engine's error the kind of who can act on it. The engine's texts name tables and columns, never
// values.
func mapError(doing string, err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return fmt.Errorf("%s: %w", doing, err)
	}
	switch e.Code() & 0xff {
	case 11, 26: // corrupt, not a database
		return fault.Wrap(fault.Integrity, err, "the own store is damaged: %s", doing)
	case 5, 6, 8, 10, 13, 14: // busy, locked, read-only, i/o, full, cannot open
		return fault.Wrap(fault.Unavailable, err, "the own store cannot be used: %v", err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}
