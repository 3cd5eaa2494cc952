package postgres_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/connector/postgres"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/testkit/pgtest"
)

func schema(t *testing.T, s connector.Store) *connector.Schema {
	t.Helper()
	x, err := s.Schema(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// rows asks with Select and Look and demands that they agree.
func rows(t *testing.T, s connector.Store, q connector.Select) [][]connector.Value {
	t.Helper()
	var got [2][][]connector.Value
	for i, ask := range []func(context.Context, []connector.Select, func(int, []connector.Value) error) error{s.Select, s.Look} {
		err := ask(t.Context(), []connector.Select{q}, func(_ int, row []connector.Value) error {
			got[i] = append(got[i], slices.Clone(row))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(got[0]) != len(got[1]) {
		t.Errorf("select delivers %d rows, look %d", len(got[0]), len(got[1]))
	}
	return got[0]
}

func count(t *testing.T, s connector.Store, q connector.Select) int64 {
	t.Helper()
	n, err := s.Count(t.Context(), []connector.Select{q})
	if err != nil {
		t.Fatal(err)
	}
	return n[0]
}

func where(column string, values ...connector.Value) []connector.Match {
	m := connector.Match{Columns: []string{column}}
	for _, v := range values {
		m.Keys = append(m.Keys, connector.Key{v})
	}
	return []connector.Match{m}
}

func text(s string) connector.Value { return connector.TextValue(s) }
func num(n int64) connector.Value   { return connector.IntValue(n) }

// Every type comes back as the server writes it, finds its own row as a key, and goes in again.
func TestTypesRoundTrip(t *testing.T) {
	cells := map[string]string{
		"smallint": "-7", "integer": "8", "bigint": "9223372036854775807", "numeric": "123456789012345678901234567890.120",
		"numeric(10,3)": "1.500", "real": "0.1", "double precision": "1e-300", "boolean": "true", "text": "ä'\"\\{}", "varchar(9)": "x",
		"char(5)": "ab", `"char"`: "q", "name": "n", "bytea": "\\x00ff41", "date": "0044-03-15 BC", "timestamp": "2024-02-29 23:59:59.123456",
		"timestamptz": "2024-02-29 23:59:59.5+02", "time": "23:59:59.1", "timetz": "12:00:00+02", "interval": "1 year 2 mons -3 days +04:05:06.7",
		"json": `{"b": 1,  "a":"x\"y"}`, "jsonb": `{"a": [1, null], "b": "ü"}`, "uuid": "0b54a5c7-04a5-4b3e-9d4a-5f2c3a0f9a11",
		"inet": "10.1.2.3/8", "cidr": "10.0.0.0/8", "macaddr": "08:00:2b:01:02:03", "int[]": "{1,NULL,3}", "text[]": `{"a b",NULL,"c\"d",{}}`,
		"text[][]": `{{a,b},{c,d}}`, "bit(3)": "101", "varbit": "10", "int4range": "[1,5)", "point": "(1,2)", "xml": "<a>b</a>", "money": "$1.50",
		"tsvector": "'a':1 'b':2", "mood": "sad, really", "mail": "A@b.example", "citext": "MiXed", "pair": `(1,"a b")`, "blind": "straße",
	}
	cells["text[]"] = `{"a b",NULL,"c\"d"}`
	var columns, values []string
	for name, cell := range cells {
		columns = append(columns, quote(name)+" "+name)
		values = append(values, "'"+strings.ReplaceAll(cell, "'", "''")+"'")
	}
	s, _ := open(t, "CREATE EXTENSION citext", "CREATE TYPE mood AS ENUM ('ok', 'sad, really')", "CREATE DOMAIN mail AS citext CHECK (VALUE LIKE '%@%')",
		"CREATE TYPE pair AS (a int, b text)", "CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
		"CREATE DOMAIN blind AS text COLLATE ci",
		"CREATE TABLE v (id int PRIMARY KEY, "+strings.Join(columns, ", ")+")",
		"INSERT INTO v VALUES (1, "+strings.Join(values, ", ")+")", "INSERT INTO v VALUES (2)")
	v := schema(t, s).Table("v")
	for name := range cells {
		row := rows(t, s, connector.Select{Table: v, Columns: []string{name}, Where: where("id", num(1))})
		cell := row[0][0]
		if got, ok := s.Convert(cell, v.Column(name)); !ok || got != cell {
			t.Errorf("%s: %q of kind %d converts to %q, %v", name, cell.S, cell.Kind, got.S, ok)
		}
		if found := rows(t, s, connector.Select{Table: v, Columns: []string{"id"}, Where: where(name, cell)}); len(found) != 1 {
			t.Errorf("%s: %q finds %d rows", name, cell.S, len(found))
		}
		act := connector.Act{Verb: connector.Update, Table: v, Rows: []connector.Key{{num(1)}, {num(2)}}, Set: []string{name},
			Values: [][]connector.Value{{cell}, {cell}}}
		if n := do(t, s, act); n[0] != 2 {
			t.Errorf("%s: %d rows updated", name, n[0])
		}
		again := rows(t, s, connector.Select{Table: v, Columns: []string{name}, Where: where(name, cell)})
		if len(again) != 2 || again[0][0] != cell || again[1][0] != cell {
			t.Errorf("%s: written %q, read %q", name, cell.S, again)
		}
	}
}

func do(t *testing.T, s connector.Store, acts ...connector.Act) []int64 {
	t.Helper()
	n, err := try(t, s, func(tx connector.Tx) ([]int64, error) { return tx.Do(t.Context(), acts) })
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func try(t *testing.T, s connector.Store, run func(connector.Tx) ([]int64, error)) ([]int64, error) {
	t.Helper()
	tx, err := s.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(context.Background())
	n, err := run(tx)
	if err != nil {
		return nil, err
	}
	return n, tx.Commit(t.Context())
}

func TestRowSecurityIsAnError(t *testing.T) {
	_, dsn := open(t, "CREATE TABLE secret (id int PRIMARY KEY)", "INSERT INTO secret VALUES (1)", "ALTER TABLE secret ENABLE ROW LEVEL SECURITY")
	role, roleDSN := pgtest.Role(t, dsn)
	pgtest.Exec(t, dsn, "GRANT SELECT, DELETE ON secret TO "+role)
	s := connect(t, roleDSN)
	table := schema(t, s).Table("secret")
	if !table.RowSecurity {
		t.Error("row security is not seen")
	}
	err := s.Select(t.Context(), []connector.Select{{Table: table, Columns: []string{"id"}}}, func(int, []connector.Value) error { return nil })
	if fault.KindOf(err) != fault.Denied {
		t.Errorf("hidden rows pass for none: %v", err)
	}
	if connectOwner := schema(t, connect(t, dsn)).Table("secret"); connectOwner.RowSecurity {
		t.Error("row security marked for the superuser, from whom it hides nothing")
	}
}

func TestCatalogOfAPoorRole(t *testing.T) {
	_, dsn := open(t, "CREATE TABLE people (id int PRIMARY KEY, mail text)", "CREATE SCHEMA hidden",
		"CREATE TABLE hidden.notes (id int PRIMARY KEY, p int REFERENCES people ON DELETE CASCADE)", "CREATE TABLE other (id int, a text, b text)")
	role, roleDSN := pgtest.Role(t, dsn)
	pgtest.Exec(t, dsn, "GRANT SELECT ON people TO "+role, "GRANT SELECT (id, a) ON other TO "+role)
	x := schema(t, connect(t, roleDSN))
	notes := x.Table("hidden.notes")
	if notes == nil || len(notes.ForeignKeys) != 1 || notes.ForeignKeys[0].OnDelete != connector.Cascade || x.Resolve(notes.ForeignKeys[0]) == nil {
		t.Fatalf("the cascade into a hidden schema is not seen: %+v", notes)
	}
	if notes.Rights.Select || !x.Table("people").Rights.Select || x.Table("people").Rights.Delete || x.Table("other").Rights.Select {
		t.Errorf("rights: %+v, %+v, %+v", notes.Rights, x.Table("people").Rights, x.Table("other").Rights)
	}
}

func TestNotNullCycleGoesInOneStatement(t *testing.T) {
	s, _ := open(t, "CREATE TABLE a (id int PRIMARY KEY, b int NOT NULL)", "CREATE TABLE b (id int PRIMARY KEY, a int NOT NULL REFERENCES a)",
		"ALTER TABLE a DISABLE TRIGGER ALL", "WITH x AS (INSERT INTO a VALUES (1, 1), (2, 2)) INSERT INTO b VALUES (1, 1), (2, 2)",
		"ALTER TABLE a ENABLE TRIGGER ALL", "ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b")
	x := schema(t, s)
	acts := []connector.Act{{Verb: connector.Delete, Table: x.Table("a"), Rows: []connector.Key{{num(1)}}},
		{Verb: connector.Delete, Table: x.Table("b"), Rows: []connector.Key{{num(1)}, {num(7)}}}}
	if _, err := try(t, s, func(tx connector.Tx) ([]int64, error) { return tx.Do(t.Context(), acts) }); fault.KindOf(err) != fault.Conflict {
		t.Errorf("one after the other: %v", err)
	}
	n, err := try(t, s, func(tx connector.Tx) ([]int64, error) {
		return tx.(connector.CycleDeleter).DoTogether(t.Context(), acts)
	})
	if diff := cmp.Diff([]int64{1, 1}, n); err != nil || diff != "" {
		t.Errorf("together: %v %s", err, diff)
	}
	tx, err := s.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(t.Context())
	if all, err := tx.Defer(t.Context()); err != nil || all {
		t.Errorf("keys that cannot be deferred are called deferred: %v", err)
	}
}

func TestPartitionsWithoutAKey(t *testing.T) {
	s, _ := open(t, "CREATE TABLE ev (who text, at date) PARTITION BY RANGE (at)",
		"CREATE TABLE ev1 PARTITION OF ev FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')",
		"CREATE TABLE ev2 (extra int, at date, who text)", "ALTER TABLE ev2 DROP COLUMN extra",
		"ALTER TABLE ev ATTACH PARTITION ev2 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')",
		"INSERT INTO ev VALUES ('a', '2024-05-05'), ('b', '2025-05-05')") // the same ctid in both leaves
	ev := schema(t, s).Table("ev")
	found := rows(t, s, connector.Select{Table: ev, Columns: []string{"tableoid", "ctid", "who", "at"}, Where: where("who", text("b"))})
	act := connector.Act{Verb: connector.Delete, Table: ev, Rows: []connector.Key{found[0][:2]}, Expect: []string{connector.RowHash(found[0][2:])}}
	if n := do(t, s, act); n[0] != 1 {
		t.Errorf("%d rows deleted", n[0])
	}
	if left := rows(t, s, connector.Select{Table: ev, Columns: []string{"who"}}); len(left) != 1 || left[0][0].S != "a" {
		t.Errorf("left: %v", left)
	}
}

func TestPlaceGivenToAnotherRow(t *testing.T) {
	s, dsn := open(t, "CREATE TABLE loose (who text)", "INSERT INTO loose VALUES ('a'), ('b')")
	loose := schema(t, s).Table("loose")
	found := rows(t, s, connector.Select{Table: loose, Columns: []string{"tableoid", "ctid", "who"}, Where: where("who", text("b"))})
	act := connector.Act{Verb: connector.Delete, Table: loose, Rows: []connector.Key{found[0][:2]}, Expect: []string{connector.RowHash(found[0][2:])}}
	pgtest.Exec(t, dsn, "DELETE FROM loose", "VACUUM loose", "INSERT INTO loose VALUES ('x'), ('somebody else')")
	if n := do(t, s, act); n[0] != 0 {
		t.Errorf("%d rows of somebody else deleted", n[0])
	}
	if n := count(t, s, connector.Select{Table: loose}); n != 2 {
		t.Errorf("%d rows left", n)
	}
}

func TestInheritanceListsEachRowOnce(t *testing.T) {
	s, _ := open(t, "CREATE TABLE p (id int PRIMARY KEY)", "CREATE TABLE c (PRIMARY KEY (id)) INHERITS (p)", "INSERT INTO p VALUES (1)", "INSERT INTO c VALUES (2)")
	x := schema(t, s)
	if x.Table("c").Parent != "p" || x.Table("c").Kind != connector.Base {
		t.Errorf("child: %+v", x.Table("c"))
	}
	if n := count(t, s, connector.Select{Table: x.Table("p")}); n != 1 {
		t.Errorf("the parent has %d rows of its own", n)
	}
}

func TestCitextAndFoldedIndex(t *testing.T) {
	s, dsn := open(t, "CREATE SCHEMA ext", "CREATE EXTENSION citext SCHEMA ext", "CREATE TABLE u (mail ext.citext PRIMARY KEY, name varchar(40))",
		"INSERT INTO u SELECT 'U' || i || '@x.example', 'N' || i FROM generate_series(1, 20000) i")
	u := schema(t, s).Table("u")
	if !u.Column("mail").FoldEqual || u.Column("mail").Kind != connector.Text {
		t.Errorf("citext is %+v", u.Column("mail"))
	}
	for want, q := range map[int64]connector.Select{
		0: {Table: u, Where: where("mail", text("u5@x.example"))},
		1: {Table: u, Where: where("mail", text("U5@x.example"))},
	} {
		if n := count(t, s, q); n != want {
			t.Errorf("exactly %d, got %d", want, n)
		}
	}
	pgtest.Exec(t, dsn, s.(connector.Explainer).IndexStatement(u, []string{"lower(name)"}), "ANALYZE u")
	u = schema(t, s).Table("u")
	if !slices.ContainsFunc(u.Indexes, func(i connector.Index) bool { return i.Fold && i.Columns[0] == "name" }) {
		t.Errorf("the folded index is not known: %+v", u.Indexes)
	}
	m := where("name", text(" n77 "))
	m[0].Fold = true
	if n := planned(t, dsn, "Index Scan", u, m); n != 1 {
		t.Error("the folded index is not used")
	}
	if found := rows(t, s, connector.Select{Table: u, Columns: []string{"name"}, Where: m}); len(found) != 1 || found[0][0].S != "N77" {
		t.Errorf("folded: %v", found)
	}
}

func TestDomainsChecksAndNotes(t *testing.T) {
	s, _ := open(t, "CREATE DOMAIN short AS varchar(5) NOT NULL CONSTRAINT has_at CHECK (VALUE LIKE '%@%' AND VALUE <> 'VALUE')",
		"CREATE DOMAIN shorter AS short CONSTRAINT low CHECK (VALUE = lower(VALUE))", `CREATE TABLE d (id int PRIMARY KEY, "My Mail" shorter, up int)`,
		"ALTER TABLE d ADD CONSTRAINT up FOREIGN KEY (up) REFERENCES d NOT VALID", "CREATE RULE r AS ON DELETE TO d DO ALSO SELECT 1",
		"CREATE PUBLICATION pub FOR TABLE d", "CREATE VIEW seen AS SELECT * FROM d")
	x := schema(t, s)
	d := x.Table("d")
	c := d.Column("My Mail")
	if c.Kind != connector.Text || c.Length != 5 || !c.NotNull || c.Base != "character varying(5)" {
		t.Errorf("domain column: %+v", c)
	}
	for _, check := range d.Checks {
		for value, want := range map[string]bool{"a@b": true, "aab": false, "A@b": check.Name == "has_at", "toolong@": false} {
			got, err := s.(connector.Evaluator).Allowed(t.Context(), d, check, map[string]connector.Value{"My Mail": text(value)})
			if value == "aab" {
				want = check.Name == "low"
			}
			if err != nil || got != want {
				t.Errorf("%s allows %q: %v %v", check.Name, value, got, err)
			}
		}
	}
	var codes []string
	for _, n := range x.Notes {
		codes = append(codes, n.Code)
	}
	slices.Sort(codes)
	if diff := cmp.Diff([]string{"not-valid", "publication", "rule"}, codes); len(d.Checks) != 2 || diff != "" {
		t.Errorf("checks %+v, notes %s", d.Checks, diff)
	}
}

func TestViewOfAnotherOwner(t *testing.T) {
	_, dsn := open(t, "CREATE TABLE base (id int PRIMARY KEY)", "INSERT INTO base VALUES (1)", "CREATE VIEW middle AS SELECT * FROM base",
		`CREATE MATERIALIZED VIEW "Far" AS SELECT * FROM middle`, `CREATE MATERIALIZED VIEW "Farther" AS SELECT * FROM "Far"`)
	role, roleDSN := pgtest.Role(t, dsn)
	pgtest.Exec(t, dsn, "GRANT ALL ON base TO "+role)
	s := connect(t, roleDSN)
	_, err := s.(connector.Maintainer).Maintain(t.Context(), []*connector.Table{schema(t, s).Table("base")})
	if fault.KindOf(err) != fault.Denied || !strings.Contains(err.Error(), "Far, public.Farther") {
		t.Errorf("views of somebody else: %v", err)
	}
	s = connect(t, dsn)
	did, err := s.(connector.Maintainer).Maintain(t.Context(), []*connector.Table{schema(t, s).Table("base")})
	if err != nil || len(did) != 3 || !strings.Contains(did[2], "VACUUM") {
		t.Errorf("maintenance: %q %v", did, err)
	}
}

func TestSchemaOfTheRole(t *testing.T) {
	_, dsn := open(t, `CREATE SCHEMA "App"`, `CREATE TABLE "App".people (id int PRIMARY KEY)`)
	role, roleDSN := pgtest.Role(t, dsn)
	pgtest.Exec(t, dsn, "ALTER ROLE "+role+` SET search_path = "App", public`, `GRANT USAGE ON SCHEMA "App" TO `+role)
	x := schema(t, connect(t, roleDSN))
	if x.Default != "App" || x.Table("people") == nil || !x.Table("people").InDefault {
		t.Errorf("the default schema is %q", x.Default)
	}
}

func TestErrorsAreFaults(t *testing.T) {
	_, dsn := open(t, "CREATE TABLE x (id int)")
	_, err := postgres.Open(t.Context(), connector.Config{System: "shop", DSN: strings.Replace(dsn, "/t_", "/gone_", 1)})
	if fault.KindOf(err) != fault.Unavailable || strings.Contains(err.Error(), "gone_") {
		t.Errorf("a database that is not there: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := postgres.Open(ctx, connector.Config{System: "shop", DSN: dsn}); !errors.Is(err, context.Canceled) {
		t.Errorf("opening after cancellation: %v", err)
	}
}

// Every index that has to serve does, whatever the type of its column.
func TestIndexesServe(t *testing.T) {
	types := map[string]string{"bigint": "i", "varchar(20)": "'k' || i", "char(9)": "'k' || i", "uuid": "md5(i::text)::uuid", "mail": "i || '@x'",
		"ext.citext": "'K' || i", "inet": "'10.0.0.0'::inet + i", "numeric(12,2)": "i", "timestamptz": "'2000-01-01'::timestamptz + make_interval(hours => i)",
		"bytea": "decode(md5(i::text), 'hex')"}
	setup := []string{"CREATE SCHEMA ext", "CREATE EXTENSION citext SCHEMA ext", "CREATE DOMAIN mail AS varchar(40)"}
	for name, value := range types {
		table := quote("t " + name)
		setup = append(setup, "CREATE TABLE "+table+" (k "+name+" PRIMARY KEY, v int)",
			"INSERT INTO "+table+" SELECT "+value+", i FROM generate_series(1, 20000) i", "ANALYZE "+table)
	}
	s, dsn := open(t, setup...)
	x := schema(t, s)
	for name := range types {
		table := x.Table("t " + name)
		cell := rows(t, s, connector.Select{Table: table, Columns: []string{"k"}, Where: where("v", num(7))})[0][0]
		if planned(t, dsn, "Index", table, where("k", cell)) == 0 {
			t.Errorf("the key of type %s is not found by its index", name)
		}
	}
}

// planned counts how often a kind of node is in the plan of a select, as auto_explain tells it.
func planned(t *testing.T, dsn, node string, table *connector.Table, m []connector.Match) (n int) {
	t.Helper()
	u := dsn + "&session_preload_libraries=auto_explain&auto_explain.log_min_duration=0&client_min_messages=log"
	config, err := pgconn.ParseConfig(u)
	if err != nil {
		t.Fatal(err)
	}
	config.OnNotice = func(_ *pgconn.PgConn, notice *pgconn.Notice) { n += strings.Count(notice.Message, node) }
	conn, err := pgconn.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	sql, args := postgres.SelectSQL(connector.Select{Table: table, Where: m})
	if _, err := conn.ExecParams(t.Context(), sql, args, nil, nil, nil).Close(); err != nil {
		t.Fatal(err)
	}
	return n
}

// A statement that is prepared by then survives a change of its table.
func TestTableChangesBetweenSelects(t *testing.T) {
	s, dsn := open(t, "CREATE TABLE x (id int PRIMARY KEY, n int)", "INSERT INTO x VALUES (1, 2)")
	q := connector.Select{Table: schema(t, s).Table("x"), Columns: []string{"n"}, Where: where("id", num(1))}
	for range 8 {
		rows(t, s, q)
	}
	pgtest.Exec(t, dsn, "ALTER TABLE x ALTER n TYPE text USING 'now ' || n")
	for range 3 {
		if got := rows(t, s, q); got[0][0].S != "now 2" {
			t.Errorf("after the change: %v", got)
		}
	}
}
