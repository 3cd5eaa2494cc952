package catalog_test

import (
	"fmt"
	"testing"
)

// TestScanOfNamesakes: what was ordered refers to products, and no product to what was ordered; an order of things is no order, and
// a number of products none of them; what is answered is a message, and no user of the same number; a value of old is no value's row.
func TestScanOfNamesakes(t *testing.T) {
	path := stores(t, "", map[string]string{
		"shop": `create table sx_customer (customer_id integer primary key, email text, firstname text);
		create table sx_customer_group (customer_group_id integer primary key, sort_order integer, view_order integer);
		create table sx_customer_search (customer_search_id integer primary key, customer_id integer, products integer);
		create table sx_order (order_id integer primary key, customer_id integer);
		create table sx_order_product (order_product_id integer primary key, order_id integer, product_id integer);
		create table sx_product (product_id integer primary key, model text);
		insert into sx_customer values ` + series(60, func(i int) string { return fmt.Sprintf("%d, %s, 'Ida'", i, mail(i)) }) + `;
		insert into sx_customer_group values ` + series(40, func(i int) string { return fmt.Sprintf("%d, %d, %d", i, i, i) }) + `;
		insert into sx_customer_search values ` + series(40, func(i int) string { return fmt.Sprintf("%d, %d, %d", i, i, i%9+1) }) + `;
		insert into sx_order values ` + series(60, func(i int) string { return fmt.Sprintf("%d, %d", i, i) }) + `;
		insert into sx_order_product values ` + series(60, func(i int) string { return fmt.Sprintf("%d, %d, %d", i, i, i%30+1) }) + `;
		insert into sx_product values ` + series(30, func(i int) string { return fmt.Sprintf("%d, 'Tent'", i) }),
		"tracker": `create table users (id integer primary key, email text, firstname text);
		create table messages (id integer primary key, parent_id integer, author_id integer, content text);
		create table issues (id integer primary key, author_id integer);
		create table custom_values (id integer primary key, customized_type text, customized_id integer, value text);
		create table journals (id integer primary key, user_id integer);
		create table journal_details (id integer primary key, journal_id integer, old_value text);
		insert into users values ` + series(60, func(i int) string { return fmt.Sprintf("%d, 'user%d@example.net', 'Per'", i, i) }) + `;
		insert into messages values ` + series(50, func(i int) string { return fmt.Sprintf("%d, %d, %d, 'Good morning'", i, (i+1)/2, i) }) + `;
		insert into issues values ` + series(60, func(i int) string { return fmt.Sprintf("%d, %d", i+700, i) }) + `;
		insert into custom_values values ` + series(40, func(i int) string { return fmt.Sprintf("%d, 'Principal', %d, '+47900001%02d'", i, i, i) }) + `, ` +
			series(40, func(i int) string { return fmt.Sprintf("%d, 'Issue', %d, 'red'", 100+i, 700+i) }) + `;
		insert into journals values ` + series(60, func(i int) string { return fmt.Sprintf("%d, %d", i+900, i) }) + `;
		insert into journal_details values ` + series(40, func(i int) string { return fmt.Sprintf("%d, %d, '%d'", i, i+900, i) })})
	same(t, linksOf(t, path), []string{
		`people:shop.sx_customer {"customer":"customer_id","email":"email"}`,
		`link:shop.sx_customer_search.customer_id sx_customer.customer_id own`,
		`link:shop.sx_order.customer_id sx_customer.customer_id own`,
		`link:shop.sx_order_product.order_id sx_order.order_id own`,
		`people:tracker.users {"email":"email","user":"id"}`,
		`link:tracker.messages.author_id users.id own author`,
		`link:tracker.issues.author_id users.id own author`,
		`link:tracker.custom_values.customized_id:principal users.id own`,
		`link:tracker.custom_values.customized_id:issue issues.id own`,
		`link:tracker.journals.user_id users.id own`,
		`keep:tracker.journals`,
		`link:tracker.journal_details.journal_id journals.id own`,
	})
}

