package plan_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/internal/testkit/pgtest"
	"github.com/ombudhq/ombud/plan"
)

func TestTrap28PartitionsAndShards(t *testing.T) {
	// Shards are tables of their own everywhere; SQLite has nothing else.
	shards := customers + `
create table orders_a (id integer primary key, customer_id integer not null, what varchar(40));
create table orders_b (id integer primary key, customer_id integer not null, what varchar(40));
insert into orders_a values (1, 1, 'x'), (2, 2, 'x');
insert into orders_b values (3, 1, 'x'), (4, 2, 'x');`
	tr := trap{
		tables: shards,
		extra: map[string]string{
			"sqlite": `create table events (id integer primary key, customer_id integer, said varchar(40));
insert into events values (1, 1, 'a'), (2, 1, 'b'), (3, 2, 'c');`,
			"postgres": `create table events (id integer not null, customer_id integer, said varchar(40)) partition by range (id);
create table events_1 partition of events for values from (0) to (2);
create table events_2 partition of events for values from (2) to (100) partition by range (id);
create table events_2a partition of events_2 for values from (2) to (50);
create table events_rest partition of events default;
insert into events values (1, 1, 'a'), (2, 1, 'b'), (3, 2, 'c'), (500, 1, 'd');
create table events_2019 (like events);
insert into events_2019 values (1, 1, 'old'), (2, 2, 'old');
create table people_log (id integer, customer_id integer, said varchar(40));
create table people_log_eu () inherits (people_log);
insert into people_log values (1, 1, 'root'), (2, 2, 'root');
insert into people_log_eu values (3, 1, 'leaf'), (4, 2, 'leaf');`,
			// MariaDB shows partitions as the one table they are of; no keys are declared on them.
			"mariadb": `create table events (id integer not null, customer_id integer, said varchar(40)) partition by range (id) (partition a values less than (2), partition b values less than (100));
insert into events values (1, 1, 'a'), (2, 1, 'b'), (3, 2, 'c');`,
		},
		system: catalog.System{Links: []catalog.Link{own("orders_a.customer_id"), own("orders_b.customer_id"), own("events.customer_id")}},
	}
	tr.spring(t, func(t *testing.T, c *trapped) {
		n := 2
		if c.engine == "postgres" {
			n = 3
			c.options.Config.Systems[0].Links = append([]catalog.Link{own("events_2019.customer_id"), own("people_log.customer_id"), own("people_log_eu.customer_id")}, tr.system.Links...)
		}
		got, _ := c.export(t)
		if len(got["events"]) != n {
			t.Errorf("events %q", got["events"]) // each once, not for its root and its leaf
		}
		if c.engine == "postgres" && len(got["people_log"])+len(got["people_log_eu"]) != 2 {
			t.Errorf("inherited rows come twice: %q %q", got["people_log"], got["people_log_eu"])
		}
		c.erase(t, plan.Complete)
		c.want(t, `select id from events`, "3", `select id from orders_a`, "2", `select id from orders_b`, "4")
		if c.engine == "postgres" {
			c.want(t, `select id from events_2019`, "2", `select id from people_log order by id`, "2 4")
		}
	})
	t.Run("archive forgotten", func(t *testing.T) {
		tr.on, tr.system.Links = []string{"postgres"}, tr.system.Links[:3]
		tr.spring(t, func(t *testing.T, c *trapped) { // a detached partition that nobody mapped
			wantNamed(t, c.erase(t, plan.Incomplete).Gaps, "unmapped", "events_2019")
		})
	})
}

// Foreign tables are PostgreSQL's.
func TestTrap28ForeignTables(t *testing.T) {
	tr := trap{on: []string{"postgres"}, tables: customers, system: catalog.System{Links: []catalog.Link{own("far_orders.customer_id")}}}
	tr.spring(t, func(t *testing.T, c *trapped) {
		far := pgtest.DSN(t)
		pgtest.Exec(t, far, `create table orders (id integer primary key, customer_id integer, what varchar(40)); insert into orders values (1, 1, 'x'), (2, 2, 'y')`)
		u, err := url.Parse(far)
		if err != nil {
			t.Fatal(err)
		}
		host, port := u.Hostname(), u.Port()
		if h := u.Query().Get("host"); h != "" {
			host, port = h, u.Query().Get("port")
		}
		pass, _ := u.User.Password()
		options := "host '" + host + "', dbname '" + strings.TrimPrefix(u.Path, "/") + "'"
		if port != "" {
			options += ", port '" + port + "'"
		}
		c.store.Exec(t, `create extension postgres_fdw`, `create server far foreign data wrapper postgres_fdw options (`+options+`)`,
			`create user mapping for current_user server far options (user '`+u.User.Username()+`', password '`+pass+`')`,
			`create foreign table far_orders (id integer not null, customer_id integer, what varchar(40)) server far options (table_name 'orders')`)
		got, _ := c.export(t)
		got.wantRows(t, "far_orders", "1,1,x")
		c.run(t, c.plan(t))
		c.want(t, `select id from far_orders`, "2")
	})
}

