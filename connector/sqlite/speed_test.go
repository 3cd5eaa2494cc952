package sqlite_test

import (
	"fmt"
	"testing"

	"github.com/ombudhq/ombud/connector"
)

// Benchmarks of what a plan and an erasure ask most, on 200,000 rows.

func BenchmarkSelect(b *testing.B) {
	s, people := crowd(b, "CREATE INDEX people_owner ON people (owner)")
	for _, n := range []int64{1, 1_000, 100_000} {
		var keys []connector.Value
		for i := range n {
			keys = append(keys, connector.IntValue(i*2))
		}
		q := []connector.Select{{Table: people, Columns: []string{"id", "mail"}, Where: is("id", keys...)}}
		none := func(int, []connector.Value) error { return nil }
		b.Run(fmt.Sprintf("select-%d", n), func(b *testing.B) {
			for b.Loop() {
				if err := s.Select(b.Context(), q, none); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("look-%d", n), func(b *testing.B) {
			for b.Loop() {
				if err := s.Look(b.Context(), q, none); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkFold(b *testing.B) {
	for name, index := range map[string]string{
		"none": "", "plain": "CREATE INDEX people_mail ON people (mail)", "lower": "CREATE INDEX people_mail ON people (lower(mail))",
	} {
		s, people := crowd(b, index)
		for _, needle := range []string{" P77@Example.com", "pé77@example.com"} {
			where := is("mail", connector.TextValue(needle))
			where[0].Fold = true
			b.Run(fmt.Sprintf("%s-ascii=%v", name, needle[0] == ' '), func(b *testing.B) {
				for b.Loop() {
					if _, err := s.Count(b.Context(), []connector.Select{{Table: people, Where: where}}); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// crowd makes the store of the benchmarks.
func crowd(b *testing.B, index string) (connector.Store, *connector.Table) {
	b.Helper()
	path := b.TempDir() + "/s.db"
	db := create(b, path)
	for _, statement := range []string{
		"CREATE TABLE people (id INTEGER PRIMARY KEY, owner INT, mail TEXT, filler TEXT)",
		`WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 199999)
			INSERT INTO people SELECT i, i % 1000, 'P' || i || '@example.com', hex(zeroblob(60)) FROM n`, index,
	} {
		if _, err := db.Exec(statement); err != nil {
			b.Fatal(err)
		}
	}
	s := open(b, path)
	read, err := s.Schema(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	return s, read.Table("people")
}
