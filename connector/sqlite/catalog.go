package sqlite

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ombudhq/ombud/connector"
)

// Schema reads the catalog in one read transaction.
func (s *Store) Schema(ctx context.Context) (*connector.Schema, error) {
	t, err := s.reading(ctx, s.db)
	if err != nil {
		return nil, err
	}
	defer t.Rollback(ctx) //nolint:errcheck // nothing was written
	c := catalog{s: s, ctx: ctx, conn: t.conn, tables: map[string]*connector.Table{}, sql: map[string]string{}, keyed: map[string]bool{}, types: map[string]connector.Column{}}
	for _, step := range []func() error{
		c.readVersion, c.readText, c.readTables, c.readColumns, c.readOddColumns, c.readKeys, c.readIndexes,
		c.readTriggers, c.finish, c.readRows, c.readNotes,
	} {
		if err := step(); err != nil {
			return nil, fmt.Errorf("reading the catalog: %w", err)
		}
	}
	slices.SortFunc(c.out.Tables, func(a, b *connector.Table) int { return cmp.Compare(a.Name, b.Name) })
	return &c.out, nil
}

// catalog is a schema in the making.
type catalog struct {
	s        *Store
	ctx      context.Context
	conn     single
	out      connector.Schema
	tables   map[string]*connector.Table // by name
	sql      map[string]string           // CREATE text of tables and indexes by name
	triggers []trigger
	keyed    map[string]bool             // tables without a rowid
	types    map[string]connector.Column // by declared type: a catalog has few
}

type trigger struct{ name, table, sql string }

const mainSchema = "main"

// each runs a statement and delivers its rows.
func (c *catalog) each(query string, row func(f []connector.Value) error, args ...any) error {
	return c.s.query(c.ctx, c.conn, query, args, row)
}

func (c *catalog) readVersion() error {
	c.out.Engine, c.out.Default = "sqlite", mainSchema
	return c.each("SELECT sqlite_version()", func(f []connector.Value) error { c.out.Version = f[0].S; return nil })
}

func (c *catalog) readText() error {
	return c.each("SELECT type, name, tbl_name, sql FROM main.sqlite_schema WHERE sql IS NOT NULL", func(f []connector.Value) error {
		if f[0].S == "trigger" {
			c.triggers = append(c.triggers, trigger{f[1].S, f[2].S, f[3].S})
		} else {
			c.sql[f[1].S] = f[3].S
		}
		return nil
	})
}

func (c *catalog) readTables() error {
	kinds := map[string]connector.TableKind{
		"table": connector.Base, "view": connector.View, "shadow": connector.Shadow, "virtual": connector.Virtual,
	}
	rights := connector.Rights{Select: true, Insert: c.s.writable(), Update: c.s.writable(), Delete: c.s.writable()}
	const q = `SELECT name, type, wr, ncol FROM temp.pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite\_%' ESCAPE '\'`
	return c.each(q, func(f []connector.Value) error {
		t := &connector.Table{Schema: mainSchema, Name: f[0].S, Kind: kinds[f[1].S], Rows: -1, Bytes: -1, Rights: rights, InDefault: true}
		if t.Kind == connector.View {
			t.Rights = connector.Rights{Select: true}
		}
		t.Columns = make([]connector.Column, 0, max(0, whole(f[3])))
		c.tables[t.Name], c.keyed[t.Name] = t, f[2].S == "1"
		c.out.Tables = append(c.out.Tables, t)
		return nil
	})
}

// columnList is few cells, for a catalog of a thousand tables has twenty thousand columns; facts are three numbers in one.
const columnList = `x.name, x.type, x.dflt_value, x.hidden + 4 * x."notnull" + 8 * x.pk`

