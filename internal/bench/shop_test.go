package bench

import (
	"context"
	"embed"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"modernc.org/sqlite"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/internal/testkit/world"
	"github.com/ombudhq/ombud/plan"
)

//go:embed sql
var files embed.FS

var engines = []string{"postgres", "sqlite"}

var tables = []string{"users", "addresses", "orders", "order_items", "payments", "sessions", "tickets", "ticket_messages"}

// sqlOf is a file of sql/ with :folded and :n written out.
func sqlOf(t testing.TB, engine, name string, n int) string {
	t.Helper()
	read := func(name string) string {
		b, err := files.ReadFile("sql/" + engine + "/" + name + ".sql")
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	return strings.NewReplacer(":folded", strings.TrimSpace(read("folded")), ":n", strconv.Itoa(n)).Replace(read(name))
}

// statements cuts a file; comments stay with the statement below them.
func statements(text string) []string {
	var out []string
	for s := range strings.SplitSeq(text, ";\n") {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// shop is one database of n people and its owner's name for the engine.
type shop struct {
	engine, dsn string
	n           int
}

// newShop fills a shop: data first, then indexes, then what the engine's owner does after a load.
func newShop(t testing.TB, s *servers, engine string, n int) *shop {
	t.Helper()
	p := &shop{engine: engine, dsn: s.database(t, engine), n: n}
	p.run(t, statements(sqlOf(t, engine, "schema", n))...)
	p.run(t, statements(sqlOf(t, engine, "data", n))...)
	p.run(t, statements(sqlOf(t, engine, "indexes", n))...)
	p.settle(t)
	return p
}

// settle brings statistics up to date and leaves nothing to be written later.
func (p *shop) settle(t testing.TB) {
	t.Helper()
	if p.engine == "postgres" {
		p.run(t, "VACUUM ANALYZE", "CHECKPOINT")
		return
	}
	p.run(t, "ANALYZE", "PRAGMA wal_checkpoint(TRUNCATE)")
}

// run executes statements on a connection of its own.
func (p *shop) run(t testing.TB, list ...string) {
	t.Helper()
	x := newExpert(t, p)
	defer x.close()
	for _, q := range list {
		if err := x.exec(context.Background(), q); err != nil {
			t.Fatalf("%s: %.200s: %v", p.engine, q, err)
		}
	}
}

// email is how person i writes the address; the shop writes it differently.
func email(i int) string { return fmt.Sprintf("user.%d@example.org", i) }

func person(i int) plan.Person { return world.Person("email= " + email(i)) }

// config is the shop's ombud.yaml: who is a person, and that an order sent to somebody's address is not theirs.
func (p *shop) config() *catalog.Config {
	return &catalog.Config{Systems: []catalog.System{{
		ID: "shop", Connector: p.engine, DSN: p.dsn,
		People: []catalog.People{{Table: "users", By: map[string]string{"email": "email"}}},
		Links:  []catalog.Link{{From: "orders.address_id", To: "addresses.id", As: catalog.Mention}},
	}}}
}

// world is the program over the shop. Its value sweeps are queued, never run inside a request.
func (p *shop) world(t testing.TB) *world.World {
	t.Helper()
	return world.New(t, world.Options{Config: p.config(), Dir: t.TempDir(), SweepMS: -1})
}

// dump is every cell of the database, in order.
func (p *shop) dump(t testing.TB) map[string][]string {
	t.Helper()
	x := newExpert(t, p)
	defer x.close()
	out := map[string][]string{}
	for _, table := range tables {
		rows, err := x.texts(context.Background(), table)
		if err != nil {
			t.Fatal(err)
		}
		out[table] = rows
	}
	return out
}

// servers hands out databases: in a PostgreSQL cluster of its own that keeps its promises, and in files.
type servers struct {
	admin string
	made  int
}

func (s *servers) database(t testing.TB, engine string) string {
	t.Helper()
	s.made++
	if engine == "sqlite" {
		return filepath.Join(t.TempDir(), "shop.db")
	}
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, s.admin)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	name := fmt.Sprintf("bench_%d", s.made)
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	return strings.Replace(s.admin, "/postgres?", "/"+name+"?", 1)
}

var _ = sqlite.Driver{} // the driver of the experts' own connections
