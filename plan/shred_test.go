package plan_test

import (
	"testing"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/plan"
)

// TestShredSaysThatItDeletes: these stores have no keys of their own, and whoever approves reads that.
func TestShredSaysThatItDeletes(t *testing.T) {
	trap{tables: customers + `
create table notes (id integer primary key, customer_id integer not null references customers(id), body varchar(100));
insert into notes values (1, 1, 'x'), (2, 2, 'y');`,
		system: catalog.System{Tables: []catalog.TableRule{{Table: "notes", Erase: catalog.Shred}}},
	}.spring(t, func(t *testing.T, c *trapped) {
		p := c.plan(t)
		if !warned(p, "shred", "notes") || warned(p, "shred", "customers") || steps(p, "notes") != "shred 1" {
			t.Errorf("%+v %s", p.Warnings, steps(p, "notes"))
		}
		if o := c.run(t, p); o.Status != plan.Complete {
			t.Errorf("%s %+v", o.Status, o.Remaining)
		}
		c.want(t, `select id from notes`, "2", `select id from customers order by id`, "2 3")
	})
}
