package mysql_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/testkit/mariatest"
)

const everything = `CREATE TABLE v (
	big BIGINT UNSIGNED, tiny TINYINT(1), zero INT(6) ZEROFILL, money DECIMAL(20,4), padded DECIMAL(8,2) ZEROFILL,
	f FLOAT, d DOUBLE, b BIT(64), flag BIT(1), y YEAR, day DATE, dt DATETIME, dt6 DATETIME(6), ts TIMESTAMP NULL, tm TIME(3),
	e ENUM('new','it''s'), st SET('a','b','c'), c CHAR(5), bn BINARY(4), blb BLOB, doc JSON, u UUID, ip INET6, g POINT,
	l VARCHAR(20) CHARACTER SET latin1, raw VARCHAR(20) CHARACTER SET binary)`

const values = `INSERT INTO v VALUES
	(18446744073709551615, 2, 42, 1234567890123456.7800, 12.5, 0.1, 0.1, b'1111111111111111111111111111111111111111111111111111111111111111', b'1',
	 2024, '0000-00-00', '0000-00-00 00:00:00', '2024-02-29 23:59:59.000001', '2024-01-01 00:00:00', '-12:00:01.500',
	 'it''s', 'a,c', 'x', 'ab', X'00ff27', '{"a": 1}', '0B54A5C7-04A5-4B3E-9D4A-5F2C3A0F9A11', '::1', POINT(1,2), 'ä', X'ff00')`

// onMySQL leaves out the types that only MariaDB has.
var onMySQL = strings.NewReplacer("u UUID, ip INET6, ", "", "'0B54A5C7-04A5-4B3E-9D4A-5F2C3A0F9A11', '::1', ", "")

func TestValuesAreExactAndFoundAgain(t *testing.T) {
	everything, values := everything, values
	if mariatest.MySQL(t) {
		everything, values = onMySQL.Replace(everything), onMySQL.Replace(values)
	}
	e := setup(t, "SET sql_mode=''", everything, values, values, "INSERT INTO v () VALUES ()")
	v := e.table("v")
	want := map[string]connector.Value{
		"big": {Kind: connector.Int, S: "18446744073709551615"}, "tiny": {Kind: connector.Int, S: "2"}, "zero": {Kind: connector.Int, S: "42"},
		"money": {Kind: connector.Decimal, S: "1234567890123456.7800"}, "padded": {Kind: connector.Decimal, S: "12.50"},
		"f": {Kind: connector.Float, S: "0.1"}, "d": {Kind: connector.Float, S: "0.1"}, "b": {Kind: connector.Int, S: "18446744073709551615"},
		"flag": {Kind: connector.Int, S: "1"}, "y": {Kind: connector.Int, S: "2024"}, "day": {Kind: connector.Time, S: "0000-00-00"},
		"dt": {Kind: connector.Time, S: "0000-00-00 00:00:00"}, "dt6": {Kind: connector.Time, S: "2024-02-29 23:59:59.000001"},
		"ts": {Kind: connector.Time, S: "2024-01-01 00:00:00"}, "tm": {Kind: connector.Time, S: "-12:00:01.500"},
		"e": text("it's"), "st": text("a,c"), "c": text("x"), "bn": connector.BytesValue([]byte("ab\x00\x00")),
		"blb": connector.BytesValue([]byte("\x00\xff'")), "doc": {Kind: connector.JSON, S: `{"a": 1}`},
		"u":  {Kind: connector.UUID, S: "0b54a5c7-04a5-4b3e-9d4a-5f2c3a0f9a11"},
		"ip": {Kind: connector.Other, S: "::1"}, "g": {Kind: connector.Other, S: "POINT(1 2)"}, "l": text("ä"),
		"raw": connector.BytesValue([]byte("\xff\x00")),
	}
	rows := e.rows(v)
	for i, c := range v.Columns {
		if rows[0][i] != want[c.Name] {
			t.Errorf("%s is %+v, want %+v", c.Name, rows[0][i], want[c.Name])
		}
		if back, ok := e.store.Convert(rows[0][i], &c); !ok || back != rows[0][i] {
			t.Errorf("%s converts to %+v, %v", c.Name, back, ok)
		}
		if c.Kind != connector.Other && e.find(v, "tiny", is(c.Name, rows[0][i])) != "2,2" {
			t.Errorf("%s is not found by its own value %+v", c.Name, c)
		}
	}
	all := connector.Match{Columns: v.Locator.Columns, Keys: []connector.Key{rows[0]}}
	e.equal("2,2", e.find(v, "tiny", all))
	set := connector.Act{Verb: connector.Update, Table: v, Rows: rows[2:], Set: v.Locator.Columns, Values: [][]connector.Value{rows[0]}}
	e.equal([]int64{1}, e.do(set))
	hash := connector.RowHash(rows[0])
	del := connector.Act{Verb: connector.Delete, Table: v, Rows: []connector.Key{rows[0], rows[0]}, Expect: []string{hash, hash}}
	e.equal([]int64{2}, e.do(del))
	e.equal(1, len(e.rows(v)))
}

