package plan_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/internal/testkit/gen"
	"github.com/ombudhq/ombud/plan"
)

// alike are addresses that look like ida@example.com, or mean the same to some mail servers, and are
// other addresses all the same.
var alike = []string{"id\u0430@example.com", "\u0131da@example.com", "idá@example.com", "ida@example.co\u043c", "\uff49da@example.com", "ida\u200b@example.com", "i\u00adda@example.com",
	"i.da@example.com", "ida+shop@example.com", "ida@example.com.", "ida@sub.example.com", "ida@example.com.au", "frida@example.com", "ida_@example.com", "id_@example.com", "%@example.com", "ida@example.com\u00a0x"}

// TestHostileIdentities: somebody who only looks like the person is not found and loses nothing, nor
// is anybody without an identity.
func TestHostileIdentities(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine string) {
		c := trap{tables: `create table customers (id integer primary key, email varchar(100), name varchar(100));
create table orders (id integer primary key, customer_id integer references customers(id), note varchar(100));
insert into customers values (1, ' IDA@Example.COM ', 'Ida'), (2, null, 'Nobody'), (3, null, 'None'), (4, '', 'Empty'), (5, '   ', 'Blank');
insert into orders values (1, 1, 'x'), (2, 2, 'y'), (3, 3, 'y'), (4, 4, 'y'), (5, 5, 'y'), (6, null, 'z');`}.lay(t, engine)
		for i, a := range alike {
			id := fmt.Sprint(10 + i)
			insertRow(t, c.store, "customers", id, a, "like "+id)
			insertRow(t, c.store, "orders", id, id, "of "+id)
		}
		before := c.rows(t, `select * from customers where id <> 1 order by id`)
		got, o := c.export(t)
		if o.Matched != 1 || len(got["customers"]) != 1 || len(got["orders"]) != 1 {
			t.Errorf("the package is of %d people: %q", o.Matched, got)
		}
		p := c.plan(t)
		if p.Matched != 1 {
			t.Errorf("matched %d", p.Matched)
		}
		// An address with a full stop behind it is named as what may be left, and left alone.
		if o := c.run(t, p); o.Status != plan.Complete {
			wantNamed(t, o.Remaining, "residue", "customers")
		}
		c.want(t, `select count(*) from customers where id = 1`, "0", `select * from customers where id <> 1 order by id`, before,
			`select count(*) from orders`, fmt.Sprint(5+len(alike)), `select count(*) from orders where id = 1`, "0")
	})
}

// TestHostileValues: cells of a mebibyte, bytes that are no text, NUL and backslashes come out whole,
// go with the person, and stay with everybody else.
func TestHostileValues(t *testing.T) {
	raw := map[string][2]string{ // type of a column, and a literal of bytes that are no UTF-8
		gen.SQLite:   {"text", "cast(x'ff00fe80c328' as text)"},
		gen.Postgres: {"bytea", `'\xff00fe80c328'`},
		gen.MariaDB:  {"longblob", "x'ff00fe80c328'"},
	}
	long := map[string]string{gen.SQLite: "text", gen.Postgres: "text", gen.MariaDB: "longtext"}
	eachEngine(t, func(t *testing.T, engine string) {
		c := trap{tables: customers + fmt.Sprintf(`
create table files (id integer primary key, customer_id integer references customers(id), big %s, odd %s);
create table bare (customer_id integer references customers(id), big %s, odd %s);`, long[engine], raw[engine][0], long[engine], raw[engine][0])}.lay(t, engine)
		big := strings.Repeat(`ä'"\%s;--`+"\n", 1<<20/11)
		for _, who := range []string{"1", "2"} {
			insertRow(t, c.store, "files", who, who, big, "")
			insertRow(t, c.store, "bare", who, big, "")
		}
		c.store.Exec(t, "update files set odd = "+raw[engine][1], "update bare set odd = "+raw[engine][1])
		got, _ := c.export(t)
		for _, table := range []string{"files", "bare"} {
			if len(got[table]) != 1 || !strings.Contains(got[table][0], big) || !strings.Contains(got[table][0], "\xff\x00\xfe\x80\xc3\x28") {
				t.Errorf("the package's %s is not whole: %d rows", table, len(got[table]))
			}
		}
		c.erase(t, plan.Complete)
		c.want(t, `select count(*) from files`, "1", `select count(*) from bare`, "1", `select count(*) from files where customer_id = 2 and odd = `+raw[engine][1], "1",
			`select big from files`, big, `select big from bare`, big)
	})
}
