// Package db is Ombud's own store behind one Tx: a SQLite file, or a schema of a PostgreSQL database.
//
// One SQL text serves both: $1 placeholders, "on conflict … do update … returning", bigint, text, bytea, and nothing an
// engine understands alone; Migrate names the one exception. Callers see Tx, Rows and Row, never a driver.
//
// Writing is group commit. One goroutine owns the only connection that writes: it takes a command, gathers what else
// waits, runs all of it in one transaction, and answers everybody after one COMMIT that reached the disk. A command
// therefore costs a share of an fsync, not a whole one, and an answer without an error is durable. What a command
// must keep elsewhere too goes to the disk with its commit (Tx.WhileForced). Reading happens on snapshots, beside it, and
// comes back when what it saw is on the disk too.
//
// One instance serves a store. In PostgreSQL the connection that writes holds an advisory lock, so lock and writing end
// together; the store is then broken until it is opened again.
//
// A statement that fails ends its command, as in PostgreSQL: whatever the function returns, nothing of it is kept.
// Where a conflict is expected, say so in the statement ("on conflict do nothing").
package db
