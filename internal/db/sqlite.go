package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"
	"unsafe"

	"modernc.org/sqlite" // also registers the driver

	"github.com/ombudhq/ombud/internal/fault"
	disk "github.com/ombudhq/ombud/internal/file"
)

// writerPragmas: the engine forces its log where it must before it copies it back; what a commit put there force does, so that
// something else may be forced meanwhile.
var writerPragmas = []string{
	"pragma busy_timeout=5000", "pragma journal_mode=wal", "pragma synchronous=normal", "pragma foreign_keys=on",
	"pragma secure_delete=on", "pragma trusted_schema=off",
	// Pages that many commits change are written to the file once: a copy back stops the writer, and each page of the log
	// that is copied for nothing costs as much as a row.
	"pragma wal_autocheckpoint=8000", "pragma cache_size=-4096",
}

var readerPragmas = []string{
	"pragma busy_timeout=5000", "pragma foreign_keys=on", "pragma query_only=on", "pragma trusted_schema=off",
}

// file is a store in a SQLite file.
type file struct {
	path    string
	pool    *sql.DB
	walkers chan *walker // idle ones
}

// openFile makes file and directory when they are missing.
func openFile(path string) (*file, error) {
	if err := prepareFile(path); err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the own store %s cannot be opened", filepath.Base(path))
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("opening the store: %w", err)
	}
	pool, err := sql.Open("sqlite", "file:"+(&url.URL{Path: abs}).EscapedPath())
	if err != nil {
		return nil, sqliteError("opening the store", err)
	}
	pool.SetMaxOpenConns(readers + 1)
	return &file{path: path, pool: pool, walkers: make(chan *walker, readers)}, nil
}

// prepareFile makes directory and file and tightens the mode before the engine writes a byte; the engine gives its
// side files the mode of the main one.
func prepareFile(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(f.Chmod(0o600), f.Close())
}

func (f *file) writer(ctx context.Context) (conn, error) {
	c, err := f.connect(ctx, "begin immediate", writerPragmas)
	if err != nil {
		return nil, err
	}
	if err := c.openLog(f.path); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// openLog opens the log beside the file, which the engine makes with the first transaction and keeps as long as it is open, and
// makes the names of both durable.
func (c *sqliteConn) openLog(path string) error {
	ctx := context.Background()
	if err := c.begin(ctx); err != nil {
		return err
	}
	if err := c.run(ctx, "commit"); err != nil {
		return err
	}
	path, err := filepath.EvalSymlinks(path) // as the engine does
	if err == nil {
		c.log, err = os.OpenFile(path+"-wal", os.O_RDWR, 0)
	}
	if err == nil {
		err = disk.SyncDir(filepath.Dir(path))
	}
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "the own store cannot be used: %v", err)
	}
	return nil
}

func (*sqliteConn) lazy() bool { return true }

func (c *sqliteConn) force() error {
	if err := disk.SyncData(c.log); err != nil {
		return fault.Wrap(fault.Unavailable, err, "the own store cannot be forced to the disk")
	}
	return nil
}

func (c *sqliteConn) carries(f *os.File) bool { return disk.Carries(c.log, f) }

func (f *file) reader(ctx context.Context) (conn, error) {
	c, err := f.connect(ctx, "begin", readerPragmas)
	if err != nil {
		return nil, err
	}
	return c, nil
}

func (f *file) connect(ctx context.Context, begin string, pragmas []string) (*sqliteConn, error) {
	sc, err := f.pool.Conn(ctx)
	if err != nil {
		return nil, sqliteError("opening the store", err)
	}
	c := &sqliteConn{c: sc, beginning: begin, stmts: map[string]*stmt{}}
	for _, p := range pragmas {
		if err := c.script(ctx, p); err != nil {
			c.close()
			return nil, err
		}
	}
	return c, nil
}

func (f *file) close() error {
	f.rest()
	return f.pool.Close()
}

// sqliteConn is a connection with its prepared statements.
type sqliteConn struct {
	c         *sql.Conn
	beginning string
	stmts     map[string]*stmt
	log       *os.File // beside the file; of who writes
	args      []any    // room for those of an insert
}

// stmt is a prepared statement; busy while rows of it are open, for the engine keeps their place in it.
type stmt struct {
	*sql.Stmt
	busy bool
}

// begin does not look whether ctx ends meanwhile: it would not be known whether a transaction has begun. A reader's waits
// for nobody.
func (c *sqliteConn) begin(ctx context.Context) error {
	return c.run(context.WithoutCancel(ctx), c.beginning)
}

func (c *sqliteConn) commit(last []rowsOf, meanwhile func()) (refused, unknown error) {
	for _, in := range last {
		if err := c.insert(context.Background(), in); err != nil {
			return err, nil
		}
	}
	err := c.run(context.Background(), "commit")
	if isFull(err) {
		return err, nil // the frame that commits did not get to the disk: the engine says so before it asks for a sync
	}
	if err == nil && meanwhile != nil {
		disk.BeginWriteOut(c.log)
		meanwhile()
	}
	return nil, err
}

// isFull tells that there was no room on the disk.
func isFull(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code()&0xff == 13
}

// insert goes by statements for few numbers of rows, so that they are prepared once.
func (c *sqliteConn) insert(ctx context.Context, in rowsOf) error {
	defer func() { clear(c.args[:cap(c.args)]) }()
	for _, rows := range insertSizes {
		for n := rows * len(in.table.columns); len(in.cells) >= n; in.cells = in.cells[n:] {
			c.args = c.args[:0]
			for i := range in.cells[:n] {
				c.args = append(c.args, in.cells[i].any())
			}
			if _, err := c.exec(ctx, in.table.values[rows], c.args); err != nil {
				return err
			}
		}
	}
	return nil
}

