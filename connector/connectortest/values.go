package connectortest

import (
	"bytes"
	"strings"

	"github.com/ombudhq/ombud/connector"
)

var valueTopics = []topic{
	{name: "values/hostile text", run: hostileText},
	{name: "values/hostile bytes", run: hostileBytes},
	{name: "values/1 MiB", run: bigCells},
}

// hostileText writes, finds, fences and deletes by values that break careless quoting.
func hostileText(e *env) {
	e.create(sentinel, e.id())
	e.insert(sentinel, "id", 1)
	e.create("v", e.id(), e.col("s", connector.Text), e.col("n", connector.Int))
	values := append(hostile(e.h), `'); DROP TABLE sentinel; --`, `\'); DROP TABLE sentinel; --`, "\u0000"[:0], "\x1a", "a\x08b", "[1,2]", `{"a":1}`, `{a,b}`,
		`{"a","b"}`, "NULL", "null", "DEFAULT", "1", "0", "-0", "1e5", "0x10", "inf", "NaN", "true", strings.Repeat("'", 150), strings.Repeat(`\`, 151))
	if e.h.Has.NulInText {
		values = append(values, "\x00", "a\x00b", "a\x00c", "\x00a")
	}
	if e.h.Has.BrokenText {
		values = append(values, "\xff", "a\xffb", "a\xfeb", "\xc3", "\xed\xa0\x80", "\xc3\x28")
	}
	seen := map[string]bool{}
	var keys []connector.Value
	for i, s := range values {
		if seen[s] {
			continue
		}
		seen[s] = true
		keys = append(keys, text(s))
		e.insert("v", "id,n", i, 0)
		t := e.tableOnce("v")
		e.affects(1, connector.Act{Verb: connector.Update, Table: t, Rows: nums(int64(i)), Set: []string{"s"}, Values: [][]connector.Value{{text(s)}}})
	}
	t := e.tableOnce("v")
	for _, k := range keys {
		e.want(t, "s", is("s", k), k.S)
	}
	e.tally(int64(len(keys)), connector.Select{Table: t, Columns: []string{"id"}, Where: is("s", keys...)})
	for _, k := range keys[:len(keys)/2] {
		e.affects(1, connector.Act{Verb: connector.Delete, Table: t, Rows: e.ids(t), Fence: is("s", k)})
	}
	e.remain("v", int64(len(keys)-len(keys)/2))
	e.remain(sentinel, 1)
}

// tableOnce is table without the catalog's cost for every value.
func (e *env) tableOnce(name string) *connector.Table {
	e.Helper()
	if e.seen == nil {
		e.seen = map[string]*connector.Table{}
	}
	if e.seen[name] == nil {
		e.seen[name] = e.table(name)
	}
	return e.seen[name]
}

// ids gives the keys of all rows.
func (e *env) ids(t *connector.Table) []connector.Key {
	e.Helper()
	var keys []connector.Key
	for _, row := range e.raw(t, "id") {
		keys = append(keys, connector.Key{row[0]})
	}
	return keys
}

func hostileBytes(e *env) {
	e.create("v", e.id(), e.col("b", connector.Bytes))
	values := [][]byte{{}, {0}, {0, 0}, {255}, []byte("abc"), []byte("ABC"), []byte("abc "), []byte("'\\\""), {0xc3, 0x28}, []byte("\\x61"), []byte("x'61'")}
	for i, b := range values {
		e.insert("v", "id,b", i, b)
	}
	t := e.table("v")
	for i, b := range values {
		e.want(t, "id", is("b", connector.BytesValue(b)), num(int64(i)).S)
	}
	var keys []connector.Value
	for _, b := range values[1:] {
		keys = append(keys, connector.BytesValue(b))
	}
	e.affects(int64(len(keys)), connector.Act{Verb: connector.Delete, Table: t, Rows: e.ids(t), Fence: is("b", keys...)})
	e.remain("v", 1)
}

// bigCells: a cell of 1 MiB comes back whole and can be written.
func bigCells(e *env) {
	e.create("big", e.id(), e.h.Quote("s")+" "+e.h.BigText)
	whole := string(bytes.Repeat([]byte("a'ä\\"), 1<<18))[:1<<20]
	whole = strings.ToValidUTF8(whole, "")
	e.insert("big", "id,s", 1, whole)
	e.insert("big", "id,s", 2, "small")
	t := e.table("big")
	check := func(id int64) {
		e.Helper()
		for name, way := range e.ways() {
			q := connector.Select{Table: t, Columns: []string{"s"}, Where: is("id", num(id))}
			if got := e.collect(name, way, q); len(got) != 1 || got[0] != whole {
				e.Errorf("%s of 1 MiB gives %d rows or another text", name, len(got))
			}
		}
	}
	check(1)
	e.affects(1, connector.Act{Verb: connector.Update, Table: t, Rows: nums(2), Set: []string{"s"}, Values: [][]connector.Value{{text(whole)}}})
	check(2)
	keys, expect := e.address(t, nil)
	e.affects(2, connector.Act{Verb: connector.Delete, Table: t, Rows: keys, Expect: expect})
}
