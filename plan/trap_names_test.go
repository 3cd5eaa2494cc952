package plan_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/internal/testkit/gen"
	"github.com/ombudhq/ombud/internal/testkit/world"
	"github.com/ombudhq/ombud/plan"
)

func TestTrap46NamesChangeAfterThePlan(t *testing.T) {
	tr := trap{tables: books + `
create table clicks (id integer primary key, customer_id integer, page varchar(40));
insert into clicks values (1, 1, 'home'), (2, 2, 'home');`, system: bookkeeping()}
	tr.system.Links = []catalog.Link{own("clicks.customer_id")}
	for name, change := range map[string]struct{ sql, code, dataset string }{
		"a linked table is renamed":     {`alter table clicks rename to taps`, "question", "clicks"},
		"a linked column is renamed":    {`alter table clicks rename column customer_id to who`, "question", "clicks"},
		"a linked table is dropped":     {`drop table clicks`, "question", "clicks"},
		"a table with a rule":           {`alter table invoices rename to bills`, "table-missing", "invoices"},
		"the column of identity":        {`alter table customers rename column email to mail`, "column-missing", "customers"},
		"a table that nobody named yet": {`create table extras (id integer primary key, said text)`, "unmapped", "extras"},
	} {
		t.Run(name, func(t *testing.T) {
			tr.spring(t, func(t *testing.T, c *trapped) {
				p := c.plan(t)
				c.store.Exec(t, change.sql)
				p = c.drift(t, p)
				wantNamed(t, p.Gaps, change.code, change.dataset)
				if o := c.run(t, p); o.Status != plan.Incomplete {
					t.Errorf("it is %s", o.Status)
				}
			})
		})
	}
	t.Run("a table with a declared key", func(t *testing.T) { // is found by its key, whatever its name
		tr.spring(t, func(t *testing.T, c *trapped) {
			p := c.plan(t)
			c.store.Exec(t, `create table extras (id integer primary key, customer_id integer references customers(id))`, `insert into extras values (1, 1), (2, 2)`)
			if p = c.drift(t, p); steps(p, "extras") != "delete 1" {
				t.Errorf("extras: %s", steps(p, "extras"))
			}
		})
	})
	t.Run("between journal and act", func(t *testing.T) {
		tr.spring(t, func(t *testing.T, c *trapped) {
			var once sync.Once
			c.options.Hook = func(point string) {
				if point == "own:journal" {
					once.Do(func() { c.store.Exec(t, `alter table clicks rename to taps`) })
				}
			}
			o := c.erase(t, plan.Incomplete)
			if len(o.Remaining) == 0 || o.Remaining[0].Dataset != "clicks" || o.Remaining[0].Rows != 1 {
				t.Errorf("remaining %+v", o.Remaining)
			}
			c.store.Exec(t, `alter table taps rename to clicks`)
			c.erase(t, plan.Complete)
			c.want(t, `select id from clicks`, "2")
		})
	})
}

func TestTrap46NamesThatNeedQuotes(t *testing.T) {
	long := strings.Repeat("ø", 31) + "x" // 63 bytes, where PostgreSQL cuts names
	for _, name := range []string{"Orders", "select", "from where", `quo"te`, "it's", "back`tick", "semi;colon -- x", "dot.ted", "pct%s$1?", long} {
		t.Run(name, func(t *testing.T) {
			for _, engine := range world.Engines {
				q := func(s string) string { return gen.Quote(engine, s) }
				tr := trap{
					on: []string{engine},
					tables: customers + "\ncreate table " + q(name) + " (id integer primary key, " + q("group") + " integer, " + q("Said Text") + ` varchar(40));
insert into ` + q(name) + ` values (1, 1, 'x'), (2, 2, 'y');
create table decoy (id integer primary key, ` + q("group") + ` integer);
insert into decoy values (1, 1);`,
					system: catalog.System{Links: []catalog.Link{own(name + ".group")}, Ignore: []string{"decoy"}},
				}
				tr.spring(t, func(t *testing.T, c *trapped) {
					got, _ := c.export(t)
					got.wantRows(t, name, "1,1,x")
					c.erase(t, plan.Complete)
					c.want(t, "select "+q("Said Text")+" from "+q(name), "y", "select count(*) from decoy", "1")
				})
			}
		})
	}
}