// TestScanOfWhatManyShare: a channel with members is not its creator's, whose name may be written as one with id; a ticket is the
// customer's, and not the agent's who owns it.
func TestScanOfWhatManyShare(t *testing.T) {
	path := stores(t, "", map[string]string{"desk": `create table users (id integer primary key, email text, firstname text);
		create table channels (id integer primary key, creatorid integer, displayname text);
		create table channelmembers (channelid integer, userid integer, primary key (channelid, userid));
		create table files (id integer primary key, creatorid integer, name text);
		create table tickets (id integer primary key, customer_id integer not null references users (id), owner_id integer not null references users (id), title text);
		insert into users values ` + series(60, func(i int) string { return fmt.Sprintf("%d, %s, 'Ida'", i, mail(i)) }) + `;
		insert into channels values ` + series(30, func(i int) string { return fmt.Sprintf("%d, %d, 'Walks'", i+500, i) }) + `;
		insert into channelmembers values ` + series(60, func(i int) string { return fmt.Sprintf("%d, %d", i%30+501, i) }) + `;
		insert into files values ` + series(60, func(i int) string { return fmt.Sprintf("%d, %d, 'cv.pdf'", i+900, i) }) + `;
		insert into tickets values ` + series(60, func(i int) string { return fmt.Sprintf("%d, %d, %d, 'Tent'", i, i, i%4+1) })})
	same(t, linksOf(t, path), []string{
		`people:desk.users {"email":"email","user":"id"}`,
		`link:desk.channels.creatorid users.id mention author`,
		`link:desk.channelmembers.userid users.id own`,
		`link:desk.files.creatorid users.id own author`,
		`link:desk.tickets.owner_id users.id mention`,
	})
}

// TestScanOfVisits: who is known by an address in a log alone enters there, and what hangs on its rows by a key with a name of its
// own is theirs; staff is known by a login, also where few have one. A mailbox that all mail came from is nobody.
func TestScanOfVisits(t *testing.T) {
	path := stores(t, "", map[string]string{"visits": `create table sx_user (login text primary key, email text unique, password text);
		create table sx_access (id integer primary key, login text, access text);
		create table sx_log_visit (idvisit integer primary key, user_id text, city text);
		create table sx_log_conversion (idlink integer primary key, idvisit integer, revenue real);
		create table sx_template (id integer primary key, sender text, body text);
		insert into sx_user values ` + series(6, func(i int) string { return fmt.Sprintf("'staff%d', 'staff%d@example.net', 'x'", i, i) }) + `;
		insert into sx_access values (1, 'staff1', 'view'), (2, 'staff2', 'admin');
		insert into sx_log_visit values ` + series(60, func(i int) string { return fmt.Sprintf("%d, %s, 'Oslo'", i, mail(i%25)) }) + `;
		insert into sx_log_conversion values ` + series(60, func(i int) string { return fmt.Sprintf("%d, %d, 9.5", i, i) }) + `;
		insert into sx_template values ` + series(60, func(i int) string { return fmt.Sprintf("%d, 'shop@example.net', 'Thank you'", i) })})
	same(t, linksOf(t, path), []string{
		`people:visits.sx_user {"email":"email","user":"login"}`,
		`link:visits.sx_access.login sx_user.login own`,
		`people:visits.sx_log_visit {"email":"user_id"}`,
		`keep:visits.sx_log_conversion`,
		`link:visits.sx_log_conversion.idvisit sx_log_visit.idvisit own`,
	})
}

// TestScanOfAnExport: a line names its order as orders are called; a review is its reviewer's, where nobody else is named.
func TestScanOfAnExport(t *testing.T) {
	path := stores(t, "", map[string]string{"export": `create table customers (id integer primary key, "Email" text, "First Name" text);
		create table orders (id integer primary key, "Name" text unique, "Customer: ID" integer);
		create table order_lines ("Order Name" text, "Lineitem name" text);
		create table reviews (id integer primary key, reviewer_name text, reviewer_email text, body text);
		create table appraisals (id integer primary key, customer_id integer, reviewer_id integer);
		insert into customers values ` + series(60, func(i int) string { return fmt.Sprintf("%d, %s, 'Ida'", i, mail(i)) }) + `;
		insert into orders values ` + series(60, func(i int) string { return fmt.Sprintf("%d, '#%d', %d", i+700, i+1000, i) }) + `;
		insert into order_lines values ` + series(60, func(i int) string { return fmt.Sprintf("'#%d', 'Tent'", i+1000) }) + `;
		insert into appraisals values ` + series(60, func(i int) string { return fmt.Sprintf("%d, %d, %d", i+2000, i, i%5+1) }) + `;
		insert into reviews values ` + series(60, func(i int) string { return fmt.Sprintf("%d, 'Ida', %s, 'A good tent'", i+900, mail(i)) })})
	same(t, linksOf(t, path), []string{
		`people:export.customers {"customer":"id","email":"Email"}`,
		`link:export.orders.Customer: ID customers.id own`,
		`link:export.order_lines.Order Name orders.Name own`,
		`link:export.reviews.reviewer_email customers.Email own`,
		`link:export.appraisals.customer_id customers.id own`,
		`link:export.appraisals.reviewer_id customers.id mention`,
	})
}

