package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/fault"
)

// readers is how many snapshots may be read at once; further ones wait.
const readers = 4

// groupLimit bounds the commands of one commit, and so the wait of the first of them.
const groupLimit = 512

// ErrNoRows is what Row.Scan gives when the query had no row.
var ErrNoRows = sql.ErrNoRows

// Config says where the store is.
type Config struct {
	// Path is the SQLite file; it and its directory are made when missing. Mode 0600 is enforced on the file.
	Path string
	// Clock dates the migrations; nil is the system's.
	Clock clock.Clock
	// Hook is called by the writer after each commit that is durable and not yet answered, with the point's name
	// ("commit"). It is for tests that end the process there; nil in production.
	Hook func(point string)
}

// DB is an open store. It is safe for concurrent use.
type DB struct {
	pool  *sql.DB
	clock clock.Clock
	w     *writer
	free  chan *conn // one slot per reader; nil where no connection was needed yet

	mu     sync.RWMutex // guards queue against being closed while somebody sends
	closed bool
	done   chan struct{} // closed with the store: who waits for a reader then gets none
}

// Open opens the store, or makes it. The caller must Close it.
func Open(ctx context.Context, c Config) (*DB, error) {
	if strings.HasPrefix(c.Path, "postgres://") || strings.HasPrefix(c.Path, "postgresql://") {
		return nil, fault.New(fault.Invalid, "PostgreSQL as own store comes later").Then("Give the path of a file.")
	}
	if c.Path == "" {
		return nil, fault.New(fault.Invalid, "the own store needs a path")
	}
	if c.Clock == nil {
		c.Clock = clock.System{}
	}
	if err := prepareFile(c.Path); err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the own store %s cannot be opened", filepath.Base(c.Path))
	}
	return open(ctx, c)
}

func open(ctx context.Context, c Config) (*DB, error) {
	pool, err := openPool(c.Path)
	if err != nil {
		return nil, err
	}
	wc, err := newConn(ctx, pool, writerPragmas)
	if err == nil {
		err = syncDir(filepath.Dir(c.Path))
	}
	if err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	d := &DB{pool: pool, clock: c.Clock, w: newWriter(wc, c.Hook), free: make(chan *conn, readers), done: make(chan struct{})}
	for range readers {
		d.free <- nil
	}
	go d.w.loop()
	return d, nil
}

// Write runs fn in a transaction and answers when its commit is on the disk. An error of fn undoes all fn did and comes
// back as it is.
//
// fn may run twice: it shares a commit with others, and when one of those fails each runs again alone. It must
// therefore keep what it found in variables it assigns anew, touch nothing outside but through OnCommit, be short, and
// never call Write, Read or runtime.Goexit. If ctx ends before fn began, it never will, and Write gives ctx's error; once
// it began, Write waits for the outcome.
//
// After a commit whose outcome is unknown every Write gives fault.Unavailable until the store is opened again.
func (d *DB) Write(ctx context.Context, fn func(*Tx) error) error {
	c := &command{fn: fn, done: make(chan error, 1)}
	if err := d.send(ctx, c); err != nil {
		return err
	}
	select {
	case err := <-c.done:
		return repanic(err)
	case <-ctx.Done():
		if c.withdraw() {
			return ctx.Err()
		}
		return repanic(<-c.done)
	}
}

func (d *DB) send(ctx context.Context, c *command) error {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if d.closed {
		return errClosed()
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case d.w.queue <- c:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Read runs fn on a snapshot: it sees one committed state, whatever is written meanwhile. It cannot write. The snapshot
// ends with fn.
func (d *DB) Read(ctx context.Context, fn func(*Tx) error) (err error) {
	c, err := d.takeReader(ctx)
	if err != nil {
		return err
	}
	defer func() { d.free <- c }()
	if err := c.run(ctx, "begin"); err != nil {
		return err
	}
	tx := &Tx{c: c, reading: true}
	defer func() {
		tx.end()
		if ended := c.run(context.WithoutCancel(ctx), "rollback"); err == nil {
			err = ended
		}
	}()
	if err := fn(tx); err != nil {
		return err
	}
	return tx.failed
}

func (d *DB) takeReader(ctx context.Context) (*conn, error) {
	select {
	case c := <-d.free:
		if c != nil {
			return c, nil
		}
		c, err := newConn(ctx, d.pool, readerPragmas)
		if err != nil {
			d.free <- nil
			return nil, err
		}
		return c, nil
	case <-d.done:
		return nil, errClosed()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Close answers what waits, then closes the store. Reads under way must have ended.
func (d *DB) Close() error {
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		return nil
	}
	d.closed = true
	close(d.done)
	close(d.w.queue)
	d.mu.Unlock()
	<-d.w.done
	for range readers {
		if c := <-d.free; c != nil {
			c.close()
		}
	}
	d.w.c.close()
	if err := d.pool.Close(); err != nil {
		return fmt.Errorf("closing the store: %w", err)
	}
	return nil
}

func errClosed() error { return fault.New(fault.Unavailable, "the store is closed") }

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

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