// Only PostgreSQL has a path on which a bare name is looked for.
func TestTrap46OtherSearchPath(t *testing.T) {
	tr := trap{on: []string{"postgres"}, tables: customers + `
create table orders (id integer primary key, customer_id integer not null references customers(id));
insert into orders values (1, 1), (2, 2);
create schema decoy;
create table decoy.customers (id integer primary key, email varchar(100));
create table decoy.orders (id integer primary key, customer_id integer);
insert into decoy.customers values (1, 'bo@example.com');
insert into decoy.orders values (1, 1);`}
	tr.system.People = []catalog.People{{Table: "public.customers", By: map[string]string{"email": "email"}}}
	tr.system.Ignore = []string{"customers", "orders"} // bare names are those of the path
	tr.spring(t, func(t *testing.T, c *trapped) {
		c.options.Config.Systems[0].DSN += map[bool]string{true: "&", false: "?"}[strings.Contains(c.store.DSN, "?")] + "search_path=decoy"
		c.erase(t, plan.Complete)
		c.want(t, `select id from public.orders`, "2", `select id from decoy.orders`, "1", `select id from decoy.customers`, "1")
	})
}

func TestTrap47CollationsAcrossStores(t *testing.T) {
	tr := trap{
		tables: `create table customers (id integer primary key, email varchar(100), name varchar(100));
insert into customers values (1, 'anna@example.com  ', 'Anna'), (2, 'änna@example.com', 'Änna'), (3, 'ann@example.com', 'Ann'), (4, 'strasse@example.com', 'S');
create table leads (id integer primary key, email varchar(100));
insert into leads values (1, 'ANNA@example.com'), (2, 'Änna@example.com'), (3, ' anna@example.com'), (4, 'anna@example.comx');`,
		extra: map[string]string{
			"sqlite":   `create table tags (code varchar(20) collate nocase, customer varchar(20));` + "\n" + tags,
			"postgres": `create table tags (code varchar(20), customer varchar(20));` + "\n" + tags,
			"mariadb": `alter table leads modify email varchar(100) character set latin1 collate latin1_swedish_ci;
alter table customers modify email varchar(100) collate utf8mb4_bin;
create table tags (code varchar(20), customer varchar(20));` + "\n" + tags,
		},
		system: catalog.System{Links: []catalog.Link{{From: "leads.email", To: "customers.email"}, {From: "tags.customer", To: "customers.id"}}},
		person: world.Person("email=Anna@example.com"),
	}
	for _, other := range world.Engines {
		t.Run("beside "+other, func(t *testing.T) {
			tr.spring(t, func(t *testing.T, c *trapped) {
				crm := world.NewStore(t, other, "crm")
				crm.Exec(t, `create table contacts (id integer primary key, mail varchar(100), shop_id varchar(20))`,
					`insert into contacts values (1, 'ANNA@EXAMPLE.COM', '1'), (2, 'änna@example.com', '2'), (3, 'anna@example.com.au', '12')`,
					`create table calls (id integer primary key, shop_customer varchar(20))`,
					`insert into calls values (1, '1'), (2, '12'), (3, '01'), (4, '1x')`)
				c.options.Config.Systems = append(c.options.Config.Systems, catalog.System{ID: "crm", Connector: crm.Connector(), DSN: crm.DSN,
					People: []catalog.People{{Table: "contacts", By: map[string]string{"email": "mail"}}},
					Links:  []catalog.Link{{From: "calls.shop_customer", To: "shop.customers.id"}}})
				c.erase(t, plan.Complete)
				c.want(t, `select id from customers order by id`, "2 3 4", `select id from leads order by id`, "2 4", `select code from tags order by code`, "b c d")
				crm.Want(t, map[string]string{
					`select count(*) from contacts`: "2", `select count(*) from contacts where id = 1`: "0",
					`select count(*) from calls`: "3", `select count(*) from calls where id = 1`: "0",
				})
			})
		})
	}
}

// tags refer by text to a number: what only looks like it is somebody else's.
const tags = `insert into tags values ('a', '1'), ('b', '1a'), ('c', '01'), ('d', '1.0');`
