package plan_test

import (
	"testing"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/plan"
)

// TestRedactionLeavesReferences: in a row of two people no column is prose that refers to a row by a link
// which only ombud.yaml knows, says which of several links it is, or dates the end of a keep.
func TestRedactionLeavesReferences(t *testing.T) {
	tr := trap{
		tables: customers + `
create table members (code varchar(120) primary key, email varchar(100) not null unique);
insert into members values ('m-ida', 'ida@example.com'), ('m-bo', 'bo@example.com');
create table deals (id integer primary key, seller varchar(120), buyer varchar(120), contact varchar(120), about varchar(120), about_type varchar(120), signed varchar(120), note varchar(200));
insert into deals values (1, 'm-bo', 'm-ida', 'bo@example.com', '2', 'customer', '2001-02-03', 'sold'),
 (2, 'm-ida', 'm-bo', 'ida@example.com', '1', 'customer', '2001-02-03', 'bought');`,
		system: catalog.System{
			People: []catalog.People{{Table: "customers", By: map[string]string{"email": "email"}}, {Table: "members", By: map[string]string{"email": "email"}}},
			Links: []catalog.Link{
				{From: "deals.seller", To: "members.code", As: catalog.Co}, {From: "deals.buyer", To: "members.code", As: catalog.Co},
				{From: "deals.contact", To: "customers.email", As: catalog.Co},
				{From: "deals.about", To: "customers.id", As: catalog.Mention, When: map[string]string{"about_type": "customer"}},
			},
			Tables: []catalog.TableRule{{Table: "deals", Erase: catalog.Keep, Because: "tax", Until: "5 years after signed"}},
		},
	}
	tr.spring(t, func(t *testing.T, c *trapped) {
		got, _ := c.export(t)
		got.wantRows(t, "deals", "1,WITHHELD,m-ida,WITHHELD,2,customer,2001-02-03,WITHHELD", "2,m-ida,WITHHELD,ida@example.com,1,customer,2001-02-03,WITHHELD")
		c.erase(t, plan.Complete)
		c.want(t, `select * from deals order by id`,
			"1,m-bo,NULL,bo@example.com,2,customer,2001-02-03,[erased] 2,NULL,m-bo,[erased],NULL,customer,2001-02-03,[erased]")
	})
}
