package plan_test

import (
	"context"
	"testing"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/internal/testkit/world"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/subject"
)

// letters are rows of two people each: who wrote and who received.
const letters = customers + `
create table letters (id integer primary key, from_customer integer references customers(id), to_customer integer references customers(id), body text);
insert into letters values (1, 1, 2, 'hello Bo'), (2, 2, 1, 'hello Ida, your ida@example.com works'), (3, 2, 3, 'not her'), (4, 1, 1, 'note to self');`

func letterSystem() catalog.System {
	return catalog.System{
		Links: []catalog.Link{
			{From: "letters.from_customer", To: "customers.id", As: catalog.Co, Author: true},
			{From: "letters.to_customer", To: "customers.id", As: catalog.Co},
		},
		Tables: []catalog.TableRule{{Table: "letters", Erase: catalog.Redact, Columns: []string{"body"}}},
	}
}

func TestTrap01RowOwnedByTwo(t *testing.T) {
	trap{tables: letters, system: letterSystem()}.spring(t, func(t *testing.T, c *trapped) {
		got, _ := c.export(t)
		got.wantRows(t, "letters", "1,1,WITHHELD,hello Bo", "2,WITHHELD,1,WITHHELD", "4,1,1,note to self")
		c.erase(t, plan.Complete)
		c.want(t, `select * from letters order by id`,
			"1,NULL,2,[erased] 2,2,NULL,hello [erased], your [erased] works 3,2,3,not her 4,NULL,NULL,[erased]",
			`select id from customers order by id`, "2 3")
		// The last owner leaves.
		c.person = world.Person("email=bo@example.com")
		q := c.question(plan.Erasure)
		q.Request = "dsr_2"
		p, err := c.Engine.Plan(context.Background(), q)
		if err != nil {
			t.Fatal(err)
		}
		if o, err := c.Engine.Run(context.Background(), q, p, nil); err != nil || o.Status != plan.Complete {
			t.Errorf("%v %+v", err, o)
		}
		c.want(t, `select from_customer, to_customer, body from letters where id = 3`, "NULL,3,[erased]")
	})
}

func TestTrap02MentionInAnothersText(t *testing.T) {
	tr := trap{
		tables: letters + `
insert into letters values (5, 2, 3, 'Ida Nordmann, IDA@example.com, is not frida@example.com');
create table memos (id integer primary key, customer_id integer references customers(id), note text);
insert into memos values (1, 2, 'Bo asked for frida@example.com'), (2, 2, 'lives with ida@example.com');`,
		system: letterSystem(),
	}
	tr.spring(t, func(t *testing.T, c *trapped) {
		got, _ := c.export(t)
		if len(got["letters"]) != 3 || len(got["memos"]) != 0 {
			t.Errorf("rows of others are shipped: %v", got)
		}
		got.without(t, "is not frida")
		// Letters are redacted by rule; nobody said that memos may be touched, so the sweep names them.
		o := c.erase(t, plan.Incomplete)
		wantNamed(t, o.Remaining, "residue", "memos")
		c.want(t, `select from_customer, to_customer, body from letters where id = 5`, "2,3,[erased], [erased], is not frida@example.com",
			`select note from memos order by id`, "Bo asked for frida@example.com lives with ida@example.com")
	})
}

func TestTrap03OthersInTheExport(t *testing.T) {
	trap{tables: letters, system: letterSystem()}.spring(t, func(t *testing.T, c *trapped) {
		got, o := c.export(t)
		got.without(t, "bo@example.com", "frida", "your ida@example.com works")
		held := map[string]int64{}
		for _, h := range o.Held {
			held[h.Dataset+"."+h.Field] += h.Rows
		}
		if held["letters.body"] != 1 || held["letters.to_customer"] != 1 || held["letters.from_customer"] != 1 {
			t.Errorf("held %+v", o.Held)
		}
		// Somebody has looked: the words are released, who else owns the row is not.
		q, reviewed := c.question(plan.Access), parcel{}
		q.Reviewed = true
		if _, _, err := c.Engine.Export(context.Background(), q, reviewed, nil); err != nil {
			t.Fatal(err)
		}
		reviewed.wantRows(t, "letters", "1,1,WITHHELD,hello Bo", "2,WITHHELD,1,hello Ida, your ida@example.com works", "4,1,1,note to self")
	})
}

