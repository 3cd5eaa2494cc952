package catalog_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/connector/sqlite"
	"github.com/ombudhq/ombud/internal/clock"
)

// roleCase is a schema whose like is found in the wild, and the roles a person who knows it would give.
type roleCase struct {
	name   string
	schema string
	people []string
	want   string // "child.column→parent role", sorted, one a line
	asks   int
}

var roleCases = []roleCase{
	{name: "record shop with support representatives", people: []string{"employees", "customers"}, asks: 0, schema: `
create table employees (id integer primary key, email text, reports_to integer references employees(id));
create table customers (id integer primary key, email text, support_rep_id integer references employees(id));
create table invoices (id integer primary key, customer_id integer not null references customers(id));
create table invoice_lines (id integer primary key, invoice_id integer not null references invoices(id));`,
		want: `customers.support_rep_id→employees mention
employees.reports_to→employees mention
invoice_lines.invoice_id→invoices inherit
invoices.customer_id→customers own`},
	{name: "orders handled by employees", people: []string{"employees", "customers"}, asks: 1, schema: `
create table employees (id integer primary key, email text);
create table customers (id integer primary key, email text);
create table orders (id integer primary key, customer_id integer not null references customers(id), employee_id integer references employees(id));
create table lines (order_id integer not null references orders(id), product_id integer not null references products(id), primary key (order_id, product_id));
create table products (id integer primary key);`,
		want: `lines.order_id→orders inherit
lines.product_id→products lookup
orders.customer_id→customers own
orders.employee_id→employees mention`},
	{name: "reviews of their reviewers, tickets of customers that somebody owns", people: []string{"users"}, asks: 1, schema: `
create table users (id integer primary key, email text);
create table reviews (id integer primary key, reviewer_id integer not null references users(id));
create table tickets (id integer primary key, customer_id integer not null references users(id), owner_id integer not null references users(id));`,
		want: `reviews.reviewer_id→users own
tickets.customer_id→users own
tickets.owner_id→users mention`},
	{name: "a store and its manager refer to each other", people: []string{"staff", "customer"}, asks: 2, schema: `
create table store (id integer primary key, manager_staff_id integer not null references staff(id));
create table staff (id integer primary key, email text, store_id integer not null references store(id));
create table customer (id integer primary key, email text, store_id integer not null references store(id));
create table rental (id integer primary key, customer_id integer not null references customer(id), staff_id integer not null references staff(id));
create table payment (id integer primary key, rental_id integer references rental(id), customer_id integer not null references customer(id), staff_id integer not null references staff(id));`,
		want: `customer.store_id→store up
payment.customer_id→customer own
payment.rental_id→rental context
payment.staff_id→staff mention
rental.customer_id→customer own
rental.staff_id→staff mention
staff.store_id→store up
store.manager_staff_id→staff mention`},
	{name: "two people in one message", people: []string{"users"}, asks: 2, schema: `
create table users (id integer primary key, email text);
create table messages (id integer primary key, sender_id integer not null references users(id), recipient_id integer not null references users(id), body text);`,
		want: `messages.recipient_id→users co
messages.sender_id→users co`},
	{name: "a forum", people: []string{"users"}, asks: 1, schema: `
create table users (id integer primary key, email text, last_post_id integer unique references posts(id));
create table boards (id integer primary key, created_by integer references users(id));
create table threads (id integer primary key, board_id integer not null references boards(id), user_id integer not null references users(id));
create table posts (id integer primary key, thread_id integer not null references threads(id), user_id integer not null references users(id), reply_to integer references posts(id));
create table follows (follower integer not null references users(id), followed integer not null references users(id), primary key (follower, followed));`,
		want: `boards.created_by→users mention
follows.followed→users join
follows.follower→users join
posts.reply_to→posts context
posts.thread_id→threads context
posts.user_id→users own
threads.board_id→boards lookup
threads.user_id→users own
users.last_post_id→posts pointer`},
	{name: "a student is a person", people: []string{"persons", "students"}, schema: `
create table persons (id integer primary key, email text);
create table students (person_id integer primary key references persons(id), email text);
create table grades (id integer primary key, student_id integer not null references students(person_id));`,
		want: `grades.student_id→students own
students.person_id→persons alias`},
	{name: "contacts of accounts of tenants", people: []string{"contacts"}, schema: `
create table tenants (id integer primary key);
create table accounts (tenant_id integer not null references tenants(id), id integer not null, primary_contact integer, primary key (tenant_id, id),
  foreign key (tenant_id, primary_contact) references contacts(tenant_id, id));
create table contacts (tenant_id integer not null references tenants(id), id integer not null, email text, account_id integer, primary key (tenant_id, id),
  foreign key (tenant_id, account_id) references accounts(tenant_id, id));
create table notes (id integer primary key, tenant_id integer not null, contact_id integer not null, foreign key (tenant_id, contact_id) references contacts(tenant_id, id));`,
		want: `accounts.tenant_id+primary_contact→contacts mention
accounts.tenant_id→tenants lookup
contacts.tenant_id+account_id→accounts up
contacts.tenant_id→tenants up
notes.tenant_id+contact_id→contacts own`},
	{name: "a link table belongs to its one person", people: []string{"customers"}, schema: `
create table customers (id integer primary key, email text);
create table products (id integer primary key);
create table wishes (assigned_to integer not null references customers(id), product_id integer not null references products(id), primary key (assigned_to, product_id));`,
		want: `wishes.assigned_to→customers own
wishes.product_id→products lookup`},
	{name: "a gift names its recipient", people: []string{"customers"}, asks: 1, schema: `
create table customers (id integer primary key, email text);
create table orders (id integer primary key, customer_id integer not null references customers(id), gift_for integer references customers(id));`,
		want: `orders.customer_id→customers own
orders.gift_for→customers mention`},
	{name: "whoever founded a team", people: []string{"users"}, asks: 1, schema: `
create table users (id text primary key, email text);
create table organizations (id text primary key, name text, owner_id text references users(id));
create table projects (id text primary key, organization_id text not null references organizations(id), name text);
create table memberships (id text primary key, user_id text not null references users(id), organization_id text not null references organizations(id));
create table user_companies (id text primary key, user_id text not null references users(id), name text);`,
		want: `memberships.organization_id→organizations lookup
memberships.user_id→users own
organizations.owner_id→users mention
projects.organization_id→organizations lookup
user_companies.user_id→users own`},
}

