// Package connector is the contract between Ombud and a company's stores. A connector knows one
// engine: it reads the catalog, finds rows by keys, acts in transactions, and looks again by code
// of its own. It decides nothing: which rows are a person's and what happens to them is package plan.
//
// What every connector promises, checked by connectortest against the real engine:
//
//   - Names are quoted by the engine's rules and checked against the catalog, never concatenated raw.
//     Values are parameters, or literals quoted by type where the engine is faster so.
//   - Keys are converted to the type of the column they are compared with; the column is never cast.
//     A key that cannot be of that type ("abc" for an integer) matches nothing and is no error.
//   - A select delivers exactly the rows whose cells equal the keys in the engine *and* in Go: where a
//     collation over-matches ("anna" = "ännä"), the connector drops the surplus before it delivers.
//   - Every statement has a timeout. Errors and logs never hold a value, a key or a DSN.
//   - Nothing is written outside Tx.Do.
package connector

import (
	"context"
	"time"
)

// Config opens one system. The zero value of every limit means its default.
type Config struct {
	System  string        // id in ombud.yaml; names the store in errors
	DSN     string        // expanded, secret: never logged, never part of an error
	Folder  string        // relative paths in the DSN start here (the folder of ombud.yaml)
	Timeout time.Duration // of one statement; default 60 s
	// Rate bounds statements a second, 0 is unbounded: a store in use comes first.
	Rate float64
}

// Opener connects. It fails with fault.Unavailable when the store does not answer and
// fault.Invalid when the DSN is wrong; neither error repeats the DSN.
type Opener func(ctx context.Context, c Config) (Store, error)

// Store is an open system. It is safe for concurrent use.
type Store interface {
	// Schema reads the catalog, always anew.
	Schema(ctx context.Context) (*Schema, error)
	// Fingerprint is a cheap token that differs when Schema would differ in tables, columns, keys,
	// indexes, constraints, triggers or rights (not in estimates). Asked before each plan.
	Fingerprint(ctx context.Context) (string, error)
	// Sample delivers up to limit rows of the named columns, spread over the table where that is cheap.
	Sample(ctx context.Context, t *Table, columns []string, limit int) ([][]Value, error)
	// Select runs the queries, pipelined in as few round trips as the engine allows, and delivers the
	// rows of query 0, then 1, and so on. The row is only valid during the call. An error from the
	// callback stops everything and is returned.
	Select(ctx context.Context, qs []Select, row func(query int, row []Value) error) error
	// Count is Select that counts.
	Count(ctx context.Context, qs []Select) ([]int64, error)
	// Look is for proof only: the same question as Select, asked by code that shares no query
	// builder with Select or Tx.Do, on a connection of its own.
	Look(ctx context.Context, qs []Select, row func(query int, row []Value) error) error
	// Begin starts a transaction. Tx is not safe for concurrent use.
	Begin(ctx context.Context) (Tx, error)
	// Convert turns a value into one of the column's kind, exactly; false when it cannot be one.
	// Text is not trimmed or folded.
	Convert(v Value, c *Column) (Value, bool)
	Close() error
}

// Select is a question to one table: which rows match all of Where. Without Where: every row.
type Select struct {
	Table   *Table
	Columns []string // real columns, or pseudo columns of a ByPhysical locator
	Where   []Match
	Limit   int  // 0 is no limit
	Sorted  bool // order by Columns[0..] of the locator; only when the locator is a key
	// Lock, in Tx.Select: until the transaction ends nobody else changes the rows or lets a new row refer
	// to them. Where the role may not lock, it only reads.
	Lock bool
}

// Match is a condition: the columns' tuple is one of Keys. An empty Keys matches nothing.
type Match struct {
	Columns []string
	Keys    []Key
	// Fold compares one text column after trimming blanks and case folding (Unicode), as identities
	// are compared. The connector uses an exact or folded index when there is one, else scans.
	Fold bool
	// Null, instead of Keys, demands that every named column IS NULL.
	Null bool
}

