package db

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/ombudhq/ombud/internal/fault"
)

const (
	connectTimeout = 10 * time.Second
	checkTimeout   = 10 * time.Second
	pulse          = 5 * time.Second
)

// lockClass is the first half of the advisory lock's key; the second is the schema, for each schema can hold a store.
const lockClass = 0x6f6d6264 // "ombd"

// takeLock waits a little: the connection of an instance that was killed may take a moment to end.
const takeLock = `set lock_timeout = '2s';
	select pg_advisory_lock(%d, oid::int4) from pg_namespace where nspname = current_schema();
	set lock_timeout = 0`

const lockOwner = `select coalesce(max(a.application_name), '') from pg_locks l join pg_stat_activity a on a.pid = l.pid
	join pg_namespace n on n.nspname = current_schema() and n.oid = l.objid
	where l.locktype = 'advisory' and l.classid = %d and l.granted and a.datname = current_database()`

// sessionSettings make an answer durable, and keep the server from ending our connections or statements: their loss is
// the loss of the store. What the server does not know is left out.
const sessionSettings = `select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') <> 'remote_apply';
	select set_config(name, '0', false) from pg_settings where name in
		('statement_timeout', 'lock_timeout', 'transaction_timeout', 'idle_session_timeout', 'idle_in_transaction_session_timeout')`

// server is a store in a schema of a PostgreSQL database.
type server struct{ config *pgx.ConnConfig }

// openServer reads the address; connections come later.
func openServer(address string) (*server, error) {
	c, err := pgx.ParseConfig(address)
	if err != nil { // its text repeats parts of the address
		return nil, fault.New(fault.Invalid, "the address of the own store is not one of PostgreSQL").
			Then("Write it as postgres://user:password@host:5432/database.")
	}
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = connectTimeout
	}
	if c.ValidateConnect == nil { // of several hosts, a standby would show the past
		c.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsPrimary
	}
	host, _ := os.Hostname()
	c.RuntimeParams["application_name"] = fmt.Sprintf("ombud on %.30s, process %d", host, os.Getpid())
	c.StatementCacheCapacity = statementLimit
	return &server{c}, nil
}

// writer takes the store's advisory lock on the connection that it is: when the connection ends, so does the lock, and
// nothing can be written without it. A pooler that shares connections between transactions would break that.
func (s *server) writer(ctx context.Context) (conn, error) {
	c, err := s.connect(ctx, "begin")
	if err != nil {
		return nil, err
	}
	if err := c.lock(ctx); err != nil {
		c.close()
		return nil, err
	}
	c.later = true
	return c, nil
}

func (s *server) reader(ctx context.Context) (conn, error) {
	c, err := s.connect(ctx, "begin isolation level repeatable read read only")
	if err != nil {
		return nil, err
	}
	return c, nil
}

