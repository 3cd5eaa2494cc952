package pgtest_test

import (
	"context"
	"net/url"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/ombudhq/ombud/internal/testkit/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

func TestDatabasesAreSeparate(t *testing.T) {
	a, b := pgtest.DSN(t), pgtest.DSN(t)
	pgtest.Exec(t, a, "CREATE TABLE x (n int); INSERT INTO x VALUES (1)")
	pgtest.Exec(t, b, "CREATE TABLE x (n int)")
}

func TestRoleHasNoRights(t *testing.T) {
	dsn := pgtest.DSN(t)
	pgtest.Exec(t, dsn, "CREATE TABLE x (n int)")
	_, role := pgtest.Role(t, dsn)
	conn, err := pgx.Connect(t.Context(), role)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), "SELECT FROM x"); err == nil {
		t.Fatal("a new role read somebody else's table")
	}
}

func TestStopRemovesTheCluster(t *testing.T) {
	dsn, stop, err := pgtest.Start("fsync=on")
	if err != nil {
		t.Fatal(err)
	}
	stop()
	stop()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(u.Query().Get("host")); !os.IsNotExist(err) {
		t.Fatalf("the folder is still there: %v", err)
	}
}
