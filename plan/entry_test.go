package plan_test

import (
	"strings"
	"testing"
	"time"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/internal/testkit/world"
	"github.com/ombudhq/ombud/plan"
)

// guests write comments without an account: their key says 0 or nothing. Members sign with their address too.
const guests = customers + `
create table comments (id integer primary key, customer_id integer default 0, email varchar(100), body varchar(200));
create table replies (id integer primary key, comment_id integer not null, body varchar(200));
insert into comments values (1, 0, 'Guest@Example.net', 'mine'), (2, null, 'guest@example.net', 'mine too'), (3, 1, 'ida@example.com', 'of ida');
insert into comments values (4, 0, 'other@example.net', 'of another guest'), (5, 2, 'guest@example.net', 'of bo, signed as the guest');
insert into comments values (6, 77, 'ida@example.com', 'of ida, whose old account is gone');
insert into replies values (10, 1, 'to the guest'), (11, 3, 'to ida');`

// TestWhoCannotBeLookedFor: an identity of a kind that a dataset does not know proves nothing about it.
func TestWhoCannotBeLookedFor(t *testing.T) {
	lists := customers + `
create table subscribers (address varchar(100) primary key, since varchar(10));
insert into subscribers values ('bo@example.com', '2020');`
	system := catalog.System{People: []catalog.People{
		{Table: "customers", By: map[string]string{"email": "email", "customer": "id"}}, {Table: "subscribers", By: map[string]string{"email": "address"}}}}
	trap{tables: lists, system: system, person: world.Person("passport=123")}.spring(t, func(t *testing.T, c *trapped) {
		_, o := c.export(t)
		wantNamed(t, o.Gaps, "not-searched", "customers")
		wantNamed(t, o.Gaps, "not-searched", "subscribers")
		if o.Status != plan.Incomplete {
			t.Errorf("it is %s", o.Status)
		}
	})
	trap{tables: lists + "\n" + `update customers set email = '' where id = 1;`, system: system, person: world.Person("customer=1")}.spring(t, func(t *testing.T, c *trapped) {
		if _, o := c.export(t); o.Status != plan.Complete || !warned(&plan.Plan{Warnings: o.Warnings}, "not-searched", "subscribers") {
			t.Errorf("it is %s, warnings %+v", o.Status, o.Warnings)
		}
	})
	patients := catalog.System{People: []catalog.People{system.People[0], {Table: "patients", By: map[string]string{"patient": "id"}}},
		Links: []catalog.Link{{From: "patients.account", To: "customers.id", As: catalog.Alias}}}
	for who, unsearched := range map[string]bool{"email=ida@example.com": false, "email=bo@example.com": true} {
		trap{tables: customers + `
create table patients (id integer primary key, account integer unique references customers(id));
insert into patients values (7, 1), (8, null);`, system: patients, person: world.Person(who)}.spring(t, func(t *testing.T, c *trapped) {
			if _, o := c.export(t); warned(&plan.Plan{Warnings: o.Warnings}, "not-searched", "patients") != unsearched {
				t.Errorf("%s: a patient with an account was found by it, one without may be there: %+v", who, o.Warnings)
			}
		})
	}
	trap{tables: lists, system: system, person: world.Person("email=nobody@example.com")}.spring(t, func(t *testing.T, c *trapped) {
		if _, o := c.export(t); o.Status != plan.Complete || !o.Nobody() || len(o.Gaps) > 0 {
			t.Errorf("everything was searched, and it is %s, gaps %+v", o.Status, o.Gaps)
		}
	})
}

func guestBook(who string) trap {
	return trap{tables: guests, person: world.Person("email=" + who), system: catalog.System{Links: []catalog.Link{
		own("comments.customer_id"), {From: "comments.email", To: "customers.email", As: catalog.Own},
		{From: "replies.comment_id", To: "comments.id", As: catalog.Own},
	}}}
}

