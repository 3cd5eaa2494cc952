package plan_test

import (
	"testing"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/subject"
)

// held plans and runs an erasure under a hold, and ends the hold in the question that it gives back.
func (c *trapped) held(t *testing.T, dataset string) plan.Question {
	t.Helper()
	c.open(t)
	holds, err := c.Holds.Add(t.Context(), subject.HoldInput{Subjects: c.person.Identities, System: "shop", Dataset: dataset, Because: "a claim", Actor: "test"})
	if err != nil {
		t.Fatal(err)
	}
	q := c.question(plan.Erasure)
	q.Holds = holds
	c.answer(t, q, plan.Complete)
	q.Holds = nil
	return q
}

// answer plans and runs a question, and says how it must end.
func (c *trapped) answer(t *testing.T, q plan.Question, status plan.Status) *plan.Plan {
	t.Helper()
	p, err := c.Engine.Plan(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	o, err := c.Engine.Run(t.Context(), q, p, nil)
	if err != nil {
		t.Fatal(err)
	}
	if o.Status != status {
		t.Errorf("%s, want %s: remaining %+v gaps %+v", o.Status, status, o.Remaining, o.Gaps)
	}
	return p
}

// TestRetryKnowsWhatItReplaced: values that look like anybody's, digits and dates and noughts, are known
// by the request's key, and a retry does not plan them again.
func TestRetryKnowsWhatItReplaced(t *testing.T) {
	trap{
		tables: customers + `
create table orders (id integer primary key, customer_id integer not null references customers(id), phone varchar(12), born date not null, weight numeric(8,2) not null);
insert into orders values (1, 1, '5550134', '1990-01-02', 61.50), (2, 2, '5550135', '1991-01-02', 71.50);
create table invoices (id integer primary key, customer_id integer references customers(id));
insert into invoices values (1, 1), (2, 2);`,
		extra:  map[string]string{"postgres": "alter table orders alter phone set not null", "mariadb": "alter table orders modify phone varchar(12) not null"},
		system: catalog.System{Tables: []catalog.TableRule{{Table: "orders", Erase: catalog.Anonymise, Columns: []string{"phone", "born", "weight"}}}},
	}.spring(t, func(t *testing.T, c *trapped) {
		q := c.held(t, "invoices")
		before := c.rows(t, `select * from orders order by id`)
		p := c.answer(t, q, plan.Complete)
		if got := steps(p, "orders") + "; " + steps(p, "invoices"); got != "; delete 1" {
			t.Errorf("a retry plans %q", got)
		}
		c.want(t, `select * from orders order by id`, before, `select id from invoices`, "2")
	})
}

// TestRetryLeavesReusedNumbers: a store gave the number of a row that is gone to somebody new. What
// refers to it is theirs.
func TestRetryLeavesReusedNumbers(t *testing.T) {
	trap{
		tables: customers + `
create table orders (id integer primary key, customer_id integer references customers(id));
insert into orders values (1, 1), (2, 2);
create table claims (id integer primary key, mail varchar(100));
insert into claims values (1, 'ida@example.com'), (2, 'bo@example.com');`,
		system: catalog.System{Links: []catalog.Link{{From: "claims.mail", To: "customers.email"}}},
	}.spring(t, func(t *testing.T, c *trapped) {
		q := c.held(t, "claims")
		c.want(t, `select id from customers order by id`, "2 3", `select id from claims order by id`, "1 2")
		c.store.Exec(t, `insert into customers values (1, 'new@example.com', 'Nora New')`, `insert into orders values (1, 1)`)
		p := c.answer(t, q, plan.Complete)
		if got := steps(p, "customers") + steps(p, "orders"); got != "" {
			t.Errorf("a retry plans %q of somebody new", got)
		}
		c.want(t, `select id from customers order by id`, "1 2 3", `select id from orders order by id`, "1 2", `select id from claims`, "2")
	})
}

// TestRetryBreaksWhatRefersToWhoWent: a table that could not be read refers, by a key no database knows, to rows that are
// gone when it can be read again. The rows of it that stay let go then.
func TestRetryBreaksWhatRefersToWhoWent(t *testing.T) {
	trap{
		tables: customers + `
create table notes (id integer primary key, customer_id integer, body varchar(100));
insert into notes values (1, 1, 'Ida called'), (2, 2, 'Bo called');`,
		system: catalog.System{Links: []catalog.Link{own("notes.customer_id")}, Tables: []catalog.TableRule{{Table: "notes", Erase: catalog.Nullify, Columns: []string{"body"}}}},
	}.spring(t, func(t *testing.T, c *trapped) {
		in := &injection{}
		c.options.Wrap = in.wrap(t)
		c.open(t)
		in.set(noSelect, "notes", nil)
		c.erase(t, plan.Incomplete)
		c.want(t, `select id from customers order by id`, "2 3", `select customer_id from notes where id = 1`, "1")
		in.lift()
		c.erase(t, plan.Complete)
		c.want(t, `select id, customer_id, body from notes order by id`, "1,NULL,NULL 2,2,Bo called")
	})
}

// TestRetryDoesAnewWhatWasOnlyClaimed: a store confirms what it did not do, and then refuses what counts on that. When the
// plan is found unchanged, its first part is done again, not only the rest.
func TestRetryDoesAnewWhatWasOnlyClaimed(t *testing.T) {
	tr := notes("set null")
	tr.tables += "\ndelete from notes where author = 1;"
	tr.spring(t, func(t *testing.T, c *trapped) {
		in := &injection{}
		c.options.Wrap, c.options.Chunk = in.wrap(t), 1
		c.open(t)
		in.set(updateSkipped, "notes", nil)
		wantNamed(t, c.erase(t, plan.Incomplete).Remaining, "moved", "notes")
		in.lift()
		c.erase(t, plan.Complete)
		c.want(t, `select id from customers order by id`, "2 3", `select id, about from notes order by id`, "3,3 4,NULL")
	})
}
