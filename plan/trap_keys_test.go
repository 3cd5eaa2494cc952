package plan_test

import (
	"strings"
	"testing"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/subject"
)

// riders is a club in which what refers to a member is told by the member's address itself, and referred to by it.
const riders = members + `
create table cards (member varchar(100) primary key references members(email), since integer);
insert into cards values ('IDA@example.com', 70), ('frida@example.com', 80);
create table rides (member varchar(100) not null references members(email), day integer not null, primary key (member, day));
insert into rides values ('IDA@example.com', 1), ('IDA@example.com', 2), ('frida@example.com', 1);
create table legs (id integer primary key, member varchar(100) not null, day integer, km integer, foreign key (member, day) references rides(member, day));
insert into legs values (1, 'IDA@example.com', 1, 11), (2, 'IDA@example.com', 2, 12), (3, 'frida@example.com', 1, 13);`

func clubOf(tables string, kept ...string) trap {
	tr := club()
	tr.tables, tr.system.Tables = tables, nil
	for _, name := range kept {
		tr.system.Tables = append(tr.system.Tables, catalog.TableRule{Table: name, Erase: catalog.Keep, Because: "law"})
	}
	return tr
}

// nowhere: no table holds Ida's address any more.
func (c *trapped) nowhere(t *testing.T, tables ...string) {
	t.Helper()
	for _, table := range tables {
		got := strings.ToLower(c.rows(t, "select * from "+table))
		if strings.Contains(strings.ReplaceAll(got, "frida@", ""), "ida@") {
			t.Errorf("%s still has the address: %s", table, got)
		}
	}
}

const idasKey = `(select email from members where since = 7)`

// The key follows where it is, or is part of, the key of what refers to it, and on to what refers to that.
func TestTrap06PersonalKeyInOtherKeys(t *testing.T) {
	clubOf(riders, "cards", "legs").spring(t, func(t *testing.T, c *trapped) {
		p := c.plan(t)
		if !warned(p, "rekey", "cards") || !warned(p, "rekey", "legs") {
			t.Errorf("the plan does not tell of the key: %+v", p.Warnings)
		}
		if o := c.run(t, p); o.Status != plan.Complete {
			t.Errorf("it is %s: %+v %+v", o.Status, o.Remaining, o.Gaps)
		}
		c.want(t, addrOf, "1", `select since from cards where member = `+idasKey, "70", `select id, km from legs where member = `+idasKey+` order by id`, "1,11 2,12",
			`select day from rides where member = `+idasKey+` order by day`, "1 2", `select email, nick from members where since = 8`, "frida@example.com,frida",
			`select count(*) from legs l join rides r on r.member = l.member and r.day = l.day join members m on m.email = r.member`, "3")
		c.nowhere(t, "members", "bills", "posts", "cards", "rides", "legs")
	})
}

// What a hold kept is found by the key that became part of its own when the hold ends.
func TestTrap06PersonalKeyInOtherKeysUnderHold(t *testing.T) {
	clubOf(riders).spring(t, func(t *testing.T, c *trapped) {
		w := c.open(t)
		holds, err := w.Holds.Add(t.Context(), subject.HoldInput{Subjects: c.person.Identities, System: "shop", Dataset: "legs", Because: "claim 7", Actor: "test"})
		if err != nil {
			t.Fatal(err)
		}
		q := c.question(plan.Erasure)
		q.Holds = holds
		c.runWith(t, q)
		c.want(t, `select id from legs where member = `+idasKey+` order by id`, "1 2", `select count(*) from bills`, "1")
		q.Holds = nil
		c.runWith(t, q)
		c.want(t, `select id from legs`, "3", `select member from rides`, "frida@example.com")
		c.Verify(t, c.store)
	})
}

