package sqlite

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ombudhq/ombud/connector"
)

// builder writes one statement about one table, which it names t. Names come from the catalog and
// are quoted; values are parameters.
type builder struct {
	table *connector.Table
	args  []any
}

// quote writes a name.
func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// from names the table.
func from(t *connector.Table) string { return quote(mainSchema) + "." + quote(t.Name) }

// param adds a parameter.
func (b *builder) param(v any) string {
	b.args = append(b.args, v)
	return "?" + strconv.Itoa(len(b.args))
}

// column finds a column of the table, or the rowid that addresses its rows.
func (b *builder) column(name string) (*connector.Column, error) {
	if c := b.table.Column(name); c != nil {
		return c, nil
	}
	if l := b.table.Locator; l.Kind == connector.ByPhysical && slices.Contains(l.Columns, name) {
		return &connector.Column{Name: name, Type: "INTEGER", Kind: connector.Int, NotNull: true}, nil
	}
	return nil, fmt.Errorf("table %s has no such column", b.table.Dataset())
}

func ref(c *connector.Column) string { return "t." + quote(c.Name) }

// cells lists columns to read. The plus takes away the declared type, for which the driver would
// rewrite dates.
func (b *builder) cells(columns []string) (string, error) {
	out := make([]string, len(columns))
	for i, name := range columns {
		c, err := b.column(name)
		if err != nil {
			return "", err
		}
		out[i] = "+" + ref(c)
	}
	return strings.Join(out, ", "), nil
}

// nothing is a condition that no row meets.
const nothing = "0"

// where joins conditions; a condition without keys matches no row.
func (b *builder) where(matches []connector.Match) (string, error) {
	if len(matches) == 0 {
		return "1", nil
	}
	parts := make([]string, len(matches))
	for i, m := range matches {
		var err error
		if parts[i], err = b.match(m); err != nil {
			return "", err
		}
	}
	return strings.Join(parts, " AND "), nil
}

func (b *builder) match(m connector.Match) (string, error) {
	columns := make([]*connector.Column, len(m.Columns))
	for i, name := range m.Columns {
		var err error
		if columns[i], err = b.column(name); err != nil {
			return "", err
		}
	}
	for _, k := range m.Keys {
		if len(k) != len(columns) {
			return "", fmt.Errorf("table %s: a key has %d parts for %d columns", b.table.Dataset(), len(k), len(columns))
		}
	}
	switch {
	case len(columns) == 0:
		return "", fmt.Errorf("table %s: a condition names no column", b.table.Dataset())
	case m.Null:
		return b.null(columns), nil
	case m.Fold && len(columns) != 1:
		return "", fmt.Errorf("table %s: identities are compared in one column", b.table.Dataset())
	case m.Fold:
		return b.fold(columns[0], m.Keys), nil
	}
	return b.in(columns, m.Keys)
}

func (b *builder) null(columns []*connector.Column) string {
	parts := make([]string, len(columns))
	for i, c := range columns {
		parts[i] = ref(c) + " IS NULL"
	}
	return strings.Join(parts, " AND ")
}

// few is how many keys are bound one by one; more travel in a list.
const few = 16

// in compares columns with keys.
func (b *builder) in(columns []*connector.Column, keys []connector.Key) (string, error) {
	if len(keys) <= few {
		var all [][]connector.Value
		for _, k := range keys {
			all = append(all, tuples(columns, k)...)
		}
		return b.bound(columns, all), nil
	}
	return b.listed(columns, keys)
}

// bound binds the cells that keys can equal, the last once more until they are 1, 2, 4, 8 and so on: a
// statement that was seen before is not compiled again.
func (b *builder) bound(columns []*connector.Column, cells [][]connector.Value) string {
	switch {
	case len(cells) == 0:
		return nothing
	case len(cells) == 1 && len(columns) == 1:
		return exactly(columns, "= "+b.unseen(encode(cells[0][0])))
	}
	size := 1
	for size < len(cells) {
		size *= 2
	}
	rows := make([]string, size) // of VALUES, which the planner does not look at: see unseen
	for i := range rows {
		params := make([]string, len(columns))
		for n, v := range cells[min(i, len(cells)-1)] {
			params[n] = b.param(encode(v))
		}
		rows[i] = "(" + strings.Join(params, ", ") + ")"
	}
	return exactly(columns, "IN (VALUES "+strings.Join(rows, ", ")+")")
}

