// Package db is Ombud's own store behind one Tx.
//
// One SQL text serves SQLite today and PostgreSQL later: $1 placeholders, "on conflict … do update … returning",
// bigint, text, boolean, and nothing an engine understands alone. Callers see Tx, Rows and Row, never a driver.
//
// Writing is group commit. One goroutine owns the only connection that writes: it takes a command, gathers what else
// waits, runs all of it in one transaction, and answers everybody after one COMMIT that reached the disk. A command
// therefore costs a share of an fsync, not a whole one, and an answer without an error is durable.
//
// A statement that fails ends its command, as in PostgreSQL: whatever the function returns, nothing of it is kept.
// Where a conflict is expected, say so in the statement ("on conflict do nothing").
package db
