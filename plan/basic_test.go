package plan_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/connector/sqlite"
	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/subject"
	"github.com/ombudhq/ombud/vault"
)

// shop is the smallest company that has every kind of fate: an owner, children, a kept row with its
// parts, somebody else's row that mentions, a row of two people.
const shop = `
create table customers (id integer primary key, email text not null unique, name text, referred_by integer references customers(id));
create table orders (id integer primary key, customer_id integer not null references customers(id), note text);
create table lines (id integer primary key, order_id integer not null references orders(id), what text);
create table invoices (id integer primary key, order_id integer not null references orders(id), issued_at text, email text);
create table invoice_lines (id integer primary key, invoice_id integer not null references invoices(id), amount integer);
create table messages (id integer primary key, from_customer integer references customers(id), to_customer integer references customers(id), body text);
insert into customers values (1, 'Ida@example.com', 'Ida Nordmann', null), (2, 'bo@example.com', 'Bo Berg', 1), (3, 'ida.n@example.com', 'Ida Nordman', null);
insert into orders values (10, 1, 'ring at the back'), (11, 1, null), (20, 2, 'bo');
insert into lines values (100, 10, 'tent'), (101, 11, 'rope'), (200, 20, 'axe');
insert into invoices values (50, 10, '2025-03-01', 'ida@example.com');
insert into invoice_lines values (500, 50, 10);
insert into messages values (1, 1, 2, 'hello Bo'), (2, 2, 1, 'hello Ida, your ida@example.com works'), (3, 2, 3, 'not ida'), (4, 3, 2, 'ask IDA@example.com, not frida@example.com');
`

type fixture struct {
	engine *plan.Engine
	shop   *sql.DB
}