// TestWhoIsNoCustomerIsFoundByTheirAddress: in no people dataset, and yet their rows are theirs.
func TestWhoIsNoCustomerIsFoundByTheirAddress(t *testing.T) {
	t.Run("access", func(t *testing.T) {
		guestBook(" guest@EXAMPLE.net").spring(t, func(t *testing.T, c *trapped) {
			p, o := c.export(t)
			p.wantRows(t, "comments", "1,0,Guest@Example.net,mine", "2,NULL,guest@example.net,mine too")
			p.wantRows(t, "replies", "10,1,to the guest")
			p.without(t, "another guest", "of bo", "ida")
			if o.Nobody() {
				t.Error("nobody, it says")
			}
		})
	})
	t.Run("erasure", func(t *testing.T) {
		guestBook("guest@example.net").spring(t, func(t *testing.T, c *trapped) {
			o := c.erase(t, plan.Incomplete) // what bo signed as the guest is for a person to judge
			wantNamed(t, o.Gaps, "conflict", "comments")
			c.want(t, `select id from comments order by id`, "3 4 5 6", `select id from replies`, "11", `select count(*) from customers`, "3")
		})
	})
	t.Run("beside an account", func(t *testing.T) { // a key of nobody is no other person's
		guestBook("ida@example.com").spring(t, func(t *testing.T, c *trapped) {
			c.erase(t, plan.Complete)
			c.want(t, `select id from comments order by id`, "1 2 4 5", `select id from replies`, "10", `select id from customers order by id`, "2 3")
		})
	})
	t.Run("by tokens", func(t *testing.T) { // by which whoever comes back is known, when nobody knows who was erased
		token := func(kind, value string) string { return kind + "=" + connector.Fold(value) }
		erased := map[string]bool{"email=other@example.net": true}
		guestBook("other@example.net").spring(t, func(t *testing.T, c *trapped) {
			e := c.open(t).Engine
			back, err := e.Returned(t.Context(), erased, token)
			if err != nil || len(back) != 1 || back[0].Identities[0].Value != "other@example.net" {
				t.Errorf("%+v, %v", back, err)
			}
			left, err := e.Tokens(t.Context(), erased, token, nil, nil)
			if err != nil || len(left) != 1 || left[0].Dataset != "comments" || left[0].Rows != 1 || !strings.Contains(left[0].Next, "replay-erasures --system shop") {
				t.Errorf("%+v, %v", left, err)
			}
			if left, err = e.Tokens(t.Context(), erased, token, []plan.Kept{{System: "shop", Dataset: "comments", Rows: 1}}, nil); err != nil || len(left) != 0 {
				t.Errorf("a row that was kept: %+v, %v", left, err)
			}
		})
	})
	t.Run("again, when they wrote again", func(t *testing.T) {
		guestBook("other@example.net").spring(t, func(t *testing.T, c *trapped) {
			c.erase(t, plan.Complete)
			c.store.Exec(t, `insert into comments values (7, 0, 'OTHER@example.net', 'here I am')`)
			c.erase(t, plan.Complete)
			c.want(t, `select id from comments order by id`, "1 2 3 5 6")
		})
	})
}

// TestWhoWasEmptiedIsNobodyElse: an invoice kept by law carries the address, and the number of a row that holds it no more. That is
// no other person: the invoice is still theirs, is given to them, and goes when its time has come.
func TestWhoWasEmptiedIsNobodyElse(t *testing.T) {
	invoices := `
create table invoices (id integer primary key, customer_id integer references customers(id), email varchar(100), issued date);
insert into invoices values (1, 1, 'ida@example.com', '2024-05-08'), (2, 2, 'bo@example.com', '2024-05-08');`
	emptied := strings.Replace(customers, "not null unique", "unique", 1) // of whom nothing stays but the number
	for _, tables := range []string{customers + invoices, emptied + invoices, customers + strings.Replace(invoices, " references customers(id)", "", 1)} {
		trap{tables: tables, system: catalog.System{
			Links:  []catalog.Link{own("invoices.customer_id"), {From: "invoices.email", To: "customers.email", As: catalog.Own}},
			Tables: []catalog.TableRule{{Table: "invoices", Erase: catalog.Keep, Until: "3 years after issued", Because: "tax"}},
		}}.spring(t, func(t *testing.T, c *trapped) {
			c.erase(t, plan.Complete)
			p, o := c.export(t)
			if p.wantRows(t, "invoices", "1,1,ida@example.com,2024-05-08"); o.Status != plan.Complete {
				t.Errorf("it is %s, gaps %+v", o.Status, o.Gaps)
			}
			c.Clock.Advance(3 * 366 * 24 * time.Hour)
			again := c.question(plan.Erasure)
			again.Request = "dsr_2"
			due, err := c.Engine.Plan(t.Context(), again)
			if err != nil {
				t.Fatal(err)
			}
			if o, err = c.Engine.Run(t.Context(), again, due, nil); err != nil || o.Status != plan.Complete {
				t.Errorf("%v, remaining %+v, gaps %+v", err, o.Remaining, o.Gaps)
			}
			c.want(t, `select id from invoices`, "2")
		})
	}
}
