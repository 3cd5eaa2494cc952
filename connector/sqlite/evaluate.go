package sqlite

import (
	"context"
	"strings"

	"github.com/ombudhq/ombud/connector"
)

// Allowed evaluates the check on one row made of parameters; columns that are not given are NULL.
func (s *Store) Allowed(ctx context.Context, t *connector.Table, check connector.Check, row map[string]connector.Value) (bool, error) {
	b := &builder{table: t}
	cells := make([]string, len(t.Columns))
	for i := range t.Columns {
		c := &t.Columns[i]
		cell, ok := cellFor(row[c.Name], c)
		if !ok { // SQLite would store another value: the one that is asked about cannot be
			return false, nil
		}
		cells[i] = b.literal(cell, c) + " AS " + quote(c.Name)
	}
	text := "SELECT coalesce((" + check.Expr + "), 1) <> 0 FROM (SELECT " + strings.Join(cells, ", ") + ") AS " + quote(t.Name)
	n, err := s.number(ctx, s.eye, text, b.args...)
	return n == 1, err
}

// literal is a parameter with the affinity and collation of its column. CAST lends the affinity and
// changes nothing, as it is used only where the value has that class already.
func (b *builder) literal(v connector.Value, c *connector.Column) string {
	p := b.param(encode(v))
	casts := map[affinity]string{affText: "TEXT", affInteger: "NUMERIC", affReal: "REAL"}
	fits := map[affinity]bool{
		affText:    v.Kind == connector.Text || v.IsNull(),
		affInteger: v.Kind == connector.Int || v.Kind == connector.Float || v.IsNull(),
		affReal:    v.Kind == connector.Float || v.IsNull(),
	}
	if aff := columnAffinity(c); fits[aff] {
		p = "CAST(" + p + " AS " + casts[aff] + ")"
	}
	if c.Collation != "" {
		p += " COLLATE " + quote(c.Collation)
	}
	return p
}
