package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"time"

	engine "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/internal/fault"
)

// runner is a pool or one connection of it. What is asked under on is over when on returns, and asks
// nothing more there meanwhile.
type runner interface {
	on(ctx context.Context, ask func(*keeper) error) error
}

// Statements go to the driver itself: what database/sql does around each, with a goroutine for its context
// and a copy of every cell, takes longer than SQLite does for a handful of rows.

type pool struct{ *sql.DB }

func (p pool) on(ctx context.Context, ask func(*keeper) error) error {
	c, err := p.Conn(ctx)
	if err != nil {
		return err
	}
	err = single{c}.on(ctx, ask)
	if released := c.Close(); err == nil {
		err = released
	}
	return err
}

type single struct{ *sql.Conn }

func (c single) on(_ context.Context, ask func(*keeper) error) error {
	return c.Raw(func(conn any) error {
		k, ok := conn.(*keeper)
		if !ok {
			return errors.New("the SQLite driver has changed")
		}
		return ask(k)
	})
}

// statement is SQL with its parameters, of the types that a driver takes.
type statement struct {
	text string
	args []any
	// swift: it searches an index for a few keys, and waits for no lock. Nothing is there to interrupt
	// before its first row, so the driver is spared the goroutine that would.
	swift bool
}

func (q statement) context(ctx context.Context) context.Context {
	if q.swift {
		return context.WithoutCancel(ctx)
	}
	return ctx
}

var errTimeout = errors.New("statement timeout")

// watch ends a statement that keeps us waiting: that gives no row for as long as the limit, or a little
// longer. The time a receiver of rows takes does not count.
type watch struct {
	timer *time.Timer
	limit time.Duration
	stop  context.CancelCauseFunc
	moved atomic.Bool // a row came since the timer looked
	away  atomic.Bool // a receiver has the row
}

func (s *Store) watch(ctx context.Context) (context.Context, *watch) {
	ctx, cancel := context.WithCancelCause(ctx)
	w := &watch{limit: s.timeout, stop: cancel}
	w.timer = time.AfterFunc(math.MaxInt64, w.look)
	w.timer.Reset(w.limit)
	return ctx, w
}

// look is the timer's: to stop and start it for each row would take longer than most rows do.
func (w *watch) look() {
	if w.away.Load() || w.moved.Swap(false) { // in this order: a receiver that is done has moved before it is back
		w.timer.Reset(w.limit)
		return
	}
	w.stop(errTimeout)
}

func (w *watch) end() {
	w.timer.Stop()
	w.stop(nil)
}

// outside runs a receiver, whose time is its own.
func (w *watch) outside(receive func() error) error {
	w.away.Store(true)
	err := receive()
	w.moved.Store(true)
	w.away.Store(false)
	return err
}

// query runs one statement and delivers its rows; the row is valid during the call only. An error
// of row is returned as it is.
func (s *Store) query(ctx context.Context, r runner, text string, args []any, row func([]connector.Value) error) error {
	ctx, w := s.watch(ctx)
	defer w.end()
	return s.watched(ctx, w, r, statement{text: text, args: args}, row)
}

// watched is query under a watch that looks after several statements, one after the other.
func (s *Store) watched(ctx context.Context, w *watch, r runner, q statement, row func([]connector.Value) error) error {
	if err := w.outside(func() error { return s.pace.wait(ctx) }); err != nil {
		return err
	}
	var values []connector.Value
	var refused error
	receive := func() error { return row(values) }
	err := r.on(ctx, func(k *keeper) error {
		return k.query(q.context(ctx), q.text, q.args, func(cells []driver.Value) error {
			if values == nil {
				values = make([]connector.Value, len(cells))
			}
			for i, c := range cells {
				values[i] = decode(c)
			}
			if refused = w.outside(receive); refused != nil {
				return refused
			}
			return ctx.Err()
		})
	})
	switch {
	case refused != nil:
		return refused
	case err != nil:
		return s.fail(ctx, err)
	}
	return nil
}

// exec runs one statement.
func (s *Store) exec(ctx context.Context, r runner, text string, args ...any) error {
	ctx, w := s.watch(ctx)
	defer w.end()
	_, err := s.change(ctx, w, r, text, args)
	return err
}

// change is exec under a watch that looks after several statements, one after the other; it gives the rows that the statement
// changed itself, without cascades and triggers.
func (s *Store) change(ctx context.Context, w *watch, r runner, text string, args []any) (int64, error) {
	if err := w.outside(func() error { return s.pace.wait(ctx) }); err != nil {
		return 0, err
	}
	var n int64
	err := r.on(ctx, func(k *keeper) (err error) {
		n, err = k.exec(ctx, text, args)
		return err
	})
	if err != nil {
		return 0, s.fail(ctx, err)
	}
	return n, nil
}

// number runs a statement whose answer is one integer.
func (s *Store) number(ctx context.Context, r runner, text string, args ...any) (int64, error) {
	var n int64
	err := s.query(ctx, r, text, args, func(row []connector.Value) error {
		n = whole(row[0])
		return nil
	})
	return n, err
}

// fail turns an error of the engine into ours.
func (s *Store) fail(ctx context.Context, err error) error {
	if errors.Is(context.Cause(ctx), errTimeout) {
		return fault.New(fault.Unavailable, "system %s: a statement took longer than %s", s.system, s.timeout)
	}
	if ctx.Err() != nil {
		return fmt.Errorf("system %s: %w", s.system, ctx.Err())
	}
	var e *engine.Error
	if !errors.As(err, &e) {
		return fmt.Errorf("system %s: %w", s.system, plain(err))
	}
	switch e.Code() & 0xff {
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED:
		return fault.New(fault.Unavailable, "system %s: the SQLite file is locked by another program", s.system)
	case lib.SQLITE_CANTOPEN, lib.SQLITE_IOERR, lib.SQLITE_FULL, lib.SQLITE_PROTOCOL:
		return fault.New(fault.Unavailable, "system %s: the SQLite file is out of reach: %s", s.system, code(e))
	case lib.SQLITE_READONLY, lib.SQLITE_PERM:
		return fault.New(fault.Denied, "system %s: the SQLite file may not be written", s.system)
	case lib.SQLITE_NOTADB:
		return fault.New(fault.Invalid, "system %s: the dsn names a file that is no SQLite database, or an encrypted one", s.system)
	case lib.SQLITE_CORRUPT:
		return fault.New(fault.Unavailable, "system %s: the SQLite file is damaged", s.system)
	}
	return fmt.Errorf("system %s: %w", s.system, plain(err))
}

// plain keeps of an error what can hold no value: SQLite's constraint messages name columns only,
// except what a trigger or a function says.
func plain(err error) error {
	var e *engine.Error
	if !errors.As(err, &e) {
		return errors.New("the SQLite driver failed")
	}
	switch e.Code() {
	case lib.SQLITE_CONSTRAINT_UNIQUE, lib.SQLITE_CONSTRAINT_PRIMARYKEY, lib.SQLITE_CONSTRAINT_NOTNULL,
		lib.SQLITE_CONSTRAINT_FOREIGNKEY, lib.SQLITE_CONSTRAINT_CHECK:
		return errors.New(e.Error())
	}
	return errors.New(code(e))
}

// code names a result code.
func code(e *engine.Error) string {
	if name, ok := engine.ErrorCodeString[e.Code()]; ok {
		return name
	}
	if name, ok := engine.ErrorCodeString[e.Code()&0xff]; ok {
		return fmt.Sprintf("%s (%d)", name, e.Code())
	}
	return fmt.Sprintf("SQLite error %d", e.Code())
}
