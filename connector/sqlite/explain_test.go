package sqlite_test

import (
	"testing"

	"github.com/ombudhq/ombud/connector"
)

// TestScanCostReadsEveryMakeOfTable: also what has no rowid, no ANALYZE, and no rows.
func TestScanCostReadsEveryMakeOfTable(t *testing.T) {
	s, db := fresh(t)
	for _, q := range []string{
		"CREATE TABLE plain (id INTEGER PRIMARY KEY, n INTEGER, mail TEXT)", "CREATE TABLE keyed (id INTEGER PRIMARY KEY, n INTEGER, mail TEXT) WITHOUT ROWID",
		"CREATE TABLE bare (n INTEGER, mail TEXT)", "CREATE TABLE empty (n INTEGER, mail TEXT)", "CREATE INDEX plain_mail ON plain (mail)",
		"INSERT INTO plain WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < 30000) SELECT i, i, 'm' || i FROM r",
		"INSERT INTO keyed SELECT * FROM plain WHERE id <= 1000", "INSERT INTO bare SELECT n, mail FROM plain WHERE id <= 1000",
	} {
		if _, err := db.Exec(q); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
	for _, name := range []string{"plain", "keyed", "bare", "empty"} {
		of := table(t, s, name)
		for _, column := range []string{"n", "mail", "lower(mail)"} {
			cost, err := s.(connector.Explainer).ScanCost(t.Context(), of, []string{column})
			if err != nil || (cost > 0) != (name != "empty") {
				t.Errorf("%s.%s: %s, %v", name, column, cost, err)
			}
		}
	}
}
