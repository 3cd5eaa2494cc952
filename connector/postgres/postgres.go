// Package postgres connects Ombud to PostgreSQL 12 and later.
//
// It speaks the wire protocol in text form and keeps cells as the server writes them, which is exact
// and costs one allocation a row. Keys travel as arrays ("= ANY ($1::bigint[])", composites as
// unnest) in the type of their column, so that an index serves and nothing is ever cast on the
// column's side; a type whose equality joins different texts is compared as text besides. The
// statements of one call go out together, in one round trip.
//
// Every connection pins what could change an answer: row_security=off turns rows hidden by a policy
// into an error, search_path=pg_catalog leaves no name to chance, and the text styles are fixed.
package postgres

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/fault"
)

const (
	defaultTimeout = 60 * time.Second
	connectTimeout = 10 * time.Second
	// A callback of Select may ask again, and each question holds a connection.
	mostConnections = 16
	idleConnection  = time.Minute
)

// store is one database.
type store struct {
	system string
	path   string // search_path of the role without ours: triggers in a transaction rely on it
	home   string // its first schema, whose tables are named bare
	ask    *pgxpool.Pool
	look   *pgxpool.Pool // Look's own
	pace   *pace
	clock  clock.Clock
	last   atomic.Pointer[instant] // of Fingerprint
	copies atomic.Bool             // the schema, as it was last read, has materialised views
}

var (
	_ connector.Opener        = Open
	_ connector.Maintainer    = (*store)(nil)
	_ connector.Evaluator     = (*store)(nil)
	_ connector.Fingerprinter = (*store)(nil)
	_ connector.Explainer     = (*store)(nil)
)

// Open connects to a database. The DSN is a URL or a list of key=value as libpq reads it; its
// search_path, or else the role's own, tells the schema whose tables are named bare.
func Open(ctx context.Context, c connector.Config) (connector.Store, error) {
	config, path, err := configure(c)
	if err != nil {
		return nil, err
	}
	s := &store{system: c.System, path: path, clock: clock.System{}}
	s.pace = &pace{rate: c.Rate, clock: s.clock}
	// NewWithConfig opens no connection by itself, so a second pool costs nothing before the first look.
	if s.ask, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return nil, s.fail(ctx, err)
	}
	if s.look, err = pgxpool.NewWithConfig(ctx, config.Copy()); err != nil {
		s.ask.Close()
		return nil, s.fail(ctx, err)
	}
	if err := s.check(ctx); err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

// configure reads the DSN and pins what every connection must be.
func configure(c connector.Config) (*pgxpool.Config, string, error) {
	config, err := pgxpool.ParseConfig(c.DSN)
	if err != nil { // its text repeats parts of the DSN
		return nil, "", fault.New(fault.Invalid, "system %s: the dsn is not one of PostgreSQL", c.System).
			Then("Write it as postgres://user:password@host:5432/database")
	}
	timeout := c.Timeout
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	params := config.ConnConfig.RuntimeParams
	path := params["search_path"]
	for k, v := range pinned(timeout) {
		params[k] = v
	}
	if config.ConnConfig.ConnectTimeout == 0 || config.ConnConfig.ConnectTimeout > timeout {
		config.ConnConfig.ConnectTimeout = min(connectTimeout, timeout)
	}
	config.MaxConns, config.MinConns, config.MaxConnIdleTime = mostConnections, 0, idleConnection
	return config, path, nil
}

// check asks once, so that a store that does not answer is known at the start, and learns which
// search_path the role would have without ours.
func (s *store) check(ctx context.Context) error {
	var encoding string
	err := s.query(ctx, []statement{
		{sql: "SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = current_database()"},
		{sql: ownPath, args: [][]byte{[]byte(s.path)}},
		{sql: "SELECT COALESCE(current_schema(), 'public')"}, // by the path just set, for this round trip only
	}, func(i int, row [][]byte) error {
		*[]*string{&encoding, &s.path, &s.home}[i] = string(row[0])
		return nil
	})
	if err != nil {
		return err
	}
	if encoding != "UTF8" {
		return fault.New(fault.Invalid, "system %s: the database is encoded in %s; only UTF8 is supported", s.system, encoding)
	}
	return nil
}

