package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/connector"
)

// late is the driver where whoever asks goes away in the one moment in which it matters: what was asked for is done, and
// the answer is that it was not.
type late struct {
	dialer
	leave func()
}

type lateConn struct {
	engineConn
	leave func()
}

func (d late) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := d.dialer.Connect(ctx)
	if err != nil {
		return nil, err
	}
	k := c.(*keeper)
	k.engineConn = lateConn{k.engineConn, d.leave}
	return k, nil
}

func (c lateConn) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	done, err := c.engineConn.ExecContext(context.WithoutCancel(ctx), text, args)
	if err == nil && strings.HasPrefix(text, "BEGIN") {
		c.leave()
		err = ctx.Err()
	}
	return done, err
}

// TestLeavingLeavesNoTransaction: whoever goes away just when a transaction begins locks nobody out, and leaves no connection
// that nobody else can begin with.
func TestLeavingLeavesNoTransaction(t *testing.T) {
	s := openTemp(t, "CREATE TABLE f (id INTEGER PRIMARY KEY)")
	f := connector.Select{Table: &connector.Table{Name: "f", Columns: []connector.Column{{Name: "id"}}}, Columns: []string{"id"}}
	read := func(ask func(context.Context, []connector.Select, func(int, []connector.Value) error) error) func(context.Context) error {
		return func(ctx context.Context) error {
			return ask(ctx, []connector.Select{f, f}, func(int, []connector.Value) error { return nil })
		}
	}
	for name, begin := range map[string]func(context.Context) error{
		"Select": read(s.Select), "Look": read(s.Look),
		"Schema": func(ctx context.Context) error { _, err := s.Schema(ctx); return err },
		"Begin": func(ctx context.Context) error {
			tx, err := s.Begin(ctx)
			if err == nil {
				err = tx.Rollback(ctx)
			}
			return err
		},
	} {
		leaving, leave := context.WithCancel(t.Context())
		t.Cleanup(leave)
		for _, p := range []*pool{&s.db, &s.eye} {
			old := p.DB
			t.Cleanup(func() { old.Close() })
			drv, err := newDriver()
			if err != nil {
				t.Fatal(err)
			}
			p.DB = sql.OpenDB(late{dialer{drv, s.at.uri(s.timeout, p == &s.eye)}, leave})
		}
		if err := begin(leaving); err == nil {
			t.Errorf("%s: nobody left", name)
		}
		if err := begin(t.Context()); err != nil {
			t.Errorf("%s leaves what nobody can begin with: %v", name, err)
		}
		if open := s.db.Stats().InUse + s.eye.Stats().InUse; open > 0 {
			t.Errorf("%s keeps %d connections", name, open)
		}
	}
}
