package connectortest

import (
	"slices"

	"github.com/ombudhq/ombud/connector"
)

var unkeyedTopics = []topic{
	{name: "unkeyed/deletes exactly the planned rows", run: unkeyedDelete},
	{name: "unkeyed/updates exactly the planned rows", run: unkeyedUpdate},
	{name: "unkeyed/changed content stays", run: unkeyedChanged},
	{name: "unkeyed/nullable key is no address", run: unkeyedNullable},
}

// loose makes a table without any key, with duplicates and NULLs.
func (e *env) loose() *connector.Table {
	e.Helper()
	e.create("loose", e.col("who", connector.Text), e.col("n", connector.Int))
	for _, who := range []any{"a", "a", "a", "b", nil, "A", "ä", "a "} {
		e.insert("loose", "who,n", who, 1)
	}
	t := e.table("loose")
	if t.Locator.Kind != e.h.Unkeyed {
		e.Fatalf("rows of a table without a key are addressed by %+v, want %s", t.Locator, e.h.Unkeyed)
	}
	return t
}

// address gives the locators and content hashes of the rows that match.
func (e *env) address(t *connector.Table, where []connector.Match) (keys []connector.Key, expect []string) {
	e.Helper()
	columns := slices.Clone(t.Locator.Columns)
	for _, c := range t.Columns {
		columns = append(columns, c.Name)
	}
	q := connector.Select{Table: t, Columns: columns, Where: where}
	err := e.store.Select(e.Context(), []connector.Select{q}, func(_ int, row []connector.Value) error {
		n := len(t.Locator.Columns)
		keys = append(keys, slices.Clone(row[:n]))
		expect = append(expect, connector.RowHash(row[n:]))
		return nil
	})
	if err != nil {
		e.Fatalf("addressing rows: %v", err)
	}
	return keys, expect
}

func unkeyedDelete(e *env) {
	t := e.loose()
	keys, expect := e.address(t, is("who", text("a")))
	if len(keys) != 3 {
		e.Fatalf("%d rows match, want 3", len(keys))
	}
	e.affects(2, connector.Act{Verb: connector.Delete, Table: t, Rows: keys[:2], Expect: expect[:2]})
	e.want(t, "who", is("who", text("a")), "a")
	keys, expect = e.address(t, is("who", text("a")))
	e.affects(1, connector.Act{Verb: connector.Delete, Table: t, Rows: keys, Expect: expect, Fence: is("who", text("a"))})
	e.affects(0, connector.Act{Verb: connector.Delete, Table: t, Rows: keys, Expect: expect})
	e.remain("loose", 5)
	keys, expect = e.address(t, []connector.Match{{Columns: []string{"who"}, Null: true}})
	e.affects(1, connector.Act{Verb: connector.Delete, Table: t, Rows: keys, Expect: expect})
	e.remain("loose", 4)
}

func unkeyedUpdate(e *env) {
	t := e.loose()
	keys, expect := e.address(t, is("who", text("a"), text("b")))
	e.affects(4, connector.Act{Verb: connector.Update, Table: t, Rows: keys, Expect: expect,
		Set: []string{"n"}, Values: [][]connector.Value{{num(5)}}})
	e.want(t, "who", is("n", num(5)), "a", "a", "a", "b")
	keys, expect = e.address(t, is("who", text("b")))
	e.affects(1, connector.Act{Verb: connector.Update, Table: t, Rows: keys, Expect: expect,
		Set: []string{"who", "n"}, Values: [][]connector.Value{{{}, num(6)}}})
	e.want(t, "who", is("n", num(6)), "NULL")
}

func unkeyedChanged(e *env) {
	t := e.loose()
	keys, expect := e.address(t, is("who", text("b")))
	e.exec("UPDATE " + e.h.Quote("loose") + " SET " + e.h.Quote("n") + " = 2 WHERE " + e.h.Quote("who") + " = 'b'")
	e.affects(0, connector.Act{Verb: connector.Delete, Table: t, Rows: keys, Expect: expect})
	e.affects(0, connector.Act{Verb: connector.Update, Table: t, Rows: keys, Expect: expect,
		Set: []string{"n"}, Values: [][]connector.Value{{num(9)}}})
	e.want(t, "n", is("who", text("b")), "2")
	e.remain("loose", 8)
}

func unkeyedNullable(e *env) {
	e.create("half", e.col("a", connector.Int, "UNIQUE"), e.col("b", connector.Int))
	if k := e.table("half").Locator.Kind; k != e.h.Unkeyed {
		e.Errorf("a unique that may be NULL is taken as the address: %s", k)
	}
}
