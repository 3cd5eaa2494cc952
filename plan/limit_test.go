package plan_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/plan"
)

// mailing is a shop that writes letters to its customers: what a letter needs, what an order needs, and what both do.
const mailing = `create table customers (id integer primary key, email varchar(100) not null unique, name varchar(100), phone varchar(40), interests varchar(100), remark varchar(200));
insert into customers values (1, 'ida@example.com', 'Ida Nordmann', '+47 99', 'tents, skis', 'calls often'), (2, 'bo@example.com', 'Bo Berg', '+47 88', 'boats', 'shy');
create table orders (id integer primary key, customer_id integer not null references customers(id), total integer not null, phone varchar(40));
insert into orders values (10, 1, 120, '+47 99'), (11, 2, 80, '+47 88');
create table sent (id integer primary key, customer_id integer not null references customers(id), phone varchar(40), opened integer);
insert into sent values (20, 1, '+47 99', 1), (21, 1, '+47 99', 0), (22, 2, '+47 88', 1);
create table clicks (id integer primary key, sent_id integer references sent(id), page varchar(60) not null);
insert into clicks values (30, 20, '/tents'), (31, 22, '/boats');
create table segments (id integer primary key, customer_id integer references customers(id), kind varchar(40) not null);
insert into segments values (40, 1, 'outdoor'), (41, 2, 'sea');`

// mailingTrap says of its columns what they are.
func mailingTrap() trap {
	return trap{tables: mailing, system: catalog.System{Tables: []catalog.TableRule{
		{Table: "customers", Categories: map[string]string{"interests": "marketing", "remark": "communication"}},
		{Table: "sent", Purpose: "newsletter"},
		{Table: "clicks", Categories: map[string]string{"page": "usage"}},
		{Table: "segments", Categories: map[string]string{"kind": "marketing"}},
	}}}
}

// withdrawn is the limit of somebody who no longer wants the letters.
func withdrawn(going ...plan.Use) *plan.Limit {
	return &plan.Limit{Purposes: []string{"newsletter"}, Going: going,
		Ended: []plan.Use{{Purpose: "newsletter", Why: "consent", Categories: []string{"contact", "marketing"}}}}
}

