package sqlite

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/ombudhq/ombud/connector"
)

// Identities are compared by connector.Fold. For one in ASCII that is what lower() and trim() give
// in SQLite itself; for others a function of ours runs per row. An index on lower(column), or one
// with NOCASE, narrows the search to where an identity can lie, blanks before and after it included;
// any other index is scanned instead of the table.

// blanks are the characters that connector.Fold trims.
const blanks = "\t\n\v\f\r \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"

// narrow is how many identities are searched by index ranges; more are one scan.
const narrow = 50

// fold compares one column with identities.
func (b *builder) fold(c *connector.Column, keys []connector.Key) string {
	var ascii, other []string
	for _, k := range keys {
		if k[0].IsNull() || k[0].Kind == connector.Bytes {
			continue
		}
		folded := connector.Fold(k[0].S)
		if strings.IndexFunc(folded, func(r rune) bool { return r >= 0x80 || r == 0 }) < 0 {
			ascii = append(ascii, folded)
		} else {
			other = append(other, folded)
		}
	}
	var parts []string
	if len(ascii) > 0 {
		parts = append(parts, fmt.Sprintf("typeof(%s) <> 'blob' AND lower(trim(%[1]s, %s)) IN (SELECT value FROM temp.json_each(%s))",
			ref(c), b.param(blanks), b.texts(ascii, false)))
	}
	if len(other) > 0 {
		parts = append(parts, fmt.Sprintf("%s(%s) IN (SELECT %s(value) FROM temp.json_each(%s))",
			foldFunction, ref(c), keyFunction, b.texts(other, true)))
	}
	switch {
	case len(parts) == 0:
		return nothing
	case len(other) == 0 && len(ascii) <= narrow && b.foldIndex(c) != "":
		return "(" + b.ranges(b.foldIndex(c), ascii) + ") AND " + parts[0]
	}
	return b.byIndex(c, "("+strings.Join(parts, " OR ")+")")
}

// texts is a parameter of a JSON list.
func (b *builder) texts(list []string, sealed bool) string {
	items := make([]any, len(list))
	for i, s := range list {
		items[i] = s
		if sealed {
			items[i] = sealKey(connector.TextValue(s))
		}
	}
	doc, _ := json.Marshal(items) // a list of strings
	return b.param(string(doc))
}

// foldIndex is the expression by which an index on the column is ordered without case, "" when
// there is none.
func (b *builder) foldIndex(c *connector.Column) string {
	if !slices.ContainsFunc(b.table.Indexes, func(x connector.Index) bool { return x.Fold && !x.Partial && x.Columns[0] == c.Name }) {
		return ""
	}
	if c.FoldEqual {
		return ref(c) + " COLLATE NOCASE"
	}
	return "lower(" + ref(c) + ")"
}

// ranges covers every cell that can fold to one of the identities: those that begin with a blank or
// beyond ASCII, and those that begin with the identity and go on with a blank or beyond ASCII.
func (b *builder) ranges(expr string, identities []string) string {
	parts := []string{expr + " < '!'", expr + " >= " + b.param("\u0080")}
	for _, s := range identities {
		parts = append(parts,
			fmt.Sprintf("%[1]s >= %[2]s AND %[1]s < %[3]s", expr, b.param(s), b.param(s+"!")),
			fmt.Sprintf("%[1]s >= %[2]s AND %[1]s < %[3]s", expr, b.param(s+"\u0080"), b.param(s+"\xff")))
	}
	return strings.Join(parts, " OR ")
}

// byIndex lets a condition on one column be tested in an index that leads with it.
func (b *builder) byIndex(c *connector.Column, condition string) string {
	row := rowid(b.table)
	indexed := slices.ContainsFunc(b.table.Indexes, func(x connector.Index) bool {
		return x.Name != "" && !x.Partial && !x.Fold && x.Columns[0] == c.Name
	})
	if row == "" || !indexed || b.table.Kind != connector.Base {
		return condition
	}
	return fmt.Sprintf("t.%s IN (SELECT t.%[1]s FROM %s AS t WHERE %s)", quote(row), from(b.table), condition)
}
