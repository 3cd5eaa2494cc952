package plan_test

import (
	"strings"
	"testing"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/subject"
)

// members is a club whose members are told by their address, also by what refers to them.
const members = `create table members (email varchar(100) primary key, nick varchar(40) not null unique, since integer not null);
insert into members values ('IDA@example.com', 'ida', 7), ('frida@example.com', 'frida', 8);
create table bills (id integer primary key, member varchar(100) not null references members(email), total integer not null);
insert into bills values (1, 'IDA@example.com', 10), (2, 'IDA@example.com', 20), (3, 'frida@example.com', 30);
create table posts (id integer primary key, member varchar(100) not null references members(email) on update cascade, body text);
insert into posts values (1, 'IDA@example.com', 'x'), (2, 'frida@example.com', 'y');
create table threads (id integer primary key, starter varchar(100) not null references members(email), title varchar(40));
insert into threads values (1, 'IDA@example.com', 'tents'), (2, 'frida@example.com', 'skis');
create table replies (id integer primary key, thread integer not null references threads(id), member varchar(100) not null references members(email));
insert into replies values (1, 1, 'frida@example.com'), (2, 2, 'IDA@example.com');`

func club() trap {
	return trap{tables: members, system: catalog.System{
		People: []catalog.People{{Table: "members", By: map[string]string{"email": "email"}}},
		Tables: []catalog.TableRule{{Table: "bills", Erase: catalog.Keep, Because: "bookkeeping law"}},
	}}
}

const (
	billsOf = `select id, total from bills where member = (select email from members where since = 7) order by id`
	addrOf  = `select count(*) from members where email like '%@erased.invalid' and nick like 'erased%' and since = 7`
)

// A row that stays has the address as its key: it gets another, and what refers to it follows, in one transaction.
func TestTrap06PersonalKey(t *testing.T) {
	club().spring(t, func(t *testing.T, c *trapped) {
		p := c.plan(t)
		if !warned(p, "rekey", "bills") || steps(p, "members") != "anonymise 1" {
			t.Errorf("the plan does not tell of the key: %+v", p.Warnings)
		}
		o := c.run(t, p)
		if o.Status != plan.Complete {
			t.Errorf("it is %s: %+v %+v", o.Status, o.Remaining, o.Gaps)
		}
		c.want(t, addrOf, "1", billsOf, "1,10 2,20", `select id, member from bills where id = 3`, "3,frida@example.com",
			`select id from posts`, "2", `select id from replies`, "1",
			`select count(*) from threads t join members m on m.email = t.starter where t.id = 1 and m.since = 7`, "1",
			`select email, nick from members where since = 8`, "frida@example.com,frida")
		for _, table := range []string{"members", "bills", "posts", "threads", "replies"} {
			if got := strings.ToLower(c.rows(t, "select * from "+table)); strings.Contains(strings.ReplaceAll(got, "frida@", ""), "ida@") {
				t.Errorf("%s still has the address: %s", table, got)
			}
		}
	})
}

// What a hold kept is found by the new key when the hold ends.
func TestTrap06PersonalKeyUnderHold(t *testing.T) {
	tr := club()
	tr.system.Tables = nil
	tr.spring(t, func(t *testing.T, c *trapped) {
		w := c.open(t)
		holds, err := w.Holds.Add(t.Context(), subject.HoldInput{Subjects: c.person.Identities, System: "shop", Dataset: "bills", Because: "claim 7", Actor: "test"})
		if err != nil {
			t.Fatal(err)
		}
		q := c.question(plan.Erasure)
		q.Holds = holds
		c.runWith(t, q)
		c.want(t, addrOf, "1", billsOf, "1,10 2,20")
		q.Holds = nil
		c.runWith(t, q)
		c.want(t, `select id from bills`, "3")
		c.Verify(t, c.store)
	})
}