// The address is one part of the key, the tenant another: the tenant stays, also where it is a key of its own.
func TestTrap06PersonalKeyOfTwoColumns(t *testing.T) {
	tr := clubOf(`create table tenants (id integer primary key, name varchar(40));
insert into tenants values (1, 'north'), (2, 'south');
create table members (tenant integer not null references tenants(id), email varchar(100) not null, nick varchar(40) not null unique, since integer not null, primary key (tenant, email));
insert into members values (1, 'IDA@example.com', 'ida', 7), (1, 'frida@example.com', 'frida', 8), (2, 'frida@example.com', 'frida two', 9);
create table bills (id integer primary key, tenant integer not null, member varchar(100) not null, total integer, foreign key (tenant, member) references members(tenant, email));
insert into bills values (1, 1, 'IDA@example.com', 10), (2, 1, 'frida@example.com', 20), (3, 2, 'frida@example.com', 30);
create table seats (tenant integer not null, member varchar(100) not null, row_no integer not null, primary key (tenant, member, row_no), foreign key (tenant, member) references members(tenant, email));
insert into seats values (1, 'IDA@example.com', 4), (1, 'frida@example.com', 5), (2, 'frida@example.com', 4);`, "bills", "seats")
	tr.system.Ignore = []string{"tenants"}
	tr.spring(t, func(t *testing.T, c *trapped) {
		c.erase(t, plan.Complete)
		c.want(t, `select tenant, since from members where email like '%@erased.invalid'`, "1,7",
			`select b.id, b.total from bills b join members m on m.tenant = b.tenant and m.email = b.member where m.since = 7`, "1,10",
			`select s.row_no from seats s join members m on m.tenant = s.tenant and m.email = s.member where m.since = 7`, "4",
			`select tenant, email, nick from members where since > 7 order by since`, "1,frida@example.com,frida 2,frida@example.com,frida two",
			`select count(*) from bills where member = 'frida@example.com'`, "2", `select count(*) from seats where member = 'frida@example.com'`, "2")
		c.nowhere(t, "members", "bills", "seats")
	})
}

// An address that is no primary key may be what others refer to all the same: they follow it.
func TestTrap06AddressThatOthersReferTo(t *testing.T) {
	payers := trap{
		tables: customers + `
create table bills (id integer primary key, payer varchar(100) not null references customers(email), total integer);
insert into bills values (1, 'Ida@Example.com', 10), (2, 'bo@example.com', 20);
create table tickets (id integer primary key, customer_id integer not null references customers(id), code varchar(40) not null unique, body varchar(100));
insert into tickets values (1, 1, 'IDA-1', 'x'), (2, 2, 'BO-1', 'y');
create table calls (id integer primary key, ticket varchar(40) references tickets(code), minutes integer);
insert into calls values (1, 'IDA-1', 5), (2, 'BO-1', 6);`,
		system: catalog.System{Links: []catalog.Link{{From: "bills.payer", To: "customers.email"}}, Tables: []catalog.TableRule{
			{Table: "bills", Erase: catalog.Keep, Because: "law"}, {Table: "calls", Erase: catalog.Keep, Because: "law"},
			{Table: "tickets", Erase: catalog.Anonymise, Columns: []string{"code", "body"}}}},
	}
	payers.spring(t, func(t *testing.T, c *trapped) {
		c.erase(t, plan.Complete)
		c.want(t, `select c.id, b.total from bills b join customers c on c.email = b.payer order by b.id`, "1,10 2,20",
			`select t.id, t.body, c.minutes from calls c join tickets t on t.code = c.ticket order by c.id`, "1,NULL,5 2,y,6",
			`select name from customers where id = 1`, "NULL", `select email, name from customers where id = 2`, "bo@example.com,Bo Berg", `select code from tickets where id = 2`, "BO-1")
		c.nowhere(t, "customers", "bills", "tickets", "calls")
	})
	t.Run("fixed", func(t *testing.T) { // all else goes
		payers.tables += `
create table loyalty (email varchar(100) primary key, points integer);
insert into loyalty values ('Ida@Example.com', 3), ('bo@example.com', 4);
create table cards (id integer primary key, holder varchar(100) references customers(email), foreign key (holder) references loyalty(email));
insert into cards values (1, 'Ida@Example.com');`
		payers.system.Tables = append(payers.system.Tables, catalog.TableRule{Table: "cards", Erase: catalog.Keep, Because: "law"})
		payers.system.Links = append(payers.system.Links, catalog.Link{From: "cards.holder", To: "customers.email"}, catalog.Link{From: "cards.holder", To: "loyalty.email", As: catalog.Context})
		payers.spring(t, func(t *testing.T, c *trapped) {
			wantNamed(t, c.erase(t, plan.Incomplete).Gaps, "personal-key", "customers")
			c.want(t, `select email, name from customers where id = 1`, "Ida@Example.com,NULL", `select body from tickets where id = 1`, "NULL")
		})
	})
}