// erasePart plans and runs an erasure of part of the data.
func (c *trapped) erasePart(t *testing.T, l *plan.Limit, status plan.Status) (*plan.Plan, *plan.Outcome) {
	t.Helper()
	q := c.question(plan.Erasure)
	q.Limit = l
	c.open(t)
	p, err := c.Engine.Plan(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	o, err := c.Engine.Run(t.Context(), q, p, nil)
	if err != nil {
		t.Fatal(err)
	}
	c.Verify(t, c.store)
	if o.Status != status {
		t.Errorf("the erasure is %s, want %s: remaining %+v, gaps %+v", o.Status, status, o.Remaining, o.Gaps)
	}
	return p, o
}

const allOfIda = `select id, email, name, phone, interests, remark from customers where id = 1`

func TestErasureOfAPurposeLeavesWhatOthersNeed(t *testing.T) {
	mailingTrap().spring(t, func(t *testing.T, c *trapped) {
		untouched := map[string]string{}
		for _, q := range []string{`select * from customers where id = 2`, `select * from orders order by id`, `select * from segments where id = 41`} {
			untouched[q] = c.rows(t, q)
		}
		orders := plan.Use{Purpose: "orders", Why: "contract", Categories: []string{"contact"}, Systems: []string{"shop"}}
		p, o := c.erasePart(t, withdrawn(orders), plan.Complete)
		c.want(t, allOfIda, "1,ida@example.com,Ida Nordmann,+47 99,NULL,calls often",
			`select id from segments order by id`, "41",
			`select id, customer_id, phone, opened from sent order by id`, "20,1,NULL,1 22,2,+47 88,1",
			`select id, sent_id, page from clicks order by id`, "30,20,/tents 31,22,/boats")
		for q, was := range untouched {
			c.want(t, q, was)
		}
		if p.Limit == nil || !slices.ContainsFunc(o.Kept, func(k plan.Kept) bool {
			return k.Dataset == "customers" && k.Because == "needed for orders (contract)" && fmt.Sprint(k.Fields) == "[email phone]"
		}) {
			t.Errorf("the plan does not say what stays for the orders: %+v", o.Kept)
		}
		again, _ := c.erasePart(t, withdrawn(orders), plan.Complete)
		if got := steps(again, "customers"); got != "keep 1" && got != "" {
			t.Errorf("done once, it plans again: %s", got)
		}
	})
}

func TestErasureOfACategory(t *testing.T) {
	mailingTrap().spring(t, func(t *testing.T, c *trapped) {
		orders := c.rows(t, `select id, customer_id, total from orders order by id`)
		p, _ := c.erasePart(t, &plan.Limit{Categories: []string{"contact"}}, plan.Complete)
		c.want(t, `select id, name, phone, interests, remark from customers order by id`, "1,Ida Nordmann,NULL,tents, skis,calls often 2,Bo Berg,+47 88,boats,shy",
			`select count(*) from customers where email like '%@erased.invalid'`, "1", `select phone from orders order by id`, "NULL +47 88",
			`select id, customer_id, total from orders order by id`, orders, `select count(*) from segments`, "2", `select count(*) from clicks`, "2")
		if got := steps(p, "segments"); got != "keep 1" {
			t.Errorf("of the segments it says %q", got)
		}
	})
}

func TestErasureOfPartObeysKeepsAndHolds(t *testing.T) {
	tr := mailingTrap()
	tr.system.Tables = append(tr.system.Tables, catalog.TableRule{Table: "orders", Erase: catalog.Keep, Because: "bookkeeping law"})
	tr.spring(t, func(t *testing.T, c *trapped) {
		was := c.rows(t, `select * from orders order by id`)
		p, _ := c.erasePart(t, &plan.Limit{Categories: []string{"contact"}}, plan.Complete)
		c.want(t, `select * from orders order by id`, was, `select phone from customers where id = 1`, "NULL")
		if got := steps(p, "orders"); got != "keep 1" {
			t.Errorf("of the orders it says %q", got)
		}
	})
}

// What nobody has sorted may be what was asked for: then the erasure of part is never complete.
func TestErasureOfPartNamesWhatNobodySorted(t *testing.T) {
	tr := mailingTrap()
	tr.tables += `
create table papers (id integer primary key, customer_id integer not null references customers(id), zzq varchar(200));
insert into papers values (50, 1, 'something');`
	tr.on = []string{"sqlite"}
	tr.spring(t, func(t *testing.T, c *trapped) {
		p, _ := c.erasePart(t, &plan.Limit{Categories: []string{"contact"}}, plan.Incomplete)
		wantNamed(t, p.Gaps, "uncategorised", "papers")
	})
}

// A run that was cut off goes on, a retry finds nothing more, and the whole erasure still takes all.
func TestErasureOfPartThenOfAll(t *testing.T) {
	tr := mailingTrap()
	tr.on = []string{"sqlite"}
	tr.spring(t, func(t *testing.T, c *trapped) {
		l := &plan.Limit{Categories: []string{"marketing"}}
		p, _ := c.erasePart(t, l, plan.Complete)
		q := c.question(plan.Erasure)
		q.Limit = l
		left, proof, err := c.Engine.Look(t.Context(), q, p, p.Shells())
		if err != nil || len(left) > 0 || proof[0].Coverage == "" {
			t.Errorf("looking again: %v %+v %+v", err, left, proof)
		}
		c.want(t, allOfIda, "1,ida@example.com,Ida Nordmann,+47 99,NULL,calls often", `select count(*) from segments`, "1")
		q.Request, q.Limit = "dsr_2", nil
		whole, err := c.Engine.Plan(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if o, err := c.Engine.Run(t.Context(), q, whole, nil); err != nil || o.Status != plan.Complete {
			t.Errorf("all of it: %v %+v", err, o)
		}
		c.want(t, `select id from customers`, "2", `select id from orders`, "11")
	})
}

// The address is what was asked for, and the key: the row gets another, and nothing else of it changes.
func TestErasureOfPartGivesAnotherKey(t *testing.T) {
	tr := club()
	tr.system.Tables = nil
	tr.spring(t, func(t *testing.T, c *trapped) {
		c.erasePart(t, &plan.Limit{Categories: []string{"contact"}}, plan.Incomplete) // nobody has said what is in posts
		c.want(t, `select nick, since from members order by since`, "ida,7 frida,8", billsOf, "1,10 2,20",
			`select count(*) from members where email like '%@erased.invalid' and since = 7`, "1",
			`select p.id, body from posts p join members m on m.email = p.member where since = 7`, "1,x")
	})
}
