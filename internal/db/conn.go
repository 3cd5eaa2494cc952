package db

import (
	"context"
	"os"
	"time"
)

// statementLimit bounds the prepared statements a connection keeps.
const statementLimit = 256

// engine opens the connections of one kind of database.
type engine interface {
	// writer opens the connection that writes. Where other machines can reach the store, it is the only one of its kind
	// as long as it lives.
	writer(ctx context.Context) (conn, error)
	reader(ctx context.Context) (conn, error)
	close() error
}

// conn is one connection. One goroutine uses it at a time. Its errors hold no value and no address, and have the kind of
// who can act on them.
type conn interface {
	begin(ctx context.Context) error
	// commit inserts what was left for the end, then makes the transaction part of the store; it is durable when force has
	// answered. It calls meanwhile, if that is not nil, once: when a server has all of it, or when it is part of a file and is being
	// written out. What is refused, for a row or for want of room, leaves it open, to be rolled back; after any other error its
	// outcome is unknown.
	commit(last []rowsOf, meanwhile func()) (refused, unknown error)
	// lazy tells that a commit is seen by others before it is on the disk.
	lazy() bool
	// force answers when what was committed is on the disk.
	force() error
	// carries is DB.Carries.
	carries(f *os.File) bool
	rollback() error
	exec(ctx context.Context, text string, args []any) (int64, error)
	query(ctx context.Context, text string, args []any) (cursor, error)
	insert(ctx context.Context, in rowsOf) error
	// script executes any number of statements, and keeps none prepared.
	script(ctx context.Context, text string) error
	// health asks for the name of the engine, and whether a commit waits for the disk: "on".
	health() string
	// schema gives a step of Migrate in the words of the engine.
	schema(step string) string
	// tidy is DB.Tidy.
	tidy(ctx context.Context) (done bool, err error)
	// pulse is how often to check an idle connection: another machine may end it. 0 is never.
	pulse() time.Duration
	check() error
	// lost tells that the connection has ended and will fail for ever.
	lost() bool
	close()
}

// cursor walks over rows as *sql.Rows does; Close also tells what ended them early. Several of one connection may be open.
type cursor interface {
	Next() bool
	Scan(dest ...any) error
	Columns() ([]string, error)
	Close() error
}