func (c *trapped) runWith(t *testing.T, q plan.Question) {
	t.Helper()
	p, err := c.Engine.Plan(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	if o, err := c.Engine.Run(t.Context(), q, p, nil); err != nil || o.Status != plan.Complete {
		t.Fatalf("%v %+v", err, o)
	}
}

// Where a reference cannot be given another value, the row keeps its key, and that is said.
func TestTrap06PersonalKeyThatMustStay(t *testing.T) {
	tr := club()
	tr.tables += `
create table loyalty (email varchar(100) primary key, points integer);
insert into loyalty values ('IDA@example.com', 3);
create table cards (id integer primary key, member varchar(100) references members(email), since integer, foreign key (member) references loyalty(email));
insert into cards values (1, 'IDA@example.com', 1);`
	tr.system.Tables = append(tr.system.Tables, catalog.TableRule{Table: "cards", Erase: catalog.Keep, Because: "law"})
	tr.system.Links = []catalog.Link{{From: "cards.member", To: "members.email"}, {From: "cards.member", To: "loyalty.email", As: catalog.Context}}
	tr.spring(t, func(t *testing.T, c *trapped) {
		o := c.erase(t, plan.Incomplete)
		wantNamed(t, o.Gaps, "personal-key", "members")
		c.want(t, `select member from bills order by id`, "IDA@example.com IDA@example.com frida@example.com")
	})
}

// Members bring members: who was brought by one whose key changes follows, also where a table refers to members twice.
func TestTrap06PersonalKeyReferredFromItsOwnTableAndTwice(t *testing.T) {
	tr := club()
	tr.tables += `
alter table members add column referrer varchar(100) references members(email);
update members set referrer = 'IDA@example.com' where since = 8;
create table deals (id integer primary key, buyer varchar(100) not null references members(email), seller varchar(100) not null references members(email));
insert into deals values (1, 'IDA@example.com', 'frida@example.com'), (2, 'frida@example.com', 'IDA@example.com');`
	tr.system.Links = []catalog.Link{{From: "members.referrer", To: "members.email", As: catalog.Mention}, {From: "deals.buyer", To: "members.email", As: catalog.Co}, {From: "deals.seller", To: "members.email", As: catalog.Co}}
	tr.spring(t, func(t *testing.T, c *trapped) {
		c.erase(t, plan.Complete)
		const key = `(select email from members where since = 7)`
		c.want(t, addrOf, "1", billsOf, "1,10 2,20",
			`select nick from members where referrer = `+key, "frida",
			`select id from deals where buyer = `+key+` and seller = 'frida@example.com'`, "1",
			`select id from deals where seller = `+key+` and buyer = 'frida@example.com'`, "2")
	})
}

// A row that refers to itself, or twice to the one whose key changes, is changed once, in all places.
func TestTrap06PersonalKeyInOneRowTwice(t *testing.T) {
	for name, rows := range map[string]string{
		"itself": `alter table members add column referrer varchar(100) references members(email);
update members set referrer = email;`,
		"twice": `create table deals (id integer primary key, buyer varchar(100) not null references members(email), seller varchar(100) not null references members(email));
insert into deals values (1, 'IDA@example.com', 'IDA@example.com'), (2, 'frida@example.com', 'frida@example.com');`,
	} {
		t.Run(name, func(t *testing.T) {
			tr := club()
			tr.tables += "\n" + rows
			if name == "itself" {
				tr.system.Links = []catalog.Link{{From: "members.referrer", To: "members.email", As: catalog.Mention}}
			} else {
				tr.system.Links = []catalog.Link{{From: "deals.buyer", To: "members.email", As: catalog.Co}, {From: "deals.seller", To: "members.email", As: catalog.Co}}
				tr.system.Tables = append(tr.system.Tables, catalog.TableRule{Table: "deals", Erase: catalog.Keep, Because: "law"})
			}
			tr.spring(t, func(t *testing.T, c *trapped) {
				c.erase(t, plan.Complete)
				c.want(t, addrOf, "1", billsOf, "1,10 2,20")
				if name == "itself" {
					c.want(t, `select since from members where referrer = email order by since`, "7 8")
				} else {
					c.want(t, `select d.id, m.since from deals d join members m on m.email = d.buyer and m.email = d.seller order by d.id`, "1,7 2,8")
				}
			})
		})
	}
}