func TestTrap04SoftDeletedRows(t *testing.T) {
	tr := trap{tables: `create table customers (id integer primary key, email varchar(100) not null unique, deleted_at varchar(20));
insert into customers values (1, 'ida@example.com', '2024-01-01'), (2, 'bo@example.com', '2024-01-01');
create table orders (id integer primary key, customer_id integer not null references customers(id), status varchar(20), deleted_at varchar(20));
insert into orders values (10, 1, 'paid', null), (11, 1, 'deleted', '2024-01-01'), (20, 2, 'deleted', '2024-01-01');
create view live_customers as select id, email from customers where deleted_at is null;
create view live_orders as select id, customer_id from orders where deleted_at is null;`}
	tr.spring(t, func(t *testing.T, c *trapped) {
		got, _ := c.export(t)
		got.wantRows(t, "orders", "10,1,paid,NULL", "11,1,deleted,2024-01-01")
		c.erase(t, plan.Complete)
		c.want(t, `select id from orders`, "20", `select id from customers`, "2")
	})
}

func TestTrap05DenormalisedCopies(t *testing.T) {
	tr := trap{
		tables: customers + `
create table leads (id integer primary key, contact varchar(100), name varchar(100));
insert into leads values (1, ' IDA@example.com', 'Ida Nordmann'), (2, 'frida@example.com', 'Ida Nordman'), (3, null, null);
create table crm_sync (id integer primary key, payload text);
insert into crm_sync values (1, 'ida@example.com|Ida|synced'), (2, 'frida@example.com|Ida|synced');`,
		system: catalog.System{Links: []catalog.Link{{From: "leads.contact", To: "customers.email"}}},
	}
	tr.spring(t, func(t *testing.T, c *trapped) {
		o := c.erase(t, plan.Incomplete)
		wantNamed(t, o.Gaps, "unmapped", "crm_sync")
		wantNamed(t, o.Remaining, "residue", "crm_sync") // only reading everything finds it
		if len(o.Remaining) != 1 || o.Remaining[0].Rows != 1 {
			t.Errorf("remaining %+v", o.Remaining)
		}
		c.want(t, `select id from leads order by id`, "2 3", `select id from crm_sync order by id`, "1 2")
	})
}

func TestTrap06KeysOfEveryMake(t *testing.T) {
	tr := trap{
		tables: customers + `
create table marks (customer_id integer not null references customers(id), place integer not null, note varchar(40), primary key (customer_id, place));
insert into marks values (1, 1, 'a'), (1, 2, 'b'), (2, 1, 'c');
create table visits (customer_id integer references customers(id), page varchar(40));
insert into visits values (1, 'home'), (1, 'home'), (2, 'home'), (2, 'home'), (null, 'home');
create table members (email varchar(100) primary key, nick varchar(40));
insert into members values ('IDA@example.com', 'ida'), ('frida@example.com', 'ida');
create table posts (id integer primary key, member varchar(100) not null references members(email), body text);
insert into posts values (1, 'IDA@example.com', 'x'), (2, 'frida@example.com', 'y');`,
		system: catalog.System{People: []catalog.People{
			{Table: "customers", By: map[string]string{"email": "email"}},
			{Table: "members", By: map[string]string{"email": "email"}},
		}},
	}
	tr.spring(t, func(t *testing.T, c *trapped) {
		got, _ := c.export(t)
		got.wantRows(t, "visits", "1,home", "1,home")
		c.erase(t, plan.Complete)
		c.want(t, `select * from marks`, "2,1,c", `select * from visits order by customer_id desc`, visitsLeft(c),
			`select email from members`, "frida@example.com", `select id from posts`, "2")
	})
}

// visitsLeft: engines sort NULL differently.
func visitsLeft(c *trapped) string {
	if c.engine == "postgres" {
		return "NULL,home 2,home 2,home"
	}
	return "2,home 2,home NULL,home"
}

func TestTrap07CompositeAndDeferredKeys(t *testing.T) {
	tr := trap{
		tables: customers + `
create table places (tenant integer not null, id integer not null, customer_id integer references customers(id), primary key (tenant, id));
insert into places values (1, 7, 1), (2, 7, 2);
create table stays (id integer primary key, tenant integer, place integer, guest integer, foreign key (tenant, place) references places (tenant, id));
insert into stays values (1, 1, 7, null), (2, 2, 7, null), (3, 1, null, null), (4, 1, null, 1);`,
		extra: map[string]string{ // MariaDB has no deferred keys
			"sqlite": deferredKeys, "postgres": deferredKeys,
		},
		system: catalog.System{Links: []catalog.Link{own("stays.guest")}},
	}
	tr.spring(t, func(t *testing.T, c *trapped) {
		c.erase(t, plan.Complete)
		// 3 has a NULL part and so refers to nobody's place; 4 has one too and is found by the link.
		c.want(t, `select id from stays order by id`, "2 3", `select tenant from places`, "2")
		if c.engine != "mariadb" {
			c.want(t, `select id from cards`, "20", `select id from slots`, "2")
		}
	})
}

const deferredKeys = `create table cards (id integer primary key, customer_id integer not null references customers(id) deferrable initially deferred);
create table slots (id integer primary key, card_id integer not null references cards(id) deferrable initially deferred);
insert into cards values (10, 1), (20, 2);
insert into slots values (1, 10), (2, 20);`

