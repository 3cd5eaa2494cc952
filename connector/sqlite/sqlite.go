// Package sqlite is the connector for SQLite files, in pure Go.
//
// Three things about SQLite shape it. A cell has a type of its own, whatever its column declares:
// keys are bound in the storage class the column would give them, and where a column gives none, in
// every class that reads the same. A few keys are bound one by one, more travel as one JSON parameter, so
// 17 keys and 100,000 are the same statement. And the file is the server: a missing file is never created, writers take the one
// lock at once, deleted bytes are overwritten, and a look uses read-only connections of its own.
package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"os"
	"path/filepath"
	"time"

	engine "modernc.org/sqlite"

	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/fault"
)

const defaultTimeout = 60 * time.Second

// Store is an open SQLite file.
type Store struct {
	system  string
	at      location
	file    os.FileInfo // of the file that was opened: another one at its path is another store
	timeout time.Duration
	pace    *pace
	clock   clock.Clock
	db      pool // reads and writes
	eye     pool // reads only, for Look
	log     writeAhead
}

var (
	_ connector.Opener     = Open
	_ connector.Maintainer = (*Store)(nil)
	_ connector.Evaluator  = (*Store)(nil)
	_ connector.Explainer  = (*Store)(nil)
)

// Open opens the file that the DSN names: a path, relative to Config.Folder, or a file: URI, with
// mode=ro, mode=rw and immutable=1 as parameters. It never creates a file.
func Open(ctx context.Context, c connector.Config) (connector.Store, error) {
	at, err := locate(c)
	if err != nil {
		return nil, err
	}
	file, err := os.Stat(at.path)
	if err != nil || file.IsDir() {
		return nil, fault.New(fault.Unavailable, "system %s: there is no SQLite file at the path of its dsn", c.System)
	}
	s := &Store{system: c.System, at: at, file: file, timeout: c.Timeout, pace: newPace(clock.System{}, c.Rate), clock: clock.System{}}
	if s.timeout <= 0 {
		s.timeout = defaultTimeout
	}
	drv, err := newDriver()
	if err != nil {
		return nil, err
	}
	if real, err := filepath.EvalSymlinks(at.path); err == nil { // as SQLite names its log
		s.log.path = real + "-wal"
	}
	s.db = open(drv, at.uri(s.timeout, false))
	s.eye = open(drv, at.uri(s.timeout, true))
	if err := s.greet(ctx); err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

// greet reads the file's schema, which fails where it is no SQLite file.
func (s *Store) greet(ctx context.Context) error {
	_, err := s.number(ctx, s.db, "SELECT count(*) FROM main.sqlite_schema")
	return err
}

// Close closes all connections.
func (s *Store) Close() error {
	err := s.db.Close()
	if eyeErr := s.eye.Close(); err == nil {
		err = eyeErr
	}
	if err != nil {
		return fmt.Errorf("closing system %s: %w", s.system, plain(err))
	}
	return nil
}

// dialer opens connections of a driver that carries our functions, without registering it globally.
type dialer struct {
	driver *engine.Driver
	uri    string
}

func (d dialer) Driver() driver.Driver { return d.driver }

func (d dialer) Connect(context.Context) (driver.Conn, error) {
	c, err := d.driver.Open(d.uri)
	if err != nil {
		return nil, err
	}
	return keep(c)
}

// open opens lazily. The pool is not bounded: a caller may ask while rows of another question arrive.
func open(drv *engine.Driver, uri string) pool {
	db := sql.OpenDB(dialer{drv, uri})
	db.SetMaxIdleConns(4)
	return pool{db}
}