// any is a cell as the driver takes it.
func (c *Cell) any() any {
	switch c.Kind {
	case Int:
		return c.Int
	case Text:
		return unsafe.String(unsafe.SliceData(c.Bytes), len(c.Bytes))
	case Blob:
		return c.Bytes
	}
	return nil
}

// rollback also succeeds where the engine had already undone the transaction (disk full, i/o error): then a new one can
// begin.
func (c *sqliteConn) rollback() error {
	err := c.run(context.Background(), "rollback")
	if err != nil && c.begin(context.Background()) == nil {
		return c.run(context.Background(), "rollback")
	}
	return err
}

// run executes one statement without arguments.
func (c *sqliteConn) run(ctx context.Context, text string) error {
	_, err := c.exec(ctx, text, nil)
	return err
}

func (c *sqliteConn) exec(ctx context.Context, text string, args []any) (int64, error) {
	s, err := c.prepared(ctx, text)
	if err != nil {
		return 0, err
	}
	defer c.release(text, s)
	res, err := s.ExecContext(ctx, args...)
	if err != nil {
		return 0, sqliteError("running a statement", err)
	}
	n, err := res.RowsAffected()
	if err != nil {
		return 0, sqliteError("counting rows", err)
	}
	return n, nil
}

func (c *sqliteConn) query(ctx context.Context, text string, args []any) (cursor, error) {
	s, err := c.prepared(ctx, text)
	if err != nil {
		return nil, err
	}
	rows, err := s.QueryContext(ctx, args...)
	if err != nil {
		c.release(text, s)
		return nil, sqliteError("running a query", err)
	}
	s.busy = true
	return &sqliteRows{rows, c, s, text}, nil
}

func (c *sqliteConn) script(ctx context.Context, text string) error {
	if _, err := c.c.ExecContext(ctx, text); err != nil {
		return sqliteError("running a script", err)
	}
	return nil
}

func (*sqliteConn) health() string            { return "select 'SQLite ' || sqlite_version(), 'on'" }
func (*sqliteConn) schema(step string) string { return step }
func (*sqliteConn) pulse() time.Duration      { return 0 }
func (*sqliteConn) check() error              { return nil }
func (*sqliteConn) lost() bool                { return false }

// tidy waits for readers no longer than a writer can wait for it.
func (c *sqliteConn) tidy(ctx context.Context) (done bool, err error) {
	if err := c.script(ctx, "pragma busy_timeout=200"); err != nil {
		return false, err
	}
	var busy, pages, copied int
	rows, err := c.query(ctx, "pragma wal_checkpoint(truncate)", nil)
	if err != nil {
		return false, err
	}
	if rows.Next() {
		err = rows.Scan(&busy, &pages, &copied)
	}
	return busy == 0, errors.Join(err, rows.Close(), c.script(ctx, "pragma busy_timeout=5000"))
}

func (c *sqliteConn) close() {
	for _, s := range c.stmts {
		_ = s.Close() // the connection ends with them
	}
	_ = c.c.Close() // gives it back to the pool, whose Close reports
	if c.log != nil {
		c.log.Close() // all that was written was forced to the disk
	}
}

// prepared finds or prepares a statement.
func (c *sqliteConn) prepared(ctx context.Context, text string) (*stmt, error) {
	if s, ok := c.stmts[text]; ok && !s.busy {
		return s, nil
	}
	ps, err := c.c.PrepareContext(ctx, text)
	if err != nil {
		return nil, sqliteError("preparing a statement", err)
	}
	s := &stmt{Stmt: ps}
	if _, taken := c.stmts[text]; !taken {
		c.makeRoom()
		c.stmts[text] = s
	}
	return s, nil
}

// makeRoom forgets one idle statement when there are too many; which one does not matter, for a program has fewer.
func (c *sqliteConn) makeRoom() {
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
func (c *sqliteConn) release(text string, s *stmt) {
	s.busy = false
	if c.stmts[text] != s {
		_ = s.Close() // see makeRoom
	}
}

// sqliteRows keep their statement busy.
type sqliteRows struct {
	*sql.Rows
	c    *sqliteConn
	stmt *stmt
	text string
}

// Close frees the statement.
func (r *sqliteRows) Close() error {
	err := errors.Join(r.Rows.Err(), r.Rows.Close())
	r.c.release(r.text, r.stmt)
	if err != nil {
		return sqliteError("reading rows", err)
	}
	return nil
}

// sqliteError gives the engine's error the kind of who can act on it. The engine's texts name tables and columns, never
// values.
func sqliteError(doing string, err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return engineError(doing, e.Code(), err)
}

func engineError(doing string, code int, err error) error {
	switch code & 0xff {
	case 11, 26: // corrupt, not a database
		return fault.Wrap(fault.Integrity, err, "the own store is damaged: %s", doing)
	case 5, 6: // busy, locked
		return fault.Wrap(fault.Unavailable, err, "the own store cannot be used: %v", err)
	case 8, 10, 13, 14: // read-only, i/o, full, cannot open
		return fault.Wrap(fault.Unavailable, err, "the own store cannot be used: %v", err).
			Then("See that its disk has room and that its folder can be written.")
	}
	return fmt.Errorf("%s: %w", doing, err)
}
