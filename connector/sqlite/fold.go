package sqlite

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/ombudhq/ombud/connector"
)

// Identities are compared by connector.Fold, which runs as a function in SQLite: that is faster
// there than lower() and trim(), and the same for all letters. An index on lower(column), or one
// with NOCASE, narrows the search to where an identity in ASCII can lie, blanks around it included;
// any other index is read instead of the table.

// narrow is how many identities are searched by index ranges that stand in the statement; more come as a list.
const narrow = 50

// fold compares one column with identities.
func (b *builder) fold(c *connector.Column, keys []connector.Key) string {
	var identities []string
	ascii := true
	for _, k := range keys {
		if k[0].IsNull() || k[0].Kind == connector.Bytes {
			continue
		}
		folded := connector.Fold(k[0].S)
		ascii = ascii && strings.IndexFunc(folded, func(r rune) bool { return r >= 0x80 || r == 0 }) < 0
		identities = append(identities, folded)
	}
	if len(identities) == 0 {
		return nothing
	}
	condition := foldOf(ref(c)) + " IN (" + b.identities(identities) + ")"
	index := b.foldIndex(c)
	switch {
	case index == "" || !ascii || len(identities) > narrow && rowid(b.table) == "":
		return b.byIndex(c, condition)
	case len(identities) <= narrow:
		return "(" + b.ranges(index, identities) + ") AND " + condition
	}
	return b.listedRanges(index, identities) + " AND " + condition
}

// identities are parameters while they are few, else one with all of them for keyFunction.
func (b *builder) identities(texts []string) string {
	if len(texts) <= few {
		params := make([]string, len(texts))
		for i, s := range texts {
			params[i] = b.param(s)
		}
		return strings.Join(params, ", ")
	}
	list := make([]any, len(texts))
	for i, s := range texts {
		list[i] = sealKey(connector.TextValue(s))
	}
	doc, _ := json.Marshal(list) // strings of hex digits
	return unpacked(1, b.param(string(doc)), keyFunction)
}

// foldIndex is the expression by which an index on the column is ordered without case, "" when
// there is none.
func (b *builder) foldIndex(c *connector.Column) string {
	if !slices.ContainsFunc(b.table.Indexes, func(x connector.Index) bool { return x.Fold && !x.Partial && x.Columns[0] == c.Name }) {
		return ""
	}
	if c.FoldEqual {
		return ref(c)
	}
	return "lower(" + ref(c) + ")"
}

// ranges covers every cell that can fold to one of the identities: those that begin with a blank or
// beyond ASCII, and those that begin with the identity and go on with a blank or beyond ASCII.
func (b *builder) ranges(expr string, identities []string) string {
	parts := []string{expr + " < '!'", expr + " >= '\u0080'"}
	for _, s := range identities {
		parts = append(parts,
			fmt.Sprintf("%[1]s >= %[2]s AND %[1]s < %[3]s", expr, b.unseen(s), b.unseen(s+"!")),
			fmt.Sprintf("%[1]s >= %[2]s AND %[1]s < %[3]s", expr, b.unseen(s+"\u0080"), b.unseen(s+"\xff")))
	}
	return strings.Join(parts, " OR ")
}

// listedRanges is ranges of very many identities, of plain ASCII, one after the other.
func (b *builder) listedRanges(expr string, identities []string) string {
	doc, _ := json.Marshal(identities) // valid texts
	list, beyond := b.param(string(doc)), b.param("\xff")
	near := func(of, where string) string {
		return fmt.Sprintf("SELECT t.%s FROM %s%s AS t WHERE %s", quote(rowid(b.table)), of, from(b.table), where)
	}
	each := "temp.json_each(" + list + ") AS k CROSS JOIN "
	return fmt.Sprintf("t.%s IN (%s)", quote(rowid(b.table)), strings.Join([]string{
		near("", expr+" < '!'"), near("", expr+" >= '\u0080'"),
		near(each, fmt.Sprintf("%[1]s >= k.value AND %[1]s < k.value || '!'", expr)),
		near(each, fmt.Sprintf("%[1]s >= k.value || '\u0080' AND %[1]s < k.value || %[2]s", expr, beyond)),
	}, " UNION ALL "))
}

// unseen is a parameter whose value the planner does not look at: it would compile the statement anew
// for each, which takes longer than the search.
func (b *builder) unseen(v any) string { return "(SELECT " + b.param(v) + ")" }

// byIndex lets a condition on one column be tested in an index that leads with it.
func (b *builder) byIndex(c *connector.Column, condition string) string {
	if !readsIndex(b.table, c.Name) {
		return condition
	}
	return fmt.Sprintf("t.%[1]s IN (SELECT t.%[1]s FROM %[2]s AS t WHERE %[3]s)", quote(rowid(b.table)), from(b.table), condition)
}

// readsIndex: a plain index has all cells of the column, and is smaller than the table.
func readsIndex(t *connector.Table, column string) bool {
	return rowid(t) != "" && t.Kind == connector.Base && slices.ContainsFunc(t.Indexes, func(x connector.Index) bool {
		return x.Name != "" && !x.Partial && !x.Fold && x.Columns[0] == column
	})
}