// Close ends all connections; it waits for those in use.
func (s *store) Close() error {
	s.ask.Close()
	s.look.Close()
	return nil
}

// acquire takes a connection of a pool.
func (s *store) acquire(ctx context.Context, pool *pgxpool.Pool) (*pgxpool.Conn, error) {
	c, err := pool.Acquire(ctx)
	if err != nil {
		return nil, s.fail(ctx, err)
	}
	return c, nil
}

// query asks on a connection of its own; see run.
func (s *store) query(ctx context.Context, list []statement, row func(i int, row [][]byte) error) error {
	return s.queryOn(ctx, s.ask, list, row)
}

func (s *store) queryOn(ctx context.Context, pool *pgxpool.Pool, list []statement, row func(i int, row [][]byte) error) error {
	if len(list) == 0 {
		return ctx.Err()
	}
	c, err := s.acquire(ctx, pool)
	if err != nil {
		return err
	}
	defer c.Release()
	conn := c.Conn().PgConn()
	// Nobody wants the rest when the callback stops: give the connection up instead of reading on.
	stop := func() { _ = conn.Conn().SetDeadline(time.Unix(1, 0)) }
	_, err = s.run(ctx, conn, reuse(ctx, conn, list), row, stop)
	if errors.Is(err, errStale) {
		forget(conn)
		_, err = s.run(ctx, conn, list, row, stop)
	}
	if err != nil && !conn.IsClosed() { // all had come when it was given up
		_ = conn.Conn().SetDeadline(time.Time{})
	}
	return err
}

// run sends the statements in one round trip and hands over the rows of each in turn, in text form.
// It answers rows affected per statement. Once the callback fails it is not called again, stop is,
// and its error comes back as it is.
func (s *store) run(ctx context.Context, c *pgconn.PgConn, list []statement, row func(int, [][]byte) error, stop func()) ([]int64, error) {
	if err := s.pace.wait(ctx, len(list)); err != nil {
		return nil, err
	}
	batch := &pgconn.Batch{}
	for i := range list {
		if d := list[i].prepared; d != nil {
			batch.ExecStatement(d, list[i].args, nil, nil)
		} else {
			batch.ExecParams(list[i].sql, list[i].args, nil, nil, nil)
		}
	}
	var (
		affected = make([]int64, 0, len(list))
		stopped  error
		rows     int
		results  = c.ExecBatch(ctx, batch)
	)
	for results.NextResult() {
		r := results.ResultReader()
		for stopped == nil && r.NextRow() {
			if list[len(affected)].quiet {
				continue
			}
			rows++
			if stopped = row(len(affected), r.Values()); stopped != nil {
				stop()
			}
		}
		tag, _ := r.Close() // its error is that of results
		affected = append(affected, tag.RowsAffected())
	}
	err := results.Close()
	if stopped != nil {
		return nil, stopped
	}
	if err != nil && rows == 0 && stale(list, err) {
		return nil, errStale
	}
	if err != nil {
		return nil, s.fail(ctx, err)
	}
	return affected, nil
}

// pace spreads statements over time.
type pace struct {
	rate  float64 // a second; 0 is unbounded
	clock clock.Clock
	mu    sync.Mutex
	next  time.Time
}

// wait returns when n more statements may go.
func (p *pace) wait(ctx context.Context, n int) error {
	if err := ctx.Err(); err != nil || p.rate <= 0 {
		return err
	}
	p.mu.Lock()
	now := p.clock.Now()
	if p.next.Before(now) {
		p.next = now
	}
	delay := p.next.Sub(now)
	p.next = p.next.Add(time.Duration(float64(n) / p.rate * float64(time.Second)))
	p.mu.Unlock()
	if delay <= 0 {
		return nil
	}
	select {
	case <-p.clock.After(delay):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