// What gets another key, and refers to what goes, lets go of that before: its key is the last to change.
func TestTrap06PersonalKeyRefersToWhatGoes(t *testing.T) {
	for _, onDelete := range []string{"cascade", "no action"} {
		clubOf(members+`
alter table members add column best integer references posts(id) on delete `+onDelete+`;
update members set best = 1 where since = 7;
update members set best = 2 where since = 8;`, "bills").spring(t, func(t *testing.T, c *trapped) {
			c.erase(t, plan.Complete)
			c.want(t, addrOf, "1", billsOf, "1,10 2,20", `select id from posts`, "2", `select since, best from members order by since`, "7,NULL 8,2")
			c.nowhere(t, "members", "bills", "posts")
		})
	}
}

// A row that let go, and whose key could not change, is found again: nothing leads to it any more.
func TestTrap06KeyThatDidNotChangeIsNotForgotten(t *testing.T) {
	trap{
		tables: customers + `
create table tickets (id integer primary key, customer_id integer references customers(id), code varchar(40) not null unique, body varchar(100));
insert into tickets values (1, 1, 'IDA-1', 'x'), (2, 2, 'BO-1', 'y');
create table calls (id integer primary key, ticket varchar(40) references tickets(code), minutes integer);
insert into calls values (1, 'IDA-1', 5), (2, 'BO-1', 6);`,
		system: catalog.System{Tables: []catalog.TableRule{{Table: "calls", Erase: catalog.Keep, Because: "law"}, {Table: "tickets", Erase: catalog.Anonymise, Columns: []string{"code", "body"}}}},
	}.spring(t, func(t *testing.T, c *trapped) {
		in := &injection{}
		c.options.Wrap = in.wrap(t)
		c.open(t)
		in.set(readOnly, "calls", nil)
		c.erase(t, plan.Incomplete)
		c.want(t, `select id from customers order by id`, "2 3", `select customer_id, code from tickets where id = 1`, "NULL,IDA-1")
		in.lift()
		c.erase(t, plan.Complete)
		c.want(t, `select t.id, t.body, c.minutes from calls c join tickets t on t.code = c.ticket order by c.id`, "1,NULL,5 2,y,6")
		c.nowhere(t, "tickets", "calls")
	})
}

// Where a reference is too narrow for any other key, the key stays, and that is said before anything is touched.
func TestTrap06PersonalKeyRepeatedInANarrowColumn(t *testing.T) {
	tr := clubOf(members+`
create table tags (id integer primary key, member varchar(16) references members(email));
insert into tags values (1, 'IDA@example.com');`, "bills", "tags")
	tr.spring(t, func(t *testing.T, c *trapped) {
		o := c.erase(t, plan.Incomplete)
		wantNamed(t, o.Gaps, "personal-key", "members")
		c.want(t, `select email, since from members where since = 7`, "IDA@example.com,7", `select count(*) from members where nick = 'ida'`, "0")
	})
}

