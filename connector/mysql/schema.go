package mysql

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	"github.com/ombudhq/ombud/connector"
)

// catalog gathers a schema from few queries over whole schemas, whatever the number of tables.
type catalog struct {
	s      *store
	ctx    context.Context
	schema *connector.Schema
	tables map[[2]string]*connector.Table
	grants grants
	inner  []innodbKey // InnoDB's own list of keys that point into this database; with PROCESS only
	scope  string      // the schemas to read, as an IN list
	period map[*connector.Table]string
}

// Schema reads the catalog: all tables of the database, and those of other schemas whose foreign
// keys point into it.
func (s *store) Schema(ctx context.Context) (*connector.Schema, error) {
	c := &catalog{
		s: s, ctx: ctx, tables: map[[2]string]*connector.Table{}, period: map[*connector.Table]string{},
		schema: &connector.Schema{Engine: s.engine, Version: s.version, Default: s.name},
	}
	steps := []func() error{
		c.readGrants, c.readInnoDB, c.readScope, c.readTables, c.readColumns, c.readIndexes, c.readForeignKeys,
		c.readChecks, c.readTriggers,
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return nil, s.fault("reading the catalog", err)
		}
	}
	c.finish()
	return c.schema, nil
}

// Fingerprint is a digest of the whole catalog without estimates: the catalog is read in a fraction
// of a second, and a digest of all of it cannot forget a part.
func (s *store) Fingerprint(ctx context.Context) (string, error) {
	schema, err := s.Schema(ctx)
	if err != nil {
		return "", err
	}
	for _, t := range schema.Tables {
		t.Rows, t.Bytes = 0, 0
	}
	text, err := json.Marshal(schema)
	if err != nil {
		return "", s.fault("reading the catalog", err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// each runs a catalog query and calls read with every row.
func (c *catalog) each(query string, columns int, read func(r []string)) error {
	if err := c.s.pace.wait(c.ctx); err != nil {
		return err
	}
	rows, err := c.s.db.QueryContext(c.ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	cells := make([]sql.NullString, columns)
	into := make([]any, columns)
	for i := range cells {
		into[i] = &cells[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		r := make([]string, columns)
		for i, cell := range cells {
			r[i] = cell.String
		}
		read(r)
	}
	return rows.Err()
}

func (c *catalog) table(schema, name string) *connector.Table {
	return c.tables[[2]string{schema, name}]
}

// readScope finds the schemas with keys into this database.
func (c *catalog) readScope() error {
	schemas := []string{c.s.name}
	for _, k := range c.inner {
		if !slices.Contains(schemas, k.schema) {
			schemas = append(schemas, k.schema)
		}
	}
	if c.inner == nil {
		err := c.each("SELECT DISTINCT TABLE_SCHEMA FROM information_schema.KEY_COLUMN_USAGE WHERE REFERENCED_TABLE_SCHEMA = "+
			quote(c.s.name), 1, func(r []string) {
			if !slices.Contains(schemas, r[0]) {
				schemas = append(schemas, r[0])
			}
		})
		if err != nil {
			return err
		}
	}
	for i, n := range schemas {
		schemas[i] = quote(n)
	}
	c.scope = " IN (" + strings.Join(schemas, ",") + ")"
	return nil
}

func (c *catalog) readTables() error {
	return c.each("SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, ENGINE, COALESCE(TABLE_ROWS, -1), COALESCE(DATA_LENGTH, -1), TABLE_COMMENT"+
		" FROM information_schema.TABLES WHERE TABLE_SCHEMA"+c.scope, 7, func(r []string) {
		if r[2] == "SEQUENCE" {
			return
		}
		t := &connector.Table{
			Schema: r[0], Name: r[1], Kind: connector.Base, Comment: r[6], InDefault: r[0] == c.s.name,
			Rows: count(r[4]), Bytes: count(r[5]), Rights: c.grants.on(r[0], r[1]),
			Versioned: r[2] == "SYSTEM VERSIONED", NoRollback: !transactional(r[3]),
		}
		switch {
		case strings.HasSuffix(r[2], "VIEW"):
			t.Kind, t.Comment, t.NoRollback = connector.View, "", false
		case slices.Contains([]string{"MRG_MyISAM", "MRG_MYISAM"}, r[3]):
			t.Kind = connector.View // shows the rows of its parts
		case slices.Contains([]string{"FEDERATED", "CONNECT", "SPIDER", "S3"}, strings.ToUpper(r[3])):
			t.Kind = connector.Foreign
		}
		c.tables[[2]string{r[0], r[1]}] = t
	})
}

func transactional(engine string) bool {
	switch strings.ToLower(engine) {
	case "innodb", "ndbcluster", "ndb", "rocksdb", "tokudb", "":
		return true
	}
	return false
}

func (c *catalog) readIndexes() error {
	type part struct{ whole, notNull bool }
	last, state := "", part{}
	var t *connector.Table
	var open *connector.Index
	done := func() {
		if open == nil {
			return
		}
		finishIndex(t, *open, state.whole, state.notNull, c.period[t])
		open = nil
	}
	err := c.each("SELECT TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, NON_UNIQUE, COLUMN_NAME, NULLABLE, SUB_PART, INDEX_TYPE"+
		" FROM information_schema.STATISTICS WHERE TABLE_SCHEMA"+c.scope+
		" ORDER BY TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX", 8, func(r []string) {
		if id := r[0] + "\x00" + r[1] + "\x00" + r[2]; id != last {
			done()
			last, state = id, part{whole: true, notNull: true}
			if t = c.table(r[0], r[1]); t == nil {
				return
			}
			open = &connector.Index{Name: r[2], Unique: r[3] == "0", Valid: r[7] != "FULLTEXT" && r[7] != "SPATIAL" && r[7] != "RTREE"}
		}
		if open == nil {
			return
		}
		open.Columns = append(open.Columns, r[4])
		state.whole = state.whole && r[6] == "" && r[4] != ""
		state.notNull = state.notNull && r[5] != "YES" && r[4] != ""
	})
	done()
	return err
}

// finishIndex lists an index and what follows from it. The end of the system period, which a
// versioned table's unique keys carry inside, is no part of the key of its current rows.
func finishIndex(t *connector.Table, i connector.Index, whole, notNull bool, period string) {
	key := slices.DeleteFunc(slices.Clone(i.Columns), func(n string) bool { return period != "" && n == period })
	lead := t.Column(i.Columns[0])
	i.Fold = len(i.Columns) == 1 && i.Valid && lead != nil && lead.FoldEqual
	t.Indexes = append(t.Indexes, i)
	switch {
	case !i.Unique:
	case i.Name == "PRIMARY":
		t.Primary = key
	default:
		t.Uniques = append(t.Uniques, connector.Unique{Name: i.Name, Columns: key, Partial: !whole, NotNull: notNull})
	}
}

// finish sorts, completes and judges.
func (c *catalog) finish() {
	for _, t := range c.tables {
		if !t.InDefault && !slices.ContainsFunc(t.ForeignKeys, func(k connector.ForeignKey) bool { return k.RefSchema == c.s.name }) {
			continue
		}
		t.Locator = locate(t)
		c.schema.Tables = append(c.schema.Tables, t)
		if t.NoRollback && t.Kind == connector.Base {
			c.note("no-rollback", t, "a transaction does not protect this table", "ALTER TABLE "+full(t)+" ENGINE=InnoDB")
		}
	}
	slices.SortFunc(c.schema.Tables, func(a, b *connector.Table) int {
		return cmp.Or(cmp.Compare(a.Schema, b.Schema), cmp.Compare(a.Name, b.Name))
	})
	c.judge()
	slices.SortFunc(c.schema.Notes, func(a, b connector.Note) int {
		return cmp.Or(cmp.Compare(a.Code, b.Code), cmp.Compare(a.Table, b.Table))
	})
}

// judge tells what of the catalog this role cannot see.
func (c *catalog) judge() {
	if c.inner == nil && !c.grants.everywhere("SELECT") {
		c.schema.Partial = true
		c.note("partial-catalog", nil, "foreign keys of other schemas may point here unseen: the role has neither PROCESS nor rights on all schemas",
			"GRANT PROCESS ON *.* TO "+c.grants.account)
	}
	if !c.grants.schemaWide(c.s.name, "TRIGGER") {
		c.note("partial-catalog", nil, "triggers may be unseen: the role has no TRIGGER right on the database",
			"GRANT TRIGGER ON "+name(c.s.name)+".* TO "+c.grants.account)
	}
}

func (c *catalog) note(code string, t *connector.Table, message, cure string) {
	n := connector.Note{Code: code, Message: message, Cure: cure}
	if t != nil {
		n.Table = t.Dataset()
	}
	c.schema.Notes = append(c.schema.Notes, n)
}

// locate picks the address of a table's rows.
func locate(t *connector.Table) connector.Locator {
	if len(t.Primary) > 0 {
		return connector.Locator{Kind: connector.ByPrimary, Columns: t.Primary}
	}
	best := -1
	for i, u := range t.Uniques {
		if u.NotNull && !u.Partial && (best < 0 || len(u.Columns) < len(t.Uniques[best].Columns)) {
			best = i
		}
	}
	if best >= 0 {
		return connector.Locator{Kind: connector.ByUnique, Columns: t.Uniques[best].Columns}
	}
	all := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		all[i] = c.Name
	}
	return connector.Locator{Kind: connector.ByPredicate, Columns: all, Moves: true}
}
