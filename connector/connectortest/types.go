package connectortest

import (
	"fmt"

	"github.com/ombudhq/ombud/connector"
)

var typeTopics = []topic{
	{name: "types/every kind finds its own rows", run: typeRoundTrip},
	{name: "types/text column, number keys", run: typeTextColumn},
	{name: "types/number column, text keys", run: typeNumberColumn},
	{name: "types/text that looks like numbers", run: typeLookAlikes},
	{name: "types/convert", run: typeConvert},
	{name: "types/joined columns of two kinds", run: typeAcross},
}

// literals are two different values per kind, as SQL literals.
func literals(kind connector.Kind) []string {
	return map[connector.Kind][]string{
		connector.Text: {"'x'", "'X y'"}, connector.Int: {"12", "-3"}, connector.Decimal: {"12.50", "-0.25"},
		connector.Float: {"1.5", "-0.1"}, connector.Bool: {"TRUE", "FALSE"}, connector.Time: {"'2024-02-29'", "'1999-12-31'"},
		connector.JSON: {`'{"a": [1, "x"]}'`, `'[]'`},
		connector.UUID: {"'0b54a5c7-04a5-4b3e-9d4a-5f2c3a0f9a11'", "'ffffffff-ffff-4fff-bfff-ffffffffffff'"},
	}[kind]
}

// typeRoundTrip selects every cell by itself: what a store delivers, it finds again.
func typeRoundTrip(e *env) {
	for kind := range e.h.Types {
		if kind == connector.JSON { // not every engine compares documents
			continue
		}
		e.create("k", e.id(), e.col("c", kind))
		if kind == connector.Bytes {
			e.insert("k", "id,c", 1, []byte{0, 255, 'a'})
			e.insert("k", "id,c", 2, []byte{})
		}
		for i, l := range literals(kind) {
			e.exec("INSERT INTO " + e.h.Quote("k") + " " + e.list("id", "c") + fmt.Sprintf(" VALUES (%d, %s)", i+1, l))
		}
		t := e.table("k")
		for _, row := range e.raw(t, "id", "c") {
			e.want(t, "id", is("c", row[1]), row[0].S)
			if v, ok := e.store.Convert(row[1], t.Column("c")); !ok || v != row[1] {
				e.Errorf("a cell of kind %d converts to %v, %v, not to itself", kind, v, ok)
			}
		}
		if kind == connector.UUID {
			e.want(t, "id", is("c", text("0b54a5c7-04a5-4b3e-9d4a-5f2c3a0f9a11")), "1")
			e.want(t, "id", is("c", text("no uuid")))
		}
		e.exec("DROP TABLE " + e.h.Quote("k"))
	}
}

func typeTextColumn(e *env) {
	e.create("t", e.id(), e.col("s", connector.Text))
	for i, s := range []string{"12", "012", "12.0", "12abc", " 12", "+12", "12 ", "1e1", "0", "", "abc"} {
		e.insert("t", "id,s", i, s)
	}
	t := e.table("t")
	e.want(t, "s", is("s", num(12)), "12")
	e.want(t, "s", is("s", num(0)), "0")
	e.want(t, "s", is("s", text("012")), "012")
	e.want(t, "s", is("s", connector.Value{Kind: connector.Decimal, S: "12.0"}), "12.0")
	e.affects(1, connector.Act{Verb: connector.Delete, Table: t, Rows: nums(0), Fence: is("s", num(12))})
	e.affects(0, connector.Act{Verb: connector.Delete, Table: t, Rows: nums(1, 2, 3, 4, 5, 6), Fence: is("s", num(12))})
	e.remain("t", 10)
}

func typeNumberColumn(e *env) {
	e.create("t", e.id(), e.col("n", connector.Int))
	for i, n := range []int{12, 0, -3} {
		e.insert("t", "id,n", i, n)
	}
	t := e.table("t")
	e.want(t, "n", is("n", text("12")), "12")
	e.want(t, "n", is("n", text("-3")), "-3")
	for _, s := range []string{"012", "12.0", "12abc", " 12", "+12", "abc", "", "-0", "1e1", "99999999999999999999", "0x0c", "NaN", "'"} {
		e.want(t, "n", is("n", text(s)))
		e.want(t, "n", is("n", text(s), num(0)), "0")
	}
	e.affects(0, connector.Act{Verb: connector.Delete, Table: t, Rows: nums(0, 1), Fence: is("n", text("012"), text("abc"))})
	e.affects(0, connector.Act{Verb: connector.Delete, Table: t, Rows: []connector.Key{{text("abc")}, {text("00")}}})
	e.remain("t", 3)
}

// typeLookAlikes: integers large enough that a float would join neighbours.
func typeLookAlikes(e *env) {
	e.create("t", e.col("id", connector.Text, "NOT NULL PRIMARY KEY"), e.col("n", connector.Int))
	e.insert("t", "id,n", "9007199254740993", 1)
	e.insert("t", "id,n", "9007199254740992", 2)
	e.insert("t", "id,n", "9007199254740993.0", 3)
	t := e.table("t")
	e.want(t, "n", is("id", num(9007199254740993)), "1")
	e.want(t, "n", is("id", text("9007199254740992")), "2")
}

func typeConvert(e *env) {
	e.create("t", e.id(), e.col("s", connector.Text), e.col("b", connector.Bytes), e.col("d", connector.Decimal))
	t := e.table("t")
	check := func(column string, v, want connector.Value, ok bool) {
		e.Helper()
		got, can := e.store.Convert(v, t.Column(column))
		if can != ok || (ok && got != want) {
			e.Errorf("%q of kind %d to %s: %q of kind %d, %v", v.S, v.Kind, column, got.S, got.Kind, can)
		}
	}
	check("id", text("12"), num(12), true)
	check("id", num(-7), num(-7), true)
	check("s", num(12), text("12"), true)
	check("s", text(" Ä\t"), text(" Ä\t"), true)
	check("s", text(""), text(""), true)
	check("b", connector.BytesValue([]byte{0, 1}), connector.BytesValue([]byte{0, 1}), true)
	for _, s := range []string{"", "abc", "012", "1 ", "1.5", "1e3", "--1", "9223372036854775808999"} {
		check("id", text(s), connector.Value{}, false)
	}
	for _, s := range []string{"abc", "", "1,5"} {
		check("d", text(s), connector.Value{}, false)
	}
}

// typeAcross carries a key from an integer column to a text column and back, as declared links do.
func typeAcross(e *env) {
	e.create("people", e.id())
	e.create("events", e.id(), e.col("ref", connector.Text))
	e.insert("people", "id", 12)
	for i, s := range []string{"12", "012", "1200", "x"} {
		e.insert("events", "id,ref", i, s)
	}
	people, events := e.table("people"), e.table("events")
	for _, row := range e.raw(people, "id") {
		key, ok := e.store.Convert(row[0], events.Column("ref"))
		if !ok {
			e.Fatal("an integer is no text")
		}
		e.want(events, "id", is("ref", key), "0")
	}
	found := 0
	for _, row := range e.raw(events, "ref") {
		if key, ok := e.store.Convert(row[0], people.Column("id")); ok && key == num(12) {
			found++
		}
	}
	if found != 1 {
		e.Errorf("%d events convert to customer 12, want 1", found)
	}
}
