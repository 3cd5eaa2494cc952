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
