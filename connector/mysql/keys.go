package mysql

import (
	"errors"
	"slices"
	"strings"

	driver "github.com/go-sql-driver/mysql"

	"github.com/ombudhq/ombud/connector"
)

// innodbKey is a foreign key as InnoDB itself lists it, whoever asks.
type innodbKey struct {
	id            string // schema/constraint, as the server encodes names
	schema, table string
	target        string
	columns, refs []string
	flags         int64
}

// plainParts is SQL for the two sides of InnoDB's "schema/table". MariaDB writes it as it names files, and decodes its own
// spelling; MySQL writes both names as they are, and a name may hold a slash itself: see splitName.
func (s *store) plainParts(column string) string {
	if s.engine == "mysql" {
		return "'', " + column
	}
	part := func(index string) string {
		return "CONVERT(CONVERT(CAST(SUBSTRING_INDEX(" + column + ", '/', " + index + ") AS BINARY) USING filename) USING utf8mb4)"
	}
	return part("1") + ", " + part("-1")
}

// splitName gives schema and table. What begins with this database is taken for a table of it; of another's the first slash
// counts.
func (s *store) splitName(schema, table string) (string, string) {
	if s.engine != "mysql" {
		return schema, table
	}
	if own, ok := strings.CutPrefix(table, s.name+"/"); ok {
		return s.name, own
	}
	schema, table, _ = strings.Cut(table, "/")
	return schema, table
}

// readInnoDB asks InnoDB for keys into this database from other schemas: with PROCESS it answers for
// tables that the role cannot see. Without the right, inner stays nil.
func (c *catalog) readInnoDB() error {
	prefix := map[string]string{"mariadb": "INNODB_SYS_FOREIGN", "mysql": "INNODB_FOREIGN"}[c.s.engine]
	list := []innodbKey{}
	err := c.each("SELECT f.ID, "+c.s.plainParts("f.FOR_NAME")+", "+c.s.plainParts("f.REF_NAME")+
		", f.TYPE, k.FOR_COL_NAME, k.REF_COL_NAME FROM information_schema."+prefix+
		" f JOIN information_schema."+prefix+"_COLS k ON k.ID = f.ID ORDER BY f.ID, k.POS", 8, func(r []string) {
		home, target := c.s.splitName(r[3], r[4])
		if home != c.s.name {
			return
		}
		if len(list) == 0 || list[len(list)-1].id != r[0] {
			schema, table := c.s.splitName(r[1], r[2])
			list = append(list, innodbKey{id: r[0], schema: schema, table: table, target: target, flags: count(r[5])})
		}
		k := &list[len(list)-1]
		k.columns, k.refs = append(k.columns, r[6]), append(k.refs, r[7])
	})
	var denied *driver.MySQLError
	if errors.As(err, &denied) && (denied.Number == 1227 || denied.Number == 1109) {
		return nil
	}
	c.inner = list
	return err
}

// action reads InnoDB's flags: 1 and 2 cascade and set null on delete, 4 and 8 on update, 16 and 32
// no action.
func action(flags, cascade, null, none int64) connector.Action {
	switch {
	case flags&cascade != 0:
		return connector.Cascade
	case flags&null != 0:
		return connector.SetNull
	case flags&none != 0:
		return connector.NoAction
	}
	return connector.Restrict
}

func (c *catalog) readForeignKeys() error {
	rules := map[string][2]connector.Action{}
	err := c.each("SELECT CONSTRAINT_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, DELETE_RULE, UPDATE_RULE"+
		" FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA"+c.scope, 5, func(r []string) {
		rules[strings.Join(r[:3], "\x00")] = [2]connector.Action{connector.Action(strings.ToLower(r[3])), connector.Action(strings.ToLower(r[4]))}
	})
	if err != nil {
		return err
	}
	var mixed []*connector.Table
	err = c.each("SELECT TABLE_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, COLUMN_NAME, REFERENCED_TABLE_SCHEMA, REFERENCED_TABLE_NAME,"+
		" REFERENCED_COLUMN_NAME, ORDINAL_POSITION FROM information_schema.KEY_COLUMN_USAGE WHERE REFERENCED_TABLE_NAME IS NOT NULL AND TABLE_SCHEMA"+
		c.scope+" ORDER BY TABLE_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, ORDINAL_POSITION", 8, func(r []string) {
		t := c.table(r[0], r[1])
		if t == nil {
			return
		}
		rule := rules[strings.Join(r[:3], "\x00")]
		k := connector.ForeignKey{Name: r[2], RefSchema: r[4], RefTable: r[5], OnDelete: rule[0], OnUpdate: rule[1]}
		if !addKeyPart(t, k, r[3], r[6], count(r[7])) && !slices.Contains(mixed, t) {
			mixed = append(mixed, t)
		}
	})
	if err != nil {
		return err
	}
	for _, t := range mixed {
		if err := c.untangle(t); err != nil {
			return err
		}
	}
	c.addInnoDB()
	return c.readRules()
}

// addKeyPart adds a column at its position in the key. It is false when keys of one name are mixed:
// the server cuts the names that it makes for keys of a table with a long name, and they become equal.
func addKeyPart(t *connector.Table, k connector.ForeignKey, column, ref string, position int64) bool {
	last := len(t.ForeignKeys) - 1
	repeats := last >= 0 && t.ForeignKeys[last].Name == k.Name
	if !repeats || t.ForeignKeys[last].RefTable != k.RefTable || t.ForeignKeys[last].RefSchema != k.RefSchema || position == 1 {
		t.ForeignKeys = append(t.ForeignKeys, k)
		last++
	}
	into := &t.ForeignKeys[last]
	into.Columns, into.RefColumns = append(into.Columns, column), append(into.RefColumns, ref)
	return int64(len(into.Columns)) == position && !(repeats && position == 1)
}

// addInnoDB completes the keys by what only InnoDB tells: whole tables that the role may not see, and
// actions that its rights hide.
func (c *catalog) addInnoDB() {
	for _, k := range c.inner {
		t := c.table(k.schema, k.table)
		if t == nil {
			t = &connector.Table{Schema: k.schema, Name: k.table, Kind: connector.Base, Rows: -1, Bytes: -1, InDefault: k.schema == c.s.name}
			c.tables[[2]string{k.schema, k.table}] = t
		}
		own := -1
		for i, f := range t.ForeignKeys {
			if f.RefTable == k.target && sameSet(f.Columns, k.columns) {
				own = i
			}
		}
		if own < 0 {
			_, short, _ := strings.Cut(k.id, "/")
			t.ForeignKeys = append(t.ForeignKeys, connector.ForeignKey{
				Name: short, Columns: k.columns, RefSchema: c.s.name, RefTable: k.target, RefColumns: k.refs})
			own = len(t.ForeignKeys) - 1
			c.stub(t, k)
		}
		if f := &t.ForeignKeys[own]; f.OnDelete == "" {
			f.OnDelete, f.OnUpdate = action(k.flags, 1, 2, 16), action(k.flags, 4, 8, 32)
		}
	}
}

// stub gives an unseen table the columns that its key names, of the kinds that they must have.
func (c *catalog) stub(t *connector.Table, k innodbKey) {
	parent := c.table(c.s.name, k.target)
	for i, n := range k.columns {
		if t.Column(n) != nil || parent == nil || parent.Column(k.refs[i]) == nil {
			continue
		}
		like := *parent.Column(k.refs[i])
		t.Columns = append(t.Columns, connector.Column{Name: n, Type: like.Type, Kind: like.Kind, Collation: like.Collation, FoldEqual: like.FoldEqual})
	}
}
