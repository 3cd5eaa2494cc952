package plan_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/plan"
)

// paid is a shop that knows its customers by the number of a payment provider too, and so does a table that nothing joins to
// them.
func paid(unique string, tables ...catalog.TableRule) trap {
	return trap{
		tables: `create table customers (id integer primary key, email varchar(100) not null unique, name varchar(100), stripe_id varchar(60) ` + unique + `, ref varchar(60));
insert into customers values (1, 'ida@example.com', 'Ida', 'cus_NffrFeUfNV2Hib', 'A-100231'), (2, 'bo@example.com', 'Bo', 'cus_Pq8xLm3ZtR9wKe', 'A-100232');
create table invoices (id integer primary key, customer_id integer not null references customers(id));
insert into invoices values (1, 1), (2, 2);
create table payments (id integer primary key, payer varchar(60), total integer);
insert into payments values (1, 'cus_NffrFeUfNV2Hib', 10), (2, 'CUS_NFFRFEUFNV2HIB', 20), (3, 'cus_Pq8xLm3ZtR9wKe', 30), (4, null, 40);
create table callbacks (id integer primary key, body varchar(200));
insert into callbacks values (1, '{"customer": "cus_NffrFeUfNV2Hib"}'), (2, '{"customer": "cus_Pq8xLm3ZtR9wKe"}');`,
		system: catalog.System{Tables: append(tables, catalog.TableRule{Table: "payments", Erase: catalog.Delete}, catalog.TableRule{Table: "callbacks", Erase: catalog.Delete})},
	}
}

// wantLeft holds the residue of a run against "dataset rows", and every one to say what it is about.
func wantLeft(t *testing.T, o *plan.Outcome, about string, want ...string) {
	t.Helper()
	var got []string
	for _, r := range o.Remaining {
		got = append(got, fmt.Sprint(r.Dataset, " ", r.Rows))
		if r.Code != "residue" || !strings.Contains(r.Why, about) {
			t.Errorf("it does not say what of %s: %+v", about, r)
		}
	}
	if strings.Join(got, ", ") != strings.Join(want, ", ") {
		t.Errorf("left is %q, want %q", got, want)
	}
}

// What no link joins to the person holds a number that only the person's row had: it is named, whether that row goes or changes,
// and until it is gone.
func TestValuesThatRowsLoseAreLookedFor(t *testing.T) {
	keep := catalog.TableRule{Table: "invoices", Erase: catalog.Keep, Because: "law"}
	for name, tr := range map[string]trap{"deleted": paid(""), "changed": paid("", keep), "unique": paid("unique", keep)} {
		t.Run(name, func(t *testing.T) {
			tr.spring(t, func(t *testing.T, c *trapped) {
				for range 2 { // a retry knows it too
					o := c.erase(t, plan.Incomplete)
					wantLeft(t, o, "customers.stripe_id", "callbacks 1", "payments 2")
					for i, next := range []string{"by: {stripe_id: stripe_id}", "from: payments.payer, to: customers.stripe_id"} {
						if i < len(o.Remaining) && !strings.Contains(o.Remaining[i].Next, next) {
							t.Errorf("what to do about %s: %s", o.Remaining[i].Dataset, o.Remaining[i].Next)
						}
					}
				}
				c.store.Exec(t, `update payments set payer = null where id = 1`, `delete from payments where id = 2`, `delete from callbacks where id = 1`)
				c.erase(t, plan.Complete)
				c.want(t, `select payer from payments where id = 3`, "cus_Pq8xLm3ZtR9wKe", `select stripe_id from customers where id = 2`, "cus_Pq8xLm3ZtR9wKe")
			})
		})
	}
}

// A rule changes a column of a row that is no person's entry.
func TestValuesThatOtherRowsLoseAreLookedFor(t *testing.T) {
	tr := paid("", catalog.TableRule{Table: "cards", Erase: catalog.Anonymise, Columns: []string{"token"}})
	tr.tables += `
create table cards (id integer primary key, customer_id integer not null references customers(id), token varchar(60));
insert into cards values (1, 1, 'tok_1MqFv9Lk2dI6aHu1'), (2, 2, 'tok_9ZqFv9Lk2dI6aHx7');
update customers set stripe_id = null;
update payments set payer = 'tok_1MqFv9Lk2dI6aHu1' where id = 1;`
	tr.spring(t, func(t *testing.T, c *trapped) {
		wantLeft(t, c.erase(t, plan.Incomplete), "cards.token", "payments 1")
	})
}

