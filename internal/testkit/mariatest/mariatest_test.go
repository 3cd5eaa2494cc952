package mariatest_test

import (
	"database/sql"
	"errors"
	"net"
	"os"
	"testing"

	"github.com/go-sql-driver/mysql"

	"github.com/ombudhq/ombud/internal/testkit/mariatest"
)

func TestEveryTestHasItsOwnDatabase(t *testing.T) {
	a, b := mariatest.DSN(t), mariatest.DSN(t)
	mariatest.Exec(t, a, "CREATE TABLE t (id int)", "INSERT INTO t VALUES (1)")
	mariatest.Exec(t, b, "CREATE TABLE t (id int)")
	if mariatest.Database(t, a) == mariatest.Database(t, b) {
		t.Fatal("two databases have one name")
	}
}

func TestRolesAreReal(t *testing.T) {
	dsn := mariatest.DSN(t)
	mariatest.Exec(t, dsn, "CREATE TABLE a (id int)", "CREATE TABLE b (id int)")
	db, err := sql.Open("mysql", mariatest.User(t, dsn, "SELECT ON `"+mariatest.Database(t, dsn)+"`.`a`"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("SELECT * FROM a"); err != nil {
		t.Error(err)
	}
	var denied *mysql.MySQLError
	if _, err := db.Exec("SELECT * FROM b"); !errors.As(err, &denied) || denied.Number != 1142 {
		t.Errorf("want error 1142, got %v", err)
	}
}

func TestStopRemovesEverything(t *testing.T) {
	dsn, stop, err := mariatest.Start()
	if err != nil {
		t.Fatal(err)
	}
	mariatest.Exec(t, dsn, "CREATE DATABASE x")
	c, err := mysql.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	stop()
	stop()
	if _, err := net.Dial("unix", c.Addr); err == nil {
		t.Error("the server still answers")
	}
	if _, err := os.Stat(c.Addr); !errors.Is(err, os.ErrNotExist) {
		t.Error("its files are still there")
	}
}