func TestTrap29Views(t *testing.T) {
	tr := trap{tables: customers + `
create table orders (id integer primary key, customer_id integer not null references customers(id), what varchar(40));
insert into orders values (1, 1, 'x'), (2, 2, 'y');
create view order_list as select o.id, c.email, o.what from orders o join customers c on c.id = o.customer_id;
create view all_customers as select id, email, name from customers;
create view again as select id, email from all_customers;`}
	tr.spring(t, func(t *testing.T, c *trapped) {
		got, _ := c.export(t)
		if len(got) != 2 || len(got["customers"]) != 1 || len(got["orders"]) != 1 {
			t.Errorf("rows are counted where they are shown: %v", got)
		}
		p := c.plan(t)
		if p.Matched != 1 || steps(p, "orders") != "delete 1" || steps(p, "all_customers") != "" {
			t.Errorf("matched %d, %+v", p.Matched, p.Systems)
		}
		c.erase(t, plan.Complete)
		c.want(t, `select count(*) from again where email like '%ida@%'`, "1", `select id from order_list`, "2")
	})
	// Somebody names a view as the way in: it is not one, and that is said.
	tr.system.People = []catalog.People{{Table: "all_customers", By: map[string]string{"email": "email"}}}
	tr.spring(t, func(t *testing.T, c *trapped) {
		p := c.plan(t)
		if len(p.Gaps) == 0 {
			t.Error("a view as the way in, and nothing is said")
		}
		wantNamed(t, p.Gaps, "table-missing", "all_customers")
	})
}

func TestTrap30StoredCopiesAndRollups(t *testing.T) {
	tr := trap{
		tables: customers + `
create table visits (id integer primary key, customer_id integer not null references customers(id), page varchar(40));
insert into visits values (1, 1, 'home'), (2, 2, 'home');
create table daily (day varchar(10) not null primary key, visits integer not null, best varchar(100));
insert into daily values ('2026-01-01', 2, 'ida@example.com'), ('2026-01-02', 7, 'frida@example.com');`,
		extra: map[string]string{"postgres": `create materialized view top as select c.email, count(*) as n from visits v join customers c on c.id = v.customer_id group by 1;
create materialized view stale as select 'ida@example.com'::text as email;`}, // the others have no materialised views
		system: catalog.System{Tables: []catalog.TableRule{{Table: "daily", Erase: catalog.Anonymise, Columns: []string{"best"}}}},
	}
	tr.spring(t, func(t *testing.T, c *trapped) {
		p := c.plan(t)
		if c.engine == "postgres" && !warned(p, "materialised-view", "top") {
			t.Errorf("warnings %+v", p.Warnings)
		}
		o := c.run(t, p)
		wantNamed(t, o.Remaining, "residue", "daily") // a roll-up no key leads to
		if c.engine == "postgres" {
			wantNamed(t, o.Remaining, "residue", "stale") // refreshed or not, it is read
			c.want(t, `select email, n from top`, "bo@example.com,1")
			if !strings.Contains(strings.Join(o.Proof[0].Means, " "), "top") {
				t.Errorf("the proof does not speak of it: %q", o.Proof[0].Means)
			}
		}
		c.want(t, `select visits, best from daily order by day`, "2,ida@example.com 7,frida@example.com")
	})
}

// TestTrap30CopyMadeMeanwhile: a stored copy that was made while the run went on shows what was there before, and is refreshed too.
func TestTrap30CopyMadeMeanwhile(t *testing.T) {
	tr := trap{on: []string{"postgres"}, tables: customers}
	tr.spring(t, func(t *testing.T, c *trapped) {
		made := false
		c.options.Hook = func(point string) {
			if point == "store:shop:before-commit" && !made {
				made = true
				c.store.Exec(t, `create materialized view late as select email from customers`)
			}
		}
		c.erase(t, plan.Complete)
		c.want(t, `select email from late order by email`, "bo@example.com frida@example.com")
	})
}

// TestTrap30CopiesBehindKeptRows: a kept row lets its own text stand in stored copies, not another's.
func TestTrap30CopiesBehindKeptRows(t *testing.T) {
	tr := trap{
		tables: customers + `
create table invoices (id integer primary key, customer_id integer not null references customers(id), billed varchar(100));
insert into invoices values (1, 1, 'ida@example.com, Oslo'), (2, 1, 'Ida@example.com');
create table posts (id integer primary key, customer_id integer references customers(id), body varchar(100));
insert into posts values (1, 1, 'write to ida@example.com'), (2, 2, 'bo');`,
		extra: map[string]string{
			"sqlite": `create virtual table found using fts5(text);
insert into found select billed from invoices;`,
			"postgres": `create materialized view found as select billed as text from invoices union all select billed from invoices;`,
		},
		on:     []string{"sqlite", "postgres"},
		system: catalog.System{Tables: []catalog.TableRule{{Table: "invoices", Erase: catalog.Keep, Because: "law"}}},
	}
	tr.spring(t, func(t *testing.T, c *trapped) { c.erase(t, plan.Complete) })
	for _, stray := range []string{"write to ida@example.com", "Ida@example.com"} {
		tr.on, tr.extra = []string{"sqlite"}, map[string]string{"sqlite": `create virtual table found using fts5(text);
insert into found select billed from invoices where id = 2;
insert into found values ('` + stray + `');`}
		tr.spring(t, func(t *testing.T, c *trapped) {
			wantNamed(t, c.erase(t, plan.Incomplete).Remaining, "residue", "found")
		})
	}
}