// An engine may take another spelling for the same key: whoever refers to it so follows too.
func TestTrap06PersonalKeySpelledOtherwise(t *testing.T) {
	tr := clubOf(members, "bills", "posts")
	tr.on = []string{"mariadb"}
	tr.tables += `
update posts set member = 'Ida@EXAMPLE.com' where id = 1;`
	tr.spring(t, func(t *testing.T, c *trapped) {
		c.erase(t, plan.Complete)
		c.want(t, billsOf, "1,10 2,20", `select id from posts where member = `+idasKey, "1")
		c.nowhere(t, "members", "bills", "posts")
	})
}

// Old versions of rows say what the key was: they go where the engine keeps them.
func TestTrap06PersonalKeyWithOldVersions(t *testing.T) {
	tr := clubOf(strings.ReplaceAll(members, ");\ninsert", ") with system versioning;\ninsert"), "bills")
	tr.on, tr.maria = []string{"mariadb"}, true
	tr.spring(t, func(t *testing.T, c *trapped) {
		c.erase(t, plan.Complete)
		c.want(t, addrOf, "1", billsOf, "1,10 2,20")
		c.nowhere(t, "members for system_time all", "bills for system_time all", "posts for system_time all")
	})
}

// What only ombud.yaml joins to a member follows the key too, whoever's row that is; where it cannot, that is named.
func TestTrap06PersonalKeyRepeatedByALink(t *testing.T) {
	tr := clubOf(members+`
create table notes (id integer primary key, member varchar(100), body varchar(40));
insert into notes values (1, 'IDA@example.com', 'a'), (2, 'frida@example.com', 'b');
create table games (id integer primary key, host varchar(100), guest varchar(100));
insert into games values (1, 'frida@example.com', 'IDA@example.com'), (2, 'frida@example.com', 'frida@example.com'), (3, 'frida@example.com', null);`, "bills", "notes")
	tr.system.Links = []catalog.Link{{From: "notes.member", To: "members.email"}, {From: "games.host", To: "members.email"}, {From: "games.guest", To: "members.email", As: catalog.Mention}}
	tr.spring(t, func(t *testing.T, c *trapped) {
		p := c.plan(t)
		if !warned(p, "rekey", "notes") || !warned(p, "rekey", "games") {
			t.Errorf("the plan does not tell of the key: %+v", p.Warnings)
		}
		if o := c.run(t, p); o.Status != plan.Complete {
			t.Errorf("it is %s: %+v %+v", o.Status, o.Remaining, o.Gaps)
		}
		c.want(t, addrOf, "1", `select id, body from notes where member = `+idasKey, "1,a", `select id from games where guest = `+idasKey, "1",
			`select member from notes where id = 2`, "frida@example.com", `select id, host, guest from games where id > 1 order by id`, "2,frida@example.com,frida@example.com 3,frida@example.com,NULL")
		c.nowhere(t, "members", "bills", "notes", "games")
	})
	t.Run("narrow", func(t *testing.T) {
		tr.tables = strings.Replace(tr.tables, "guest varchar(100)", "guest varchar(20)", 1)
		tr.spring(t, func(t *testing.T, c *trapped) {
			o := c.erase(t, plan.Incomplete)
			wantNamed(t, o.Remaining, "residue", "games")
			c.want(t, addrOf, "1", `select id from notes where member = `+idasKey, "1", `select guest from games where id = 1`, "IDA@example.com")
			c.nowhere(t, "members", "bills", "notes")
		})
	})
}

// A kept row in which the address will be another says nothing for a row beside it to which nothing leads.
func TestTrap06PersonalKeyBesideOneCutShort(t *testing.T) {
	tr := clubOf(`create table members (tenant integer not null, email varchar(100) not null, since integer not null, primary key (tenant, email));
insert into members values (1, 'ida@example.com', 7), (1, 'frida@example.com', 8);
create table bills (id integer primary key, tenant integer, member varchar(100), foreign key (tenant, member) references members(tenant, email));
insert into bills values (1, 1, 'ida@example.com'), (2, null, 'ida@example.com'), (3, 1, 'frida@example.com');`, "bills")
	tr.spring(t, func(t *testing.T, c *trapped) {
		o := c.erase(t, plan.Incomplete)
		if len(o.Remaining) != 1 || o.Remaining[0].Rows != 1 {
			t.Errorf("remaining %+v", o.Remaining)
		}
		wantNamed(t, o.Remaining, "residue", "bills")
		c.want(t, `select count(*) from bills b join members m on m.tenant = b.tenant and m.email = b.member where m.since = 7`, "1", `select member from bills where id = 2`, "ida@example.com")
	})
}