// A number that is somebody's only beside their company's, where no database says so.
func TestTrap07UndeclaredCompositeKeys(t *testing.T) {
	trap{tables: `create table staff (tenant integer not null, no integer not null, email varchar(100) not null, primary key (tenant, no));
insert into staff values (1, 7, 'ida@example.com'), (2, 7, 'frida@example.com'), (1, 8, 'bo@example.com');
create table badges (id integer primary key, tenant integer not null, no integer not null);
insert into badges values (1, 1, 7), (2, 2, 7), (3, 1, 8);
create table swipes (id integer primary key, badge_id integer not null references badges(id));
insert into swipes values (1, 1), (2, 2), (3, 3);
create table reviews (id integer primary key, tenant integer not null, no integer not null, by_no integer);
insert into reviews values (1, 2, 7, 7), (2, 1, 8, 7);`,
		system: catalog.System{
			People: []catalog.People{{Table: "staff", By: map[string]string{"email": "email"}}},
			Links:  []catalog.Link{{From: "badges.tenant+no", To: "staff.tenant+no", As: catalog.Own}, {From: "reviews.tenant+no", To: "staff.tenant+no", As: catalog.Own}, {From: "reviews.tenant+by_no", To: "staff.tenant+no", As: catalog.Mention}},
		}}.spring(t, func(t *testing.T, c *trapped) {
		got, _ := c.export(t)
		got.wantRows(t, "badges", "1,1,7")
		c.erase(t, plan.Complete)
		c.want(t, `select id from badges order by id`, "2 3", `select id from swipes order by id`, "2 3",
			`select id, tenant, no, by_no from reviews order by id`, "1,2,7,7 2,1,8,NULL")
	})
}

// A row for each language that somebody is written in: nobody needs to say that these are one person. What they did as a
// guest is theirs by its address, though its number 0 has a row, of nobody.
func TestTrap07LanguagesOfOnePerson(t *testing.T) {
	trap{tables: `create table users_data (uid integer not null, langcode varchar(12) not null, mail varchar(100), primary key (uid, langcode));
insert into users_data values (1, 'en', 'ida@example.com'), (1, 'nb', 'ida@example.com'), (2, 'en', 'frida@example.com');
insert into users_data values (0, 'en', null);
create table posts (id integer primary key, uid integer not null, mail varchar(100));
insert into posts values (1, 1, null), (2, 2, null), (3, 0, 'Ida@example.com'), (4, 0, 'bo@example.com');`,
		system: catalog.System{
			People: []catalog.People{{Table: "users_data", By: map[string]string{"email": "mail", "user": "uid"}}},
			Links:  []catalog.Link{{From: "posts.uid", To: "users_data.uid"}, {From: "posts.mail", To: "users_data.mail"}},
		}}.spring(t, func(t *testing.T, c *trapped) {
		c.erase(t, plan.Complete)
		c.want(t, `select uid from users_data order by uid`, "0 2", `select id from posts order by id`, "2 4")
	})
}

// Who gave a second address is found by either, and neither stays; an address that two have is asked about.
func TestTrap05SecondAddress(t *testing.T) {
	tr := trap{tables: `create table staff (id integer primary key, work_mail varchar(100) not null, own_mail varchar(100));
insert into staff values (1, 'i.nordmann@work.example', 'Ida@example.com'), (2, 'frida@work.example', 'home@example.com'), (3, 'bo@work.example', 'home@example.com');
create table trips (id integer primary key, staff_id integer not null references staff(id));
insert into trips values (1, 1), (2, 2);
create table cars (id integer primary key, driver varchar(100));
insert into cars values (1, 'I.Nordmann@work.example'), (2, 'ida@example.com'), (3, 'frida@work.example');
create table applicants (id integer primary key, email varchar(100));
insert into applicants values (1, 'ida@example.com');`,
		system: catalog.System{
			People: []catalog.People{{Table: "applicants", By: map[string]string{"email": "email"}}, {Table: "staff", By: map[string]string{"email": "work_mail"}, Also: map[string][]string{"email": {"own_mail"}}}},
			Links:  []catalog.Link{{From: "cars.driver", To: "staff.work_mail"}},
		}}
	tr.spring(t, func(t *testing.T, c *trapped) {
		got, _ := c.export(t)
		got.wantRows(t, "trips", "1,1")
		c.erase(t, plan.Complete)
		c.want(t, `select id from staff order by id`, "2 3", `select id from trips`, "2", `select id from cars order by id`, "3")
		c.person = plan.Person{Identities: []subject.Identity{{Kind: "email", Value: "HOME@example.com"}}}
		wantNamed(t, c.plan(t).Gaps, "review", "staff")
	})
}