// TestScanOfSameLogins: who has the login of a user in another dataset of users is the same person, and everything hangs on the key
// that one has there; in a value somebody is only named.
func TestScanOfSameLogins(t *testing.T) {
	path := stores(t, "", map[string]string{"tracker": `create table cwd_user (id integer primary key, user_name text, email_address text, first_name text);
		create table app_user (id integer primary key, user_key text unique, lower_user_name text unique);
		create table alien_user (id integer primary key, user_name text);
		create table jiraissue (id integer primary key, reporter text, assignee text, summary text);
		create table changeitem (id integer primary key, newvalue text);
		create table rememberme_token (id integer primary key, username text);
		insert into cwd_user values ` + series(60, func(i int) string { return fmt.Sprintf("%d, 'person%d', %s, 'Ida'", i, i, mail(i)) }) + `;
		insert into app_user select id + 500, 'JIRAUSER'||id, user_name from cwd_user;
		insert into alien_user values ` + series(60, func(i int) string { return fmt.Sprintf("%d, 'alien%d'", i+900, i) }) + `;
		insert into jiraissue select id + 700, 'JIRAUSER'||id, 'JIRAUSER'||(61-id), 'A hole' from cwd_user;
		insert into changeitem select id + 800, 'JIRAUSER'||id from cwd_user;
		insert into rememberme_token select id + 900, user_name from cwd_user;`})
	same(t, linksOf(t, path), []string{
		`people:tracker.cwd_user {"email":"email_address","user":"id"}`,
		`people:tracker.app_user {"tracker_user":"id"}`,
		`link:tracker.app_user.lower_user_name cwd_user.user_name alias`,
		`link:tracker.jiraissue.reporter app_user.user_key own author`,
		`link:tracker.jiraissue.assignee app_user.user_key mention`,
		`link:tracker.changeitem.newvalue app_user.user_key mention`,
		`link:tracker.rememberme_token.username app_user.lower_user_name own`,
	})
}

// TestScanOfBinaryKeys: keys may be bytes, beside an address too; and an order is whose its order_customer says it is, with all that
// hangs on it.
func TestScanOfBinaryKeys(t *testing.T) {
	path := stores(t, "", map[string]string{"shop": `create table customer (id blob primary key, email text, first_name text);
		create table "order" (id blob not null, version_id blob not null, deep_link text, shipping_phone text, primary key (id, version_id));
		create table order_customer (id blob primary key, order_id blob not null, order_version_id blob not null, customer_id blob references customer (id),
			email text, foreign key (order_id, order_version_id) references "order" (id, version_id));
		create table order_address (id blob primary key, order_id blob not null, order_version_id blob not null, street text,
			foreign key (order_id, order_version_id) references "order" (id, version_id));
		create table review (id blob primary key, customer_id blob references customer (id), external_email text);
		insert into customer values ` + series(60, func(i int) string { return fmt.Sprintf("x'%032x', %s, 'Ida'", i, mail(i)) }) + `;
		insert into "order" values ` + series(60, func(i int) string { return fmt.Sprintf("x'%032x', x'%032x', 'a', '+47900001%02d'", i+500, 7, i) }) + `;
		insert into order_customer select id, id, version_id, (select c.id from customer c where c.rowid = o.rowid), 'person'||rowid||'@example.com' from "order" o;
		insert into order_address select id, id, version_id, 'Gata 1' from "order";
		insert into review select id, id, email from customer;`})
	same(t, linksOf(t, path), []string{
		`people:shop.customer {"customer":"id","email":"email"}`,
		`link:shop.order.id+version_id order_customer.order_id+order_version_id own`,
	})
}

// TestScanOfAHomeServer: people are known by what looks like an address and is none; their addresses stand beside numbers to call in
// one column of a dataset of their own.
func TestScanOfAHomeServer(t *testing.T) {
	path := stores(t, "", map[string]string{"chat": `create table users (name text primary key, password_hash text);
		create table user_threepids (user_id text not null, medium text not null, address text not null);
		create table events (stream_ordering integer primary key, event_id text unique, sender text);
		create table event_json (event_id text primary key, json text);
		insert into users values ` + series(60, func(i int) string { return fmt.Sprintf("'@ida%d:nord.example', 'x'", i) }) + `;
		insert into user_threepids select name, 'email', 'person'||rowid||'@example.com' from users;
		insert into user_threepids select name, 'msisdn', '4790000'||(rowid + 100) from users where rowid % 3 = 0;
		insert into events select rowid, '$event'||rowid, name from users;
		insert into event_json select event_id, '{"sender": "'||sender||'", "content": "Good morning"}' from events;`})
	same(t, linksOf(t, path), []string{
		`people:chat.users {"user":"name"}`,
		`people:chat.user_threepids {"email":"address"}`,
		`link:chat.user_threepids.user_id users.name alias`,
		`link:chat.events.sender users.name own author`,
		`link:chat.event_json.event_id events.event_id own`,
	})
}
