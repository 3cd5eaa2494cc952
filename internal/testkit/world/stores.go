package world

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql" // the driver that tests read MariaDB with
	_ "github.com/jackc/pgx/v5/stdlib" // and PostgreSQL
	_ "modernc.org/sqlite"             // and SQLite

	"github.com/ombudhq/ombud/internal/testkit/mariatest"
	"github.com/ombudhq/ombud/internal/testkit/pgtest"
)

// Engines every scenario runs on.
var Engines = []string{"sqlite", "postgres", "mariadb"}

// Store is one company database, open beside the program so that a test can load, change and read it.
type Store struct {
	System, Engine, DSN string
	DB                  *sql.DB
}

// NewStore makes an empty database. It goes with the test.
func NewStore(t testing.TB, engine, system string) *Store {
	t.Helper()
	s := &Store{System: system, Engine: engine}
	switch engine {
	case "sqlite":
		s.DSN = filepath.Join(t.TempDir(), system+".db")
	case "postgres":
		s.DSN = pgtest.DSN(t)
	case "mariadb":
		s.DSN = mariatest.DSN(t)
	}
	if err := s.Open(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.DB.Close() })
	return s
}

// Open connects to the store's DSN.
func (s *Store) Open() (err error) {
	driver := map[string]string{"sqlite": "sqlite", "postgres": "pgx", "mariadb": "mysql"}[s.Engine]
	dsn := s.DSN
	if s.Engine == "sqlite" {
		dsn = "file:" + strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(dsn) + "?_pragma=busy_timeout(10000)&_pragma=synchronous(0)"
	}
	if s.DB, err = sql.Open(driver, dsn); err != nil {
		return err
	}
	s.DB.SetMaxOpenConns(4)
	return nil
}

// Connector is how ombud.yaml calls the store's connector.
func (s *Store) Connector() string {
	if s.Engine == "mariadb" {
		return "mysql"
	}
	return s.Engine
}

// Exec runs statements one after the other and fails the test at the first that is refused.
func (s *Store) Exec(t testing.TB, statements ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := s.DB.Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, q := range statements {
		if _, err := conn.ExecContext(ctx, q); err != nil {
			t.Fatalf("%s: %.300s: %v", s.Engine, q, err)
		}
	}
}

// Text is the one cell that a query gives, "NULL" for none.
func (s *Store) Text(t testing.TB, query string) string {
	t.Helper()
	var v sql.NullString
	if err := s.DB.QueryRowContext(context.Background(), query).Scan(&v); err != nil {
		t.Fatalf("%s: %s: %v", s.Engine, query, err)
	}
	if !v.Valid {
		return "NULL"
	}
	return v.String
}

// Want holds the answers of queries against what they must be.
func (s *Store) Want(t testing.TB, answers map[string]string) {
	t.Helper()
	for query, want := range answers {
		if got := s.Text(t, query); got != want {
			t.Errorf("%s: %s: got %q, want %q", s.Engine, query, got, want)
		}
	}
}

// Bytes reads the store's file, for what must not be in it any more. SQLite only.
func (s *Store) Bytes(t testing.TB) []byte {
	t.Helper()
	var all []byte
	for _, suffix := range []string{"", "-wal", "-journal"} {
		b, err := os.ReadFile(s.DSN + suffix)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(fmt.Errorf("reading the file of %s: %w", s.System, err))
		}
		all = append(all, b...)
	}
	return all
}