func (s *server) connect(ctx context.Context, begin string) (*pgConn, error) {
	pc, err := pgx.ConnectConfig(ctx, s.config)
	if err != nil {
		return nil, pgError(ctx, "opening the store", err, true)
	}
	c := &pgConn{c: pc, beginning: begin, names: map[string]string{}}
	if encoding := pc.PgConn().ParameterStatus("server_encoding"); encoding != "UTF8" {
		c.close()
		return nil, fault.New(fault.Invalid, "the database of the own store is encoded in %s; it must be UTF8", encoding)
	}
	if err := c.script(ctx, sessionSettings); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func (*server) close() error { return nil }

// pgConn is a connection; pgx keeps its prepared statements.
type pgConn struct {
	c         *pgx.Conn
	beginning string
	later     bool              // a transaction is begun with its first statement
	fresh     bool              // one was begun that the server was not told of yet
	live      *pgRows           // still on the wire; nothing else can be sent before they are read
	out       []byte            // room for what is sent
	names     map[string]string // of statements that insert
}

// lock makes this instance the only one of its store.
func (c *pgConn) lock(ctx context.Context) error {
	results, err := c.c.PgConn().Exec(ctx, fmt.Sprintf(takeLock, lockClass)).ReadAll()
	if e, ok := errors.AsType[*pgconn.PgError](err); ok && e.Code == "55P03" { // lock_not_available
		return c.inUse(ctx)
	}
	if err != nil {
		return c.mapped(ctx, "locking the store", err)
	}
	if len(results[1].Rows) == 0 {
		return fault.New(fault.Invalid, "the search path of the own store names no schema that is there").
			Then("Make the schema, or leave search_path out of the address.")
	}
	return nil
}

func (c *pgConn) inUse(ctx context.Context) error {
	owner := "another instance"
	results, err := c.c.PgConn().Exec(ctx, fmt.Sprintf(lockOwner, lockClass)).ReadAll()
	if err == nil && len(results[0].Rows[0][0]) > 0 {
		owner = string(results[0].Rows[0][0])
	}
	return fault.New(fault.Unavailable, "the own store is in use by %s", owner).
		Then("One instance serves a store: stop that one, or give this one another with --store.")
}

func (c *pgConn) begin(ctx context.Context) error {
	if c.fresh = c.later && !c.lost(); c.fresh {
		return nil
	}
	_, err := c.exec(ctx, c.beginning, nil)
	return err
}

// start tells the server of a transaction that was begun, and frees the connection.
func (c *pgConn) start(ctx context.Context) error {
	c.settle()
	if !c.fresh {
		return nil
	}
	c.fresh = false
	_, err := c.exec(ctx, c.beginning, nil)
	return err
}

// commit sends all that is left at once. It looks at what the server did: that answers a commit of what already failed
// with a rollback, and calls it no error.
func (c *pgConn) commit(last []rowsOf, meanwhile func()) (refused, unknown error) {
	c.settle()
	ctx, fresh, end := context.Background(), c.fresh, "commit"
	c.fresh = false
	if fresh && len(last) == 0 {
		return nil, nil
	}
	if fresh { // it is a transaction by itself
		end = ""
	}
	inserted, tag, err := c.together(ctx, last, end, meanwhile)
	if err == nil && !fresh && tag != "COMMIT" {
		return nil, fmt.Errorf("commit: the server answered %s", tag)
	}
	if err == nil {
		return nil, nil
	}
	_, answered := errors.AsType[*pgconn.PgError](err)
	err = c.mapped(ctx, "inserting rows", err)
	if answered && (fresh && !c.lost() || !fresh && !inserted) { // it did not come to a commit
		return err, nil
	}
	return nil, err
}

// The server answers a commit, and shows it to others, when it is on its disk (DB.Health).
func (*pgConn) lazy() bool            { return false }
func (*pgConn) force() error          { return nil }
func (*pgConn) carries(*os.File) bool { return false }

func (c *pgConn) insert(ctx context.Context, in rowsOf) error {
	if err := c.start(ctx); err != nil {
		return err
	}
	if _, _, err := c.together(ctx, []rowsOf{in}, "", nil); err != nil {
		return c.mapped(ctx, "inserting rows", err)
	}
	return nil
}

func (c *pgConn) rollback() error {
	if c.fresh {
		c.fresh = false
		return nil
	}
	_, err := c.exec(context.Background(), "rollback", nil)
	return err
}

func (c *pgConn) exec(ctx context.Context, text string, args []any) (int64, error) {
	if err := c.start(ctx); err != nil {
		return 0, err
	}
	tag, err := c.c.Exec(ctx, text, args...)
	if err != nil {
		return 0, c.mapped(ctx, "running a statement", err)
	}
	return tag.RowsAffected(), nil
}

// query needs no transaction before there is something to write: whoever may begin one later is the only one who writes.
func (c *pgConn) query(ctx context.Context, text string, args []any) (cursor, error) {
	if c.settle(); !c.fresh || !isSelect(text) {
		if err := c.start(ctx); err != nil {
			return nil, err
		}
	}
	rows, err := c.c.Query(ctx, text, args...)
	if err != nil {
		return nil, c.mapped(ctx, "running a query", err)
	}
	c.live = &pgRows{c: c, ctx: ctx, live: rows}
	return c.live, nil
}

func (c *pgConn) script(ctx context.Context, text string) error {
	if err := c.start(ctx); err != nil {
		return err
	}
	if _, err := c.c.PgConn().Exec(ctx, text).ReadAll(); err != nil {
		return c.mapped(ctx, "running a script", err)
	}
	return nil
}

// settle takes rows that are still coming into memory, so that the connection is free.
func (c *pgConn) settle() {
	if c.live != nil {
		c.live.keep()
	}
}

func (*pgConn) health() string {
	return "select 'PostgreSQL ' || current_setting('server_version'), current_setting('fsync')"
}

func (*pgConn) schema(step string) string {
	return strings.NewReplacer("integer primary key", "bigint primary key", " without rowid", "").Replace(step)
}

func (*pgConn) pulse() time.Duration { return pulse }

func (*pgConn) tidy(context.Context) (bool, error) { return true, nil }

func (c *pgConn) check() error {
	ctx, cancel := context.WithTimeout(context.Background(), checkTimeout)
	defer cancel()
	if err := c.c.Ping(ctx); err != nil {
		return c.mapped(ctx, "asking the store", err)
	}
	return nil
}

func (c *pgConn) lost() bool { return c.c.IsClosed() }

// close waits until the server has ended the connection, so that the lock is free when it returns.
func (c *pgConn) close() {
	ctx, cancel := context.WithTimeout(context.Background(), checkTimeout)
	defer cancel()
	_ = c.c.Close(ctx) // it is over either way
}
