package sqlite_test

import (
	"database/sql"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/connector/connectortest"
	"github.com/ombudhq/ombud/connector/sqlite"
)

func TestConformance(t *testing.T) {
	folder := t.TempDir()
	for name, pragma := range map[string]string{
		"journal": "PRAGMA journal_mode = DELETE", "wal": "PRAGMA journal_mode = WAL", "utf16": "PRAGMA encoding = 'UTF-16'",
	} {
		t.Run(name, func(t *testing.T) { connectortest.Run(t, harness(folder, pragma)) })
	}
}

func harness(folder, pragma string) connectortest.Harness {
	return connectortest.Harness{
		Engine: "sqlite",
		Open:   sqlite.Open,
		Start: func(t *testing.T) connectortest.System {
			path := filepath.Join(t.TempDir(), "a store.db")
			db := create(t, path)
			exec(t, db, pragma, "CREATE TABLE first (id)", "DROP TABLE first") // the encoding is fixed by the first table
			return connectortest.System{Config: connector.Config{System: "shop", DSN: path}, DB: db}
		},
		Quote:   quote,
		Param:   func(int) string { return "?" },
		BigText: "TEXT",
		Types: map[connector.Kind]string{
			connector.Text: "TEXT", connector.Int: "INTEGER", connector.Decimal: "DECIMAL(10,2)", connector.Float: "REAL",
			connector.Bool: "BOOLEAN", connector.Bytes: "BLOB", connector.Time: "DATE", connector.JSON: "JSON", connector.UUID: "UUID",
		},
		Has: connectortest.Features{
			Defer: true, Deferrable: true, PartialIndex: true, LowerIndex: true, SetDefault: true, Generated: true, Checks: true,
			NulInText: true, BrokenText: !strings.Contains(pragma, "UTF-16"), FoldedNames: true,
		},
		Unkeyed: connector.ByPhysical,
		AuditTrigger: func(name, table, column, into, intoColumn string) []string {
			return []string{"CREATE TRIGGER " + quote(name) + " AFTER DELETE ON " + quote(table) + " BEGIN INSERT INTO " +
				quote(into) + " (" + quote(intoColumn) + ") VALUES (old." + quote(column) + "); END"}
		},
		Missing: connector.Config{System: "shop", DSN: filepath.Join(folder, "t0p-s3cret.db")},
		Wrong:   connector.Config{System: "shop", DSN: "file:x.db?key=t0p-s3cret"},
		Secret:  "t0p-s3cret",
	}
}

func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// create makes an empty SQLite file and opens it with the driver, foreign keys enforced.
func create(t testing.TB, path string) *sql.DB {
	t.Helper()
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	u := url.URL{Scheme: "file", Path: path, RawQuery: "_pragma=foreign_keys(1)&_pragma=busy_timeout(5000)"}
	db, err := sql.Open("sqlite", u.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func exec(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("setting up with %.200q: %v", s, err)
		}
	}
}
