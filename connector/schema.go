package connector

import "strings"

// Schema is what a store's own catalog says, read once and shared; nobody changes it afterwards.
type Schema struct {
	Engine  string   // "sqlite", "postgres", "mariadb", "mysql"
	Version string   // as the engine names it
	Default string   // schema whose tables are named bare ("public", "main", the MySQL database)
	Tables  []*Table // by schema and name
	// Notes are facts about the whole store that a plan must show: foreign keys switched off,
	// a catalog that this role sees only in part, violations that were there before us.
	Notes []Note
	// Partial is set when the role cannot see every reference to a table it may delete from
	// (MariaDB without PROCESS): deleting a parent there could cascade unseen.
	Partial bool
}

// Note is a fact to show with its table ("" for the store) and, where there is one, the statement that cures it.
type Note struct {
	Code    string // "foreign-keys-off", "violations", "partial-catalog", "rule", "publication", "not-valid" …
	Table   string
	Message string
	Cure    string
}

// Kind of a table.
type TableKind string

const (
	Base        TableKind = "table"
	Partitioned TableKind = "partitioned" // root: act on it, rows lie in the leaves
	Partition   TableKind = "partition"   // leaf: counted, never acted on when its root is there
	View        TableKind = "view"        // never a dataset of its own: it shows base rows
	MatView     TableKind = "matview"     // a stored copy: refreshed after erasure, then looked at
	Foreign     TableKind = "foreign"     // another server's table seen through this one
	Virtual     TableKind = "virtual"     // SQLite virtual table (FTS and the like)
	Shadow      TableKind = "shadow"      // storage of a virtual table; never a dataset
)

// Table is one dataset of a store.
type Table struct {
	Schema, Name string
	Kind         TableKind
	Parent       string // name of the partition root or inheritance parent
	Comment      string
	Columns      []Column
	Primary      []string // columns of the primary key, in key order; empty when there is none
	Uniques      []Unique // unique constraints and indexes other than the primary key
	Indexes      []Index  // all, the primary key's too
	ForeignKeys  []ForeignKey
	Checks       []Check
	Triggers     []Trigger
	Rows         int64 // the engine's estimate; -1 unknown
	Bytes        int64 // the engine's estimate; -1 unknown
	Rights       Rights
	RowSecurity  bool   // row-level security hides rows from this role: never complete
	Versioned    bool   // system-versioned: DELETE leaves all old versions
	HistoryOf    string // the table whose old versions this one holds, when the catalog tells
	NoRollback   bool   // MyISAM and the like: a transaction does not protect it
	// Locator names how a row is addressed, best first: see LocatorKind.
	Locator Locator
	// Default is true when the table is in the store's default schema, so its bare name is its dataset name.
	InDefault bool
	// FullText lists virtual/FTS tables whose content this table feeds (SQLite FTS5), to be optimised after deletes.
	FullText []string
}

// Dataset is the name users see: bare in the default schema, else schema.name.
func (t *Table) Dataset() string {
	if t.InDefault || t.Schema == "" {
		return t.Name
	}
	return t.Schema + "." + t.Name
}

// Column looks a column up by its exact name; nil when absent.
func (t *Table) Column(name string) *Column {
	for i := range t.Columns {
		if t.Columns[i].Name == name {
			return &t.Columns[i]
		}
	}
	return nil
}

// Folded reads a column as Explainer names it: "lower(name)" is the folded form of name, unless a column is called just so.
func (t *Table) Folded(name string) (column string, fold bool) {
	inner, ok := strings.CutPrefix(name, "lower(")
	inner, closed := strings.CutSuffix(inner, ")")
	if ok && closed && t.Column(name) == nil {
		return inner, true
	}
	return name, false
}

// Column of a table.
type Column struct {
	Name      string
	Type      string // as the engine writes it: "character varying(40)", "int unsigned", "TEXT"
	Base      string // the type beneath a domain, as the engine writes it; "" otherwise
	Kind      Kind   // what values are
	Length    int    // characters a text holds; 0 unbounded
	Bytes     int    // bytes a binary holds; 0 unbounded
	Precision int    // decimal digits, when the type has them
	Scale     int
	Unsigned  bool
	NotNull   bool
	Default   string // SQL text; "" none
	Generated bool   // computed or always-identity: never in SET
	Identity  bool   // auto-increment, serial, identity by default
	Enum      []string
	Collation string
	// FoldEqual is true when the column's own comparison ignores case (citext, *_ci, NOCASE).
	FoldEqual bool
	Comment   string
}

// Unique is a unique constraint or index.
type Unique struct {
	Name    string
	Columns []string
	Partial bool // has a WHERE or an expression: no address, still a constraint
	NotNull bool // no column of it can be NULL: usable as an address
}

// Index as the engine has it. Fold is true when it serves lower(column) = value.
type Index struct {
	Name    string
	Columns []string // leading first; an expression column is ""
	Unique  bool
	Partial bool
	Valid   bool
	Fold    bool
}

// Action of a foreign key: what the database does by itself.
type Action string

const (
	NoAction   Action = "no action"
	Restrict   Action = "restrict"
	Cascade    Action = "cascade"
	SetNull    Action = "set null"
	SetDefault Action = "set default"
)

// ForeignKey points from the table it is listed under to another of the same store.
type ForeignKey struct {
	Name                 string
	Columns              []string
	RefSchema, RefTable  string
	RefColumns           []string
	OnDelete, OnUpdate   Action
	Deferrable, Deferred bool
	NotValidated         bool
	MatchFull            bool // else MATCH SIMPLE: one NULL part references nothing
}

// Check constraint; Columns are those it names.
type Check struct {
	Name, Expr string
	Columns    []string
}

// Trigger on a table. Writes lists tables (dataset names) that its body inserts into or updates.
type Trigger struct {
	Name, Timing, Event string
	Body                string // SQL text, for its hash; never shown whole
	Writes              []string
	Disabled            bool
}

// Rights of the connected role on a table, asked from privilege functions, never tried.
type Rights struct {
	Select, Insert, Update, Delete, DeleteHistory bool
}

// LocatorKind says how a single row is found again.
type LocatorKind string

const (
	ByPrimary   LocatorKind = "primary"   // primary key
	ByUnique    LocatorKind = "unique"    // unique index without NULL
	ByPhysical  LocatorKind = "physical"  // ctid with tableoid, rowid: fenced by a content hash
	ByPredicate LocatorKind = "predicate" // whole row and a count
)

// Locator is the address of a table's rows. Columns are real columns, or for ByPhysical the
// engine's pseudo columns as the connector names them ("rowid", "tableoid", "ctid").
type Locator struct {
	Kind    LocatorKind
	Columns []string
	// Moves: a row that is changed has another address afterwards, or none that is known.
	Moves bool
}

// Table finds a table by dataset name: exact first, then schema-qualified; nil when absent.
func (s *Schema) Table(dataset string) *Table {
	for _, t := range s.Tables {
		if t.Dataset() == dataset {
			return t
		}
	}
	for _, t := range s.Tables {
		if t.Schema+"."+t.Name == dataset {
			return t
		}
	}
	return nil
}

// Resolve finds the table that a foreign key points to; nil when the role cannot see it.
func (s *Schema) Resolve(fk ForeignKey) *Table {
	for _, t := range s.Tables {
		if t.Name == fk.RefTable && t.Schema == fk.RefSchema {
			return t
		}
	}
	for _, t := range s.Tables {
		if strings.EqualFold(t.Name, fk.RefTable) && strings.EqualFold(t.Schema, fk.RefSchema) {
			return t
		}
	}
	return nil
}