// Who is mentioned by a key that a hold kept, under another name, is mentioned no more when the hold ends and the row goes.
func TestTrap06PersonalKeyMentionedUnderHold(t *testing.T) {
	tr := clubOf(`create table members (email varchar(100) primary key, nick varchar(40) not null unique, since integer not null);
insert into members values ('IDA@example.com', 'ida', 7), ('frida@example.com', 'frida', 8);
create table accounts (login varchar(100) primary key references members(email), plan integer);
insert into accounts values ('IDA@example.com', 1), ('frida@example.com', 2);
create table games (id integer primary key, host varchar(100) not null references members(email), guest varchar(100) references members(email), scorer varchar(100));
insert into games values (1, 'frida@example.com', 'IDA@example.com', 'IDA@example.com'), (2, 'frida@example.com', null, 'frida@example.com');`)
	tr.system.People = append(tr.system.People, catalog.People{Table: "accounts", By: map[string]string{"login": "login"}})
	tr.system.Links = []catalog.Link{{From: "games.host", To: "members.email"}, {From: "games.guest", To: "members.email", As: catalog.Mention}, {From: "games.scorer", To: "members.email", As: catalog.Mention}}
	tr.spring(t, func(t *testing.T, c *trapped) {
		w := c.open(t)
		holds, err := w.Holds.Add(t.Context(), subject.HoldInput{Subjects: c.person.Identities, System: "shop", Dataset: "accounts", Because: "claim 7", Actor: "test"})
		if err != nil {
			t.Fatal(err)
		}
		q := c.question(plan.Erasure)
		q.Holds = holds
		c.runWith(t, q)
		c.want(t, `select id from games where guest = `+idasKey+` and scorer = `+idasKey, "1")
		q.Holds = nil
		c.runWith(t, q)
		c.want(t, `select id, host, guest, scorer from games order by id`, "1,frida@example.com,NULL,NULL 2,frida@example.com,NULL,frida@example.com",
			`select login from accounts`, "frida@example.com", `select since from members`, "8")
		c.Verify(t, c.store)
	})
}

// TestTrap06LoginThatLinksRepeat: a login that only ombud.yaml says others refer to becomes another, and they follow: a space
// named like its owner would tell who that was.
func TestTrap06LoginThatLinksRepeat(t *testing.T) {
	trap{
		tables: `create table users (id integer primary key, email varchar(100) not null unique, login varchar(100) not null unique);
insert into users values (1, 'Ida@Example.com', 'idanor'), (2, 'bo@example.com', 'bober');
create table spaces (id integer primary key, owner_id integer not null references users(id), path varchar(100) not null, since integer);
insert into spaces values (1, 1, 'idanor', 70), (2, 2, 'bober', 80);
create table mentions (id integer primary key, login varchar(100) not null, page integer);
insert into mentions values (1, 'idanor', 7), (2, 'bober', 8);
create table bills (id integer primary key, user_id integer not null references users(id), total integer);
insert into bills values (1, 1, 100), (2, 2, 200);`,
		system: catalog.System{
			People: []catalog.People{{Table: "users", By: map[string]string{"email": "email", "user": "id"}}},
			Links:  []catalog.Link{{From: "spaces.path", To: "users.login", As: catalog.Mention}, {From: "mentions.login", To: "users.login", As: catalog.Mention}},
			Tables: []catalog.TableRule{{Table: "bills", Erase: catalog.Keep, Because: "tax"}, {Table: "spaces", Erase: catalog.Anonymise}},
		},
	}.spring(t, func(t *testing.T, c *trapped) {
		c.erase(t, plan.Complete)
		c.want(t, `select count(*) from users u join mentions m on m.login = u.login`, "2", `select login from users where id = 2`, "bober",
			`select page from mentions where login = 'idanor'`, "", `select since from spaces where path = 'idanor'`, "", `select since from spaces where path = 'bober'`, "80",
			`select count(*) from spaces s join users u on u.id = s.owner_id and u.login = s.path`, "2")
	})
}

