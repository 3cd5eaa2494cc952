package plan_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/subject"
)

// teams list their members in one cell.
func teams() trap {
	const make, rows = `create table teams (id integer primary key, title varchar(40), member_ids `, `);
insert into teams values (1, 'a', '[1, 2, 3]'), (2, 'b', '[1]'), (3, 'c', '[2, 11]'), (4, 'd', null), (5, 'e', '[]'), (6, 'f', '["1", null, 3, 1]');`
	return trap{
		tables: customers,
		extra:  map[string]string{"sqlite": make + "text" + rows, "postgres": make + "jsonb" + rows, "mariadb": make + "json" + rows},
		system: catalog.System{Links: []catalog.Link{{From: "teams.member_ids[]", To: "customers.id"}}},
	}
}

func (c *trapped) wantTeams(t *testing.T, want string) {
	t.Helper()
	got := c.rows(t, `select id, member_ids from teams order by id`)
	got = strings.ReplaceAll(strings.ReplaceAll(got, ", ", ","), "NULL", "null")
	if got != want {
		t.Errorf("the teams are\n%s, want\n%s", got, want)
	}
}

// Who goes goes from the lists of others, and nobody else does.
func TestTrap13ListsOfKeys(t *testing.T) {
	teams().spring(t, func(t *testing.T, c *trapped) {
		got, o := c.export(t)
		if len(got["teams"]) != 0 || !slices.ContainsFunc(o.Warnings, func(w plan.Warning) bool { return w.Code == "mentions" && w.Dataset == "teams" }) {
			t.Errorf("access gives %v and says %+v", got["teams"], o.Warnings)
		}
		p := c.plan(t)
		if steps(p, "teams") != "redact 3" || !warned(p, "mentions", "teams") {
			t.Errorf("%q %+v", steps(p, "teams"), p.Warnings)
		}
		if o := c.run(t, p); o.Status != plan.Complete {
			t.Errorf("it is %s: %+v %+v", o.Status, o.Remaining, o.Gaps)
		}
		c.wantTeams(t, "1,[2,3] 2,[] 3,[2,11] 4,null 5,[] 6,[null,3]")
		c.want(t, `select title from teams order by id`, "a b c d e f")
	})
}

// PostgreSQL has arrays of its own.
func TestTrap13Arrays(t *testing.T) {
	tr := trap{
		on: []string{"postgres"},
		tables: customers + `
alter table customers add column guid uuid unique, add column code varchar(40) unique;
update customers set guid = '6F1C2A7E-4B1D-4F0E-9A53-0A7A2F3B9C11', code = 'a, "b"' where id = 1;
update customers set guid = '0b9d3f52-77aa-4c1e-8f55-1b2c3d4e5f60', code = 'NULL' where id = 2;
create table crews (id integer primary key, ids integer[], guids uuid[] not null, codes text[]);
insert into crews values (1, '{2,1,NULL,11}', '{6f1c2a7e-4b1d-4f0e-9a53-0a7a2f3b9c11,0b9d3f52-77aa-4c1e-8f55-1b2c3d4e5f60}', array['a, "b"', 'NULL', NULL, 'a']);
insert into crews values (2, '{1}', '{6f1c2a7e-4b1d-4f0e-9a53-0a7a2f3b9c11}', null), (3, '{2}', '{}', array['A, "B"']);`,
		system: catalog.System{Links: []catalog.Link{{From: "crews.ids[]", To: "customers.id"}, {From: "crews.guids[]", To: "customers.guid"}, {From: "crews.codes[]", To: "customers.code", As: catalog.Mention}}},
	}
	tr.spring(t, func(t *testing.T, c *trapped) {
		c.erase(t, plan.Complete)
		c.want(t, `select id, ids, guids from crews order by id`, "1,{2,NULL,11},{0b9d3f52-77aa-4c1e-8f55-1b2c3d4e5f60} 2,{},{} 3,{2},{}",
			`select codes[1], codes[2], codes[3], cardinality(codes) from crews where id = 1`, "NULL,NULL,a,3", `select codes[1] is null, codes[2] is null from crews where id = 1`, "false,true",
			`select codes[1] from crews where id = 3`, `A, "B"`)
	})
}

// Who is listed again meanwhile is named, and a retry goes on; but what has the number next is somebody else.
func TestTrap13ListsThatAreWrittenMeanwhile(t *testing.T) {
	teams().spring(t, func(t *testing.T, c *trapped) {
		var once sync.Once
		c.options.Hook = func(point string) {
			if point == "store:shop:commit" {
				once.Do(func() { c.store.Exec(t, `update teams set member_ids = '[2, 1]' where id = 5`) })
			}
		}
		o := c.erase(t, plan.Incomplete)
		if len(o.Remaining) != 1 || o.Remaining[0].Rows != 1 {
			t.Errorf("remaining %+v", o.Remaining)
		}
		wantNamed(t, o.Remaining, "residue", "teams")
		c.erase(t, plan.Complete)
		c.wantTeams(t, "1,[2,3] 2,[] 3,[2,11] 4,null 5,[2] 6,[null,3]")
		c.store.Exec(t, `insert into customers values (1, 'new@example.com', 'New')`, `update teams set member_ids = '[1]' where id = 2`)
		c.erase(t, plan.Complete)
		c.wantTeams(t, "1,[2,3] 2,[1] 3,[2,11] 4,null 5,[2] 6,[null,3]")
	})
}