func newFixture(t *testing.T, schema string, system catalog.System) *fixture {
	t.Helper()
	ctx := context.Background()
	dir := t.TempDir()
	file := filepath.Join(dir, "shop.db")
	raw, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { raw.Close() })
	if _, err := raw.Exec(schema); err != nil {
		t.Fatal(err)
	}
	clk := clock.NewFake(time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC))
	store, err := db.Open(ctx, db.Config{Path: filepath.Join(dir, "ombud.db"), Clock: clk})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	keys, err := vault.Open(vault.Config{Dir: filepath.Join(dir, "keys")})
	if err != nil {
		t.Fatal(err)
	}
	system.ID, system.Connector, system.DSN = "shop", "sqlite", file
	cat := catalog.Open(ctx, &catalog.Config{Systems: []catalog.System{system}}, map[string]connector.Opener{"sqlite": sqlite.Open}, clk)
	t.Cleanup(func() { cat.Close() })
	e, err := plan.New(ctx, plan.Config{Catalog: cat, DB: store, Vault: keys, Clock: clk, TempDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	return &fixture{e, raw}
}

func shopSystem() catalog.System {
	return catalog.System{
		People: []catalog.People{{Table: "customers", By: map[string]string{"email": "email", "customer": "id"}}},
		Links: []catalog.Link{
			{From: "messages.from_customer", To: "customers.id", As: catalog.Co, Author: true},
			{From: "messages.to_customer", To: "customers.id", As: catalog.Co},
		},
		Tables: []catalog.TableRule{
			{Table: "invoices", Erase: catalog.Keep, Because: "bookkeeping law", Until: "5 years after issued_at"},
			{Table: "messages", Erase: catalog.Redact, Columns: []string{"body"}},
		},
	}
}

func ida(kind plan.Kind) plan.Question {
	return plan.Question{Request: "dsr_1", Kind: kind, People: []plan.Person{{Identities: []subject.Identity{{Kind: "email", Value: " ida@EXAMPLE.com "}}}}}
}

func (f *fixture) text(t *testing.T, query string) string {
	t.Helper()
	var s sql.NullString
	if err := f.shop.QueryRow(query).Scan(&s); err != nil {
		t.Fatal(err)
	}
	return s.String
}

func TestErasureFromPlanToProof(t *testing.T) {
	f := newFixture(t, shop, shopSystem())
	ctx := context.Background()
	p, err := f.engine.Plan(ctx, ida(plan.Erasure))
	if err != nil {
		t.Fatal(err)
	}
	if p.Matched != 1 || len(p.Gaps) != 0 {
		t.Fatalf("matched %d, gaps %+v", p.Matched, p.Gaps)
	}
	o, err := f.engine.Run(ctx, ida(plan.Erasure), p, nil)
	if err != nil {
		t.Fatal(err)
	}
	if o.Status != plan.Complete {
		t.Fatalf("%s: %+v", o.Status, o.Remaining)
	}
	for query, want := range map[string]string{
		`select group_concat(id) from (select id from customers order by id)`:   "1,2,3", // 1 stays as a shell: a kept invoice needs its order
		`select count(*) from customers where email like '%ida@%'`:              "0",
		`select email from customers where id = 3`:                              "ida.n@example.com",
		`select group_concat(id) from (select id from orders order by id)`:      "10,20",
		`select coalesce(note, 'none') from orders where id = 10`:               "none",
		`select group_concat(id) from (select id from lines order by id)`:       "200",
		`select email from invoices where id = 50`:                              "ida@example.com",
		`select count(*) from invoice_lines`:                                    "1",
		`select body from messages where id = 1`:                                "[erased]",
		`select body from messages where id = 2`:                                "hello [erased], your [erased] works",
		`select body from messages where id = 4`:                                "ask [erased], not frida@example.com",
		`select body from messages where id = 3`:                                "not ida",
		`select count(*) from pragma_foreign_key_check`:                         "0",
		`select coalesce(referred_by, 'null') from customers where id = 2`:      "1", // an anonymised row keeps the reference
		`select from_customer || '/' || to_customer from messages where id = 1`: "1/2",
	} {
		if got := f.text(t, query); got != want {
			t.Errorf("%s: got %q, want %q", query, got, want)
		}
	}
}

func TestDriftAsksAgain(t *testing.T) {
	f := newFixture(t, shop, shopSystem())
	ctx := context.Background()
	p, err := f.engine.Plan(ctx, ida(plan.Erasure))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.shop.Exec(`insert into orders values (12, 1, null)`); err != nil {
		t.Fatal(err)
	}
	_, err = f.engine.Run(ctx, ida(plan.Erasure), p, nil)
	var drift *plan.Drift
	if !errors.As(err, &drift) || drift.Plan.Hash == p.Hash {
		t.Fatalf("got %v", err)
	}
	if got := f.text(t, `select count(*) from orders`); got != "4" {
		t.Errorf("%s orders, nothing may be touched", got)
	}
}

type rows map[string]int

func (r rows) Row(d plan.Item, _ []connector.Value) error {
	r[d.Dataset]++
	return nil
}

func TestAccessShipsOwnAndHoldsOthersWords(t *testing.T) {
	f := newFixture(t, shop, shopSystem())
	got := rows{}
	_, o, err := f.engine.Export(context.Background(), ida(plan.Access), got, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := rows{"customers": 1, "orders": 2, "lines": 2, "invoices": 1, "invoice_lines": 1, "messages": 2}
	for d, n := range want {
		if got[d] != n {
			t.Errorf("%s: %d rows, want %d", d, got[d], n)
		}
	}
	if len(o.Held) == 0 || o.Status != plan.Complete {
		t.Errorf("held %+v, %s", o.Held, o.Status)
	}
}

func TestRetryFindsRowsThatCameBack(t *testing.T) {
	// An event comes for an order that was erased: no key of the person is left to find it by.
	ctx := context.Background()
	sys := shopSystem()
	sys.Links = append(sys.Links, catalog.Link{From: "events.order_id", To: "orders.id"})
	f2 := newFixture(t, shop+`create table events (id integer, order_id integer);`, sys)
	p, err := f2.engine.Plan(ctx, ida(plan.Erasure))
	if err != nil {
		t.Fatal(err)
	}
	o, err := f2.engine.Run(ctx, ida(plan.Erasure), p, nil)
	if err != nil || o.Status != plan.Complete {
		t.Fatalf("%v %+v", err, o)
	}
	if _, err := f2.shop.Exec(`insert into events values (101, 11)`); err != nil {
		t.Fatal(err)
	}
	p2, err := f2.engine.Plan(ctx, ida(plan.Erasure))
	if err != nil {
		t.Fatal(err)
	}
	o, err = f2.engine.Run(ctx, ida(plan.Erasure), p2, nil)
	if err != nil || o.Status != plan.Complete {
		t.Fatalf("%v %+v", err, o)
	}
	if got := f2.text(t, `select count(*) from events`); got != "0" {
		t.Errorf("%s events left", got)
	}
}
