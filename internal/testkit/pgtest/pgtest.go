// Package pgtest gives tests a real PostgreSQL: a fresh database per call in a throw-away cluster.
// One cluster serves all packages of a run when OMBUD_TEST_PG names it (make test does that);
// otherwise each test process starts its own, which ends with the process. Nothing is left behind.
package pgtest

import (
	"context"
	"crypto/rand"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Env names the superuser's DSN of a cluster to share, as a URL.
const Env = "OMBUD_TEST_PG"

// private is this process's own cluster, started when first asked for: the one thing that the
// tests of a process have in common.
var private struct {
	once sync.Once
	dsn  string
	stop func()
	err  error
}

// Main runs the tests and then waits until a cluster of this process is gone. It is optional: the
// end of the process has the same effect a moment later.
func Main(m *testing.M) int {
	code := m.Run()
	private.once.Do(func() {}) // nobody starts one now
	if private.stop != nil {
		private.stop()
	}
	return code
}

// DSN makes an empty database and answers its superuser's DSN; the database goes with the test.
// Without PostgreSQL the test fails: a store nobody tested is no reason to pass.
func DSN(t testing.TB) string {
	t.Helper()
	admin := address(t)
	name := "t_" + unique()
	Exec(t, admin, "CREATE DATABASE "+name+" TEMPLATE template0")
	t.Cleanup(func() { Exec(t, admin, "DROP DATABASE "+name+" WITH (FORCE)") })
	return with(t, admin, func(u *url.URL) { u.Path = "/" + name })
}

// Role makes a login role without any rights and answers its name and its DSN for the database of
// dsn. The role and what it owns there go with the test.
func Role(t testing.TB, dsn string) (name, roleDSN string) {
	t.Helper()
	name = "r_" + unique()
	Exec(t, dsn, "CREATE ROLE "+name+" LOGIN NOSUPERUSER PASSWORD '"+name+"'")
	t.Cleanup(func() { Exec(t, dsn, "DROP OWNED BY "+name+" CASCADE", "DROP ROLE "+name) })
	return name, with(t, dsn, func(u *url.URL) { u.User = url.UserPassword(name, name) })
}

// Exec runs statements one after the other, each possibly several separated by semicolons.
func Exec(t testing.TB, dsn string, statements ...string) {
	t.Helper()
	// A test's own context ends before its clean-up does.
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatalf("connecting to the test cluster: %v", err)
	}
	defer conn.Close(ctx)
	for _, s := range statements {
		if _, err := conn.PgConn().Exec(ctx, s).ReadAll(); err != nil {
			t.Fatalf("running %.200q: %v", s, err)
		}
	}
}

// address is the shared cluster's DSN or that of the private one.
func address(t testing.TB) string {
	t.Helper()
	if dsn := os.Getenv(Env); dsn != "" {
		return dsn
	}
	private.once.Do(func() { private.dsn, private.stop, private.err = Start() })
	if private.err != nil {
		t.Fatal(private.err)
	}
	return private.dsn
}

func with(t testing.TB, dsn string, change func(*url.URL)) string {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatalf("%s is not a URL", Env)
	}
	change(u)
	return u.String()
}

// unique is a name nobody else has, in lower case so that it needs no quotes.
func unique() string { return strings.ToLower(rand.Text()[:16]) }
