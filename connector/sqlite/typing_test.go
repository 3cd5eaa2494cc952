package sqlite_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ombudhq/ombud/connector"
)

// TestCellsKeepTheirClass: whatever a column declares, a cell is what was stored, to the byte.
func TestCellsKeepTheirClass(t *testing.T) {
	s, db := fresh(t)
	exec(t, db, `CREATE TABLE d (id INTEGER PRIMARY KEY, free, day DATE, at DATETIME, ok BOOLEAN, doc JSON, n INTEGER)`,
		`INSERT INTO d VALUES (1, 12, '2024-01-02', '2024-01-02 03:04:05', 1, '{"a":1}', 'abc'),
		(2, '12', 1704164645, 1704164645, 0, '[]', 1.5), (3, x'3132', 'never', '', 'yes', 7, x'00'), (4, 12.5, NULL, NULL, NULL, NULL, 9007199254740993)`)
	got := all(t, s, table(t, s, "d"), "free", "day", "at", "ok", "doc", "n")
	text, num := connector.TextValue, connector.IntValue
	real := func(s string) connector.Value { return connector.Value{Kind: connector.Float, S: s} }
	want := [][]connector.Value{
		{num(12), text("2024-01-02"), text("2024-01-02 03:04:05"), num(1), text(`{"a":1}`), text("abc")},
		{text("12"), num(1704164645), num(1704164645), num(0), text("[]"), real("1.5")},
		{connector.BytesValue([]byte("12")), text("never"), text(""), text("yes"), num(7), connector.BytesValue([]byte{0})},
		{real("12.5"), {}, {}, {}, {}, num(9007199254740993)},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("cells (-want +got):\n%s", diff)
	}
}

// TestMixedStorage: a column without an affinity holds 12 and '12' side by side; one key finds both,
// and no other way to write the number.
func TestMixedStorage(t *testing.T) {
	for _, declared := range []string{"", "BLOB"} {
		s, db := fresh(t)
		exec(t, db, `CREATE TABLE m (id INTEGER PRIMARY KEY, ref `+declared+`)`,
			`INSERT INTO m VALUES (1, 12), (2, '12'), (3, '012'), (4, x'3132'), (5, 12.0), (6, '12.0'), (7, ' 12'), (8, 1.5), (9, '1.5'), (10, 'a')`)
		m := table(t, s, "m")
		for _, c := range []struct {
			key  connector.Value
			want []string
		}{
			{connector.IntValue(12), []string{"1", "2", "5"}},
			{connector.TextValue("12"), []string{"1", "2", "5"}},
			{connector.TextValue("012"), []string{"3"}},
			{connector.TextValue("12.0"), []string{"6"}},
			{connector.BytesValue([]byte("12")), []string{"4"}},
			{connector.Value{Kind: connector.Float, S: "1.5"}, []string{"8", "9"}},
			{connector.TextValue("1.5"), []string{"8", "9"}},
			{connector.TextValue("a"), []string{"10"}},
		} {
			if got := both(t, s, m, is("ref", c.key)); !slices.Equal(got, c.want) {
				t.Errorf("%q: key %v finds rows %v, want %v", declared, c.key, got, c.want)
			}
		}
	}
}

// TestOddKeys: cells that belong nowhere are found by themselves, as keys and as addresses.
func TestOddKeys(t *testing.T) {
	s, db := fresh(t)
	exec(t, db, `CREATE TABLE o (k INT NOT NULL, part TEXT COLLATE NOCASE NOT NULL, id INT, PRIMARY KEY (k, part)) WITHOUT ROWID`,
		`INSERT INTO o VALUES (1, 'a', 1), ('abc', 'a', 2), (1.5, 'a', 3), (x'ff', x'00', 4), (-9223372036854775808, 'a', 5),
		(9223372036854775807, 'b', 6), (1e300, 'a', 7), (9e999, 'a', 8), (1, 'B', 9), (0.1, 'a', 10)`)
	o := table(t, s, "o")
	if o.Locator.Kind != connector.ByPrimary {
		t.Fatalf("locator is %+v", o.Locator)
	}
	for _, row := range all(t, s, o, "k", "part", "id") {
		where := []connector.Match{{Columns: []string{"k", "part"}, Keys: []connector.Key{row[:2]}}}
		if got := both(t, s, o, where); !slices.Equal(got, []string{row[2].S}) {
			t.Errorf("row %s is found as %v by its own key", row[2].S, got)
		}
		if n := do(t, s, connector.Act{Verb: connector.Update, Table: o, Rows: []connector.Key{row[:2], row[:2]}[:1], Set: []string{"id"},
			Values: [][]connector.Value{{row[2]}}}); n != 1 {
			t.Errorf("row %s: %d rows are updated", row[2].S, n)
		}
	}
	where := []connector.Match{{Columns: []string{"k", "part"}, Keys: []connector.Key{{connector.IntValue(1), connector.TextValue("b")}}}}
	if got := both(t, s, o, where); len(got) != 0 {
		t.Errorf("NOCASE joins rows %v", got)
	}
}

