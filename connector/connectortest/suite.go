// Package connectortest is the one conformance suite of all connectors. It asks a real engine, set
// up with the engine's own driver, whether a connector keeps what package connector promises: it
// finds exactly the rows asked for, changes exactly the rows planned, and says nothing it must not.
//
// A connector's test calls Run with a Harness that tells how its engine names things and what the
// engine cannot do. What an engine cannot do is skipped by name; nothing else is.
package connectortest

import (
	"database/sql"
	"testing"

	"github.com/ombudhq/ombud/connector"
)

// Harness describes one engine to the suite.
type Harness struct {
	Engine string           // Schema.Engine, or any of those joined by "|": "mariadb|mysql"
	Open   connector.Opener // the connector under test
	// Start makes an empty store for one test and removes it with the test.
	Start func(t *testing.T) System
	Quote func(name string) string
	Param func(n int) string // the n-th placeholder, from 1, of System.DB
	// Types names a column type per kind, of some size that a key may have. A kind that is absent is
	// not tested. Text, Int, Decimal and Bytes must be there; Time is a date.
	Types   map[connector.Kind]string
	BigText string // a text type that holds 1 MiB
	Has     Features
	// Unkeyed is how rows of a table without any key are addressed.
	Unkeyed connector.LocatorKind
	// AuditTrigger gives the statements of a trigger that, after a row of table is deleted, inserts
	// its column into the only column of another table. All names are raw.
	AuditTrigger func(name, table, column, into, intoColumn string) []string
	// Partitioned gives the statements that make a table of two integer columns, id (the key) and k,
	// split by id into one leaf for 0 to 99 and one for 100 to 199; nil where an engine has none.
	Partitioned func(table string) []string
	// MatView gives the statement that stores a copy of a table; nil where an engine has none.
	MatView func(view, table string) string
	// NoTriggerBody is set where the catalog does not tell a trigger's writes.
	NoTriggerBody bool
	// Missing is a configuration whose store does not answer, Wrong one that cannot be meant; both
	// carry Secret in the DSN, which no error may repeat.
	Missing, Wrong connector.Config
	Secret         string
}

// Features are what engines differ in.
type Features struct {
	Defer         bool // Tx.Defer works for every key
	Deferrable    bool // keys declared deferrable
	Enum          bool
	PartialIndex  bool
	LowerIndex    bool // an index on lower(column)
	SetDefault    bool // ON DELETE SET DEFAULT
	Generated     bool // GENERATED ALWAYS AS (…) STORED
	Checks        bool
	NulInText     bool // a text may hold a NUL
	BrokenText    bool // a text may hold bytes that are not UTF-8
	NameBytes     int  // longest name in bytes, 0 unbounded
	NameRunes     int  // longest name in characters, 0 unbounded
	NoOuterBlanks bool // names may not begin or end with a blank
	FoldedNames   bool // table names that differ by case alone are one table
	BMPNames      bool // names hold no characters beyond U+FFFF
	TypedColumns  bool // a column holds values of one kind only
}

// System is one empty store.
type System struct {
	Config connector.Config // opens it with the connector
	DB     *sql.DB          // the engine's own driver with every right
	// OtherSchema is a second schema of the store, empty and gone with the test; "" where there is none.
	OtherSchema string
	// Unprivileged opens it as a role that may SELECT from the table only; nil where an engine has none.
	Unprivileged func(t *testing.T, table string) connector.Config
}

// Run checks a connector.
func Run(t *testing.T, h Harness) {
	for _, group := range [][]topic{
		schemaTopics, keyTopics, triggerTopics, fingerprintTopics, selectTopics, typeTopics, foldTopics, bulkTopics,
		unkeyedTopics, actTopics, txTopics, orphanTopics, lookTopics, nameTopics, valueTopics, errorTopics, partTopics,
	} {
		for _, c := range group {
			t.Run(c.name, func(t *testing.T) {
				if c.need != nil && !c.need(h) {
					t.Skip("the engine has no such thing")
				}
				c.run(start(t, h))
			})
		}
	}
}

// topic is one promise and the test of it.
type topic struct {
	name string
	run  func(e *env)
	need func(h Harness) bool
}
