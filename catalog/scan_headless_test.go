package catalog_test

import (
	"fmt"
	"testing"
)

// TestScanOfAHeadlessCMS: a customer whom a user created is no part of that user, and what users created is the customer's it is of,
// as a comment is that says so by the name of a collection.
func TestScanOfAHeadlessCMS(t *testing.T) {
	path := stores(t, "", map[string]string{"cms": `create table directus_users (id text primary key, first_name text, email text unique, password text);
		create table customers (id integer primary key, user_created text references directus_users (id), user_updated text references directus_users (id), first_name text, email text);
		create table orders (id integer primary key, user_created text references directus_users (id), customer integer references customers (id), remark text);
		create table notes (id integer primary key, user_created text references directus_users (id), body text);
		create table comments (id integer primary key, collection text, item text, user_created text references directus_users (id), comment text);
		create table products (id integer primary key, title text);
		insert into directus_users values ` + series(8, func(i int) string { return fmt.Sprintf("'u%d', 'Bo', 'staff%d@example.net', 'x'", i, i) }) + `;
		insert into customers values ` + series(60, func(i int) string { return fmt.Sprintf("%d, 'u%d', null, 'Ida', %s", i, 1+i%8, mail(i)) }) + `;
		insert into orders select id+700, user_created, id, 'leave it at the door' from customers;
		insert into notes select id+700, user_created, 'Good morning' from customers;
		insert into products select id, 'Tent' from customers;
		insert into comments select id+700, case when id % 2 then 'customers' else 'products' end, id, user_created, 'called today' from customers;`})
	same(t, linksOf(t, path), []string{
		`people:cms.customers {"customer":"id","email":"email"}`,
		`people:cms.directus_users {"email":"email","user":"id"}`,
		`link:cms.comments.item:customers customers.id own`,
		`link:cms.comments.user_created directus_users.id mention`,
		`link:cms.orders.user_created directus_users.id mention`,
		`link:cms.notes.user_created directus_users.id mention`,
	})
}
