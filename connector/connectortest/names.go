package connectortest

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/ombudhq/ombud/connector"
)

var nameTopics = []topic{
	{name: "names/hostile columns", run: hostileColumns},
	{name: "names/hostile tables", run: hostileTables},
	{name: "names/case", run: nameCase},
}

// sentinel is what hostile names try to destroy.
const sentinel = "sentinel"

// hostile gives names that break careless quoting, as far as the engine can have them at all.
func hostile(h Harness) []string {
	names := []string{
		`"`, `""`, `'`, `''`, "`", "``", `\`, `\\`, `\'`, `\"`, `a"b`, `a'b`, "a`b", `a\b`, `"a"`, `'a'`, "`a`", `[a]`, `]`, `[`, `a]b`,
		`;`, `a;b`, `; DROP TABLE sentinel; --`, `"; DROP TABLE sentinel; --`, `'; DROP TABLE sentinel; --`, "`; DROP TABLE sentinel; -- ",
		`x" = 1 OR 1=1 --`, `x' OR 'a'='a`, "x` OR 1=1 #", `--`, `-- a`, `/*`, `*/`, `/* a */`, `#`, `# a`, `\0`, `\n`, `a--b`,
		`$1`, `$$`, `$a$`, `?`, `?1`, `:a`, `@a`, `@@version`, `%`, `%s`, `%d`, `%!`, `_`, `%1`, `{}`, `{{a}}`, `${a}`, `(a)`, `)`, `(`, `a,b`, `*`, `a.*`,
		`a.b`, `.`, `..`, `a.b.c`, `main.t`, `public.t`, `pg_catalog.x`, `a b`, `a  b`, ` a`, `a `, "a\tb", "a\nb", "a\r\nb", "\ta",
		`select`, `SELECT`, `from`, `where`, `table`, `order`, `group`, `user`, `null`, `NULL`, `true`, `default`, `key`, `index`, `rowid`, `oid`, `_rowid_`,
		`current_user`, `values`, `value`, `t`, `k`, `x`, `c1`, `json_each`, `pragma_table_list`, `information_schema`, `unnest`, `count`, `Mixed Case`, `UPPER`, `lower`, `CamelCase`,
		`1`, `123abc`, `1e5`, `0x1`, `-1`, `+`, `=`, `<>`, `!=`, `||`, `::text`, `a::b`, `->>`, `&&`, `~`, `^`, `|`,
		`é`, "e\u0301", `ß`, `ẞ`, `Ünïcode`, `名前`, `имя`, `اسم`, "\u202eabc", "a\u200bb", "\u00a0a", "a\u0301\u0302\u0303b", `👍`, `👨‍👩‍👧`, "\ufeffa",
		"a\u2028b", "\u0001", "\u007f", "\u001b[31m", strings.Repeat("n", 60), strings.Repeat("n", 63), strings.Repeat("ä", 31), strings.Repeat("n", 61) + `"`,
	}
	var possible []string
	for _, n := range names {
		long := h.Has.NameBytes > 0 && len(n) > h.Has.NameBytes || h.Has.NameRunes > 0 && utf8.RuneCountInString(n) > h.Has.NameRunes
		blank := h.Has.NoOuterBlanks && strings.TrimSpace(n) != n
		beyond := h.Has.BMPNames && strings.ContainsFunc(n, func(r rune) bool { return r > 0xFFFF })
		if !long && !blank && !beyond {
			possible = append(possible, n)
		}
	}
	return possible
}

// hostileColumns gives each name to a key column and to a value column, then does everything with it.
func hostileColumns(e *env) {
	e.create(sentinel, e.id())
	e.insert(sentinel, "id", 1)
	for i, name := range hostile(e.h) {
		table := fmt.Sprintf("h%d", i)
		e.exec("CREATE TABLE " + e.h.Quote(table) + " (" + e.col(name, connector.Int, "NOT NULL PRIMARY KEY") + ", " +
			e.col("value_", connector.Text) + ")")
		e.exercise(table, name)
		e.exec("DROP TABLE " + e.h.Quote(table))
	}
	e.remain(sentinel, 1)
}

// exercise runs every verb on a table of an integer key and a text "value_".
func (e *env) exercise(table, key string) {
	e.Helper()
	for i := range 3 {
		e.exec(fmt.Sprintf("INSERT INTO %s (%s, %s) VALUES (%d, 'v%d')", e.h.Quote(table), e.h.Quote(key), e.h.Quote("value_"), i, i))
	}
	t := e.table(table)
	if t.Column(key) == nil || len(t.Primary) != 1 || t.Primary[0] != key {
		e.Errorf("column %q is read as %+v", key, t.Primary)
		return
	}
	e.want(t, "value_", is(key, num(1)), "v1")
	e.want(t, key, is("value_", text("v2")), "2")
	e.want(t, key, folds("value_", " V2"), "2")
	e.affects(1, connector.Act{Verb: connector.Update, Table: t, Rows: nums(1), Fence: is("value_", text("v1")),
		Set: []string{"value_"}, Values: [][]connector.Value{{text("w")}}})
	e.affects(1, connector.Act{Verb: connector.Update, Table: t, Rows: nums(2), Set: []string{key}, Values: [][]connector.Value{{num(9)}}})
	e.affects(1, connector.Act{Verb: connector.Delete, Table: t, Rows: nums(0, 5), Fence: is(key, num(0))})
	if _, err := e.store.Sample(e.Context(), t, []string{key, "value_"}, 2); err != nil {
		e.Errorf("sampling column %q: %v", key, err)
	}
	e.orphans(0, t, undeclared(t, table, []string{key}, []string{key}), nil)
	e.want(t, "value_", nil, "w", "v2")
}

func hostileTables(e *env) {
	e.create(sentinel, e.id())
	e.insert(sentinel, "id", 1)
	for _, name := range hostile(e.h) {
		if strings.HasPrefix(name, "sqlite_") {
			continue
		}
		e.create(name, e.id(), e.col("value_", connector.Text))
		e.exercise(name, "id")
		e.exec("DROP TABLE " + e.h.Quote(name))
	}
	e.remain(sentinel, 1)
}

// nameCase: what the engine keeps apart, the connector keeps apart.
func nameCase(e *env) {
	e.create("Mixed", e.col("Id", connector.Int, "NOT NULL PRIMARY KEY"), e.col("value_", connector.Text))
	if !e.h.Has.FoldedNames {
		e.create("mixed", e.id(), e.col("value_", connector.Text))
		e.insert("mixed", "id,value_", 1, "small")
		e.want(e.table("mixed"), "value_", is("id", num(1)), "small")
	}
	e.insert("Mixed", "Id,value_", 1, "large")
	e.want(e.table("Mixed"), "value_", is("Id", num(1)), "large")
}
