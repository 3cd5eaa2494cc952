package postgres_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/connector/connectortest"
	"github.com/ombudhq/ombud/connector/postgres"
	"github.com/ombudhq/ombud/internal/testkit/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func TestConformance(t *testing.T) {
	const secret = "hunter2secret"
	connectortest.Run(t, connectortest.Harness{
		Engine: "postgres", Open: postgres.Open, Start: begin, Quote: quote,
		Param: func(n int) string { return "$" + strconv.Itoa(n) },
		Types: map[connector.Kind]string{
			connector.Text: "varchar(200)", connector.Int: "bigint", connector.Decimal: "numeric(12,2)", connector.Float: "double precision",
			connector.Bool: "boolean", connector.Bytes: "bytea", connector.Time: "date", connector.JSON: "jsonb", connector.UUID: "uuid",
		},
		BigText: "text",
		Has: connectortest.Features{Defer: true, Deferrable: true, Enum: true, PartialIndex: true, LowerIndex: true, SetDefault: true,
			Generated: true, Checks: true, NameBytes: 63, TypedColumns: true},
		Unkeyed: connector.ByPhysical,
		AuditTrigger: func(name, table, column, into, intoColumn string) []string {
			return []string{
				"CREATE FUNCTION " + quote(name) + "() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO " + quote(into) +
					" (" + quote(intoColumn) + ") VALUES (OLD." + quote(column) + "); RETURN OLD; END$$",
				"CREATE TRIGGER " + quote(name) + " AFTER DELETE ON " + quote(table) + " FOR EACH ROW EXECUTE FUNCTION " + quote(name) + "()",
			}
		},
		Partitioned: func(table string) []string {
			return []string{
				"CREATE TABLE " + quote(table) + " (id bigint PRIMARY KEY, k bigint) PARTITION BY RANGE (id)",
				"CREATE TABLE " + quote(table+"_0") + " PARTITION OF " + quote(table) + " FOR VALUES FROM (0) TO (100)",
				"CREATE TABLE " + quote(table+"_1") + " PARTITION OF " + quote(table) + " FOR VALUES FROM (100) TO (200)",
			}
		},
		MatView: func(view, table string) string {
			return "CREATE MATERIALIZED VIEW " + quote(view) + " AS SELECT * FROM " + quote(table)
		},
		Missing: connector.Config{System: "shop", DSN: "postgres://u:" + secret + "@127.0.0.1:1/x"},
		Wrong:   connector.Config{System: "shop", DSN: "postgres://u:" + secret + "@127.0.0.1:port/x"},
		Secret:  secret,
	})
}

// begin makes an empty database with two schemas.
func begin(t *testing.T) connectortest.System {
	dsn := pgtest.DSN(t)
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if _, err := db.Exec("CREATE SCHEMA elsewhere"); err != nil {
		t.Fatal(err)
	}
	return connectortest.System{
		Config: connector.Config{System: "shop", DSN: dsn}, DB: db, OtherSchema: "elsewhere",
		Unprivileged: func(t *testing.T, table string) connector.Config {
			role, roleDSN := pgtest.Role(t, dsn)
			pgtest.Exec(t, dsn, "GRANT SELECT ON "+quote(table)+" TO "+role)
			return connector.Config{System: "shop", DSN: roleDSN}
		},
	}
}

// open makes a database with the statements and the connector on it.
func open(t *testing.T, statements ...string) (connector.Store, string) {
	t.Helper()
	dsn := pgtest.DSN(t)
	pgtest.Exec(t, dsn, statements...)
	return connect(t, dsn), dsn
}

func connect(t testing.TB, dsn string) connector.Store {
	t.Helper()
	s, err := postgres.Open(context.Background(), connector.Config{System: "shop", DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// TestDisabledKeysAreSeen: a foreign key whose trigger is off holds nothing, so turning it off changes the fingerprint.
func TestDisabledKeysAreSeen(t *testing.T) {
	s, dsn := open(t, "CREATE TABLE a (id int PRIMARY KEY)", "CREATE TABLE b (a int REFERENCES a)")
	var seen []string
	for _, change := range []string{"SELECT", "ALTER TABLE b DISABLE TRIGGER ALL", "ALTER TABLE b ENABLE TRIGGER ALL"} {
		pgtest.Exec(t, dsn, change)
		print, err := s.Fingerprint(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, print)
	}
	if seen[0] == seen[1] || seen[0] != seen[2] {
		t.Errorf("before, off and on again: %v", seen)
	}
}

func TestCommentsAreRead(t *testing.T) {
	s, _ := open(t, "CREATE TABLE a (id int PRIMARY KEY, v text)", "CREATE TABLE b (id int PRIMARY KEY)",
		"COMMENT ON TABLE a IS 'of a'", "COMMENT ON COLUMN a.v IS 'of v'")
	x := schema(t, s)
	a := x.Table("a")
	if a.Comment != "of a" || a.Column("v").Comment != "of v" || a.Column("id").Comment != "" || x.Table("b").Comment != "" {
		t.Errorf("comments: %q %q %q %q", a.Comment, a.Column("v").Comment, a.Column("id").Comment, x.Table("b").Comment)
	}
}

// TestAStoppedQuestionSpoilsNoOther: whoever stops reading gives the connection up, or gives it back as it was.
func TestAStoppedQuestionSpoilsNoOther(t *testing.T) {
	dsn := pgtest.DSN(t)
	pgtest.Exec(t, dsn, "CREATE TABLE r (id int PRIMARY KEY, s text)", "INSERT INTO r SELECT i, repeat('x', 100) FROM generate_series(1, 20000) i")
	s := connect(t, dsn)
	enough := errors.New("enough")
	for _, want := range []int64{3, 20000} { // few come with the first, many are still under way
		keys := make([]connector.Value, want)
		for i := range keys {
			keys[i] = num(int64(i) + 1)
		}
		q := connector.Select{Table: schema(t, s).Table("r"), Columns: []string{"id", "s"}, Where: where("id", keys...)}
		for range 3 {
			if err := s.Select(t.Context(), []connector.Select{q}, func(int, []connector.Value) error { return enough }); !errors.Is(err, enough) {
				t.Fatal(err)
			}
			if n := count(t, s, q); n != want {
				t.Fatalf("%d rows of %d", n, want)
			}
		}
	}
}
