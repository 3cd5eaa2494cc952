package gen

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
)

// ordered goes over a map in the order of its keys: a seed must mean one company.
func ordered(m map[string]string) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for _, k := range slices.Sorted(maps.Keys(m)) {
			if !yield(k, m[k]) {
				return
			}
		}
	}
}

// tableNames and textNames are what engines accept between quotes and programs forget to quote.
var tableNames = []string{
	"order", "Select", "my table", `he said "no"`, "it's", "back`tick", "dot.ted", "Größe", "группа", "UPPER lower",
	"semi;colon", "per%cent", "a-b", "1st", "user", "group", "%s", "table", "x--y", "/*x*/", "tab\tname", "($1)", "?", ":name", "\\back",
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa63",
}

var textNames = []string{
	"note", "Memo", "my note", `"quoted"`, "remark's", "größe note", "заметка", "select", "where.from", "values;", "100%", "no`te", "Bemerkung ", "--",
}

// keyNames are for columns that links name: "the column follows the last dot".
var keyNames = []string{"id", "ID no", "key", "Nr", `i"d`, "i'd", "größe id", "primary", "order"}

// name draws a name that no other table of the company has, however an engine compares them.
func (m *maker) name(pool []string) string {
	for {
		n := fmt.Sprintf("t%d", len(m.used))
		if m.chance(45) {
			n = pick(m, pool)
		}
		if k := strings.ToLower(n); !m.used[k] {
			m.used[k] = true
			return n
		}
	}
}

// column draws a name that the table has not yet.
func (m *maker) column(has func(string) bool, plain string, pool []string) string {
	n := plain
	if m.chance(40) {
		n = strings.TrimSpace(pick(m, pool))
	}
	for has(n) {
		n = strings.TrimRight(n, "0123456789") + fmt.Sprint(m.IntN(100))
	}
	return n
}
