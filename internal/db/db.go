package db

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
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
	// Path is a SQLite file, or the address of a PostgreSQL database: postgres://user:password@host:5432/database. The
	// file and its directory are made when missing, mode 0600 is enforced on the file. In a database the tables are in
	// the first schema of the search path.
	Path string
	// Clock dates the migrations and paces the look after an idle connection; nil is the system's.
	Clock clock.Clock
	// Hook is called by the writer after each commit that is durable and not yet answered ("commit"), and again when what
	// had to be kept elsewhere is there too ("kept"); before both where something is to be kept while it is forced to the disk
	// ("seen"). It is for tests that end the process there; nil in production.
	Hook func(point string)
}

// DB is an open store. It is safe for concurrent use.
type DB struct {
	engine engine
	clock  clock.Clock
	w      *writer
	free   chan conn // one slot per reader; nil where no connection was needed yet

	mu     sync.RWMutex // guards queue against being closed while somebody sends
	closed bool
	done   chan struct{} // closed with the store: who waits for a reader then gets none
}

// Open opens the store, or makes it. The caller must Close it. In PostgreSQL it takes the store for itself: where another
// instance has it, and does not end within seconds, the answer is fault.Unavailable.
func Open(ctx context.Context, c Config) (*DB, error) {
	if c.Clock == nil {
		c.Clock = clock.System{}
	}
	e, err := choose(c.Path)
	if err != nil {
		return nil, err
	}
	wc, err := e.writer(ctx)
	if err != nil {
		return nil, errors.Join(err, e.close())
	}
	d := &DB{engine: e, clock: c.Clock, w: newWriter(wc, c.Clock, c.Hook), free: make(chan conn, readers), done: make(chan struct{})}
	for range readers {
		d.free <- nil
	}
	go d.w.loop()
	return d, nil
}

func choose(path string) (engine, error) {
	scheme, _, isURL := strings.Cut(path, "://")
	switch {
	case path == "":
		return nil, fault.New(fault.Invalid, "the own store needs a path")
	case !isURL:
		return openFile(path)
	case scheme == "postgres" || scheme == "postgresql":
		return openServer(path)
	}
	return nil, fault.New(fault.Invalid, "the own store is neither a file nor a PostgreSQL database").
		Then("Give a path, or postgres://user:password@host:5432/database.")
}

// Write runs fn in a transaction and answers when its commit is on the disk. An error of fn undoes all fn did and comes
// back as it is.
//
// fn may run twice: it shares a commit with others, and when one of those fails each runs again alone. It must
// therefore keep what it found in variables it assigns anew, touch nothing outside but through OnCommit, be short, and
// never call Write, Read or runtime.Goexit. If ctx ends before fn began, it never will, and Write gives ctx's error; once
// it began, Write waits for the outcome.
//
// After a commit whose outcome is unknown, and after the connection was lost, every Write gives fault.Unavailable until
// the store is opened again.
func (d *DB) Write(ctx context.Context, fn func(*Tx) error) error { return d.Start(ctx, fn)() }

// Start is Write for who has something else to do meanwhile: what it gives waits for the outcome, and is to be called once.
func (d *DB) Start(ctx context.Context, fn func(*Tx) error) (outcome func() error) {
	c := &command{ctx: ctx, fn: fn, done: make(chan error, 1)}
	if err := d.send(ctx, c); err != nil {
		return func() error { return err }
	}
	return func() error {
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
// ends with fn. When Read comes back, all that fn saw is on the disk, or Err tells why that is not known.
func (d *DB) Read(ctx context.Context, fn func(*Tx) error) error {
	err := d.read(ctx, fn)
	return cmp.Or(err, d.w.forcing.wait(ctx))
}

func (d *DB) read(ctx context.Context, fn func(*Tx) error) (err error) {
	c, err := d.takeReader(ctx)
	if err != nil {
		return err
	}
	defer func() { d.giveReader(c) }()
	if err := c.begin(ctx); err != nil {
		return err
	}
	tx := &Tx{c: c, reading: true, hooks: &hooks{}}
	defer func() {
		tx.end()
		if ended := c.rollback(); err == nil {
			err = ended
		}
	}()
	if err := fn(tx); err != nil {
		return err
	}
	return tx.failed
}

// Settled is Read for what others act upon: it comes back when all that it may have seen has run its OnCommit. Without it
// a state is read a moment before memory follows, and who then asks memory is answered by the state before.
func (d *DB) Settled(ctx context.Context, fn func(*Tx) error) error {
	err := d.read(ctx, fn)
	d.w.settling.RLock()
	defer d.w.settling.RUnlock()
	return err
}

// Quiet runs fn while no commit is on its way: what is kept elsewhere with one is not half there.
func (d *DB) Quiet(fn func()) {
	d.w.settling.RLock()
	defer d.w.settling.RUnlock()
	fn()
}

func (d *DB) takeReader(ctx context.Context) (conn, error) {
	select {
	case c := <-d.free:
		if c != nil {
			return c, nil
		}
		c, err := d.engine.reader(ctx)
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

// giveReader keeps a connection for the next one, unless it has ended.
func (d *DB) giveReader(c conn) {
	if c.lost() {
		c.close()
		c = nil
	}
	d.free <- c
}

// Broken is closed when nothing can be written any more; Err then tells why. Only opening the store again helps.
func (d *DB) Broken() <-chan struct{} { return d.w.health.Done() }

// Err is nil until Broken is closed.
func (d *DB) Err() error { return d.w.broken() }

// Held is why nothing can be written for now: what was committed is not kept elsewhere as it must be (BeforeAnswer). nil
// while nothing is missing there.
func (d *DB) Held() error {
	if why := d.w.why.Load(); why != nil {
		return why
	}
	return nil
}

// Health names the engine. It is fault.Unavailable when nothing can be written any more or for now, or when the server was
// told not to wait for its disk, so that an answer can be lost.
func (d *DB) Health(ctx context.Context) (engine string, err error) {
	if err := cmp.Or(d.Err(), d.Held()); err != nil {
		return "", err
	}
	var sync string
	err = d.Read(ctx, func(tx *Tx) error { return tx.QueryRow(ctx, tx.c.health()).Scan(&engine, &sync) })
	if err == nil && sync != "on" {
		return engine, fault.New(fault.Unavailable, "%s does not wait for its disk (fsync = %s): what was answered can be lost", engine, sync).
			Then("Set fsync = on in postgresql.conf.")
	}
	return engine, err
}

// Carries tells whether what is written out of f (file.WriteOut) while a transaction is forced to the disk is forced with it.
func (d *DB) Carries(f *os.File) bool { return d.w.c.carries(f) }

// Tidy empties the log of what was written beside the file of the store, so that what was deleted is in neither. It is
// false where somebody is reading from that log: try again later. A PostgreSQL server keeps its own log as it was told to.
func (d *DB) Tidy(ctx context.Context) (done bool, err error) {
	c, err := d.takeReader(ctx)
	if err != nil {
		return false, err
	}
	defer func() { d.giveReader(c) }()
	return c.tidy(ctx)
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
	if err := d.engine.close(); err != nil {
		return fmt.Errorf("closing the store: %w", err)
	}
	return nil
}

func errClosed() error { return fault.New(fault.Unavailable, "the store is closed") }
