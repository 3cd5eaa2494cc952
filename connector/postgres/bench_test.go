package postgres_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/internal/testkit/pgtest"
)

// BenchmarkCatalog reads a thousand tables of 21 columns with two keys each.
func BenchmarkCatalog(b *testing.B) {
	dsn := pgtest.DSN(b)
	columns := ""
	for i := range 18 {
		columns += fmt.Sprintf(", c%d varchar(40)", i)
	}
	for i := range 1000 {
		keys := ""
		if i > 0 {
			keys = fmt.Sprintf(", FOREIGN KEY (a) REFERENCES t%d, FOREIGN KEY (b) REFERENCES t%d", i/2, i-1)
		}
		pgtest.Exec(b, dsn, fmt.Sprintf("CREATE TABLE t%d (id bigint PRIMARY KEY, a bigint, b bigint%s%s)", i, columns, keys))
	}
	pgtest.Exec(b, dsn, "VACUUM ANALYZE")
	s := connect(b, dsn)
	b.Run("schema", func(b *testing.B) {
		for b.Loop() {
			if x, err := s.Schema(b.Context()); err != nil || len(x.Tables) != 1000 {
				b.Fatal(err)
			}
		}
	})
	b.Run("fingerprint", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.Fingerprint(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkPerson reads one person's rows from eight tables, against one statement written by hand.
func BenchmarkPerson(b *testing.B) {
	dsn := pgtest.DSN(b)
	var parts []string
	for i := range 8 {
		pgtest.Exec(b, dsn, fmt.Sprintf(`CREATE TABLE p%d (id bigint PRIMARY KEY, owner bigint, a text, b timestamptz, c numeric(10,2), d jsonb);
			INSERT INTO p%d SELECT i, i / 10, 'text ' || i, now(), i, '{"a": 1}' FROM generate_series(1, 20000) i; CREATE INDEX ON p%d (owner)`, i, i, i))
		parts = append(parts, fmt.Sprintf("'p%d', (SELECT json_agg(p) FROM p%d p WHERE owner = $1)", i, i))
	}
	pgtest.Exec(b, dsn, "VACUUM ANALYZE")
	s := connect(b, dsn)
	x, err := s.Schema(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	b.Run("connector", func(b *testing.B) {
		b.ReportAllocs()
		for n := int64(1); b.Loop(); n++ {
			var qs []connector.Select
			for i := range 8 {
				qs = append(qs, connector.Select{Table: x.Table(fmt.Sprintf("p%d", i)), Columns: []string{"id", "owner", "a", "b", "c", "d"}, Where: where("owner", num(n%2000))})
			}
			if err := s.Select(b.Context(), qs, func(int, []connector.Value) error { return nil }); err != nil {
				b.Fatal(err)
			}
		}
	})
	conn, err := pgx.Connect(b.Context(), dsn)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close(context.Background())
	b.Run("by hand", func(b *testing.B) {
		b.ReportAllocs()
		var document []byte
		for n := 1; b.Loop(); n++ {
			if err := conn.QueryRow(b.Context(), "SELECT json_build_object("+strings.Join(parts, ", ")+")", n%2000).Scan(&document); err != nil {
				b.Fatal(err)
			}
		}
	})
}