func TestCollationsDoNotJoin(t *testing.T) {
	s, db := fresh(t)
	exec(t, db, `CREATE TABLE c (id INTEGER PRIMARY KEY, a TEXT COLLATE NOCASE, b TEXT COLLATE RTRIM)`,
		`CREATE INDEX c_a ON c (a)`, `CREATE INDEX c_b ON c (b)`,
		`INSERT INTO c VALUES (1, 'anna', 'x'), (2, 'Anna', 'x '), (3, 'ANNA', 'x  ')`)
	c := table(t, s, "c")
	if !c.Column("a").FoldEqual || c.Column("b").FoldEqual || c.Column("b").Collation != "RTRIM" {
		t.Errorf("columns are %+v", c.Columns)
	}
	anna := is("a", connector.TextValue("Anna"), connector.TextValue("aNNa"))
	if got := both(t, s, c, anna); !slices.Equal(got, []string{"2"}) {
		t.Errorf("Anna is rows %v", got)
	}
	if got := both(t, s, c, is("b", connector.TextValue("x "))); !slices.Equal(got, []string{"2"}) {
		t.Errorf("'x ' is rows %v", got)
	}
	if n := do(t, s, connector.Act{Verb: connector.Delete, Table: c, Rows: []connector.Key{{connector.IntValue(1)}, {connector.IntValue(2)}}, Fence: anna}); n != 1 {
		t.Errorf("%d rows are deleted", n)
	}
	m := is("a", connector.TextValue(" ANNA"))
	m[0].Fold = true
	if got := both(t, s, c, m); !slices.Equal(got, []string{"1", "3"}) {
		t.Errorf("folded, ANNA is rows %v", got)
	}
}

func TestConvert(t *testing.T) {
	s, _ := fresh(t)
	text, num := connector.TextValue, connector.IntValue
	real := func(s string) connector.Value { return connector.Value{Kind: connector.Float, S: s} }
	dec := func(s string) connector.Value { return connector.Value{Kind: connector.Decimal, S: s} }
	no := connector.Value{Kind: connector.Other, S: "no"}
	for _, c := range []struct {
		declared string
		in, want connector.Value
	}{
		{"INTEGER", text("12"), num(12)}, {"INTEGER", text("012"), no}, {"INTEGER", text("abc"), no}, {"INTEGER", real("12"), num(12)},
		{"INTEGER", text("1.5"), no}, {"INTEGER", text("9223372036854775808"), no}, {"INTEGER", dec("12.00"), num(12)},
		{"INTEGER", connector.Value{Kind: connector.Bool, S: "true"}, num(1)}, {"INTEGER", text("-0"), no}, {"INTEGER", text("100000000000000000000"), no},
		{"DECIMAL(10,2)", dec("12.50"), real("12.5")}, {"DECIMAL(10,2)", text("12.5"), real("12.5")}, {"DECIMAL(10,2)", text("12.50"), no},
		{"DECIMAL(10,2)", dec("12.00"), num(12)}, {"DECIMAL(40,20)", dec("0.12345678901234567890123"), no},
		{"REAL", num(12), real("12")}, {"REAL", text("12"), real("12")}, {"REAL", num(9007199254740993), no},
		{"TEXT", num(12), text("12")}, {"TEXT", dec("12.50"), text("12.50")}, {"VARCHAR(9)", connector.Value{Kind: connector.UUID, S: "a"}, text("a")},
		{"", text("12"), text("12")}, {"", num(12), num(12)}, {"ANY", text("012"), text("012")},
		{"DATE", text("2024-01-02"), text("2024-01-02")}, {"DATE", num(5), num(5)}, {"JSON", text("{}"), text("{}")},
		{"BLOB", connector.BytesValue([]byte{1}), connector.BytesValue([]byte{1})}, {"INTEGER", connector.BytesValue([]byte{1}), no},
		{"INTEGER", connector.Value{}, connector.Value{}},
	} {
		column := columnOf(t, c.declared)
		got, ok := s.Convert(c.in, &column)
		if ok != (c.want != no) || ok && got != c.want {
			t.Errorf("%s: %+v converts to %+v, %v, want %+v", c.declared, c.in, got, ok, c.want)
		}
	}
}
