package sqlite

import (
	"context"
	"strings"

	"github.com/ombudhq/ombud/connector"
)

// Orphans counts rows of child whose key has no NULL and no parent; with parentKeys only those that
// refer to one of them. Values are compared as SQLite's own check does: by the parent's type and
// collation. A parent table that does not exist has no rows.
func (t *tx) Orphans(ctx context.Context, child *connector.Table, fk connector.ForeignKey, parentKeys []connector.Key) (int64, error) {
	if t.done {
		return 0, errEnded
	}
	exists, err := t.s.number(ctx, t.conn, "SELECT count(*) FROM main.sqlite_schema WHERE type = 'table' AND name = ?1 COLLATE NOCASE", fk.RefTable)
	if err != nil {
		return 0, err
	}
	b := &builder{table: child}
	var set, same []string
	for i, name := range fk.Columns {
		c, err := b.column(name)
		if err != nil {
			return 0, t.s.refuse(err)
		}
		set = append(set, ref(c)+" IS NOT NULL")
		if i < len(fk.RefColumns) {
			same = append(same, "p."+quote(fk.RefColumns[i])+" = "+ref(c))
		}
	}
	text := "SELECT count(*) FROM " + from(child) + " AS t WHERE " + strings.Join(set, " AND ")
	if len(parentKeys) > 0 {
		limit, err := b.match(connector.Match{Columns: fk.Columns, Keys: parentKeys})
		if err != nil {
			return 0, t.s.refuse(err)
		}
		text += " AND " + limit
	}
	if exists > 0 {
		parent := &connector.Table{Name: fk.RefTable}
		text += " AND NOT EXISTS (SELECT 1 FROM " + from(parent) + " AS p WHERE " + strings.Join(same, " AND ") + ")"
	}
	return t.s.number(ctx, t.conn, text, b.args...)
}
