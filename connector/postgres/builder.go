package postgres

import (
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/ombudhq/ombud/connector"
)

// statement is SQL with its parameters in text form; a nil parameter is NULL.
type statement struct {
	sql      string
	args     [][]byte
	prepared *pgconn.StatementDescription // nil sends it whole
	quiet    bool                         // nobody wants its rows
}

// builder writes a statement.
type builder struct {
	sql  strings.Builder
	args [][]byte
}

// add writes parts of the statement. Most fit at once.
func (b *builder) add(parts ...string) *builder {
	if b.sql.Cap() == 0 {
		b.sql.Grow(256)
	}
	for _, p := range parts {
		b.sql.WriteString(p)
	}
	return b
}

// joint adds a separator before every part but the first.
func (b *builder) joint(i int, separator string) *builder {
	if i > 0 {
		b.sql.WriteString(separator)
	}
	return b
}

// column names a column of table "t".
func (b *builder) column(name string) *builder {
	if strings.Contains(name, `"`) {
		return b.add("t.", quote(name))
	}
	return b.add(`t."`, name, `"`)
}

// param keeps a parameter and gives its placeholder.
func (b *builder) param(value []byte) string {
	b.args = append(b.args, value)
	return "$" + strconv.Itoa(len(b.args))
}

func (b *builder) done() statement { return statement{sql: b.sql.String(), args: b.args} }

// quote writes a name as SQL.
func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func qualified(t *connector.Table) string { return quote(t.Schema) + "." + quote(t.Name) }

// source names a table whose rows are its own: those of inheritance children are listed under the
// children. Partitions are the root's, and ONLY would find nothing there.
func source(t *connector.Table) string {
	if t.Kind == connector.Base {
		return "ONLY " + qualified(t)
	}
	return qualified(t)
}

func number(i int) string { return strconv.Itoa(i) }

func intArray(list []int) []byte {
	b := []byte{'{'}
	for i, n := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(n), 10)
	}
	return append(b, '}')
}