func TestBinaryUUIDKeys(t *testing.T) {
	e := setup(t, "CREATE TABLE p (id BINARY(16) PRIMARY KEY, n INT)",
		"INSERT INTO p VALUES (X'0b54a5c704a54b3e9d4a5f2c3a0f9a11', 1), (X'27000000000000000000000000000000', 2)")
	p := e.table("p")
	for _, key := range []connector.Value{
		text("0b54a5c7-04a5-4b3e-9d4a-5f2c3a0f9a11"), {Kind: connector.UUID, S: "0b54a5c7-04a5-4b3e-9d4a-5f2c3a0f9a11"},
	} {
		e.equal("1", e.find(p, "n", is("id", key)))
	}
	e.equal("", e.find(p, "n", is("id", text("'"))))
	e.equal([]int64{1}, e.do(connector.Act{Verb: connector.Delete, Table: p, Rows: []connector.Key{{text("0b54a5c7-04a5-4b3e-9d4a-5f2c3a0f9a11")}}}))
}

func TestGeneratedColumnsAreNeverSet(t *testing.T) {
	e := setup(t, "CREATE TABLE g (id INT PRIMARY KEY, a INT, v INT AS (a+1) VIRTUAL, s INT AS (a+2) STORED)", "INSERT INTO g (id,a) VALUES (1,1)")
	g := e.table("g")
	for _, c := range []string{"v", "s"} {
		tx, err := e.store.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer tx.Rollback(t.Context())
		_, err = tx.Do(t.Context(), []connector.Act{{Verb: connector.Update, Table: g, Rows: ints(1), Set: []string{c}, Values: [][]connector.Value{{{}}}}})
		if fault.KindOf(err) != fault.Invalid {
			t.Errorf("setting %s: %v", c, err)
		}
	}
}

func TestVersionedTables(t *testing.T) {
	if mariatest.MySQL(t) {
		t.Skip("MySQL has no versioned tables")
	}
	e := setup(t,
		"CREATE TABLE h (id INT PRIMARY KEY, s VARCHAR(9), rs TIMESTAMP(6) GENERATED ALWAYS AS ROW START, re TIMESTAMP(6) GENERATED ALWAYS AS ROW END, PERIOD FOR SYSTEM_TIME (rs, re)) WITH SYSTEM VERSIONING",
		"CREATE TABLE i (id INT PRIMARY KEY, s VARCHAR(9), UNIQUE (s)) WITH SYSTEM VERSIONING",
		"INSERT INTO h (id, s) VALUES (1, 'a'), (2, 'b')", "UPDATE h SET s = 'x'", "INSERT INTO i VALUES (1, 'a')")
	for _, n := range []string{"h", "i"} {
		if x := e.table(n); !x.Versioned || !slices.Equal(x.Locator.Columns, []string{"id"}) || x.Locator.Kind != connector.ByPrimary {
			t.Errorf("%s: versioned %v, locator %+v", n, x.Versioned, x.Locator)
		}
	}
	h := e.table("h")
	if !h.Column("re").Generated || !h.Rights.DeleteHistory {
		t.Error("the period or the right is not seen")
	}
	history := func() (n int64) {
		raw := raw(t, e.dsn)
		if err := raw.QueryRow("SELECT COUNT(*) FROM h FOR SYSTEM_TIME ALL").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	e.equal([]int64{1}, e.do(connector.Act{Verb: connector.Delete, Table: h, Rows: ints(1)}))
	e.equal(int64(4), history())
	e.equal([]int64{0}, e.do(connector.Act{Verb: connector.Delete, Table: h, Rows: ints(1), History: true}))
	e.equal(int64(1), history())
}

func TestNoRollbackIsTold(t *testing.T) {
	if mariatest.MySQL(t) {
		t.Skip("MySQL has neither Aria nor sequences")
	}
	e := setup(t, "CREATE TABLE m (id INT PRIMARY KEY) ENGINE=MyISAM", "CREATE TABLE a (id INT PRIMARY KEY) ENGINE=Aria", "CREATE TABLE i (id INT PRIMARY KEY)",
		"CREATE TABLE p (id INT PRIMARY KEY) PARTITION BY HASH (id) PARTITIONS 3", "CREATE SEQUENCE sq")
	if !e.table("m").NoRollback || !e.table("a").NoRollback || e.table("i").NoRollback {
		t.Error("engines are not told apart")
	}
	if k := e.table("p").Kind; k != connector.Base {
		t.Errorf("a partitioned table is a %q", k)
	}
	s, err := e.store.Schema(t.Context())
	if err != nil || s.Table("sq") != nil {
		t.Errorf("a sequence is a dataset: %v", err)
	}
}

func TestErrorsOfTheServerAreFaults(t *testing.T) {
	e := setup(t, "CREATE TABLE p (id INT PRIMARY KEY)", "CREATE TABLE c (p INT, FOREIGN KEY (p) REFERENCES p (id))",
		"INSERT INTO p VALUES (1)", "INSERT INTO c VALUES (1)")
	tx, err := e.store.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(t.Context())
	_, err = tx.Do(t.Context(), []connector.Act{{Verb: connector.Delete, Table: e.table("p"), Rows: ints(1)}})
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != fault.Conflict {
		t.Errorf("deleting a parent: %v", err)
	}
}