func TestRolesOfRealSchemas(t *testing.T) {
	for _, c := range roleCases {
		t.Run(c.name, func(t *testing.T) {
			g := graphOf(t, c.schema, c.people)
			var got []string
			for _, e := range g.Edges {
				got = append(got, e.Path()+"→"+e.Parent.Name+" "+string(e.Role))
			}
			sort.Strings(got)
			if diff := cmp.Diff(c.want, strings.Join(got, "\n")); diff != "" {
				t.Error(diff)
			}
			if len(g.Questions) != c.asks {
				t.Errorf("asked %d questions, want %d: %v", len(g.Questions), c.asks, g.Questions)
			}
		})
	}
}

func TestUndeclaredPolymorphicReferenceIsAsked(t *testing.T) {
	const customers = "create table customers (id integer primary key, email text);"
	for columns, want := range map[string]string{
		"owner_type text, owner_id integer":          "owner_id",
		`"ownerType" text, "ownerId" integer`:        "ownerId",
		"res_model text, res_id integer":             "res_id",
		"model text, res_id integer":                 "res_id",
		"table_name text, row_id integer":            "row_id",
		"entity text, entity_id integer":             "entity_id",
		"class_name text, student_id integer":        "",
		"target_table text, target_id text":          "target_id",
		"related_entity text, related_uuid text":     "related_uuid",
		"note_type text, note_id text":               "", // what a note is itself
		"vehicle_model text, vehicle_id integer":     "", // a model of cars
		"type text, customer_id integer":             "",
		"content_type_id integer, object_id integer": "",
	} {
		g := graphOf(t, customers+"create table notes (id integer primary key, body text, "+columns+")", []string{"customers"})
		switch {
		case want == "" && len(g.Questions) > 0, want != "" && (len(g.Questions) != 1 || !strings.Contains(g.Questions[0].Text, want)):
			t.Errorf("%s: asked %v, want %q", columns, g.Questions, want)
		}
	}
}

func TestWhoActs(t *testing.T) {
	const tables = `create table customers (id integer primary key, email text); create table users (id integer primary key, email text);`
	for column, want := range map[string]catalog.Role{"created_by": "mention", "createdBy": "mention", "lastModifiedById": "mention", "assignedTo": "mention", "write_uid": "mention",
		"approver_id": "mention", "babysitter_id": "own", "size_bytes_id": "own", "user_id": "own"} {
		g := graphOf(t, tables+`create table orders (id integer primary key, "`+column+`" integer not null references users(id))`, []string{"customers", "users"})
		if got := g.Edges[0].Role; got != want {
			t.Errorf("%s: %s, want %s", column, got, want)
		}
	}
}

func TestMappedEndsAtLookupTables(t *testing.T) {
	g := graphOf(t, `create table customers (id integer primary key, email text, country integer references countries(id));
create table countries (id integer primary key);
create table leads (id integer primary key, email text, country integer references countries(id));`, []string{"customers"})
	if g.Dataset("s", "leads").Mapped {
		t.Error("leads hangs on countries only: nobody has said whose it is")
	}
	if !g.Dataset("s", "countries").Mapped {
		t.Error("countries is reached from customers")
	}
}

func graphOf(t *testing.T, schema string, people []string) *catalog.Graph {
	t.Helper()
	file := filepath.Join(t.TempDir(), "s.db")
	raw, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	if _, err := raw.Exec(schema); err != nil {
		t.Fatal(err)
	}
	sys := catalog.System{ID: "s", Connector: "sqlite", DSN: file}
	for _, p := range people {
		sys.People = append(sys.People, catalog.People{Table: p, By: map[string]string{"email": "email"}})
	}
	ctx := context.Background()
	cat := catalog.Open(ctx, &catalog.Config{Systems: []catalog.System{sys}}, map[string]connector.Opener{"sqlite": sqlite.Open}, clock.NewFake(time.Unix(0, 0)))
	t.Cleanup(func() { cat.Close() })
	g, err := cat.Refresh(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return g
}