// Addresses in a dataset of their own lead to whose they are, from there to all the others of theirs, and from each of
// those to wherever else they are known by it.
func TestTrap05AddressesApart(t *testing.T) {
	trap{tables: `create table users (id integer primary key, name varchar(40));
insert into users values (1, 'Ida Nordmann'), (2, 'Frida');
create table emails (id integer primary key, user_id integer not null, email varchar(100) not null unique);
insert into emails values (1, 1, 'ida@example.com'), (2, 1, 'i.nordmann@example.com'), (3, 2, 'frida@example.com');
create table lists (id integer primary key, email varchar(100) not null unique);
insert into lists values (1, 'I.Nordmann@example.com'), (2, 'frida@example.com');
create table posts (id integer primary key, user_id integer not null);
insert into posts values (1, 1), (2, 2);`,
		system: catalog.System{
			People: []catalog.People{{Table: "users", By: map[string]string{"user": "id"}}, {Table: "emails", By: map[string]string{"email": "email"}}, {Table: "lists", By: map[string]string{"email": "email"}}},
			Links:  []catalog.Link{{From: "emails.user_id", To: "users.id", As: catalog.Alias}, {From: "posts.user_id", To: "users.id"}},
		}}.spring(t, func(t *testing.T, c *trapped) {
		c.erase(t, plan.Complete)
		c.want(t, `select id from users`, "2", `select id from emails`, "3", `select id from posts`, "2", `select id from lists`, "2")
	})
}

// A row between says whose an address is, and by a word whether the number beside it is a contact's or a user's: who has
// the same number among the others is somebody else. It leads the other way as well.
func TestTrap05AddressesBetween(t *testing.T) {
	tr := trap{tables: `create table users (id integer primary key, name varchar(40));
insert into users values (1, 'Bo Berg'), (2, 'Frida Dahl');
create table contacts (id integer primary key, name varchar(40));
insert into contacts values (1, 'Ida Nordmann'), (2, 'Nils Lund');
create table addresses (id integer primary key, email varchar(100) not null unique);
insert into addresses values (1, 'ida@example.com'), (2, 'bo@example.com'), (3, 'i.nordmann@example.com');
create table address_of (id integer primary key, address_id integer not null, bean_id integer not null, bean_module varchar(20) not null);
insert into address_of values (1, 1, 1, 'Contacts'), (2, 2, 1, 'Users'), (3, 3, 1, 'Contacts');
create table calls (id integer primary key, contact_id integer, user_id integer);
insert into calls values (1, 1, null), (2, null, 1), (3, 2, null);`,
		system: catalog.System{
			People: []catalog.People{{Table: "users", By: map[string]string{"user": "id"}}, {Table: "contacts", By: map[string]string{"contact": "id"}}, {Table: "addresses", By: map[string]string{"email": "email"}}},
			Links: []catalog.Link{{From: "address_of.address_id", To: "addresses.id", As: catalog.Alias},
				{From: "address_of.bean_id", To: "contacts.id", As: catalog.Alias, When: map[string]string{"bean_module": "Contacts"}},
				{From: "address_of.bean_id", To: "users.id", As: catalog.Alias, When: map[string]string{"bean_module": "Users"}},
				{From: "calls.contact_id", To: "contacts.id"}, {From: "calls.user_id", To: "users.id"}},
		}}
	rest := []string{`select id from contacts`, "2", `select id from users order by id`, "1 2", `select id from addresses`, "2",
		`select id from address_of`, "2", `select id from calls order by id`, "2 3"}
	tr.spring(t, func(t *testing.T, c *trapped) {
		c.erase(t, plan.Complete)
		c.want(t, rest...)
	})
	tr.spring(t, func(t *testing.T, c *trapped) {
		c.person = plan.Person{Identities: []subject.Identity{{Kind: "contact", Value: "1"}}}
		c.erase(t, plan.Complete)
		c.want(t, rest...)
	})
}

func TestTrap08SelfReference(t *testing.T) {
	tr := trap{tables: `create table customers (id integer primary key, email varchar(100) not null unique, referrer integer references customers(id));
insert into customers values (1, 'ida@example.com', 1), (2, 'bo@example.com', 1), (3, 'frida@example.com', 2);
create table posts (id integer primary key, writer_id integer references customers(id), parent_id integer references posts(id), body text);
insert into posts values (1, 1, null, 'mine'), (2, 2, 1, 'reply'), (3, 3, 2, 'reply to the reply'), (4, 1, 3, 'leaf');
insert into posts values (5, 1, null, 'round'), (6, 1, 5, 'and round');
update posts set parent_id = 6 where id = 5;`}
	tr.spring(t, func(t *testing.T, c *trapped) {
		c.erase(t, plan.Complete)
		c.want(t, `select id, referrer from customers order by id`, "2,NULL 3,2",
			`select * from posts order by id`, "1,NULL,NULL,NULL 2,2,1,reply 3,3,2,reply to the reply")
	})
}
