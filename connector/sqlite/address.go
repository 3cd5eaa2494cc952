package sqlite

import (
	"slices"
	"strings"

	"github.com/ombudhq/ombud/connector"
)

// readIndexes reads indexes, and of them the unique constraints.
func (c *catalog) readIndexes() error {
	const q = `SELECT m.name, l.name, l."unique", l.origin, l.partial, x.seqno, x.cid, x.name, x.coll
		FROM temp.pragma_table_list AS m CROSS JOIN temp.pragma_index_list(m.name) AS l CROSS JOIN temp.pragma_index_xinfo(l.name) AS x
		WHERE m.schema = 'main' AND m.type = 'table' AND x.key = 1`
	origin := map[string]bool{} // tables whose primary key has an index
	err := c.each(q, func(f []connector.Value) error {
		t := c.tables[f[0].S]
		if t == nil {
			return nil
		}
		if f[5].S == "0" {
			t.Indexes = append(t.Indexes, connector.Index{Name: f[1].S, Unique: f[2].S == "1", Partial: f[4].S == "1", Valid: true})
			origin[f[0].S] = origin[f[0].S] || f[3].S == "pk"
		}
		i := &t.Indexes[len(t.Indexes)-1]
		name := f[7].S
		if f[6].S == "-2" {
			name = ""
		}
		i.Columns = append(i.Columns, name)
		i.Fold = i.Fold || len(i.Columns) == 1 && f[8].S == "NOCASE"
		return nil
	})
	for _, t := range c.out.Tables {
		if t.Kind == connector.Base {
			c.settle(t, origin[t.Name])
		}
	}
	return err
}

// settle marks what the indexes say about keys: uniques, and the primary key that is the rowid.
func (c *catalog) settle(t *connector.Table, hasIndex bool) {
	if len(t.Primary) == 1 && !hasIndex && !c.keyed[t.Name] {
		id := t.Column(t.Primary[0])
		id.NotNull, id.Identity = true, true
		t.Indexes = append(t.Indexes, connector.Index{Columns: slices.Clone(t.Primary), Unique: true, Valid: true})
	}
	if c.keyed[t.Name] {
		for _, name := range t.Primary {
			t.Column(name).NotNull = true
		}
	}
	for i := range t.Indexes {
		x := &t.Indexes[i]
		if c.keyed[t.Name] && x.Unique && slices.Equal(x.Columns, t.Primary) {
			x.Name = "" // the table itself is this index: see rowid
		}
		expression := slices.Contains(x.Columns, "")
		if of := lowered(c.sql[x.Name]); expression && of != "" && len(x.Columns) == 1 && t.Column(of) != nil {
			x.Columns, x.Fold = []string{of}, true
		}
		if x.Unique && !slices.Equal(x.Columns, t.Primary) {
			t.Uniques = append(t.Uniques, connector.Unique{
				Name: x.Name, Columns: x.Columns, Partial: x.Partial || expression, NotNull: !expression && neverNull(t, x.Columns),
			})
		}
	}
}

// lowered gives the column of an index on lower(column), else "".
func lowered(sql string) string {
	parts := items(tokens(sql))
	if len(parts) != 1 || len(parts[0]) < 4 {
		return ""
	}
	p := parts[0]
	if !p[0].is("lower") || !p[1].is("(") || !p[2].name() || !p[3].is(")") {
		return ""
	}
	if len(p) > 4 && !p[4].is("ASC") && !p[4].is("DESC") {
		return ""
	}
	return p[2].text
}

func neverNull(t *connector.Table, columns []string) bool {
	return !slices.ContainsFunc(columns, func(name string) bool {
		c := t.Column(name)
		return c == nil || !c.NotNull
	})
}

// address chooses how rows are found again. A primary key that may hold NULL, which SQLite allows,
// is no address; then it is the rowid, which another row may get later: hence the content hash.
func (c *catalog) address(t *connector.Table) {
	switch t.Kind {
	case connector.View, connector.Shadow:
		return
	}
	if len(t.Primary) > 0 && neverNull(t, t.Primary) {
		t.Locator = connector.Locator{Kind: connector.ByPrimary, Columns: slices.Clone(t.Primary)}
		return
	}
	for _, u := range t.Uniques {
		if u.NotNull && !u.Partial && (t.Locator.Kind == "" || len(u.Columns) < len(t.Locator.Columns)) {
			t.Locator = connector.Locator{Kind: connector.ByUnique, Columns: slices.Clone(u.Columns)}
		}
	}
	if t.Locator.Kind != "" {
		return
	}
	if row := rowid(t); row != "" {
		t.Locator = connector.Locator{Kind: connector.ByPhysical, Columns: []string{row}}
		return
	}
	t.Rights.Update, t.Rights.Delete = false, false
	c.note("no-address", t.Name, "the table has no key, and its columns hide every name of the rowid: its rows cannot be addressed",
		"Rename the column rowid, _rowid_ or oid, or declare a primary key.")
}

// rowid is a name of the rowid that no column hides; "" when all are hidden, and for a table
// WITHOUT ROWID: it has an index without a name, which is the table, on columns that are not the rowid.
func rowid(t *connector.Table) string {
	for _, x := range t.Indexes {
		if x.Name == "" && !t.Column(x.Columns[0]).Identity {
			return ""
		}
	}
	for _, name := range []string{"rowid", "_rowid_", "oid"} {
		if !slices.ContainsFunc(t.Columns, func(c connector.Column) bool { return strings.EqualFold(c.Name, name) }) {
			return name
		}
	}
	return ""
}
