package catalog_test

import (
	"fmt"
	"testing"
)

// TestScanOfACRM: whom one may write to stands between records and addresses, each of some kind; accounts are firms, users are
// assigned to what is not theirs, and a record has its further columns in a dataset of its own.
func TestScanOfACRM(t *testing.T) {
	id := func(kind, i int) string { return fmt.Sprintf("'%08x-0000-4000-8000-%012x'", kind, i) }
	path := stores(t, "", map[string]string{"crm": `create table users (id text primary key, last_name text, phone text);
		create table contacts (id text primary key, last_name text, phone text, assigned_user_id text);
		create table contacts_cstm (id_c text primary key, passport_no_c text);
		create table accounts (id text primary key, name text, phone_office text, assigned_user_id text);
		create table contact_list (id integer primary key, name text);
		create table email_addresses (id text primary key, email_address text);
		create table email_addr_bean_rel (id integer primary key, email_address_id text, bean_id text, bean_module text);
		create table emails (id text primary key, parent_type text, parent_id text);
		create table emails_text (email_id text primary key, to_addrs text, description text);
		create table emails_beans (id integer primary key, email_id text, bean_id text, bean_module text);
		insert into users values ` + series(30, func(i int) string { return fmt.Sprintf("%s, 'Staff', '+47900001%02d'", id(1, i), i) }) + `;
		insert into contacts values ` + series(60, func(i int) string {
		return fmt.Sprintf("%s, 'Nordmann', '+47900002%02d', %s", id(2, i), i, id(1, i%30+1))
	}) + `;
		insert into contacts_cstm select id, 'N123' from contacts;
		insert into accounts values ` + series(60, func(i int) string {
		return fmt.Sprintf("%s, 'Firm', null, %s", id(3, i), id(1, i%30+1))
	}) + `;
		insert into contact_list values (1, 'Newsletter'), (2, 'Fair');
		insert into email_addresses values ` + series(60, func(i int) string { return id(4, i) + ", " + mail(i) }) + `, ` + series(30, func(i int) string { return id(4, 100+i) + ", " + mail(100+i) }) + `;
		insert into email_addr_bean_rel values ` + series(60, func(i int) string { return fmt.Sprintf("%d, %s, %s, 'Contacts'", i, id(4, i), id(2, i)) }) + `, ` +
		series(30, func(i int) string { return fmt.Sprintf("%d, %s, %s, 'Users'", 100+i, id(4, 100+i), id(1, i)) }) + `;
		insert into emails values ` + series(60, func(i int) string { return fmt.Sprintf("%s, 'Contacts', %s", id(5, i), id(2, i)) }) + `;
		insert into emails_text select id, 'Ida <ida@example.com>', 'Thank you' from emails;
		insert into emails_beans select null, id, parent_id, parent_type from emails;`})
	same(t, linksOf(t, path), []string{
		`people:crm.users {"phone":"phone","user":"id"}`,
		`people:crm.contacts {"contact":"id","phone":"phone"}`,
		`people:crm.email_addresses {"email":"email_address"}`,
		`link:crm.email_addr_bean_rel.email_address_id email_addresses.id alias`,
		`link:crm.email_addr_bean_rel.bean_id:contacts contacts.id alias`,
		`link:crm.email_addr_bean_rel.bean_id:users users.id alias`,
		`link:crm.contacts_cstm.id_c contacts.id own`,
		`link:crm.accounts.assigned_user_id users.id mention`,
		`link:crm.emails.parent_id:contacts contacts.id own`,
		`link:crm.emails_text.email_id emails.id own`,
		`link:crm.emails_beans.bean_id:contacts contacts.id own`,
		`link:crm.emails_beans.email_id emails.id own`,
	})
}

