package postgres_test

import (
	"testing"

	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/internal/testkit/pgtest"
)

// What is told with rows is the fingerprint, as long as nobody has written since it was asked for.
func TestRowsTellTheFingerprint(t *testing.T) {
	s, dsn := open(t, "CREATE TABLE a (id int PRIMARY KEY)", "INSERT INTO a VALUES (1), (2)")
	a := schema(t, s).Table("a")
	tells := func(where []connector.Match, rows int) string {
		t.Helper()
		got, err := s.(connector.Fingerprinter).SelectFingerprinted(t.Context(), []connector.Select{{Table: a, Columns: []string{"id"}, Where: where}},
			func(int, []connector.Value) error { rows--; return nil })
		if err != nil || rows != 0 {
			t.Errorf("%d rows are missing: %v", rows, err)
		}
		return got
	}
	if told := tells(nil, 2); told != "" {
		t.Errorf("nobody asked before, and it tells %q", told)
	}
	for rows, where := range [][]connector.Match{where("id"), where("id", num(1)), nil} {
		print, told := "", ""
		for tries := 0; told == "" && tries < 100; tries++ { // other tests write on this server
			var err error
			if print, err = s.Fingerprint(t.Context()); err != nil {
				t.Fatal(err)
			}
			told = tells(where, rows)
		}
		if told != print {
			t.Errorf("%d rows tell %q, not %q", rows, told, print)
		}
	}
	for _, change := range []string{"DELETE FROM a WHERE id = 7; INSERT INTO a VALUES (3); DELETE FROM a WHERE id = 3", "ALTER TABLE a ADD b int"} {
		pgtest.Exec(t, dsn, change)
		if told := tells(nil, 2); told != "" {
			t.Errorf("somebody wrote, and it tells %q", told)
		}
		if _, err := s.Fingerprint(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}
