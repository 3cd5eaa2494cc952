package plan_test

import (
	"testing"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/plan"
)

// TestFollowStopsAtRowsOfTwo: what a row of two people refers to is also somebody else's, and stays with
// it. What only rows of the person's own refer to goes, step by step.
func TestFollowStopsAtRowsOfTwo(t *testing.T) {
	trap{
		tables: customers + `
create table places (id integer primary key, street varchar(100));
insert into places values (1, 'of both'), (2, 'of Ida'), (3, 'of Bo');
create table deals (id integer primary key, seller_id integer references customers(id), buyer_id integer references customers(id), place_id integer references places(id));
insert into deals values (1, 1, 2, 1), (2, 1, null, 2), (3, 2, null, 3);`,
		system: catalog.System{Links: []catalog.Link{
			{From: "deals.seller_id", To: "customers.id", As: catalog.Co}, {From: "deals.buyer_id", To: "customers.id", As: catalog.Co},
			{From: "deals.place_id", To: "places.id", As: catalog.Follow},
		}},
	}.spring(t, func(t *testing.T, c *trapped) {
		c.erase(t, plan.Complete)
		c.want(t, `select id, seller_id, buyer_id, place_id from deals order by id`, "1,NULL,2,1 3,2,NULL,3", `select * from places order by id`, "1,of both 3,of Bo")
	})
}

// TestFollowedParentIsGone: a link that no database checks may lead to nothing; a plan ends there.
func TestFollowedParentIsGone(t *testing.T) {
	trap{
		tables: customers + `
create table places (id integer primary key, street varchar(100));
insert into places values (2, 'of Ida');
create table deals (id integer primary key, seller_id integer references customers(id), place_id integer);
insert into deals values (1, 1, 2), (2, 1, 7);`,
		system: catalog.System{Links: []catalog.Link{
			{From: "deals.seller_id", To: "customers.id", As: catalog.Own}, {From: "deals.place_id", To: "places.id", As: catalog.Follow},
		}},
	}.spring(t, func(t *testing.T, c *trapped) {
		c.erase(t, plan.Complete)
		c.want(t, `select count(*) from deals`, "0", `select count(*) from places`, "0")
	})
}

// TestAliasIsNotForgotten: the same of who somebody is beside, to which their own row led.
func TestAliasIsNotForgotten(t *testing.T) {
	trap{
		tables: `create table persons (id integer primary key, shoe integer);
insert into persons values (7, 38), (8, 38);
create table customers (id integer primary key, email varchar(100) not null unique, person_id integer not null references persons(id));
insert into customers values (1, 'ida@example.com', 7), (2, 'bo@example.com', 8);`,
		system: catalog.System{Links: []catalog.Link{{From: "customers.person_id", To: "persons.id", As: catalog.Alias}}},
	}.spring(t, func(t *testing.T, c *trapped) {
		in := &injection{}
		c.options.Wrap = in.wrap(t)
		c.open(t)
		in.set(deleteSkipped, "persons", nil)
		if o := c.erase(t, plan.Incomplete); len(o.Remaining) != 1 || o.Remaining[0].Dataset != "persons" {
			t.Errorf("remaining: %+v", o.Remaining)
		}
		in.lift()
		c.erase(t, plan.Complete)
		c.want(t, `select id from persons`, "8")
	})
}

// TestFollowedRowIsNotForgotten: no key leads to a row that was followed once what refers to it has gone. Where a store only
// claimed to delete it, a retry still does; who has its number by then is somebody else.
func TestFollowedRowIsNotForgotten(t *testing.T) {
	tr := trap{
		tables: customers + `
create table places (id integer primary key, street varchar(100), since date);
insert into places values (2, 'Birch road', '2020-02-29'), (3, 'Birch road', null);
create table deals (id integer primary key, seller_id integer references customers(id), place_id integer references places(id));
insert into deals values (1, 1, 2), (2, 2, 3);`,
		system: catalog.System{Links: []catalog.Link{
			{From: "deals.seller_id", To: "customers.id", As: catalog.Own}, {From: "deals.place_id", To: "places.id", As: catalog.Follow},
		}},
	}
	for name, c := range map[string]struct{ meanwhile, left string }{
		"still there":   {"", "3,Birch road"},
		"another's":     {"update places set street = 'Elm road' where id = 2", "2,Elm road 3,Birch road"},
		"another's ref": {"insert into deals values (9, 2, 2)", "2,Birch road 3,Birch road"},
	} {
		t.Run(name, func(t *testing.T) {
			tr.spring(t, func(t *testing.T, x *trapped) {
				in := &injection{}
				x.options.Wrap = in.wrap(t)
				x.open(t)
				in.set(deleteSkipped, "places", nil)
				if o := x.erase(t, plan.Incomplete); len(o.Remaining) != 1 || o.Remaining[0].Dataset != "places" {
					t.Errorf("remaining: %+v", o.Remaining)
				}
				in.lift()
				if c.meanwhile != "" {
					x.store.Exec(t, c.meanwhile)
				}
				x.erase(t, plan.Complete)
				x.want(t, `select id, street from places order by id`, c.left)
			})
		})
	}
}