// What refers to a key by a link alone, and did not follow, or came later from who remembers the key, follows by a retry; not
// where somebody else has the key by then.
func TestTrap06LinksThatDidNotFollow(t *testing.T) {
	trap{
		tables: customers + `
create table tickets (id integer primary key, customer_id integer not null references customers(id), code varchar(40) not null unique, body varchar(100));
insert into tickets values (1, 1, 'IDA-1', 'x'), (2, 1, 'IDA-2', 'y'), (3, 2, 'BO-1', 'z');
create table calls (id integer primary key, ticket varchar(40) not null, minutes integer);
insert into calls values (1, 'IDA-1', 5), (2, 'IDA-2', 6), (3, 'BO-1', 7);`,
		system: catalog.System{Links: []catalog.Link{{From: "calls.ticket", To: "tickets.code"}}, Tables: []catalog.TableRule{
			{Table: "calls", Erase: catalog.Keep, Because: "law"}, {Table: "tickets", Erase: catalog.Anonymise, Columns: []string{"code", "body"}}}},
	}.spring(t, func(t *testing.T, c *trapped) {
		const follows = `select c.id, t.id from calls c join tickets t on t.code = c.ticket order by c.id`
		in := &injection{}
		c.options.Wrap = in.wrap(t)
		c.open(t)
		in.set(updateSkipped, "calls", nil)
		wantNamed(t, c.erase(t, plan.Incomplete).Remaining, "residue", "calls")
		c.want(t, follows, "3,3")
		in.lift()
		c.erase(t, plan.Complete)
		c.want(t, follows, "1,1 2,2 3,3")
		c.store.Exec(t, `insert into calls values (4, 'IDA-1', 8)`, `insert into tickets values (4, 2, 'IDA-2', 'his')`, `insert into calls values (5, 'IDA-2', 9)`)
		if p := c.plan(t); !warned(p, "rekey", "calls") {
			t.Errorf("the plan does not tell of what follows late: %+v", p.Warnings)
		}
		c.erase(t, plan.Complete)
		c.want(t, follows, "1,1 2,2 3,3 4,1 5,4", `select body from tickets where id = 4`, "his")
	})
}

// A link whose table may not be read when the key changes follows once it may.
func TestTrap06LinksOfATableThatMayNotBeRead(t *testing.T) {
	tr := clubOf(members+`
create table votes (id integer primary key, member varchar(100) not null, points integer);
insert into votes values (1, 'IDA@example.com', 5), (2, 'frida@example.com', 6);`, "bills", "votes")
	tr.system.Links = []catalog.Link{{From: "votes.member", To: "members.email", As: catalog.Own}}
	tr.spring(t, func(t *testing.T, c *trapped) {
		in := &injection{}
		c.options.Wrap = in.wrap(t)
		c.open(t)
		in.set(noSelect, "votes", nil)
		wantNamed(t, c.erase(t, plan.Incomplete).Gaps, "right-missing", "votes")
		c.want(t, addrOf, "1", `select member from votes where id = 1`, "IDA@example.com")
		in.lift()
		c.erase(t, plan.Complete)
		c.want(t, addrOf, "1", billsOf, "1,10 2,20", `select id, points from votes where member = `+idasKey, "1,5", `select member from votes where id = 2`, "frida@example.com")
		c.nowhere(t, "members", "bills", "votes")
	})
}