// readColumns reads the columns of all tables, table by table; only the first of a table carries its name.
func (c *catalog) readColumns() error {
	const q = `SELECT CASE x.cid WHEN 0 THEN m.name END, ` + columnList + ` FROM temp.pragma_table_list AS m
		CROSS JOIN temp.pragma_table_xinfo(m.name) AS x WHERE m.schema = 'main' AND m.type IN ('table', 'shadow')`
	var t *connector.Table
	var keys []ordinal
	finish := func() {
		slices.SortFunc(keys, func(a, b ordinal) int { return cmp.Compare(a.at, b.at) })
		for _, k := range keys {
			t.Primary = append(t.Primary, k.column)
		}
		keys = keys[:0]
	}
	err := c.each(q, func(f []connector.Value) error {
		if !f[0].IsNull() {
			finish()
			t = c.tables[f[0].S]
		}
		if t == nil {
			return nil
		}
		col, at := c.column(f[1:])
		t.Columns = append(t.Columns, col)
		if at > 0 {
			keys = append(keys, ordinal{at, col.Name})
		}
		return nil
	})
	finish()
	return err
}

type ordinal struct {
	at     int64
	column string
}

// column makes a column of columnList, and tells its place in the primary key, 0 for none.
func (c *catalog) column(f []connector.Value) (connector.Column, int64) {
	col, known := c.types[f[1].S]
	if !known {
		col = typed(f[1].S)
		c.types[f[1].S] = col
	}
	facts := whole(f[3])
	hidden := facts & 3
	col.Name, col.Default, col.NotNull, col.Generated = f[0].S, f[2].S, facts&4 != 0, hidden >= 2
	return col, facts >> 3
}

// typed is a column without a name of a declared type.
func typed(declared string) connector.Column {
	col := connector.Column{Type: declared, Kind: kindOf(declared)}
	length, scale := size(declared)
	switch col.Kind {
	case connector.Text:
		col.Length = length
	case connector.Bytes:
		col.Bytes = length
	case connector.Decimal:
		col.Precision, col.Scale = length, scale
	}
	return col
}

// size reads the numbers of a declared type. SQLite does not enforce them; people mean them.
func size(declared string) (first, second int) {
	if _, args, ok := strings.Cut(declared, "("); ok {
		_, _ = fmt.Sscanf(args, "%d", &first)
		if _, rest, ok := strings.Cut(args, ","); ok {
			_, _ = fmt.Sscanf(strings.TrimSpace(rest), "%d", &second)
		}
	}
	return first, second
}

// readOddColumns reads views and virtual tables one by one: a broken view, or a module that is not
// compiled in, makes its own columns unreadable and no others.
func (c *catalog) readOddColumns() error {
	for _, t := range c.out.Tables {
		if t.Kind != connector.View && t.Kind != connector.Virtual {
			continue
		}
		err := c.each(`SELECT `+columnList+` FROM temp.pragma_table_xinfo(?) AS x WHERE x.hidden <> 1 ORDER BY x.cid`, func(f []connector.Value) error {
			col, _ := c.column(f)
			t.Columns = append(t.Columns, col)
			return nil
		}, t.Name)
		if c.ctx.Err() != nil {
			return err
		}
		if err != nil {
			t.Rights = connector.Rights{}
			c.note("unreadable", t.Name, "SQLite cannot read this "+string(t.Kind)+": a module or a table behind it is missing", "")
		}
	}
	return nil
}

func (c *catalog) note(code, table, message, cure string) {
	c.out.Notes = append(c.out.Notes, connector.Note{Code: code, Table: table, Message: message, Cure: cure})
}

func (c *catalog) readKeys() error {
	const q = `SELECT m.name, x.seq, x."table", x."from", x."to", x.on_delete, x.on_update FROM temp.pragma_table_list AS m
		CROSS JOIN temp.pragma_foreign_key_list(m.name) AS x WHERE m.schema = 'main' AND m.type = 'table'`
	return c.each(q, func(f []connector.Value) error {
		t := c.tables[f[0].S]
		if t == nil {
			return nil
		}
		if f[1].S == "0" {
			t.ForeignKeys = append(t.ForeignKeys, connector.ForeignKey{
				RefSchema: mainSchema, RefTable: c.spelled(f[2].S),
				OnDelete: connector.Action(strings.ToLower(f[5].S)), OnUpdate: connector.Action(strings.ToLower(f[6].S)),
			})
		}
		k := &t.ForeignKeys[len(t.ForeignKeys)-1]
		k.Columns = append(k.Columns, f[3].S)
		if f[4].S != "" {
			k.RefColumns = append(k.RefColumns, f[4].S)
		}
		return nil
	})
}

