package plan_test

import (
	"testing"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/plan"
)

// TestRowsWithoutKeyThatReferToEachOther: a row whose address is its place or its content cannot lose a
// reference first and be found again afterwards.
func TestRowsWithoutKeyThatReferToEachOther(t *testing.T) {
	ring := `insert into comments values (6, 1, null, 'f'), (7, null, 6, 'g');
update comments set parent = 7 where code = 6;`
	for _, action := range []string{"", " on delete cascade", " on delete set null"} {
		tr := trap{
			tables: customers + `
create table comments (code integer unique, customer_id integer, parent integer, words varchar(40),
  foreign key (customer_id) references customers(id), foreign key (parent) references comments(code)` + action + `);
insert into comments values (1, 1, null, 'a'), (2, null, 1, 'b'), (3, null, 2, 'c'), (4, 2, null, 'd'), (5, null, 4, 'e');`,
			extra:  map[string]string{"sqlite": ring, "postgres": ring},
			system: catalog.System{Links: []catalog.Link{own("comments.customer_id")}},
		}
		t.Run(action, func(t *testing.T) {
			tr.spring(t, func(t *testing.T, c *trapped) {
				c.erase(t, plan.Complete)
				c.want(t, `select code, parent from comments order by code`, "4,NULL 5,4", `select id from customers order by id`, "2 3")
			})
		})
	}
}