// No noise: what others have in the same column, are known by, or what is short or plain; and what a kept row may hold.
func TestValuesThatAreNobodysAloneAreNotLookedFor(t *testing.T) {
	tr := trap{
		tables: `create table customers (id integer primary key, email varchar(100) not null unique, name varchar(100), guid varchar(36) unique, stripe_id varchar(60), device varchar(60), brought_by varchar(36), tier varchar(40), pin varchar(20) unique);
insert into customers values (1, 'ida@example.com', 'Ida', '6f1c2a7e-4b1d-4f0e-9a53-0a7a2f3b9c11', 'cus_NffrFeUfNV2Hib', 'dev_8Kx2Lp9QwErT5yUi', '0b9d3f52-77aa-4c1e-8f55-1b2c3d4e5f60', 'premium-2024', '1234'),
(2, 'bo@example.com', 'Bo', '0b9d3f52-77aa-4c1e-8f55-1b2c3d4e5f60', 'cus_Pq8xLm3ZtR9wKe', 'dev_8Kx2Lp9QwErT5yUi', null, 'basic', '5678');
create table payments (id integer primary key, customer_id integer not null references customers(id), payer varchar(60));
insert into payments values (1, 1, 'cus_NffrFeUfNV2Hib'), (2, 2, 'cus_Pq8xLm3ZtR9wKe');
create table devices (model varchar(60), tier varchar(40), pin varchar(20), seen_by varchar(36));
insert into devices values ('dev_8Kx2Lp9QwErT5yUi', 'premium-2024', '1234', '0b9d3f52-77aa-4c1e-8f55-1b2c3d4e5f60');`,
		system: catalog.System{Tables: []catalog.TableRule{{Table: "payments", Erase: catalog.Keep, Because: "law"}, {Table: "devices", Erase: catalog.Delete}}},
	}
	tr.spring(t, func(t *testing.T, c *trapped) {
		p := c.plan(t)
		if o := c.run(t, p); o.Status != plan.Complete {
			t.Errorf("it is %s: %+v %+v", o.Status, o.Remaining, o.Gaps)
		}
		c.want(t, `select payer from payments where id = 1`, "cus_NffrFeUfNV2Hib")
		c.store.Exec(t, `insert into payments values (3, 2, 'cus_NffrFeUfNV2Hib')`) // one more than is kept
		q := c.question(plan.Erasure)
		q.Thorough = true
		left, _, err := c.Engine.Look(t.Context(), q, p, p.Shells())
		if err != nil || len(left) != 1 || left[0].Dataset != "payments" || left[0].Rows != 1 {
			t.Errorf("%v %+v", err, left)
		}
	})
}

// UUIDs have a type of their own: the sweep reads it too.
func TestUUIDsAreLookedFor(t *testing.T) {
	tr := trap{
		on: []string{"postgres", "mariadb"}, maria: true,
		tables: `create table customers (id integer primary key, email varchar(100) not null unique, guid uuid not null unique);
insert into customers values (1, 'ida@example.com', '6f1c2a7e-4b1d-4f0e-9a53-0a7a2f3b9c11'), (2, 'bo@example.com', '0b9d3f52-77aa-4c1e-8f55-1b2c3d4e5f60');
create table visits (who uuid);
insert into visits values ('6f1c2a7e-4b1d-4f0e-9a53-0a7a2f3b9c11'), ('0b9d3f52-77aa-4c1e-8f55-1b2c3d4e5f60');`,
		system: catalog.System{Tables: []catalog.TableRule{{Table: "visits", Erase: catalog.Delete}}},
	}
	tr.spring(t, func(t *testing.T, c *trapped) {
		wantLeft(t, c.erase(t, plan.Incomplete), "customers.guid", "visits 1")
	})
}