// listed compares with very many keys: those that JSON carries in one list, all others sealed in a second.
func (b *builder) listed(columns []*connector.Column, keys []connector.Key) (string, error) {
	if len(columns) == 1 && columnAffinity(columns[0]) == affInteger {
		if list, ok := integers(keys); ok {
			return exactly(columns, "IN ("+unpacked(1, b.param(list), "")+")"), nil
		}
	}
	var clean, sealed [][]any
	for _, k := range keys {
		for _, tuple := range tuples(columns, k) {
			if slices.ContainsFunc(tuple, func(v connector.Value) bool { return !ordinary(v) }) {
				sealed = append(sealed, each(tuple, sealKey))
			} else {
				clean = append(clean, each(tuple, jsonKey))
			}
		}
	}
	var parts []string
	for _, list := range []struct {
		keys [][]any
		open string
	}{{clean, ""}, {sealed, keyFunction}} {
		if len(list.keys) == 0 {
			continue
		}
		doc, err := json.Marshal(flat(list.keys))
		if err != nil {
			return "", err
		}
		parts = append(parts, exactly(columns, "IN ("+unpacked(len(columns), b.param(string(doc)), list.open)+")"))
	}
	if len(parts) == 0 {
		return nothing, nil
	}
	return "(" + strings.Join(parts, " OR ") + ")", nil
}

// integers is the list in JSON of keys that are one small integer each, as nearly all are; false when one is not.
func integers(keys []connector.Key) (string, bool) {
	list := make([]byte, 0, 10*len(keys))
	for _, k := range keys {
		digits := strings.TrimPrefix(k[0].S, "-")
		if k[0].Kind != connector.Int || !ordinary(k[0]) || digits == "" || digits[0] == '0' || strings.Trim(digits, "0123456789") != "" {
			return "", false
		}
		list = append(append(list, ','), k[0].S...)
	}
	list[0] = '['
	return string(append(list, ']')), true
}

// unpacked reads keys from the list in a parameter.
func unpacked(width int, param, open string) string {
	values := make([]string, width)
	for i := range values {
		values[i] = fmt.Sprintf("%s(value ->> %d)", open, i)
	}
	if width == 1 {
		values[0] = open + "(value)"
	}
	return "SELECT " + strings.Join(values, ", ") + " FROM temp.json_each(" + param + ")"
}

// flat is keys as they travel: those of one part without a list around each.
func flat(keys [][]any) any {
	if len(keys[0]) > 1 {
		return keys
	}
	out := make([]any, len(keys))
	for i, k := range keys {
		out[i] = k[0]
	}
	return out
}

// tuples are the cells that a key can equal; none when a part is NULL or cannot be in its column.
func tuples(columns []*connector.Column, k connector.Key) [][]connector.Value {
	out := [][]connector.Value{nil}
	for i, v := range k {
		var longer [][]connector.Value
		for _, form := range forms(v, columns[i]) {
			for _, head := range out {
				longer = append(longer, append(slices.Clone(head), form))
			}
		}
		out = longer
	}
	return out
}

func each(tuple []connector.Value, write func(connector.Value) any) []any {
	out := make([]any, len(tuple))
	for i, v := range tuple {
		out[i] = write(v)
	}
	return out
}

// exactly compares columns with keys: "= key" or "IN (keys)". A column whose collation joins more than equal
// bytes is compared twice: once as its index is ordered, once by bytes.
func exactly(columns []*connector.Column, keys string) string {
	plain, bytes := make([]string, len(columns)), make([]string, len(columns))
	loose := false
	for i, c := range columns {
		plain[i] = ref(c)
		bytes[i] = plain[i]
		if c.Collation != "" && c.Collation != "BINARY" {
			bytes[i], loose = "+"+ref(c)+" COLLATE BINARY", true
		}
	}
	text := "(" + strings.Join(plain, ", ") + ") " + keys
	if loose {
		text = "(" + text + " AND (" + strings.Join(bytes, ", ") + ") " + keys + ")"
	}
	return text
}