// TestScanOfAForum: a poster is a member, and who posted last is named; a shop's payment names the order by its reference; what
// actors did is no user's of the same number.
func TestScanOfAForum(t *testing.T) {
	path := stores(t, "", map[string]string{"forum": `create table users (user_id integer primary key, username text, user_email text, user_password text);
		create table forums (forum_id integer primary key, forum_last_post_id integer, forum_name text);
		create table topics (topic_id integer primary key, topic_last_poster_id integer, topic_poster integer, topic_title text);
		create table posts (post_id integer primary key, topic_id integer, poster_id integer, post_text text);
		create table further_emails (id integer primary key, user_id integer, email text);
		create table copied_emails (id integer primary key, user_id integer, email text);
		create table sent_emails (id integer primary key, user_id integer, email text, subject text);
		insert into users values ` + series(60, func(i int) string { return fmt.Sprintf("%d, 'ida%d', %s, 'x'", i, i, mail(i)) }) + `;
		insert into forums values ` + series(30, func(i int) string { return fmt.Sprintf("%d, %d, 'Walks'", i+2000, i+900) }) + `;
		insert into topics values ` + series(60, func(i int) string { return fmt.Sprintf("%d, %d, %d, 'Tents'", i+500, 1+i%7, i) }) + `;
		insert into posts values ` + series(60, func(i int) string { return fmt.Sprintf("%d, %d, %d, 'Good morning'", i+900, i+500, i) }) + `;
		insert into further_emails values ` + series(20, func(i int) string { return fmt.Sprintf("%d, %d, 'private%d@example.org'", i, i, i) }) + `;
		insert into copied_emails select null, user_id, user_email from users;
		insert into sent_emails values ` + series(20, func(i int) string { return fmt.Sprintf("%d, %d, 'friend%d@example.org', 'Hello'", i, i, i) }),
		"shop": `create table customers (id integer primary key, email text);
		create table orders (id integer primary key, reference text, number integer, customer_id integer);
		create table exports (id integer primary key, order_id integer, target text);
		create table payments (id integer primary key, order_reference text, holder text);
		insert into customers values ` + series(60, func(i int) string { return fmt.Sprintf("%d, %s", i, mail(1000+i)) }) + `;
		insert into orders values ` + series(60, func(i int) string { return fmt.Sprintf("%d, 'XKB%d', %d, %d", i+500, i*7, i, i) }) + `;
		insert into exports select id-200, number, 'another shop' from orders;
		insert into payments values ` + series(60, func(i int) string { return fmt.Sprintf("%d, 'XKB%d', 'Ida'", i, i*7) }),
		"wiki": `create table user (user_id integer primary key, user_email text, user_password text);
		create table actor (actor_id integer primary key, actor_user integer, actor_name text);
		create table revision (rev_id integer primary key, rev_actor integer, rev_weight real);
		insert into user values ` + series(60, func(i int) string { return fmt.Sprintf("%d, %s, 'x'", i, mail(2000+i)) }) + `;
		insert into actor values ` + series(60, func(i int) string { return fmt.Sprintf("%d, %d, 'Ida'", 61-i, i) }) + `;
		insert into revision values ` + series(60, func(i int) string { return fmt.Sprintf("%d, %d, 0.4111111111111111", i+900, i) })})
	same(t, linksOf(t, path), []string{
		`people:forum.users {"email":"user_email","user":"user_id"}`,
		`people:forum.further_emails {"email":"email"}`,
		`link:forum.further_emails.user_id users.user_id alias`,
		`link:forum.copied_emails.user_id users.user_id own`,
		`link:forum.sent_emails.user_id users.user_id own`,
		`link:forum.topics.topic_last_poster_id users.user_id mention author`,
		`link:forum.topics.topic_poster users.user_id own author`,
		`link:forum.posts.poster_id users.user_id own author`,
		`link:forum.forums.forum_last_post_id posts.post_id context`,
		`link:forum.posts.topic_id topics.topic_id context`,
		`people:shop.customers {"customer":"id","email":"email"}`,
		`link:shop.orders.customer_id customers.id own`,
		`link:shop.payments.order_reference orders.reference own`,
		`keep:shop.payments`,
		`people:wiki.user {"email":"user_email","wiki_user":"user_id"}`,
		`link:wiki.actor.actor_user user.user_id own`,
		`link:wiki.revision.rev_actor actor.actor_id own`,
	})
	for _, u := range scan(t, path).Surprises {
		if u.Dataset != "copied_emails" {
			t.Errorf("%s.%s: %s", u.System, u.Dataset, u.Text)
		}
	}
}

// TestScanOfANamelessList: a dataset whose name has no word is a list like another.
func TestScanOfANamelessList(t *testing.T) {
	path := stores(t, "", map[string]string{"list": `create table "__" (id integer primary key, email text);
		insert into "__" values ` + series(30, func(i int) string { return fmt.Sprintf("%d, %s", i, mail(i)) })})
	same(t, linksOf(t, path), []string{`people:list.__ {"email":"email"}`})
}
