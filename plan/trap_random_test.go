package plan_test

import (
	"slices"
	"testing"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/plan"
)

// app tells its users by words made up at random, which others' rows and texts repeat.
func app(rules ...catalog.TableRule) trap {
	return trap{tables: `create table users (id varchar(30) primary key, email varchar(100) not null unique, name varchar(40));
insert into users values ('cjld2cjxh0000qzrmn831i7rn', 'ida@example.com', 'Ida Nordmann'), ('cjld2cyuq0000t3rmniod1foy', 'frida@example.com', 'Frida');
create table bills (id integer primary key, user_id varchar(30) not null references users(id), total integer not null);
insert into bills values (1, 'cjld2cjxh0000qzrmn831i7rn', 10), (2, 'cjld2cyuq0000t3rmniod1foy', 20);
create table tasks (id integer primary key, user_id varchar(30) not null references users(id), watchers text);
insert into tasks values (1, 'cjld2cyuq0000t3rmniod1foy', '["cjld2cjxh0000qzrmn831i7rn"]');
create table invitations (id integer primary key, inviter_id varchar(30) not null references users(id), email varchar(100) not null);
insert into invitations values (1, 'cjld2cyuq0000t3rmniod1foy', 'IDA@example.com'), (2, 'cjld2cyuq0000t3rmniod1foy', 'bo@example.com');`,
		system: catalog.System{
			People: []catalog.People{{Table: "users", By: map[string]string{"user": "id", "email": "email"}}},
			Links:  []catalog.Link{{From: "invitations.email", To: "users.email", As: catalog.Mention}},
			Tables: rules,
		}}
}

// A row that stays keeps a key that says nothing of whom it was, and so may whatever refers to it. Their address goes from
// somebody else's row all the same, where it cannot be left empty, too.
func TestTrap06RandomKeyOfAShell(t *testing.T) {
	app(catalog.TableRule{Table: "bills", Erase: catalog.Keep, Because: "bookkeeping law"}).spring(t, func(t *testing.T, c *trapped) {
		c.erase(t, plan.Complete)
		c.want(t, `select count(*) from users where id = 'cjld2cjxh0000qzrmn831i7rn' and email <> 'ida@example.com' and (name is null or name not like '%Ida%')`, "1",
			`select total from bills where user_id = 'cjld2cjxh0000qzrmn831i7rn'`, "10", `select watchers from tasks`, `["cjld2cjxh0000qzrmn831i7rn"]`,
			`select count(*) from invitations where id = 1 and lower(email) <> 'ida@example.com'`, "1", `select email from invitations where id = 2`, "bo@example.com")
		c.Verify(t, c.store)
	})
}

// The same of a number long enough to be looked for in text, and in lists of others.
func TestTrap06LongNumberOfAShell(t *testing.T) {
	tr := trap{tables: `create table accounts (id bigint primary key, email varchar(100) not null unique, name varchar(40));
insert into accounts values (114124713707420024, 'ida@example.com', 'Ida Nordmann'), (115744670305075594, 'frida@example.com', 'Frida');
create table bills (id integer primary key, account_id bigint not null references accounts(id), total integer not null);
insert into bills values (1, 114124713707420024, 10);
create table talks (id integer primary key, account_id bigint not null references accounts(id), others text);
insert into talks values (1, 115744670305075594, '[114124713707420024]');`,
		system: catalog.System{
			People: []catalog.People{{Table: "accounts", By: map[string]string{"account": "id", "email": "email"}}},
			Tables: []catalog.TableRule{{Table: "bills", Erase: catalog.Keep, Because: "bookkeeping law"}},
		}}
	tr.spring(t, func(t *testing.T, c *trapped) {
		c.erase(t, plan.Complete)
		c.want(t, `select count(*) from accounts where id = 114124713707420024 and email <> 'ida@example.com'`, "1", `select others from talks`, "[114124713707420024]")
	})
}

// The same where the engine knows what a UUID is.
func TestTrap06UUIDOfAShell(t *testing.T) {
	tr := trap{on: []string{"postgres"}, tables: `create table users (id uuid primary key, email varchar(100) not null unique, name varchar(40));
insert into users values ('9f86d081-884c-4d65-9a2f-eaa0c55ad015', 'ida@example.com', 'Ida Nordmann');
create table bills (id integer primary key, user_id uuid not null references users(id), total integer not null);
insert into bills values (1, '9f86d081-884c-4d65-9a2f-eaa0c55ad015', 10);
create table jobs (id integer primary key, args jsonb);
insert into jobs values (1, '{"user": "9f86d081-884c-4d65-9a2f-eaa0c55ad015"}');`,
		system: catalog.System{
			People: []catalog.People{{Table: "users", By: map[string]string{"user": "id", "email": "email"}}},
			Tables: []catalog.TableRule{{Table: "bills", Erase: catalog.Keep, Because: "bookkeeping law"}, {Table: "jobs", Categories: map[string]string{"args": "technical"}}},
		}}
	tr.spring(t, func(t *testing.T, c *trapped) {
		c.erase(t, plan.Complete)
		c.want(t, `select count(*) from users where email <> 'ida@example.com'`, "1", `select args->>'user' from jobs`, "9f86d081-884c-4d65-9a2f-eaa0c55ad015")
	})
}

// When the row goes, its key must not stand anywhere either.
func TestTrap06RandomKeyOfARowThatGoes(t *testing.T) {
	app().spring(t, func(t *testing.T, c *trapped) {
		o := c.run(t, c.plan(t))
		c.want(t, `select count(*) from users`, "1", `select count(*) from bills`, "1", `select count(*) from invitations where lower(email) = 'ida@example.com'`, "0")
		if o.Status != plan.Incomplete || !slices.ContainsFunc(o.Remaining, func(r plan.Remaining) bool { return r.Dataset == "tasks" && r.Code == "residue" }) {
			t.Errorf("it is %s, and the key in a text is not named: %+v", o.Status, o.Remaining)
		}
	})
}