// A list that a hold keeps stays until the hold ends, and so does the number of who is kept.
func TestTrap13ListsUnderHold(t *testing.T) {
	tr := teams()
	tr.system.Tables = []catalog.TableRule{{Table: "customers", Erase: catalog.Anonymise}}
	tr.spring(t, func(t *testing.T, c *trapped) {
		c.erase(t, plan.Complete) // a shell stays, and who it was nobody knows
		c.wantTeams(t, `1,[1,2,3] 2,[1] 3,[2,11] 4,null 5,[] 6,["1",null,3,1]`)
	})
	teams().spring(t, func(t *testing.T, c *trapped) {
		w := c.open(t)
		holds, err := w.Holds.Add(t.Context(), subject.HoldInput{Subjects: c.person.Identities, System: "shop", Dataset: "customers", Because: "claim 7", Actor: "test"})
		if err != nil {
			t.Fatal(err)
		}
		q := c.question(plan.Erasure)
		q.Holds = holds
		c.runWith(t, q)
		c.wantTeams(t, `1,[1,2,3] 2,[1] 3,[2,11] 4,null 5,[] 6,["1",null,3,1]`)
		q.Holds = nil
		c.runWith(t, q)
		c.wantTeams(t, "1,[2,3] 2,[] 3,[2,11] 4,null 5,[] 6,[null,3]")
	})
}

// A letter of the person stays without what they wrote, though the link speaks of staff as its author, and without them among
// whom it went to.
func TestTrap13ListsOfOwnRows(t *testing.T) {
	const make, rows = `create table letters (id integer primary key, customer_id integer not null references customers (id), sender varchar(100), body varchar(200), recipients `, `);
insert into letters values (1, 1, 'Ida@example.com', 'Ring 99 88', '["desk@example.com", "Ida@Example.com"]'), (2, 1, 'desk@example.com', 'Dear you', '["Ida@Example.com"]'), (3, 2, 'bo@example.com', 'Hello', '["desk@example.com"]');`
	trap{
		tables: customers + `
create table staff (id integer primary key, email varchar(100) unique);
insert into staff values (1, 'desk@example.com');`,
		extra: map[string]string{"sqlite": make + "text" + rows, "postgres": make + "jsonb" + rows, "mariadb": make + "json" + rows},
		system: catalog.System{
			People: []catalog.People{{Table: "customers", By: map[string]string{"email": "email"}}, {Table: "staff", By: map[string]string{"email": "email"}}},
			Links:  []catalog.Link{{From: "letters.sender", To: "staff.email", As: catalog.Mention, Author: true}, {From: "letters.recipients[]", To: "customers.email"}},
			Tables: []catalog.TableRule{{Table: "letters", Erase: catalog.Redact, Columns: []string{"sender", "body"}}},
		},
	}.spring(t, func(t *testing.T, c *trapped) {
		p := c.plan(t)
		if o := c.run(t, p); o.Status != plan.Complete {
			t.Errorf("it is %s: %+v %+v", o.Status, o.Remaining, o.Gaps)
		}
		c.want(t, `select sender, body, recipients from letters order by id`, `[erased],[erased],["desk@example.com"] desk@example.com,Dear you,[] bo@example.com,Hello,["desk@example.com"]`)
	})
}

// What is called a list and is none is named.
func TestTrap13CellsThatAreNoLists(t *testing.T) {
	tr := teams()
	tr.on = []string{"sqlite"}
	tr.tables += `
create table squads (id integer primary key, who text);
insert into squads values (1, '[[1]]'), (2, '1;2'), (3, '{1,2}'), (4, '[{"id": 1}]');`
	tr.system.Links = append(tr.system.Links, catalog.Link{From: "squads.who[]", To: "customers.id"})
	tr.spring(t, func(t *testing.T, c *trapped) {
		o := c.erase(t, plan.Incomplete)
		wantNamed(t, o.Gaps, "list", "squads")
		c.want(t, `select who from squads order by id`, `[[1]] 1;2 {2} [{"id": 1}]`)
	})
}

// Cut off at any point, the run ends as it would have.
func TestTrap13ListsAfterAnInterruption(t *testing.T) {
	tr := teams()
	tr.tables += `
create table orders (id integer primary key, customer_id integer references customers(id));
insert into orders values (1, 1), (2, 2);`
	for _, engine := range []string{"sqlite", "postgres", "mariadb"} {
		t.Run(engine, func(t *testing.T) {
			cutEverywhere(t, tr, engine, `select replace(cast(member_ids as char(40)), ' ', '') from teams where id = 1`, "[2,3]", `select id from orders`, "2", `select id from customers order by id`, "2 3")
		})
	}
}