// Verb of an act.
type Verb string

const (
	Delete Verb = "delete"
	Update Verb = "update"
)

// Act changes rows of one table: those whose locator is in Rows and that match all of Fence.
// The fence is the reason a row was chosen (its owner column); a row given to somebody else
// meanwhile no longer matches and stays untouched.
type Act struct {
	Verb  Verb
	Table *Table
	Rows  []Key    // locator values, in the order of Table.Locator.Columns
	Fence []Match  // further conditions, on real columns
	Set   []string // columns to change, for Update
	// Values has one list for all rows (len 1) or one per row of Rows; each as long as Set.
	Values [][]Value
	// History also removes old versions of system-versioned tables, where the engine has a verb for it.
	History bool
	// Expect, for ByPredicate and ByPhysical rows, is the content hash per row: see RowHash. A row
	// whose content differs is left alone.
	Expect []string
}

// Tx acts inside one transaction of the store.
type Tx interface {
	// Do runs the acts in order, pipelined where the engine allows it, and answers rows affected per
	// act, as the engine counts them. On an error the transaction can only be rolled back.
	Do(ctx context.Context, acts []Act) ([]int64, error)
	// Defer postpones foreign key checks to commit, as far as the engine can; false when it cannot.
	Defer(ctx context.Context) (bool, error)
	// Select reads inside the transaction: what it wrote, and what others have committed by now.
	Select(ctx context.Context, qs []Select, row func(query int, row []Value) error) error
	// Orphans counts rows of child whose foreign key points at nothing and would have to: the
	// anti-join that proves keys intact where checks were postponed or are not enforced.
	Orphans(ctx context.Context, child *Table, fk ForeignKey, parentKeys []Key) (int64, error)
	Commit(ctx context.Context) error
	Rollback(ctx context.Context) error
}

// Rekeyer is a Tx of an engine whose checks cannot wait for its end, and that can yet give a row another key and, in the same
// transaction, the rows that refer to it. The acts are updates, each with one list of values, and a row may be in several;
// afterwards every reference among them leads to a row.
type Rekeyer interface {
	Rekey(ctx context.Context, acts []Act) ([]int64, error)
}

// CycleDeleter is a Tx that can run several acts as one statement, so that rows which need each
// other (NOT NULL references in a circle, not deferrable) go at once. The acts see the data as it
// was before all of them; no row may be in two. Answers rows affected per act.
type CycleDeleter interface {
	DoTogether(ctx context.Context, acts []Act) ([]int64, error)
}

// Fingerprinter is a store that can say, with rows that it gives, what its fingerprint is.
type Fingerprinter interface {
	// SelectFingerprinted is Select in as many round trips. It also gives what Fingerprint would say meanwhile; "" where that would have
	// to read the catalog.
	SelectFingerprinted(ctx context.Context, qs []Select, row func(query int, row []Value) error) (fingerprint string, err error)
}

// Maintainer is a store that keeps derived copies to bring up to date after rows are gone:
// materialised views, full-text indexes, free pages, as Schema last saw them. Answers what it did, in words for the receipt.
type Maintainer interface {
	Maintain(ctx context.Context, touched []*Table) ([]string, error)
}

// Evaluator tests values against a table's CHECK constraints by SELECT on literals, without a trial write.
type Evaluator interface {
	// Allowed reports, for one column set to v with the row's other columns NULL or as given,
	// whether each check that names only given columns passes (NULL passes, as in SQL).
	Allowed(ctx context.Context, t *Table, check Check, row map[string]Value) (bool, error)
}

// Explainer estimates what finding rows will cost, for the plan's warnings. A column written "lower(name)" is the folded form
// that a Fold match of that column uses; see Table.Folded.
type Explainer interface {
	// ScanCost estimates the time to find rows of t by the columns when no index leads with them.
	ScanCost(ctx context.Context, t *Table, columns []string) (time.Duration, error)
	// IndexStatement is the engine's own statement that makes the missing index.
	IndexStatement(t *Table, columns []string) string
}
