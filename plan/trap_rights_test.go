package plan_test

import (
	"testing"

	"github.com/ombudhq/ombud/internal/testkit/mariatest"
	"github.com/ombudhq/ombud/internal/testkit/pgtest"
	"github.com/ombudhq/ombud/plan"
)

// guarded is a company in which the engine's own guards keep us from a part.
func guarded() trap {
	return trap{tables: customers + `
create table orders (id integer primary key, customer_id integer not null references customers(id), what varchar(40));
insert into orders values (1, 1, 'x'), (2, 2, 'y');`}
}

// wantUntouched holds that nothing of it was changed.
func (c *trapped) wantUntouched(t *testing.T) {
	t.Helper()
	c.want(t, `select id, name from customers order by id`, "1,Ida Nordmann 2,Bo Berg 3,Ida Nordman", `select id, what from orders order by id`, "1,x 2,y")
}

func TestTrap48MayOnlyRead(t *testing.T) {
	guarded().spring(t, func(t *testing.T, c *trapped) {
		c.as(t, "SELECT")
		p := c.plan(t)
		wantNamed(t, p.Gaps, "right-missing", "orders")
		wantNamed(t, p.Gaps, "right-missing", "customers")
		if o := c.run(t, p); o.Status != plan.Incomplete || len(o.Remaining) == 0 {
			t.Errorf("%s, remaining %+v", o.Status, o.Remaining)
		}
		c.wantUntouched(t)
	})
}

// SQLite has no rights below the file's, and no row security; MariaDB has no row security, but a catalog seen in part.
func TestTrap48MayNotReadAChild(t *testing.T) {
	only := guarded()
	only.on = []string{"postgres"}
	only.spring(t, func(t *testing.T, c *trapped) {
		name, dsn := pgtest.Role(t, c.store.DSN)
		c.store.Exec(t, "GRANT SELECT, UPDATE, DELETE ON customers TO "+name)
		c.options.Config.Systems[0].DSN = dsn
		o := c.erase(t, plan.Incomplete)
		wantNamed(t, o.Gaps, "right-missing", "orders")
		c.wantUntouched(t)
	})
	only.on = []string{"mariadb"}
	only.spring(t, func(t *testing.T, c *trapped) {
		db := "`" + mariatest.Database(t, c.store.DSN) + "`"
		c.options.Config.Systems[0].DSN = mariatest.User(t, c.store.DSN, "SELECT, UPDATE, DELETE ON "+db+".`customers`")
		o := c.erase(t, plan.Incomplete)
		wantNamed(t, o.Gaps, "partial-catalog", "")
		// What may be seen is anonymised, not deleted: who knows what else would go with it.
		c.want(t, `select id, name from customers order by id`, "1,NULL 2,Bo Berg 3,Ida Nordman", `select id, what from orders order by id`, "1,x 2,y")
	})
}

// Deleting would take Bo's row along, unseen.
func TestTrap48CascadeOutOfSight(t *testing.T) {
	unseen := trap{on: []string{"postgres", "mariadb"}, tables: customers + `
create table orders (id integer primary key, customer_id integer not null references customers(id) on delete cascade, what varchar(40));
insert into orders values (1, 1, 'x'), (2, 2, 'y');
create table remarks (id integer primary key, order_id integer references orders(id) on delete cascade, customer_id integer);
insert into remarks values (1, 1, 2);`}
	unseen.spring(t, func(t *testing.T, c *trapped) {
		name, code, dataset := "", "right-missing", "remarks"
		s := &c.options.Config.Systems[0]
		if c.engine == "postgres" {
			name, s.DSN = pgtest.Role(t, c.store.DSN)
			c.store.Exec(t, "GRANT SELECT, UPDATE, DELETE ON customers, orders TO "+name)
		} else { // there even the catalog hides it
			db := "`" + mariatest.Database(t, c.store.DSN) + "`"
			s.DSN = mariatest.User(t, c.store.DSN, "SELECT, UPDATE, DELETE ON "+db+".customers", "SELECT, UPDATE, DELETE ON "+db+".orders")
			code, dataset = "partial-catalog", ""
		}
		wantNamed(t, c.erase(t, plan.Incomplete).Gaps, code, dataset)
		c.want(t, `select count(*) from remarks`, "1", `select id, what from orders order by id`, "1,NULL 2,y", `select name from customers where id = 1`, "NULL")
	})
}

// A standby: the rights are there, the writes refused.
func TestTrap48StoreThatTakesNoWrites(t *testing.T) {
	standby := guarded()
	standby.on = []string{"postgres"}
	standby.spring(t, func(t *testing.T, c *trapped) {
		c.store.Exec(t, `do $$ begin execute format('alter database %I set default_transaction_read_only = on', current_database()); end $$`)
		if o := c.erase(t, plan.Incomplete); len(o.Remaining) == 0 {
			t.Error("nothing is named")
		}
		c.wantUntouched(t)
	})
}

func TestTrap48RowSecurity(t *testing.T) {
	hidden := guarded()
	hidden.on = []string{"postgres"}
	hidden.spring(t, func(t *testing.T, c *trapped) {
		name, dsn := pgtest.Role(t, c.store.DSN)
		c.store.Exec(t, "GRANT SELECT, UPDATE, DELETE ON customers, orders TO "+name, `alter table orders enable row level security`)
		c.options.Config.Systems[0].DSN = dsn
		o := c.erase(t, plan.Incomplete)
		wantNamed(t, o.Gaps, "row-security", "orders")
		c.wantUntouched(t)
		got, o := c.export(t)
		if len(got["orders"]) != 0 || o.Status != plan.Incomplete {
			t.Errorf("access is %s with %q", o.Status, got["orders"])
		}
	})
}

// as connects with a role that has one right alone.
func (c *trapped) as(t *testing.T, right string) {
	t.Helper()
	s := &c.options.Config.Systems[0]
	switch c.engine {
	case "sqlite":
		s.DSN = "file:" + c.store.DSN + "?mode=ro"
	case "postgres":
		name, dsn := pgtest.Role(t, c.store.DSN)
		c.store.Exec(t, "GRANT "+right+" ON ALL TABLES IN SCHEMA public TO "+name)
		s.DSN = dsn
	case "mariadb":
		s.DSN = mariatest.User(t, c.store.DSN, right+" ON `"+mariatest.Database(t, c.store.DSN)+"`.*", "PROCESS ON *.*")
	}
}
