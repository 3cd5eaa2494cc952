// Package mariatest gives tests a real MariaDB. A server whose root DSN is in OMBUD_TEST_MARIA is
// used when there is one, which may be a MySQL: see MySQL; otherwise the first test of a process starts a private server in a
// temporary directory, reachable by a unix socket only, that ends with the process however it ends.
// Every call of DSN makes a fresh database. The system's own server and its files are never touched.
//
// A missing MariaDB fails the test: a test that is skipped proves nothing.
package mariatest

import (
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/go-sql-driver/mysql"
)

// Env names the variable with the root DSN of a server that runs already, in the form of
// go-sql-driver: user:password@unix(/path)/ or user:password@tcp(host:port)/.
const Env = "OMBUD_TEST_MARIA"

// shared is the process's private server: started by the first test that asks, ended with the process.
var shared = sync.OnceValues(func() (string, error) {
	dsn, _, err := Start()
	return dsn, err
})

// Root is the DSN of the server's administrator, without a database.
func Root(t testing.TB) string {
	t.Helper()
	if dsn := os.Getenv(Env); dsn != "" {
		return dsn
	}
	dsn, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return dsn
}

// MySQL reports whether the server is a MySQL, which knows less: no versioned tables, no UUID, other collations.
func MySQL(t testing.TB) bool {
	t.Helper()
	db, err := sql.Open("mysql", Root(t))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var version string
	if err := db.QueryRow("SELECT VERSION()").Scan(&version); err != nil {
		t.Fatal(err)
	}
	return !strings.Contains(version, "MariaDB")
}

// DSN makes a fresh database and answers the administrator's DSN with that database selected.
// The database is dropped when the test ends.
func DSN(t testing.TB) string {
	t.Helper()
	c := parse(t, Root(t))
	c.DBName = "t_" + random()
	Exec(t, Root(t), "CREATE DATABASE `"+c.DBName+"` CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci")
	t.Cleanup(func() { // whatever still refers to its tables
		Exec(t, Root(t), "SET foreign_key_checks = 0", "DROP DATABASE IF EXISTS `"+c.DBName+"`")
	})
	return c.FormatDSN()
}

// Database is the name of the database that a DSN selects.
func Database(t testing.TB, dsn string) string {
	t.Helper()
	return parse(t, dsn).DBName
}

// User makes an account with the grants alone ("SELECT ON `db`.`t`", "PROCESS ON *.*") and answers
// the DSN by which it opens the database of dsn. The account is dropped when the test ends.
func User(t testing.TB, dsn string, grants ...string) string {
	t.Helper()
	c := parse(t, dsn)
	c.User, c.Passwd = "u_"+random(), random()
	account := "'" + c.User + "'@'%'"
	Exec(t, Root(t), "CREATE USER "+account+" IDENTIFIED BY '"+c.Passwd+"'")
	t.Cleanup(func() { Exec(t, Root(t), "DROP USER "+account) })
	for _, g := range grants {
		Exec(t, Root(t), "GRANT "+g+" TO "+account)
	}
	return c.FormatDSN()
}

// Exec runs statements, each on its own, and fails the test on the first error.
func Exec(t testing.TB, dsn string, statements ...string) {
	t.Helper()
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1) // SET and USE hold for the statements after them
	for _, s := range statements {
		if strings.TrimSpace(s) == "" {
			continue
		}
		if _, err := db.Exec(s); err != nil {
			t.Fatalf("%v\n%s", err, s)
		}
	}
}

func parse(t testing.TB, dsn string) *mysql.Config {
	t.Helper()
	c, err := mysql.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func random() string {
	b := make([]byte, 8)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}