// spelled gives a table's name as the catalog writes it; a foreign key may differ in case.
func (c *catalog) spelled(name string) string {
	if c.tables[name] != nil {
		return name
	}
	for other := range c.tables {
		if strings.EqualFold(other, name) {
			return other
		}
	}
	return name
}

// finish joins what the pragmas and the texts told.
func (c *catalog) finish() error {
	for _, t := range c.out.Tables {
		if t.Kind == connector.Base {
			define(c.sql[t.Name]).apply(t)
		}
	}
	texts := c.fullTexts()
	for _, t := range c.out.Tables {
		for i := range t.ForeignKeys {
			c.aim(t, &t.ForeignKeys[i])
		}
		c.address(t)
		feed(t, texts)
	}
	return nil
}

// aim completes a key that names no columns, and spells its columns as the catalog does.
func (c *catalog) aim(t *connector.Table, k *connector.ForeignKey) {
	respell(t, k.Columns)
	parent := c.tables[k.RefTable]
	if parent == nil {
		c.note("dangling-key", t.Name, "a foreign key refers to a table that does not exist", "")
		return
	}
	if len(k.RefColumns) == 0 {
		k.RefColumns = slices.Clone(parent.Primary)
	}
	respell(parent, k.RefColumns)
	if !addressed(parent, k.RefColumns) {
		c.note("key-mismatch", t.Name,
			"a foreign key refers to columns of "+parent.Name+" that are not unique: SQLite refuses every delete there (foreign key mismatch)", "")
	}
}

func respell(t *connector.Table, columns []string) {
	for i, name := range columns {
		for _, c := range t.Columns {
			if strings.EqualFold(c.Name, name) {
				columns[i] = c.Name
			}
		}
	}
}

// addressed reports whether the columns are, in any order, a whole unique key.
func addressed(t *connector.Table, columns []string) bool {
	same := func(key []string) bool {
		return len(key) == len(columns) && !slices.ContainsFunc(columns, func(c string) bool { return !slices.Contains(key, c) })
	}
	return same(t.Primary) || slices.ContainsFunc(t.Uniques, func(u connector.Unique) bool { return !u.Partial && same(u.Columns) })
}

// fullTexts lists the file's full-text tables, by name.
func (c *catalog) fullTexts() []fullText {
	var out []fullText
	for _, t := range c.out.Tables {
		if t.Kind == connector.Virtual {
			if f, ok := readFullText(t.Name, c.sql[t.Name]); ok {
				out = append(out, f)
			}
		}
	}
	slices.SortFunc(out, func(a, b fullText) int { return cmp.Compare(a.name, b.name) })
	return out
}

// feed lists those that hold words of this table: they name it as content, or its triggers write them.
func feed(t *connector.Table, all []fullText) {
	for _, f := range all {
		written := slices.ContainsFunc(t.Triggers, func(g connector.Trigger) bool {
			return slices.ContainsFunc(g.Writes, func(w string) bool { return strings.EqualFold(w, f.name) })
		})
		if written || t.Name == f.name || strings.EqualFold(f.content, t.Name) {
			t.FullText = append(t.FullText, f.name)
		}
	}
}

func (c *catalog) readTriggers() error {
	for _, g := range c.triggers {
		if t := c.tables[c.spelled(g.table)]; t != nil {
			read := readTrigger(g.name, g.sql)
			for i, w := range read.Writes {
				read.Writes[i] = c.spelled(w)
			}
			t.Triggers = append(t.Triggers, read)
		}
	}
	return nil
}
